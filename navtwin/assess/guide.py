"""The guided procedure: which point is to be touched next and how, whether it was that point, and what to say. No clock, no file, no device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from navtwin.assess.artefact import Array, Artefact
from navtwin.assess.collector import Collector
from navtwin.assess.f2554 import placed
from navtwin.assess.plan import Touch, in_words, of_place
from navtwin.assess.posture import Posture, posture_of
from navtwin.assess.taken import Taken
from navtwin.errors import InputRefused
from navtwin.nouns import Pose, TrackerFrame
from navtwin.rigid import Rigid
from navtwin.twin.memory import TouchedLandmark

#: The tip was lifted off once it was this far from where it touched.
LIFTED_MM = 8.0
#: A touch this far from where the point must be is another point, or none at all.
WRONG_MM = 6.0
#: The artefact was moved to a new place if its reference moved by this much.
MOVED_MM = 40.0
#: The pointer leans or turns as asked if within this; upright means within the other.
ANGLE_DEG, UPRIGHT_DEG = 12.0, 20.0
#: After so many wrong touches on end while it is not yet known how the artefact stands, its first touches are the suspects.
SUSPECT = 3


@dataclass(frozen=True)
class Line:
    """Something to tell: `bell` where eyes may be elsewhere."""

    text: str
    bell: bool = False


@dataclass
class Guide:
    """One assessment.

    Attributes
    ----------
    taken : by number, what counts so far
    lines : to be told, oldest first; whoever tells them empties it
    held_up : why no touch can be taken yet though the tip was lifted; "" where one can
    forgotten : numbers that are to be taken again, to be put on file; emptied likewise
    """

    artefact: Artefact
    asked: Sequence[Touch]
    collector: Collector
    dwell_s: float
    taken: dict[int, Taken]
    lines: list[Line] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    held_up: str = ""
    _announced: int | None = None
    _lifted: bool = True
    _last_mm: Array | None = None
    _wrong: int = 0

    @property
    def wanted(self) -> Touch | None:
        """The touch that comes next; None where all are taken."""
        return next((touch for touch in self.asked if touch.number not in self.taken), None)

    def see(self, frame: TrackerFrame) -> Taken | None:
        """Take a frame: the touch that it completes, if it was the one asked for."""
        return self._after(self.collector.see(frame))

    def wait(self, now_ns: int) -> Taken | None:
        """Let time pass without a frame."""
        return self._after(self.collector.wait(now_ns))

    def again(self) -> None:
        """Take the last touch again: it was a bad one."""
        if self.taken:
            self._forget([max(self.taken)])

    def _after(self, touched: TouchedLandmark | None) -> Taken | None:
        wanted = self.wanted
        if wanted is None:
            return None
        if touched is not None:
            return self._judged(wanted, touched)
        if not self.collector.asking:
            if self.collector.refusal:
                self._say(self.collector.refusal, bell=True)
                self.collector.refusal = ""
            self._ready(wanted)
        return None

    def _ready(self, wanted: Touch) -> None:
        """Say what is wanted, and once the tip was lifted off the last point, wait for it."""
        if self._announced != wanted.number:
            self._announced = wanted.number
            self._announce(wanted)
        T_ref_from_tip, T_tracker_from_ref = self.collector.T_ref_from_tip, self.collector.T_tracker_from_ref
        if T_ref_from_tip is None or T_tracker_from_ref is None:
            return
        if self._last_mm is not None and not self._lifted:
            self._lifted = bool(np.linalg.norm(np.array(T_ref_from_tip.t_mm) - self._last_mm) > LIFTED_MM)
        if not self._lifted:
            return
        before, self.held_up = self.held_up, self._stands_as_before(wanted.place, T_tracker_from_ref)
        if self.held_up:
            if self.held_up != before:
                self._say(self.held_up, bell=True)
            return
        self.collector.ask(wanted.point, self.dwell_s)

    def _announce(self, wanted: Touch) -> None:
        here = of_place(self.asked, wanted.place)
        if not any(touch.number in self.taken for touch in here):
            self._say(f"place '{wanted.place}': put the artefact, and its reference with it, {_WHERE[wanted.place]}", bell=True)
        self._say(f"{wanted.number + 1} of {len(self.asked)}, {wanted.place}: {wanted.point}, {in_words(wanted)}")

    def _stands_as_before(self, place: str, T_tracker_from_ref: Rigid) -> str:
        """Why no touch can be taken at this place yet; "" where one can."""
        if any(t.touch.place == place for t in self.taken.values()):
            return ""
        for other in self.taken.values():
            if np.linalg.norm(np.array(other.T_tracker_from_ref.t_mm) - np.array(T_tracker_from_ref.t_mm)) < MOVED_MM:
                return f"the artefact still stands at '{other.touch.place}': move it by {MOVED_MM:.0f} mm or more, reference and all"
        return ""

    def _judged(self, wanted: Touch, touched: TouchedLandmark) -> Taken | None:
        """What was touched, if it was what was wanted; and why it was not."""
        T_ref_from_tip, T_tracker_from_ref = self.collector.T_ref_from_tip, self.collector.T_tracker_from_ref
        self._last_mm, self._lifted = np.array(touched.position_ref_mm), False
        if T_ref_from_tip is None or T_tracker_from_ref is None:
            return None
        taken = Taken(
            touch=wanted,
            position_ref_mm=touched.position_ref_mm,
            spread_mm=touched.spread_mm,
            samples=len(touched.points_ref_mm),
            T_ref_from_tip=Pose.from_rigid(T_ref_from_tip),
            T_tracker_from_ref=Pose.from_rigid(T_tracker_from_ref),
        )
        here = [t for t in self.taken.values() if t.touch.place == wanted.place]
        problem = self._wrong_point(taken, here) or self._wrong_posture(taken, here)
        if problem:
            self._wrong += 1
            self._say(f"not taken: {problem}", bell=True)
            upright = [t for t in here if t.touch.test == "point"]
            if self._wrong >= SUSPECT and 0 < len(upright) < 3:
                self._say("the first touches at this place do not fit: it is begun anew", bell=True)
                self._forget([t.touch.number for t in here])
            return None
        self._wrong = 0
        self.taken[wanted.number] = taken
        self._say(f"  taken: {len(touched.points_ref_mm)} frames, spread {touched.spread_mm:.2f} mm; lift the tip", bell=True)
        return taken

    def _wrong_point(self, taken: Taken, here: list[Taken]) -> str:
        """Why it cannot be the point that was asked for, judged by those touched before at the same place."""
        upright = [t for t in here if t.touch.test == "point"]
        at, name = np.array(taken.position_ref_mm), taken.touch.point
        T_ref_from_artefact = standing(self.artefact, upright)
        if T_ref_from_artefact is not None:
            expected = T_ref_from_artefact.apply(self.artefact.positions_mm())
            off = np.linalg.norm(expected - at, axis=1)
            if off[self.artefact.names.index(name)] > WRONG_MM:
                n = int(np.argmin(off))
                nearest = f"that was {self.artefact.names[n]}" if off[n] < WRONG_MM else "no point lies there"
                return f"the tip was {off[self.artefact.names.index(name)]:.0f} mm from {name} ({nearest})"
            return ""
        for other in upright:
            here_mm = float(np.linalg.norm(at - other.position_ref_mm))
            wanted_mm = float(np.linalg.norm(np.diff(self.artefact.positions_mm((name, other.touch.point)), axis=0)))
            if abs(here_mm - wanted_mm) > WRONG_MM:
                return f"it was {here_mm:.0f} mm from where {other.touch.point} was touched; {name} is {wanted_mm:.0f} mm from it"
        return ""

    def _wrong_posture(self, taken: Taken, here: list[Taken]) -> str:
        posture = posture_of(self.artefact, taken, here)
        return wrong_posture(taken.touch, posture) if posture is not None else ""

    def _forget(self, numbers: list[int]) -> None:
        for n in numbers:
            del self.taken[n]
        self.forgotten += numbers
        self.collector.cancel()
        self._announced, self._wrong = None, 0

    def _say(self, text: str, *, bell: bool = False) -> None:
        self.lines.append(Line(text, bell))


_WHERE = {
    "middle": "into the middle of what the tracker sees",
    "near": "as near to the tracker as it still sees all of it",
    "far": "as far away as it is still seen",
    "left": "to the left edge of what it sees",
    "right": "to the right edge of what it sees",
    "top": "to the upper edge of what it sees",
    "bottom": "to the lower edge of what it sees",
}


def standing(artefact: Artefact, upright: Sequence[Taken]) -> Rigid | None:
    """T_ref_from_artefact by the points that were touched upright at one place; None while they do not say."""
    if len(upright) < 3:
        return None
    names = tuple(t.touch.point for t in upright)
    try:
        return placed(artefact.positions_mm(names), [t.position_ref_mm for t in upright])
    except InputRefused:
        return None


def wrong_posture(touch: Touch, posture: Posture) -> str:
    """Why the pointer was not held as asked; "" where it was."""
    east, north, own = posture.east_deg, posture.north_deg, posture.own_deg
    if touch.axis in ("", "own") and np.hypot(east, north) > UPRIGHT_DEG:
        return f"the pointer leaned by {np.hypot(east, north):.0f} deg; hold it upright"
    if touch.axis == "own" and abs(own - touch.angle_deg) > ANGLE_DEG:
        return f"the pointer was turned by {own:+.0f} deg about its own axis; {touch.angle_deg:+.0f} was asked for"
    if touch.axis in ("east", "north"):
        along, across = (east, north) if touch.axis == "east" else (north, east)
        if abs(along - touch.angle_deg) > ANGLE_DEG or abs(across) > ANGLE_DEG:
            return f"the handle leaned {east:+.0f} deg to the right and {north:+.0f} to the top; hold it {in_words(touch)}"
    return ""
