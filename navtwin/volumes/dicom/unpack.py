"""Asks the decoder's process for one picture after the other, with a limit on time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.codestream import checked_bits
from navtwin.volumes.dicom.frames import Layout
from navtwin.volumes.dicom.unpacker import ANSWER, READY, REQUEST

#: A slice takes some hundredths of a second.
_MOST_S: Final = 4.0
_MOST_START_S: Final = 60.0

#: (compressed picture, layout, name of the frame) -> (rows, columns) stored values, unsigned
Unpack = Callable[[bytes, Layout, str], npt.NDArray[np.unsignedinteger]]


@contextmanager
def unpacker() -> Iterator[Unpack]:
    """A decoder for as long as the block lasts.

    Raises
    ------
    InputRefused : from the decoder that it yields: a picture that differs from its header, is damaged, or takes too long
    """
    command = [sys.executable, "-I", str(Path(__file__).with_name("unpacker.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        try:
            if _exchange(child, b"", len(READY), _MOST_START_S) != READY:
                raise InputRefused("the decoder of compressed pictures does not start", "install python-gdcm, or export the series uncompressed")
            yield lambda code, layout, name: _unpack(child, code, layout, name)
        finally:
            child.kill()
            if child.stdin is not None:
                with suppress(BrokenPipeError):  # what a broken child has not read is of no use to anyone
                    child.stdin.close()


def _unpack(child: subprocess.Popen[bytes], code: bytes, layout: Layout, name: str) -> npt.NDArray[np.unsignedinteger]:
    bits = checked_bits(code, layout, name)
    allocated = layout.allocated if bits <= layout.allocated else 16
    if layout.syntax.name.startswith(("JPEG-LS", "JPEG 2000")):
        allocated = 8 if bits <= 8 else 16  # GDCM's own choice for these
    request = REQUEST.pack(len(code), layout.rows, layout.columns, allocated, bits, layout.signed, layout.syntax.uid.encode("ascii"))
    head = _exchange(child, request + code, ANSWER.size, _MOST_S)
    length = ANSWER.unpack(head)[0] if len(head) == ANSWER.size else 0
    count = layout.rows * layout.columns
    if length not in (count, 2 * count):
        raise InputRefused(f"{name} cannot be decoded: its {layout.syntax.name} picture is damaged", "copy the file again, or export it uncompressed")
    values = _exchange(child, b"", length, _MOST_S)
    if len(values) != length:
        raise InputRefused(f"{name} cannot be decoded: the decoder broke down over it", "copy the file again, or export it uncompressed")
    kind: type[np.unsignedinteger] = np.uint8 if length == count else np.uint16
    return np.frombuffer(values, kind).reshape(layout.rows, layout.columns)


def _exchange(child: subprocess.Popen[bytes], request: bytes, count: int, most_s: float) -> bytes:
    """Up to `count` bytes of the child's answer; fewer where it has died or was ended for taking too long."""
    timer = Timer(most_s, child.kill)
    timer.start()
    try:
        if child.stdin is None or child.stdout is None:
            return b""
        try:
            child.stdin.write(request)
            child.stdin.flush()
        except OSError:
            return b""
        return child.stdout.read(count)
    finally:
        timer.cancel()
