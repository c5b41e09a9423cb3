"""One calibration under way: what its child says, folded into what is shown and what may be pressed. No Qt, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from navtwin.errors import NavtwinError
from navtwin.nouns.calibration import CalibrationEnded, CalibrationVerdict, Figure, Goal, Progress, ViewCoverage, decode_line

#: `deciding`: the verdict waits for accept or reject; `leaving`: that was said, and the child has not ended yet.
Phase = Literal["idle", "opening", "collecting", "computing", "deciding", "leaving", "over"]
MS = 1_000_000
#: What is to be seen has not been seen for so long: said in large letters.
UNSEEN_NS = 5_000 * MS
#: A picture older than this is not shown as live.
NO_PICTURE_NS = 2_000 * MS
NOTHING_STORED = "nothing was stored: rig.toml is as it was"
#: What each calibration looks for in the picture.
SOUGHT = {"camera": "the board", "cameras": "the board", "latency": "the clock"}


@dataclass
class Course:
    """A calibration from its start to its end.

    Attributes
    ----------
    target : what it looks for, in words
    live : whether it films; a recording has no pace and is not watched for silence
    """

    target: str = ""
    live: bool = True
    phase: Phase = "idle"
    progress: Progress | None = None
    verdict: CalibrationVerdict | None = None
    ended: CalibrationEnded | None = None
    trouble: str = ""
    unread: int = 0
    _picture_ns: int | None = None
    _seen_ns: int | None = None
    _asked: str = field(default="", repr=False)

    @classmethod
    def begun(cls, target: str, *, live: bool, now_ns: int) -> Course:
        """A child has been started."""
        return cls(target, live, "opening", _picture_ns=now_ns, _seen_ns=now_ns)

    @property
    def running(self) -> bool:
        """Whether its child lives."""
        return self.phase not in ("idle", "over")

    def take_line(self, text: str) -> None:
        """A line of the child's standard output."""
        try:
            line = decode_line(text)
        except (msgspec.MsgspecError, NavtwinError, ValueError):
            # What else a command prints is not meant for a screen; that there was something is kept.
            self.unread += 1
            return
        if self.phase in ("idle", "over"):
            return
        if isinstance(line, Progress):
            self.progress = line
            if self.phase in ("opening", "collecting", "computing"):
                self.phase = line.phase
        elif isinstance(line, CalibrationVerdict):
            self.verdict = line
            self.phase = "deciding" if line.waits else "leaving"
        else:
            self.ended = line
            self.phase = "leaving"

    def saw(self, found: bool, now_ns: int) -> None:
        """A picture came; `found` tells whether what is sought was in it."""
        self._picture_ns = now_ns
        if found:
            self._seen_ns = now_ns

    def asked(self, order: str) -> None:
        """The child was told `order`."""
        self._asked = order
        if order in ("accept", "reject", "cancel"):
            self.phase = "leaving"
        elif order == "finish":
            self.phase = "computing"

    def child_ended(self, words: str) -> None:
        """The child is gone; `words` say why, "" where nothing went wrong."""
        if self.phase == "idle":
            return
        self.phase = "over"
        if self.ended is not None or (self.verdict is not None and self._asked != "accept" and not self.verdict.waits):
            return
        if self._asked == "cancel" or words == "cancelled":
            self.trouble = f"cancelled: {NOTHING_STORED}"
        elif self.verdict is not None and self._asked == "reject":
            return
        else:
            why = words.removeprefix("navtwin: ").rstrip(".") or "it ended without a verdict"
            self.trouble = f"{why}. {NOTHING_STORED[0].upper()}{NOTHING_STORED[1:]}"

    @property
    def never_began(self) -> bool:
        """Whether its child ended before it had opened the source."""
        return self.phase == "over" and self.verdict is None and (self.progress is None or self.progress.phase == "opening")

    def advice(self, now_ns: int) -> tuple[str, bool]:
        """What to do next, in a sentence, and whether something is wrong."""
        match self.phase:
            case "idle":
                return "", False
            case "opening":
                return (self.progress.words if self.progress and self.progress.words else "opening the source"), False
            case "collecting":
                return self._collecting(now_ns)
            case "computing":
                return (self.progress.words if self.progress and self.progress.phase == "computing" else "") or "computing: hold on", False
            case "deciding" | "leaving" | "over":
                return self._closing()

    def _collecting(self, now_ns: int) -> tuple[str, bool]:
        words = self.progress.words if self.progress else ""
        if self.live and self._picture_ns is not None and now_ns - self._picture_ns > NO_PICTURE_NS:
            return f"no picture for {(now_ns - self._picture_ns) // (1000 * MS)} s: is the camera still plugged in?", True
        if not self.live:
            # It is read as fast as it goes: what to do next is no use to anybody.
            count = f"{self.count[0]} {self.unit} so far" if self.count[0] else "nothing kept so far"
            return f"reading the recording: {count}", False
        if self._seen_ns is not None and now_ns - self._seen_ns > UNSEEN_NS:
            seconds = (now_ns - self._seen_ns) // (1000 * MS)
            return f"{self.target} has not been seen for {seconds} s: show it whole, evenly lit; is it the one that was chosen?", True
        return words, False

    def _closing(self) -> tuple[str, bool]:
        if self.trouble:
            return self.trouble, not self.trouble.startswith("cancelled")
        if self.ended is not None:
            return self.ended.words or ("stored in the rig" if self.ended.stored else NOTHING_STORED), False
        if self.verdict is None:
            return "ending", False
        if self.phase == "deciding":
            return ("accepted by the gate: store it?" if self.verdict.accepted else "refused by the gate"), not self.verdict.accepted
        return {"accept": "storing", "reject": f"rejected: {NOTHING_STORED}"}.get(self._asked, NOTHING_STORED), False

    def picture_is_late(self, now_ns: int) -> bool:
        """Whether the last picture is too old to be shown as live."""
        return self._picture_ns is None or now_ns - self._picture_ns > NO_PICTURE_NS

    @property
    def share(self) -> float | None:
        """How much of what is aimed at is there, 0 to 1; None where that cannot be known."""
        return self.progress.done_share if self.progress is not None else None

    @property
    def count(self) -> tuple[int, int | None]:
        """Views kept, and how many are wanted."""
        return (self.progress.views, self.progress.views_wanted) if self.progress is not None else (0, None)

    @property
    def unit(self) -> str:
        """What is counted."""
        what = self.progress.what if self.progress is not None else None
        return {"camera": "views", "cameras": "views", "markers": "views", "latency": "readings"}.get(what or "", "poses")

    @property
    def goals(self) -> tuple[Goal, ...]:
        return self.progress.goals if self.progress is not None else ()

    @property
    def coverage(self) -> tuple[ViewCoverage, ...]:
        return self.progress.coverage if self.progress is not None else ()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The verdict's figures once there are some, else those so far."""
        if self.verdict is not None:
            return self.verdict.figures
        return self.progress.figures if self.progress is not None else ()

    @property
    def may(self) -> frozenset[str]:
        """Which of start, finish, cancel, accept and reject may be pressed now."""
        if not self.running:
            return frozenset({"start"})
        if self.phase == "deciding":
            return frozenset({"accept", "reject"}) if self.verdict and self.verdict.accepted else frozenset({"reject"})
        if self.phase == "collecting":
            return frozenset({"finish", "cancel"})
        return frozenset({"cancel"}) if self.phase in ("opening", "computing") else frozenset()
