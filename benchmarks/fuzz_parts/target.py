"""What is fuzzed: one file through the one door. It may only be read, or refused in our own words. Run by `benchmarks/fuzz.py`."""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["navtwin", "tracking"]):
    from navtwin.errors import NavtwinError
    from navtwin.files import door
    from navtwin.files.formats import Options

    door.formats()

OPTIONS = Options(space="LPS", unit="mm")


def main() -> None:
    """`target.py CASE RIG [libFuzzer's arguments]`: a small case and a rig that files are brought into."""
    case, rig = Path(sys.argv[1]), Path(sys.argv[2])
    folder = Path(tempfile.mkdtemp(prefix="navtwin-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    warnings.simplefilter("ignore")

    def one(data: bytes) -> None:
        room = folder / "room"
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        file = room / "file"
        file.write_bytes(data)
        try:
            found = door.recognise(file)
            found.inspect(file, _options(found.uses))
        except NavtwinError:
            return
        for kind in found.brings:
            try:
                found.brings[kind](file, _place(kind, room, case, rig), _options(found.uses), lambda text: None)
            except NavtwinError:
                continue

    try:
        atheris.Setup([sys.argv[0], *sys.argv[3:]], one)
        atheris.Fuzz()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _options(uses: frozenset[str]) -> Options:
    return Options(space="LPS" if "space" in uses else None, name="it" if "name" in uses else None, role="context" if "role" in uses else None)


def _place(kind: str, room: Path, case: Path, rig: Path) -> Path:
    if kind == "log":
        return room / "new.mcap"
    if kind == "rig":
        return Path(shutil.copy(rig, room / "rig.toml"))
    # What makes a case is tried on a new one, what adds to one on a copy of a small one; both refuse the other.
    return Path(shutil.copytree(case, room / "case"))


if __name__ == "__main__":
    main()
