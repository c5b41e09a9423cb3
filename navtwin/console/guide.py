"""Setting up a session, step by step: tips, landmarks, sweep, registration. Pure: the core's messages and the clock in, orders and words out.

What comes next is read off the core's own `setup` message each time: a guide that is started again, or beside another client, goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from navtwin.nouns import Accept, Collect, Order, PivotResult, Register, RegistrationResult, Reject, Reply, Setup

#: A step that was refused this often is not asked for again.
TRIES = 3
#: A new collection starts this long after it was announced, so that the hand can get there.
PAUSE_NS = 3_000_000_000

What = Literal["pivot", "landmark", "sweep", "register"]


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be set up.

    Attributes
    ----------
    pointer : the tool that touches landmarks
    pivot_s, sweep_s, dwell_s : how long to collect; a `sweep_s` of 0 registers by landmarks alone
    level : what was counted to, where the registration fits other levels as well
    by_hand : Enter starts and ends what has no end of its own, and confirms results; else the clock does
    """

    tools: tuple[str, ...]
    landmarks: tuple[str, ...]
    pointer: str
    pivot_s: float = 15.0
    sweep_s: float = 20.0
    dwell_s: float = 1.0
    by_hand: bool = True
    level: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `name` is the tool or the landmark."""

    what: What
    name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Something to tell; `bell` where eyes may be elsewhere."""

    text: str
    bell: bool = False


@dataclass(slots=True)
class Guide:
    """Where the guide is.

    Attributes
    ----------
    setup : what the core last said
    waiting : an order that is not answered yet
    announced : the step that was told, and since when
    begun_ns : since when the running collection runs
    outcome : `done` or `failed` once there is nothing left to do
    """

    course: Course
    setup: Setup | None = None
    waiting: bool = False
    announced: Step | None = None
    announced_ns: int = 0
    begun_ns: int = 0
    tries: dict[Step, int] = field(default_factory=dict)
    told: str = ""
    outcome: Literal["", "done", "failed"] = ""
    lines: list[Line] = field(default_factory=list)


def next_step(setup: Setup, course: Course) -> Step | None:
    """What is still to do; None once a registration is in use."""
    for tool in course.tools:
        if tool not in setup.calibrated:
            return Step("pivot", tool)
    if setup.registration is not None and "registration" not in setup.pending:
        return None
    for landmark in course.landmarks:
        if landmark not in setup.landmarks:
            return Step("landmark", landmark)
    return Step("sweep") if course.sweep_s and not setup.sweep_points else Step("register")


def hear_setup(guide: Guide, setup: Setup) -> None:
    """Take in what the core says, and tell what is new in it."""
    before, guide.setup = guide.setup, setup
    if setup.message and setup.message != guide.told:
        guide.lines.append(Line(setup.message, bell=before is not None and _is_trouble(before, setup)))
    guide.told = setup.message
    ended = before is not None and before.collecting and not setup.collecting
    if ended and guide.announced is not None and guide.announced.what == "landmark":
        if guide.announced.name not in setup.landmarks:
            _failed(guide, guide.announced)
        guide.announced = None


def _is_trouble(before: Setup, setup: Setup) -> bool:
    """Whether what the core has to say is of trouble: while it collects, it speaks of nothing else; then, of an end that brought nothing."""
    if setup.collecting:
        return True
    brought = (
        setup.sweep_points > before.sweep_points
        or (setup.landmarks, setup.spread_mm, setup.landmark_samples) != (before.landmarks, before.spread_mm, before.landmark_samples)
        or not set(setup.computing) <= set(before.computing)
        or not set(setup.pending) <= set(before.pending)
    )
    return bool(before.collecting or before.computing) and not brought


def hear_reply(guide: Guide, reply: Reply) -> None:
    """The answer to the order that is waited for."""
    guide.waiting = False
    if not reply.ok:
        guide.lines.append(Line(reply.reason, bell=True))
        if guide.announced is not None:
            _failed(guide, guide.announced)
        guide.announced = None


