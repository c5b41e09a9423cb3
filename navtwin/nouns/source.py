"""Where poses come from, as the loop sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from navtwin.nouns.alerts import InstrumentState
from navtwin.nouns.base import Noun, Pose
from navtwin.nouns.commands import Command
from navtwin.nouns.tracking import TrackerFrame
from navtwin.nouns.video import VideoFrame
from navtwin.rigid import Vec3


class TrueTool(Noun, frozen=True):
    """The tip that a pivot calibration should find, in marker axes, mm."""

    tool: str
    tip_mm: Vec3


class TrueSetup(Noun, frozen=True, tag_field="kind", tag="true-setup"):
    """What calibration and registration should find: written once by a source that knows."""

    tools: tuple[TrueTool, ...]
    T_ct_from_ref: Pose


class TrueDistance(Noun, frozen=True):
    structure: str
    instrument: str
    part: str
    distance_mm: float


class TrueWall(Noun, frozen=True):
    """Bone that is really left on the straight way from a cutter to a critical structure; 0 where there is none between."""

    structure: str
    thickness_mm: float


class TrueDrill(Noun, frozen=True):
    """What a drill has really done so far.

    Attributes
    ----------
    turning : whether it turns, whatever has been said of it
    removed_mm3 : bone that is gone
    walls : one for each critical structure within reach
    """

    instrument: str
    turning: bool
    removed_mm3: float
    walls: tuple[TrueWall, ...] = ()


class Truth(Noun, frozen=True, tag_field="kind", tag="truth"):
    """What is really so at the instant of capture of frame `frame`. For the report and the tests; the fold never sees it."""

    frame: int
    t_capture_ns: int
    instruments: tuple[InstrumentState, ...]
    distances: tuple[TrueDistance, ...]
    drills: tuple[TrueDrill, ...] = ()


#: What a source hands over. Truth is recorded beside the inputs and never reaches the fold.
SourceItem = TrackerFrame | Command | TrueSetup | Truth


class SourceEnded(Exception):
    """The source has no more items."""


class Flag(Protocol):
    """What one thread sets and another waits for (`threading.Event`)."""

    def set(self) -> None: ...
    def clear(self) -> None: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class PictureTap(Protocol):
    """Where the pictures behind a source's frames can be had, for people to look at. They are made only while they are wanted.

    Attributes
    ----------
    wanted : set it while somebody looks
    arrived : set with each picture that is there to be taken
    """

    wanted: bool

    @property
    def arrived(self) -> Flag: ...

    def take(self) -> Sequence[tuple[VideoFrame, bytes]]:
        """Headers and JPEGs that have come since, oldest first; `number` is that of the `TrackerFrame` that was made from the picture.

        What only a session knows is left open: the epoch, the bodies, and times, which are the source's own. May be called from any thread.
        """


class Source(Protocol):
    """A stream of items in time order.

    `live` sources stamp items on the host's monotonic clock as they come. Others (recordings, scripts) return each item at once with the time it
    was recorded at; the loop re-stamps and paces them. `setup_ns` is how long such a source records until a registration is accepted, 0 if none
    is: all before that is played as fast as it goes.

    A source of pictures may also have `pictures`, a `PictureTap`, and any may have `notes`, a tuple of sentences that a reader should know.
    """

    name: str
    live: bool
    setup_ns: int

    def read(self, timeout_s: float) -> SourceItem | None:
        """The next item, None if none came in `timeout_s`; raises SourceEnded at the end."""

    def close(self) -> None:
        """Release the device or file."""
