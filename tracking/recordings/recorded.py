"""Recorded streams as a source: navtwin's own logs and the recordings of other programs, item by item in recorded order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from navtwin.files.guard import read_head
from navtwin.nouns import Accept, BoneState, Command, Event, Rig, SourceEnded, SourceItem, TrackerFrame, TrueSetup, Truth
from navtwin.nouns.rig import HARD_MAX_AGE_MS
from navtwin.record.format import MCAP_MARK, PARTIAL, is_log
from navtwin.record.read import decode, read_log
from tracking.recordings.kinds import read_recording
from tracking.recordings.notes import notes


@dataclass
class Counts:
    """What has been read so far, and how its time stamps (of arrival) behave. The twin judges them; here they are only counted.

    Attributes
    ----------
    repeated, backwards : frames that arrived at the same time as the one before, or earlier
    jumped : frames more than `HARD_MAX_AGE_MS` after the one before
    refused : sightings whose pose was refused (status INVALID)
    """

    frames: int = 0
    commands: int = 0
    repeated: int = 0
    backwards: int = 0
    jumped: int = 0
    refused: int = 0


class RecordedSource:
    """A recording, handed out item by item at once, with the times it was recorded at. `notes` say what a reader should know of it."""

    live = False

    def __init__(self, name: str, items: Iterator[SourceItem], notes: tuple[str, ...] = (), *, setup_ns: int = 0) -> None:
        self.name = name
        self.setup_ns = setup_ns
        self.notes = notes
        self.counts = Counts()
        self._items = items
        self._last_ns: int | None = None

    def read(self, timeout_s: float) -> SourceItem | None:
        """The next item; never waits. Raises SourceEnded at the end, LogDamaged where a record cannot be read."""
        item = next(self._items, None)
        if item is None:
            raise SourceEnded(self.name)
        if isinstance(item, TrackerFrame):
            self._count(item)
        elif isinstance(item, Command):
            self.counts.commands += 1
        return item

    def close(self) -> None:
        """Forget the rest; reading on raises SourceEnded."""
        self._items = iter(())

    def _count(self, frame: TrackerFrame) -> None:
        counts, step_ns = self.counts, 1 if self._last_ns is None else frame.t_arrival_ns - self._last_ns
        self._last_ns = frame.t_arrival_ns
        counts.frames += 1
        counts.repeated += step_ns == 0
        counts.backwards += step_ns < 0
        counts.jumped += step_ns > HARD_MAX_AGE_MS * 1e6
        for sighting in frame.sightings:
            counts.refused += sighting.status == "INVALID"


def open_source(address: str, case: Path | None = None, rig: Rig | None = None) -> RecordedSource:
    """Open a recording; `address` is a file's path (what follows `log:`).

    From a log: its tracker frames and commands, and what it knows of the truth; its ticks, notices and results are made anew by whoever runs it.
    From a recording of another program (known by its content): its frames, bodies named and latency declared as the rig says.

    Raises
    ------
    InputRefused : no such file, not a recording of a known kind, or one that cannot be placed
    LogDamaged : a log that is cut, altered, unfinished or of another version
    """
    path = Path(address)
    name = f"log:{path.name}"
    if is_log(read_head(path, len(MCAP_MARK))) or path.name.endswith((".mcap", PARTIAL)):
        items = _items_of_log(path)
        first = next(items, None)  # so that a damaged log is refused here and now, not after the session has begun
        return RecordedSource(name, iter(()) if first is None else chain((first,), items), _began_drilled(path), setup_ns=_setup_ns(path))
    recording = read_recording(path, rig)
    return RecordedSource(name, recording.frames(), notes(recording))


def _items_of_log(path: Path) -> Iterator[SourceItem]:
    for record in read_log(path, ("/input", "/truth")):
        noun: Event | TrueSetup | Truth = decode(record, path)
        item = noun.body if isinstance(noun, Event) else noun
        if isinstance(item, TrackerFrame | Command | TrueSetup | Truth):
            yield item


def _began_drilled(path: Path) -> tuple[str, ...]:
    """Says of a session that began with drilled bone that a source does not bring it: its drilling would be repeated on whole bone."""
    for record in read_log(path, ("/input",)):
        body = decode(record, path).body
        if isinstance(body, BoneState):
            return (f"{path.name} began with the drilled bone of session {body.session}, which a source does not bring: see --drilled",)
        break
    return ()


def _setup_ns(path: Path) -> int:
    """How long the log records until a registration is accepted; 0 if none is."""
    first_ns: int | None = None
    for record in read_log(path, ("/input",)):
        first_ns = record.t_ns if first_ns is None else first_ns
        # Frames are the bulk and need no decoding to be told apart.
        if b'"accept"' in record.data:
            event = decode(record, path)
            if isinstance(event.body, Command) and isinstance(event.body.order, Accept) and event.body.order.result == "registration":
                return int(event.t_ns - first_ns)
    return 0