def turn(guide: Guide, now_ns: int, *, enter: bool) -> Order | None:
    """What to order now, if anything. `enter` says whether the key was pressed since the last turn."""
    setup = guide.setup
    if setup is None or guide.waiting or guide.outcome:
        return None
    if setup.collecting:
        return _collecting(guide, setup, now_ns, enter=enter)
    if setup.computing:
        return None
    if setup.pending:
        return _judged(guide, setup, enter=enter)
    step = next_step(setup, guide.course)
    if step is None:
        guide.outcome = "done"
        return None
    if guide.tries.get(step, 0) >= TRIES:
        guide.lines.append(Line(f"{_name(step)} was refused {TRIES} times: see to the cause, then run this again", bell=True))
        guide.outcome = "failed"
        return None
    if guide.announced != step:
        guide.announced, guide.announced_ns = step, now_ns
        guide.lines.append(Line(_instruction(step, guide.course)))
        return None
    by_key = guide.course.by_hand and step.what in ("pivot", "sweep")
    if (not enter) if by_key else (now_ns - guide.announced_ns < PAUSE_NS):
        return None
    guide.waiting, guide.begun_ns = True, now_ns
    return _order(step, guide.course)


def _collecting(guide: Guide, setup: Setup, now_ns: int, *, enter: bool) -> Order | None:
    """End what has no end of its own."""
    step, course = guide.announced, guide.course
    if step is None or step.what not in ("pivot", "sweep"):
        return None
    elapsed_s = (now_ns - guide.begun_ns) * 1e-9
    over = enter if course.by_hand else elapsed_s > (course.pivot_s if step.what == "pivot" else course.sweep_s)
    if not over:
        return None
    guide.waiting, guide.announced = True, None
    tool = step.name or course.pointer
    return Collect(what="pivot" if step.what == "pivot" else "sweep", tool=tool, action="stop")


def _judged(guide: Guide, setup: Setup, *, enter: bool) -> Order | None:
    """A result waits: what the gate refused is dropped, the rest is taken into use; by hand only when it was confirmed."""
    name = setup.pending[0]
    tool = name.removeprefix("pivot/")
    result: PivotResult | RegistrationResult | None = setup.registration
    step = Step("register")
    if name != "registration":
        result, step = next((p for p in setup.pivots if p.tool == tool), None), Step("pivot", tool)
    if result is None:
        return None
    if not result.accepted:
        guide.lines += [Line(f"  refused: {reason}", bell=True) for reason in result.reasons]
        _failed(guide, step)
        guide.waiting, guide.announced = True, None
        return Reject(result=name)
    question = result.level_question if isinstance(result, RegistrationResult) else ""
    if question and not guide.course.level:
        guide.lines.append(Line(f"{question} Count, then run this again with --level NAME; the registration waits", bell=True))
        guide.outcome = "failed"
        return None
    if guide.announced != Step("register", name):
        guide.announced = Step("register", name)
        guide.lines.append(Line(_figures(result) + ("  [Enter takes it into use]" if guide.course.by_hand else "")))
        return None
    if guide.course.by_hand and not enter:
        return None
    guide.waiting, guide.announced = True, None
    return Accept(result=name, level=guide.course.level if question else "")


def _failed(guide: Guide, step: Step) -> None:
    guide.tries[step] = guide.tries.get(step, 0) + 1


def _order(step: Step, course: Course) -> Order:
    match step.what:
        case "pivot":
            return Collect(what="pivot", tool=step.name, action="start")
        case "landmark":
            return Collect(what="landmark", tool=course.pointer, action="start", landmark=step.name, dwell_s=course.dwell_s)
        case "sweep":
            return Collect(what="sweep", tool=course.pointer, action="start")
        case "register":
            return Register(method="landmarks+surface" if course.sweep_s else "landmarks")


def _name(step: Step) -> str:
    return {"pivot": f"the pivot of {step.name}", "landmark": step.name, "sweep": "the sweep", "register": "the registration"}[step.what]


def _instruction(step: Step, course: Course) -> str:
    match step.what:
        case "pivot":
            end = "Enter begins, Enter ends" if course.by_hand else f"for {course.pivot_s:g} s"
            return f"{step.name}: set its tip into a divot and tilt it 30 deg to all sides, turning it ({end})"
        case "landmark":
            return f"{step.name}: touch it with {course.pointer} and hold still"
        case "sweep":
            end = "Enter begins, Enter ends" if course.by_hand else f"for {course.sweep_s:g} s"
            return f"sweep the bone with {course.pointer}, always touching ({end})"
        case "register":
            return "registering"


def _figures(result: PivotResult | RegistrationResult) -> str:
    if isinstance(result, PivotResult):
        return f"{result.tool}: residual {result.rms_mm:.2f} mm RMS over {result.samples} poses (how well they agree, not how accurate the tip is)"
    at = ", ".join(f"{name} {tre:.2f} mm" for name, tre in zip(result.tre_at, result.tre_mm, strict=True))
    return f"registration: FRE {result.fre_mm:.2f} mm (not accuracy); predicted error{f' at {at}' if at else ' unknown: nothing is watched'}"
