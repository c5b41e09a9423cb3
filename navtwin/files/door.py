"""One door: what a file is, and what it can become. A file is known by its content; its name is never asked."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from navtwin.errors import InputRefused
from navtwin.files.formats import HEAD_BYTES, Format, Inspection, Kind, Options, Peek, Report
from navtwin.files.guard import is_packed, read_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How an option is written on the command line, where that is not its name with dashes.
_FLAGS: Final = {"caution_mm": "--caution", "danger_mm": "--danger", "structures": "--structure"}
#: What a file can become, and how the place for it is named.
KINDS: Final[dict[Kind, str]] = {"log": "a log (*.mcap)", "case": "a case (a folder)", "rig": "a rig (*.toml)"}


@cache
def formats() -> tuple[Format, ...]:
    """All formats of all rooms, in the order of the entry points' names."""
    found = sorted(entry_points(group="navtwin.formats"), key=lambda entry: entry.name)
    return tuple(one for entry in found for one in entry.load())


def peek(path: Path) -> Peek:
    """The beginning of a file or the fact that it is a folder.

    Raises
    ------
    InputRefused : nothing is there, or it cannot be read
    """
    if path.is_dir():
        return Peek(path, b"", packed=False, is_folder=True)
    return Peek(path, read_head(path, HEAD_BYTES), is_packed(path), is_folder=False)


def recognise(path: Path) -> Format:
    """The one format that a file is of.

    Raises
    ------
    InputRefused : nothing is there, it is empty, or no format knows it
    """
    seen = peek(path)
    found = [one for one in formats() if not one.general and one.recognise(seen)]
    found = found or [one for one in formats() if one.general and one.recognise(seen)]
    if len(found) == 1:
        return found[0]
    if found:
        could = " or ".join(one.name for one in found)
        raise InputRefused(f"{path} could be {could}", "open it with the program that wrote it and export it again")
    if not seen.is_folder and not seen.head:
        raise InputRefused(f"{path} is empty", "copy or download the file again")
    raise InputRefused(f"{path} is nothing that can be read", f"known are: {', '.join(sorted({one.name for one in formats()}, key=str.lower))}")


def inspect(path: Path, options: Options) -> tuple[Inspection, tuple[Kind, ...]]:
    """What a file is, and what it can become."""
    found = recognise(path)
    _refuse_unused(options, found.uses, f"a file of this kind ({found.name})")
    return found.inspect(path, options), tuple(found.brings)


def kind_of(to: Path) -> Kind:
    """What a place is meant to hold: a log by `.mcap`, a rig by `.toml`, else a case's folder."""
    if to.suffix == ".mcap":
        return "log"
    if to.suffix == ".toml":
        return "rig"
    if to.suffix and not to.is_dir():
        raise InputRefused(f"cannot tell from '{to.name}' what to make", f"name {', '.join(KINDS.values())}")
    return "case"


def bring(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Bring a file in as a log, a case or a rig; returns sentences on what was done and what is doubtful.

    Raises
    ------
    InputRefused : the file cannot be used, cannot become that, or an option says nothing to its format
    """
    kind, found = kind_of(to), recognise(path)
    if kind not in found.brings:
        can = ", ".join(KINDS[one] for one in found.brings) or "nothing: it can be looked at with navtwin inspect"
        raise InputRefused(f"{path} ({found.name}) cannot become {KINDS[kind]}", f"it can become {can}")
    _refuse_unused(options, found.uses, f"a file of this kind ({found.name})")
    return found.brings[kind](path, to, options, report)


def write(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write a log, case or rig as the kind of file that the name `to` ends with.

    Raises
    ------
    InputRefused : `path` is none of them, no format has that ending, or the format cannot carry what is there
    """
    found = recognise(path)
    kind = found.ours
    if kind is None:
        raise InputRefused(
            f"{path} ({found.name}) is nothing of ours", f"export takes {', '.join(KINDS.values())}: bring it in first with navtwin import"
        )
    endings = dict(_endings(kind))
    ending = max((one for one in endings if to.name.lower().endswith(one)), key=len, default=None)
    if ending is None:
        raise InputRefused(f"cannot write a {kind} as '{to.name}'", f"end the name with one of {', '.join(sorted(endings))}")
    if to.resolve() == path.resolve():
        raise InputRefused(f"{to} is the {kind} itself", "give the export another name")
    chosen = endings[ending]
    _refuse_unused(options, chosen.writes_with, f"what is written as {ending}")
    return chosen.writes[kind, ending](path, to, options, report)


def _endings(kind: Kind) -> Iterator[tuple[str, Format]]:
    for one in formats():
        yield from ((ending, one) for what, ending in one.writes if what == kind)


def _refuse_unused(options: Options, uses: frozenset[str], what: str) -> None:
    """An option that is given and means nothing would be a wish that is silently not granted."""
    blank = Options()
    for name in msgspec.structs.asdict(options):
        if getattr(options, name) != getattr(blank, name) and name not in uses:
            raise InputRefused(f"{flag(name)} says nothing to {what}", _known(uses))


def _known(uses: Iterable[str]) -> str:
    flags = [flag(name) for name in sorted(uses)]
    return f"leave it out; understood are {', '.join(flags)}" if flags else "leave it out"


def flag(option: str) -> str:
    """How an option is written on the command line."""
    return _FLAGS.get(option, f"--{option}")
