"""The decoder, alone in a process of its own: a damaged picture can break GDCM, and then it breaks nothing else.

Run as a script, so that nothing of the project is imported. Standard input: requests; standard output: a mark when ready, then an answer each.
"""

import struct
import sys

#: bytes of the picture, rows, columns, bits allocated, bits of a sample, signed, then the transfer syntax UID
REQUEST = struct.Struct("<6I64s")
#: bytes of the decoded picture; where there is none, the process has ended
ANSWER = struct.Struct("<I")
READY = b"R"
_MOST_MEMORY = 2 * 1024**3


def main() -> None:
    _bound()
    import gdcm  # type: ignore[import-untyped]

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sink.write(READY)
    sink.flush()
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        length, rows, columns, allocated, bits, signed, syntax = REQUEST.unpack(head)
        code = source.read(length)
        values = decode(gdcm, code, rows, columns, allocated, bits, signed, syntax.rstrip(b"\x00").decode("ascii"))
        sink.write(ANSWER.pack(len(values)))
        sink.write(values)
        sink.flush()


def decode(gdcm, code: bytes, rows: int, columns: int, allocated: int, bits: int, signed: int, syntax: str) -> bytes:  # type: ignore[no-untyped-def]
    """The values of one picture, in native byte order."""
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(code)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, bits, bits - 1, signed))
    values: bytes = image.GetBuffer().encode("utf-8", "surrogateescape")
    return values


def _bound() -> None:
    """A cap on memory where the system has one, and no core files."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
