"""A tip pivoted in the running session: count-in, collection, verdict, and the orders that they take. No Qt; the clock is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gui.calibrate.steps import pivot_of
from gui.link.board import Moment
from navtwin.bus.words import name_words, printable
from navtwin.nouns import Accept, Collect, Order, PivotResult, Reject, Setup

Phase = Literal["no core", "busy", "ready", "counting in", "collecting", "computing", "deciding", "in use"]
S = 1_000_000_000
#: Time to take the tool in hand and seat its tip.
COUNT_IN_NS = 3 * S
#: Durations to choose from, s.
DURATIONS_S = (10, 15, 20, 30)
USUAL_S = 15
#: While the tool is seen, poses come many times a second; how many is said once a second.
SILENT_NS = 2_500_000_000
#: An answer of the core is waited for so long.
ANSWER_NS = 2 * S


@dataclass(frozen=True)
class PivotView:
    """What is shown of a pivot now.

    Attributes
    ----------
    headline, detail : what to do, in large and in small words
    bad : the headline tells of something wrong
    share : how much of the time has passed, None where nothing runs
    seconds_left : until it begins, or until it ends
    samples : poses so far
    result : the pending result, or the one in use
    may : which of start, finish, cancel, accept, reject may be pressed
    """

    phase: Phase
    headline: str
    detail: str = ""
    bad: bool = False
    share: float | None = None
    seconds_left: float | None = None
    samples: int = 0
    result: PivotResult | None = None
    may: frozenset[str] = frozenset()


class Pivoting:
    """One tool's pivot, from the operator's Start to the verdict.

    Attributes
    ----------
    seconds : how long poses are collected
    """

    def __init__(self, tool: str, seconds: float = USUAL_S) -> None:
        self.tool, self.seconds = tool, seconds
        self._begin_ns: int | None = None
        self._started_ns: int | None = None
        self._stopped_ns: int | None = None
        self._heard, self._epoch = False, ""
        self._samples, self._grew_ns = 0, 0
        self._trouble = ""

    @property
    def under_way(self) -> bool:
        """Whether the clock has to be looked at: somebody pressed Start, and it has not come to its end."""
        return self._begin_ns is not None or self._started_ns is not None

    @property
    def collecting(self) -> bool:
        """Whether the core was asked to collect, and not yet to stop."""
        return self._started_ns is not None

    def start(self, now_ns: int) -> None:
        """Count in; the collection begins by itself."""
        self._begin_ns, self._trouble = now_ns + COUNT_IN_NS, ""
        self._started_ns = self._stopped_ns = None

    def finish(self, now_ns: int) -> Order | None:
        """End the collection early and have it judged."""
        if self._started_ns is None:
            return None
        self._started_ns, self._stopped_ns = None, now_ns
        return Collect(what="pivot", tool=self.tool, action="stop")

    def cancel(self) -> Order | None:
        """Forget what was collected."""
        running = self._started_ns is not None
        self._begin_ns = self._started_ns = self._stopped_ns = None
        return Collect(what="pivot", tool=self.tool, action="cancel") if running else None

    def accept(self, *, changed: bool = False) -> Order:
        return Accept(result=f"pivot/{self.tool}", changed_tool=changed)

    def reject(self) -> Order:
        return Reject(result=f"pivot/{self.tool}")

    def turn(self, moment: Moment, now_ns: int) -> Order | None:
        """Look at the clock and at what the core says; the order that is due now, if any."""
        setup = moment.setup
        if moment.link_lost or setup is None:
            self._miss(moment)
            return None
        if self._begin_ns is not None:
            if setup.collecting:
                self._begin_ns, self._trouble = None, f"the core is collecting {name_words(setup.collecting)} already"
            elif now_ns >= self._begin_ns:
                self._begin_ns, self._started_ns, self._heard = None, now_ns, False
                self._epoch, self._samples, self._grew_ns = moment.epoch, 0, now_ns
                return Collect(what="pivot", tool=self.tool, action="start")
            return None
        if self._started_ns is None:
            return None
        if moment.epoch != self._epoch:
            self._started_ns, self._trouble = None, "another session has begun: what was collected is lost"
            return None
        self._listen(setup, now_ns)
        if self._started_ns is not None and now_ns - self._started_ns >= self.seconds * S:
            return self.finish(now_ns)
        return None

    def _miss(self, moment: Moment) -> None:
        """The core is not heard. It may be for a moment: what it collects it goes on collecting, and it is asked to stop once it is heard again."""
        if self._begin_ns is not None:
            self._begin_ns, self._trouble = None, "the core fell silent before the collection began"
        if self._started_ns is not None and moment.link == "ended":
            self._started_ns, self._trouble = None, "the session has ended: what was collected is lost"

    def _listen(self, setup: Setup, now_ns: int) -> None:
        """Whether the core does collect, and whether poses come."""
        assert self._started_ns is not None
        if _ours(setup, self.tool):
            self._heard = True
            if setup.samples > self._samples:
                self._samples, self._grew_ns = setup.samples, now_ns
        elif self._heard:
            self._started_ns, self._trouble = None, f"the collection was ended elsewhere: {printable(setup.message) or 'by another client'}"
        elif now_ns - self._started_ns > ANSWER_NS:
            self._started_ns, self._trouble = None, "the core did not begin to collect: its answer is in the line below"

    def view(self, moment: Moment, now_ns: int) -> PivotView:
        """What to show now."""
        name, setup = name_words(self.tool), moment.setup
        if moment.link_lost or setup is None:
            if self._started_ns is not None:
                return PivotView("no core", "the core is not heard", "It may still be collecting; it is asked to stop once it is heard again.", True)
            words = {"waiting": "no session runs", "ended": "the session has ended", "lost": "the core is not heard"}.get(
                moment.link, "waiting for the core"
            )
            return PivotView(
                "no core", self._trouble or words, "Start a session above, or calibrate from a camera or a recording.", bool(self._trouble)
            )
        if self._begin_ns is not None:
            left = (self._begin_ns - now_ns) / S
            seat = f"seat the tip of {name} in the divot"
            return PivotView("counting in", seat, "and hold it there", seconds_left=max(0.0, left), share=0.0, may=frozenset({"cancel"}))
        if self._started_ns is not None:
            return self._collecting_view(moment, now_ns)
        pending = pivot_of(setup, self.tool) if f"pivot/{self.tool}" in setup.pending else None
        if f"pivot/{self.tool}" in setup.computing or (pending is None and self._awaiting(setup, now_ns)):
            return PivotView("computing", "computing: hold on", samples=self._samples, share=1.0)
        if pending is not None:
            self._stopped_ns = None
            if pending.accepted:
                may = frozenset({"accept", "reject", "start"})
                return PivotView("deciding", "accepted by the gate: take it into use?", result=pending, samples=pending.samples, may=may)
            return PivotView(
                "deciding",
                "refused by the gate",
                "Drop it, or pivot again.",
                True,
                result=pending,
                samples=pending.samples,
                may=frozenset({"reject", "start"}),
            )
        if _ours(setup, self.tool) or _other(setup, self.tool):
            what = name_words(setup.collecting)
            return PivotView(
                "busy", f"the session is collecting: {what}", f"{setup.samples} samples so far; it was started elsewhere", samples=setup.samples
            )
        return self._resting_view(setup, name)

    def _collecting_view(self, moment: Moment, now_ns: int) -> PivotView:
        assert self._started_ns is not None
        passed = (now_ns - self._started_ns) / S
        headline, bad = "tilt it to all sides, slowly", False
        if now_ns - self._grew_ns > SILENT_NS or _hidden(moment, self.tool):
            headline, bad = f"{name_words(self.tool)} is not seen: turn its markers to the tracker", True
        detail = "30° to the left, right, front and back, as if drawing a cone; the tip stays where it is"
        left, share = max(0.0, self.seconds - passed), min(1.0, passed / self.seconds)
        return PivotView("collecting", headline, detail, bad, share, left, self._samples, may=frozenset({"finish", "cancel"}))

    def _resting_view(self, setup: Setup, name: str) -> PivotView:
        may = frozenset({"start"})
        used = pivot_of(setup, self.tool)
        if self._trouble:
            return PivotView("ready", self._trouble, "Start again when you are ready.", True, may=may)
        if used is not None and self.tool in setup.calibrated:
            return PivotView(
                "in use", f"the tip of {name} is in use", "Pivot it again whenever it may have been bent or exchanged.", result=used, may=may
            )
        if self.tool in setup.calibrated:
            return PivotView(
                "in use", f"the tip of {name} is in use, as the rig has it", "Pivot it again whenever it may have been bent or exchanged.", may=may
            )
        return PivotView("ready", f"the tip of {name} is not known", "Press Start, seat the tip in a divot, and tilt the tool.", may=may)

    def _awaiting(self, setup: Setup, now_ns: int) -> bool:
        """Between the order to stop and the first word of the computation."""
        return self._stopped_ns is not None and now_ns - self._stopped_ns < ANSWER_NS


def _ours(setup: Setup, tool: str) -> bool:
    return setup.collecting == f"pivot {tool}"


def _other(setup: Setup, tool: str) -> bool:
    return bool(setup.collecting) and not _ours(setup, tool)


def _hidden(moment: Moment, tool: str) -> bool:
    """Whether the newest frame surely lacks the tool; while the reference is hidden, which a pivot does not need, a status cannot tell."""
    if moment.state is None or moment.alerts is None or moment.alerts.health.reference != "ok":
        return False
    status = next((i.status for i in moment.state.instruments if i.instrument == tool), None)
    return status in ("HIDDEN", "INVALID")
