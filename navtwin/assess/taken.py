"""Touches as they were taken, one a line in a file that is written through at once: an assessment that is broken off can be gone on with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from navtwin.assess.artefact import Artefact
from navtwin.assess.plan import Design, Touch, touches
from navtwin.errors import InputRefused
from navtwin.nouns import Pose
from navtwin.nouns.base import Noun
from navtwin.rigid import Vec3

#: An assessment has some hundred touches of half a kilobyte.
LARGEST_BYTES = 64_000_000


class Assessed(Noun, frozen=True, tag_field="kind", tag="assessment"):
    """What is assessed: the first line of the file.

    Attributes
    ----------
    artefact : with its coordinates as the ruler corrected them
    rig_hash : of the rig; another rig's touches are not added to these
    begun_utc : ISO 8601
    """

    artefact: Artefact
    design: Design
    tool: str
    tracker: str
    source: str
    rig_hash: str
    begun_utc: str


class Taken(Noun, frozen=True, tag_field="kind", tag="taken"):
    """A touch that was taken.

    Attributes
    ----------
    position_ref_mm : mean of the tip while it was still
    spread_mm, samples : RMS of the tip about that mean, and how many frames it rests on
    T_ref_from_tip : in the last of them; how the pointer was held
    T_tracker_from_ref : in the last of them; where in the tracker's volume it was
    """

    touch: Touch
    position_ref_mm: Vec3
    spread_mm: float
    samples: int
    T_ref_from_tip: Pose
    T_tracker_from_ref: Pose


class Forgotten(Noun, frozen=True, tag_field="kind", tag="forgotten"):
    """Touches that are to be taken again, and count no more."""

    numbers: tuple[int, ...]


_decode = msgspec.json.Decoder(Assessed | Taken | Forgotten).decode
_encode = msgspec.json.Encoder().encode


class TouchFile:
    """The file of an assessment that is being done."""

    def __init__(self, path: Path, about: Assessed) -> None:
        """Begin a new file, or go on with one of the same rig, artefact and design.

        Raises
        ------
        InputRefused : a file of another assessment, or one that cannot be written
        """
        self.path = path
        before: dict[int, Taken] = {}
        whole = 0
        if path.exists():
            old, before, whole = _read(path)
            _check_same(path, old, about)
            about = old
        self.about, self.taken = about, before
        try:
            self._file: BinaryIO = path.open("r+b" if whole else "wb")
            # A line that was cut off when the power went is written over.
            self._file.truncate(whole)
            self._file.seek(whole)
        except OSError as error:
            raise InputRefused(f"cannot write {path}: {error.strerror}", "check the folder and the space on the disk") from error
        if not whole:
            self._write(about)

    def add(self, taken: Taken) -> None:
        """Keep a touch, on the disk before this returns."""
        self._write(taken)
        self.taken[taken.touch.number] = taken

    def forget(self, numbers: tuple[int, ...]) -> None:
        """Ask for touches again."""
        known = tuple(n for n in numbers if n in self.taken)
        if known:
            self._write(Forgotten(numbers=known))
            for n in known:
                del self.taken[n]

    def close(self) -> None:
        """Close the file; what was added stays."""
        self._file.close()

    def _write(self, line: Assessed | Taken | Forgotten) -> None:
        try:
            self._file.write(_encode(line) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputRefused(f"cannot write {self.path}: {error.strerror}", "make room on the disk, then run the command again") from error


def read_touches(path: Path) -> tuple[Assessed, tuple[Taken, ...]]:
    """What was assessed, and the touches that count, in the order in which they were asked for.

    Raises
    ------
    InputRefused : no such file, one that is no assessment, a line that is damaged
    """
    about, taken, _ = _read(path)
    return about, tuple(taken[n] for n in sorted(taken))


def _read(path: Path) -> tuple[Assessed, dict[int, Taken], int]:
    """The file's content, and how many bytes of it are whole lines."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputRefused(f"{path} is larger than any assessment", "name the file of touches that `navtwin assess` wrote")
        data = path.read_bytes()
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "check the path") from error
    lines = data.split(b"\n")
    cut = lines.pop()
    about: Assessed | None = None
    asked: tuple[Touch, ...] = ()
    taken = dict[int, Taken]()
    for number, line in enumerate(lines, 1):
        try:
            item = _decode(line)
        except (msgspec.MsgspecError, InputRefused) as error:
            raise InputRefused(f"{path}: line {number} is no line of an assessment ({error})", "name the file that `navtwin assess` wrote") from error
        match item:
            case Assessed():
                if about is not None:
                    raise InputRefused(f"{path}: line {number} begins a second assessment", "keep each in a file of its own")
                about, asked = item, touches(item.artefact, item.design)
            case Taken():
                if item.touch.number >= len(asked) or asked[item.touch.number] != item.touch:
                    raise InputRefused(f"{path}: line {number} is a touch that this assessment does not ask for", "keep each in a file of its own")
                taken[item.touch.number] = item
            case Forgotten():
                for n in item.numbers:
                    taken.pop(n, None)
    if about is None:
        raise InputRefused(f"{path} says nothing of what was assessed", "name the file that `navtwin assess` wrote")
    return about, taken, len(data) - len(cut)


def _check_same(path: Path, old: Assessed, new: Assessed) -> None:
    said: tuple[tuple[str, Callable[[Assessed], object]], ...] = (
        ("rig", lambda a: a.rig_hash),
        ("tool", lambda a: a.tool),
        ("artefact, or another --check-mm,", lambda a: a.artefact),
        ("number of places, points, repeats or angles", lambda a: a.design),
    )
    for what, of in said:
        if of(old) != of(new):
            raise InputRefused(f"{path} was begun with another {what}", "go on with the same, or name a new file with --out")
