"""Which kind of mesh a file is, told from its first bytes and its size. Only what is needed to tell is imported: every file is asked this."""

from __future__ import annotations

import math
import re
import struct
from typing import Final, Literal, get_args

Kind = Literal["stl", "ply", "obj", "vtk", "vtp"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: What a line of an OBJ file may begin with.
OBJ_KEYWORDS: Final = frozenset(
    ["v", "vt", "vn", "vp", "f", "l", "p", "o", "g", "s", "mg", "mtllib", "usemtl", "usemap", "maplib", "shadow_obj", "trace_obj", "lod", "bevel",
     "c_interp", "d_interp", "ctech", "stech", "cstype", "deg", "bmat", "step", "curv", "curv2", "surf", "parm", "trim", "hole", "scrv", "sp", "end",
     "con"]
)  # fmt: skip

_HEADER, _FIRST, _FACE = 80, 84, 50
#: So many triangles of a cut STL file are looked at.
_MOST_LOOKED_AT = 100


def kind_of(head: bytes, size: int) -> Kind | None:
    """The kind of mesh that a file is, by its content.

    Parameters
    ----------
    head : its first bytes, 64 KiB or all
    size : of the whole file, bytes
    """
    if head[:4] in (b"ply\n", b"ply\r") and b"\nformat " in head:
        return "ply"
    if head.startswith(b"# vtk DataFile Version"):
        return "vtk"
    if _first_element(head).startswith(b"<VTKFile"):
        return "vtp"
    if _is_binary_stl(head, size) or _is_ascii_stl(head) or _is_cut_stl(head):
        return "stl"
    return "obj" if _is_obj(head, size) else None


def _first_element(head: bytes) -> bytes:
    """What follows the declarations and comments of XML; empty where it is none."""
    rest = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    while rest.startswith((b"<?", b"<!")):
        rest = rest.partition(b"-->" if rest.startswith(b"<!--") else b">")[2].lstrip(b" \t\r\n]>")
    return rest if rest.startswith(b"<") else b""


def _is_binary_stl(head: bytes, size: int) -> bool:
    return len(head) >= _FIRST and size == _FIRST + _FACE * int.from_bytes(head[_HEADER:_FIRST], "little")


def _is_ascii_stl(head: bytes) -> bool:
    text = head.lstrip()[:4096].lower()
    return text.startswith(b"solid") and re.search(rb"\n\s*(facet\s+normal|endsolid)\b", text) is not None and b"\0" not in text


def _is_cut_stl(head: bytes) -> bool:
    """A binary STL of the wrong size: nothing else has unit vectors every 50 bytes."""
    looked_at = min((len(head) - _FIRST) // _FACE, _MOST_LOOKED_AT)
    lengths = [math.hypot(*struct.unpack_from("<3f", head, _FIRST + k * _FACE)) for k in range(looked_at)]
    units = [abs(length - 1.0) < 1e-3 for length in lengths]
    return any(units) and all(unit or length == 0.0 for unit, length in zip(units, lengths, strict=True))


def _is_obj(head: bytes, size: int) -> bool:
    """Every line begins as OBJ lines do, and one of them is a vertex of three numbers."""
    if b"\0" in head:
        return False
    lines = head.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").splitlines()
    if len(head) < size:
        lines = lines[:-1]  # cut by how much was looked at
    words = [line.split(None, 4)[:4] for line in lines if not line.lstrip().startswith(b"#")]
    known = all(not w or w[0].decode("latin-1") in OBJ_KEYWORDS for w in words)
    return known and any(len(w) == 4 and w[0] == b"v" and all(map(_is_number, w[1:])) for w in words)


def _is_number(word: bytes) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False
