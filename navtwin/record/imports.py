"""A recorded stream of another program becomes a log of inputs."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from navtwin import errors
from navtwin.nouns import Command, Event, Header, Noun, Rig, Source, SourceEnded, TrackerFrame
from navtwin.offers import source_offer
from navtwin.record.hashes import code_hash, with_session
from navtwin.record.log import LogWriter


class RecordedStream(Source, Protocol):
    """A source that is a file; `notes` say what a reader should know of it."""

    @property
    def notes(self) -> tuple[str, ...]: ...


def open_recording(path: Path, rig: Rig | None) -> RecordedStream:
    """A recording as a source, through the entry point, because the readers live in a room that this one does not know. Raises InputRefused."""
    offer, rest = source_offer(f"log:{path}")
    return cast(RecordedStream, offer.load()(rest, None, rig))


class Imported(Noun, frozen=True):
    """What came in; `poses` counts sightings with a pose, `refused` those whose status or pose rules it out."""

    out: str
    frames: int
    commands: int
    poses: int
    refused: int
    seconds: float
    notes: tuple[str, ...]

    def told(self) -> tuple[str, ...]:
        """The same in sentences."""
        frames = f"{self.frames} frames over {self.seconds:.1f} s written to {self.out}"
        return (f"{frames}: {self.poses} poses, {self.refused} sightings without", *(f"note: {note}" for note in self.notes))


def import_stream(source: Source, to: str | Path, version: str, notes: tuple[str, ...] = ()) -> Imported:
    """Read `source` to its end and write its frames and commands as inputs, at their times of arrival, and what it knows of the truth.

    The anchors of the header are 0: such a stream does not say when UTC was.

    Raises
    ------
    InputRefused : the source is live, or holds no frame; `to` exists. Nothing is left half-written
    """
    if source.live:
        raise errors.InputRefused(f"{source.name} is live", "record it with `navtwin run`")
    blank = Header(
        session="", version=version, utc_anchor_ns=0, monotonic_anchor_ns=0, case_path="", rig_path="", case_hash="", rig_hash="",
        code_hash=code_hash(), source=source.name, speed=1.0, python=platform.python_version(), machine=platform.machine(),
    )  # fmt: skip
    writer = LogWriter(to, live=False)
    try:
        writer.write_header(with_session(blank))
        tally = _copy(source, writer)
        if not tally.frames:
            raise errors.InputRefused(f"{source.name} holds no tracker frame", "there is nothing to import")
        writer.finish()
    except BaseException:
        writer.abandon()
        writer.partial.unlink(missing_ok=True)
        raise
    return Imported(
        out=str(to),
        frames=tally.frames,
        commands=tally.commands,
        poses=tally.poses,
        refused=tally.sightings - tally.poses,
        seconds=(tally.last_ns - tally.first_ns) * 1e-9,
        notes=notes,
    )


@dataclass
class _Tally:
    frames: int = 0
    commands: int = 0
    sightings: int = 0
    poses: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, frame: TrackerFrame) -> None:
        self.last_ns = frame.t_arrival_ns
        if not self.frames:
            self.first_ns = frame.t_arrival_ns
        self.frames += 1
        self.sightings += len(frame.sightings)
        for sighting in frame.sightings:
            self.poses += sighting.pose is not None


def _copy(source: Source, writer: LogWriter) -> _Tally:
    tally = _Tally()
    while True:
        try:
            item = source.read(0.0)
        except SourceEnded:
            return tally
        if isinstance(item, TrackerFrame | Command):
            if isinstance(item, TrackerFrame):
                tally.add(item)
            else:
                tally.commands += 1
            writer.write_event(Event(seq=tally.frames + tally.commands, t_ns=tally.last_ns, body=item))
        elif item is not None:
            writer.write_truth(item)
