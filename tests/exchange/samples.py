"""What the tests of this room share: a rig and a case to write into, hostile copies of files, and a format by its name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from navtwin.errors import NavtwinError
from navtwin.exchange.formats import FORMATS
from navtwin.files.door import peek
from navtwin.files.formats import Format, Options

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data" / "tracking"

#: No subnormals or values beyond what a position may be; every bit of the rest counts.
lengths = st.floats(-1e4, 1e4, allow_nan=False)
points = st.tuples(lengths, lengths, lengths)
edits = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255), st.sampled_from("scid")), min_size=1, max_size=6)


def a_rig(folder: Path) -> Path:
    return Path(shutil.copy(ROOT / "docs" / "examples" / "rig.toml", folder / "rig.toml"))


def a_case(folder: Path) -> Path:
    return Path(shutil.copytree(ROOT / "tests" / "golden" / "case", folder / "case"))


def format_of(path: Path) -> Format:
    """The one format of this room that claims the file."""
    (found,) = (one for one in FORMATS if one.recognise(peek(path)))
    return found


def named(name: str) -> Format:
    return next(one for one in FORMATS if one.name == name)


def quiet(_: str) -> None:
    pass


def bring(path: Path, to: Path, **options: str) -> str:
    """Through the format's own door; all sentences in one."""
    kind = "rig" if to.suffix == ".toml" else "case"
    return " ".join(format_of(path).brings[kind](path, to, Options(**options), quiet))


def export(path: Path, to: Path, **options: str) -> str:
    kind = "rig" if path.suffix == ".toml" else "case"
    write = next(w for one in FORMATS for (what, ending), w in one.writes.items() if what == kind and to.name.endswith(ending))
    return " ".join(write(path, to, Options(**options), quiet))


def damaged(data: bytes, changes: list[tuple[int, int, str]]) -> bytes:
    """Bytes set, cut off, put in or doubled, as `edits` says."""
    found = bytearray(data)
    for where, value, how in changes:
        at = where % max(1, len(found))
        if how == "s" and found:
            found[at] = value
        elif how == "c":
            del found[at : at + value]
        elif how == "i":
            found[at:at] = bytes([value])
        else:
            found[at:at] = found[at : at + value]
    return bytes(found)


def never_anything_else(read: Callable[[Path], object], path: Path, data: bytes) -> None:
    """Reading succeeds or is refused in our own words; every other exception is a fault."""
    path.write_bytes(data)
    try:
        read(path)
    except NavtwinError as refused:
        assert refused.problem
        assert "\n" not in str(refused)
