"""How far registering is and what comes next, read off what the core says. No Qt, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gui.link.board import Moment
from gui.register.obstacle import FEWEST_LANDMARKS
from navtwin.bus.words import name_words
from navtwin.nouns import Collect, Order, Register, Rig, Setup
from navtwin.scene.model import Scene

Method = Literal["landmarks", "landmarks+surface"]
Action = Literal["touch", "cancel", "undo", "sweep", "register", "accept", "reject", "check", "calibrate"]
#: `bad` is what is done and no longer holds.
StepState = Literal["done", "now", "todo", "bad", "unused"]
#: So many swept points hold a pose well; the gate asks for 30.
ENOUGH_POINTS = 200
#: Alarms that tell of what was asked for here.
TROUBLES = ("WORKER_FAILED", "LANDMARK_REFUSED")


@dataclass(frozen=True)
class Wishes:
    """What is chosen on this screen.

    Attributes
    ----------
    pointer : the tool that touches
    landmark : the one to touch or check, "" for what is next (for a check: bone, anywhere)
    without : landmarks to leave out of the next registration
    dwell_s : how long the tip has to be still
    """

    pointer: str = ""
    landmark: str = ""
    method: Method = "landmarks+surface"
    without: frozenset[str] = frozenset()
    dwell_s: float = 1.0


@dataclass(frozen=True)
class Step:
    """One line of the list of steps."""

    title: str
    state: StepState
    words: str


@dataclass(frozen=True)
class Course:
    """How far it is.

    Attributes
    ----------
    headline, detail : what to do now, in one sentence, and what helps with it
    target : the landmark that is touched now or comes next, "" if none does
    touching : what a dwell or a sweep is collecting, `landmark`, `check`, `sweep` or "" (then also "" for another client's pivot)
    share : how much of the dwell has passed, None where there is none
    can : what can be asked for now
    primary : what to ask for next, None where the next thing is the operator's own (to hold still, to wait)
    """

    steps: tuple[Step, ...]
    headline: str
    detail: str
    target: str
    touching: str
    share: float | None
    can: frozenset[Action]
    primary: Action | None


def course(scene: Scene, moment: Moment, setup: Setup, wishes: Wishes) -> Course:
    """How far it is, where no obstacle stands in the way."""
    collecting = setup.collecting.partition(" ")[0]
    touching = collecting if collecting in ("landmark", "check", "sweep") else ""
    in_use = is_in_use(moment)
    target = _target(scene, setup, wishes, in_use=in_use)
    if touching == "landmark":
        target = setup.collecting.partition(" ")[2]
    elif touching == "check":
        named = setup.collecting.partition(" ")[2]
        target = named if any(named == m.name for m in scene.landmarks) else ""
    can = frozenset(_can(scene, setup, wishes, target, touching, in_use=in_use))
    headline, detail, primary = _next(scene, setup, wishes, target, touching, in_use=in_use)
    return Course(
        steps=tuple(_steps(scene, moment, setup, wishes)),
        headline=headline,
        detail=detail,
        target=target,
        touching=touching,
        share=setup.dwell_share if touching in ("landmark", "check") else None,
        can=can,
        primary=primary if primary in can else None,
    )


def is_in_use(moment: Moment) -> bool:
    """Whether a registration has been accepted; another one may wait beside it."""
    return moment.alerts is not None and moment.alerts.phase == "navigation"


def pointers(rig: Rig | None, setup: Setup | None) -> tuple[str, ...]:
    """The tools that can touch, the likeliest first: one that is called so, then by how small its ball is."""
    if rig is None:
        return setup.calibrated if setup is not None else ()
    return tuple(t.name for t in sorted(rig.tool, key=lambda t: (t.name != "pointer", min(p.radius_mm for p in t.part))))


def order_of(action: Action, course: Course, setup: Setup, wishes: Wishes) -> Order | None:
    """What to send the core for a touch, cancel, sweep, registration or check; None for what needs nothing of that."""
    match action:
        case "touch":
            return Collect(what="landmark", tool=wishes.pointer, action="start", landmark=course.target, dwell_s=wishes.dwell_s)
        case "check":
            return Collect(what="check", tool=wishes.pointer, action="start", landmark=wishes.landmark, dwell_s=wishes.dwell_s)
        case "sweep":
            return Collect(what="sweep", tool=wishes.pointer, action="stop" if course.touching == "sweep" else "start")
        case "cancel":
            return Collect(what=course.touching or "landmark", tool=wishes.pointer, action="cancel")  # type: ignore[arg-type]
        case "register":
            return Register(method=wishes.method, without=tuple(name for name in setup.landmarks if name in wishes.without))
        case _:
            return None


def number_of(scene: Scene, landmark: str) -> int:
    """A landmark's number in pictures and lists, from 1; 0 if there is none of that name."""
    return next((n for n, m in enumerate(scene.landmarks, start=1) if m.name == landmark), 0)


def ring_words(scene: Scene, setup: Setup, course: Course) -> tuple[str, str, bool]:
    """What stands large in the ring, what below it, and whether something keeps the dwell from completing."""
    number = number_of(scene, course.target)
    big = str(number) if number else "bone" if course.touching == "check" else ""
    if course.touching == "sweep":
        return str(setup.samples), "points, sweeping", False
    if course.touching:
        trouble = bool(setup.message) and not course.share
        # The core says `where: what is wrong; what to do`.
        return big, setup.message.partition(": ")[2].partition(";")[0] or setup.message if trouble else "hold still", trouble
    return "", "", False


def sight(moment: Moment, pointer: str) -> tuple[str, bool]:
    """Whether pointer and reference are seen now, in words, and whether both are."""
    status = next((i.status for i in (moment.state.instruments if moment.state else ()) if i.instrument == pointer), None)
    if status is None:
        return "no frame from the tracker", False
    if moment.alerts is not None and moment.alerts.health.reference == "bad":
        return "the reference is not seen", False
    if status in ("HIDDEN", "INVALID", "STALE"):
        return f"the {name_words(pointer)} is not seen", False
    return f"{name_words(pointer)} and reference are seen", True


def last_word(moment: Moment, setup: Setup, course: Course) -> tuple[str, bool]:
    """What the core last said of the setup, and whether that is of trouble; nothing where it is said elsewhere."""
    if course.touching or (setup.checks and setup.message.startswith(f"{setup.checks[-1].name}: ")):
        # The ring says it, and the list of checks.
        return "", False
    technical = moment.alerts.technical if moment.alerts is not None else ()
    return setup.message, any(alarm.alarm in TROUBLES and setup.message in alarm.text for alarm in technical) and bool(setup.message)


def _target(scene: Scene, setup: Setup, wishes: Wishes, *, in_use: bool) -> str:
    if any(m.name == wishes.landmark for m in scene.landmarks):
        return wishes.landmark
    if in_use:
        return ""
    return next((m.name for m in scene.landmarks if m.name not in setup.landmarks), "")


def _used(setup: Setup, wishes: Wishes) -> int:
    return len([name for name in setup.landmarks if name not in wishes.without])


def _can(scene: Scene, setup: Setup, wishes: Wishes, target: str, touching: str, *, in_use: bool) -> Iterator[Action]:
    idle = not setup.collecting
    calibrated = wishes.pointer in setup.calibrated
    yield "calibrate"
    if touching:
        yield "cancel"
    if idle and calibrated and target:
        yield "touch"
    if idle and calibrated and in_use and (wishes.landmark or any(s.role == "work" for s in scene.structures)):
        yield "check"
    if (idle and calibrated) or touching == "sweep":
        yield "sweep"
    if idle and (setup.landmarks or setup.sweep_points):
        yield "undo"
    computing = "registration" in setup.computing
    swept = setup.sweep_points > 0 or wishes.method == "landmarks"
    if idle and not computing and swept and _used(setup, wishes) >= FEWEST_LANDMARKS:
        yield "register"
    if "registration" in setup.pending and setup.registration is not None:
        yield "reject"
        if setup.registration.accepted:
            yield "accept"


def _next(scene: Scene, setup: Setup, wishes: Wishes, target: str, touching: str, *, in_use: bool) -> tuple[str, str, Action | None]:
    pointer = name_words(wishes.pointer) or "pointer"
    if touching in ("landmark", "check"):
        where = f"{number_of(scene, target)}  {name_words(target)}" if target else "the bone"
        return f"Hold still on {where}", setup.message or "The dwell ends by itself. Keep pointer and reference in view.", None
    if touching == "sweep":
        return "Sweep the bone, always touching it", "Faces that look different ways hold the pose best. Sweep (W) ends it.", "sweep"
    if setup.collecting:
        return f"Another collection is running: {setup.collecting}", "It has to end first, in Calibrate.", None
    if "registration" in setup.computing:
        return "The registration is being computed", "This takes a few seconds.", None
    if "registration" in setup.pending and setup.registration is not None:
        if setup.registration.accepted:
            return "Accept the registration, or reject it", "The gate has accepted it. Look at the predicted error where you will work.", "accept"
        return "The gate refused this registration", "Reject it, mend what it names, and compute again.", "reject"
    if wishes.pointer not in setup.calibrated:
        return f"The tip of the {pointer} is not calibrated", "Pivot it first: no point can be touched with an unknown tip.", "calibrate"
    if in_use:
        what = f"{number_of(scene, target)}  {name_words(target)}" if target else "a landmark, or the bone"
        return f"Check: touch {what}", "It is in use. Choose a landmark in the list, or touch the bone anywhere.", "check"
    if target:
        again = " again" if target in setup.landmarks else ""
        words = f"{len(setup.landmarks)} of {len(scene.landmarks)} touched. Return begins: hold still for {wishes.dwell_s:g} s."
        return f"Touch {number_of(scene, target)}  {name_words(target)}{again}", words, "touch"
    if wishes.method == "landmarks+surface" and not setup.sweep_points:
        return "Sweep the bone", f"{ENOUGH_POINTS} points or more, over faces that look different ways. W begins and ends.", "sweep"
    return "Compute the registration", _computed_from(setup, wishes), "register"


def _computed_from(setup: Setup, wishes: Wishes) -> str:
    swept = f" and {setup.sweep_points} swept points" if wishes.method == "landmarks+surface" else " alone"
    return f"From {_used(setup, wishes)} landmarks{swept}."


def _steps(scene: Scene, moment: Moment, setup: Setup, wishes: Wishes) -> Iterator[Step]:
    in_use, pending, result = is_in_use(moment), "registration" in setup.pending, setup.registration
    calibrated = wishes.pointer in setup.calibrated
    touched, wanted = len(setup.landmarks), len(scene.landmarks)
    all_touched = touched >= wanted
    computing = "registration" in setup.computing
    yield Step("Pointer's tip", "done" if calibrated else "now", "calibrated" if calibrated else "calibrate it first")
    yield Step("Landmarks", "done" if all_touched or in_use else "now" if calibrated else "todo", f"{touched} of {wanted} touched")
    if wishes.method == "landmarks":
        yield Step("Surface", "unused", "not used by this method")
    else:
        points = setup.sweep_points
        now = all_touched and not (points or in_use or pending)
        few = " (better more)" if 0 < points < ENOUGH_POINTS else ""
        yield Step("Surface", "done" if points else "now" if now else "todo", f"{points} points swept{few}" if points else "not swept yet")
    ready = all_touched and bool(setup.sweep_points or wishes.method == "landmarks") and not (pending or in_use)
    yield Step(
        "Registration",
        "now" if computing or ready else "done" if result is not None else "todo",
        "being computed" if computing else "computed" if result is not None else "not computed yet",
    )
    verdict = "" if result is None else "the gate accepted it" if result.accepted else "the gate refused it"
    yield Step("Verdict", "now" if pending else "done" if in_use else "todo", f"{verdict}: now you" if pending else "in use" if in_use else "")
    failed = moment.alerts is not None and any(t.alarm == "CHECK_FAILED" for t in moment.alerts.technical)
    if failed:
        yield Step("Checks", "bad", "a point was not in place")
    else:
        count = len(setup.checks)
        yield Step("Checks", "done" if count else "now" if in_use and not pending else "todo", f"{count} touched" if count else "none yet")
