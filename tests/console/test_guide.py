"""The guide against the real fold and the real workers: a hand that does what it is told ends up registered, and one that does not is told why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from navtwin.console.guide import Course, Guide, Step, hear_reply, hear_setup, next_step, turn
from navtwin.nouns import Collect, Command, PivotRequest, Pose, RegistrationRequest, Reply, Setup, Sighting, Tick, TrackerFrame
from navtwin.register.worker import answer
from tests.twin.world import MS, World

TIP_MM = (0.0, 0.0, 100.0)
LANDMARKS = {"a": (10.0, 0.0, 0.0), "b": (0.0, 10.0, 0.0), "c": (0.0, 0.0, 10.0)}
COURSE = Course(tools=("pointer",), landmarks=("a", "b", "c"), pointer="pointer", pivot_s=6.0, sweep_s=0.0, dwell_s=0.5, by_hand=False)


@dataclass
class Hand:
    """Moves the pointer as the guide says, or not: `obeys` may forbid a step."""

    skips: frozenset[Step] = frozenset()
    hides: frozenset[Step] = frozenset()

    def pose(self, step: Step | None, t_s: float) -> Pose | None:
        if step in self.hides:
            return None
        if step is not None and step.what == "pivot" and step not in self.skips:
            # The tip stands still while the marker swings over it on a cone whose axis precesses.
            tilt, turn_ = 0.5 * math.sin(0.7 * t_s), 2.9 * t_s
            axis = np.array([math.cos(turn_), math.sin(turn_), 0.0])
            q = np.array([math.cos(tilt / 2), *(math.sin(tilt / 2) * axis)])
            return Pose(q_wxyz=tuple(q.tolist()), t_mm=tuple((np.array([50.0, 60.0, 70.0]) - _turned(q, TIP_MM)).tolist()))
        at = (
            LANDMARKS.get(step.name, (40.0, 0.0, 0.0))
            if step is not None and step not in self.skips
            else (40.0 + 30.0 * math.sin(9.0 * t_s), 0.0, 0.0)
        )
        return Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(at[0], at[1], at[2] - TIP_MM[2]))


def _turned(q: np.ndarray, v: tuple[float, float, float]) -> np.ndarray:
    w, u = q[0], q[1:]
    return np.asarray(v) + 2.0 * np.cross(u, np.cross(u, v) + w * np.asarray(v))


def play(course: Course, hand: Hand, *, enter_every: int = 0, limit_s: float = 200.0) -> tuple[Guide, World, list[str]]:
    """The guide, the fold and a hand together, in simulated time."""
    w, guide, said, asked, frame = World(register=False), Guide(course), list[str](), "", 0
    setups = list[Setup]()

    def feed(body: object) -> None:
        messages = w.feed(body)  # type: ignore[arg-type]
        for message in messages:
            if isinstance(message.body, Setup):
                setups.append(message.body)
            elif isinstance(message.body, Reply) and message.body.id == asked:
                hear_reply(guide, message.body)
        for message in messages:
            if isinstance(message.body, PivotRequest | RegistrationRequest):
                feed(answer(message.body, w.scene))

    start_ns = w.now_ns
    while not guide.outcome and w.now_ns - start_ns < limit_s * 1e9:
        w.now_ns += 20 * MS
        frame += 1
        pose = hand.pose(guide.announced, w.now_ns * 1e-9)
        home = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
        seen = Sighting(body="pointer", status="OK", pose=pose) if pose is not None else Sighting(body="pointer", status="OUT_OF_VIEW")
        sightings = (Sighting(body="ref", status="OK", pose=home), seen)
        feed(TrackerFrame(source="t", number=frame, t_capture_ns=w.now_ns - 15 * MS, t_arrival_ns=w.now_ns, sightings=sightings))
        feed(Tick())
        for setup in setups:
            hear_setup(guide, setup)
        setups.clear()
        order = turn(guide, w.now_ns, enter=bool(enter_every) and frame % enter_every == 0)
        if order is not None:
            asked = f"guide-{frame}"
            feed(Command(who="guide", id=asked, order=order))
        said += [line.text for line in guide.lines]
        guide.lines.clear()
    return guide, w, said


def test_a_hand_that_follows_ends_up_registered() -> None:
    guide, w, said = play(COURSE, Hand())
    assert guide.outcome == "done", said
    assert w.memory.registration is not None
    assert w.memory.phase == "navigation"
    tip = w.memory.pivots["pointer"].tip_mm
    assert math.dist(tip, TIP_MM) < 1e-6
    assert [t for t in said if "touch it with pointer" in t] == [f"{n}: touch it with pointer and hold still" for n in "abc"]
    assert any("not accuracy" in t for t in said)


def test_by_hand_nothing_ends_or_is_used_before_enter() -> None:
    by_hand = Course(tools=("pointer",), landmarks=("a", "b", "c"), pointer="pointer", sweep_s=0.0, dwell_s=0.5, by_hand=True)
    guide, w, said = play(by_hand, Hand(), limit_s=20.0)
    assert not w.memory.pivots
    assert w.memory.collection is None
    assert said
    guide, w, _ = play(by_hand, Hand(), enter_every=400)
    assert guide.outcome == "done"
    assert w.memory.registration is not None


def test_a_tool_that_is_never_pivoted_is_given_up_with_the_reasons() -> None:
    guide, w, said = play(COURSE, Hand(skips=frozenset({Step("pivot", "pointer")})))
    assert guide.outcome == "failed"
    assert "pointer" not in w.memory.tips
    assert any("too little rotation" in t for t in said)
    assert "the pivot of pointer was refused 3 times" in said[-1]


def test_a_landmark_that_is_hidden_is_told_and_given_up() -> None:
    guide, w, said = play(COURSE, Hand(hides=frozenset({Step("landmark", "b")})))
    assert guide.outcome == "failed"
    assert set(w.memory.touched) == {"a"}
    assert any("b: pointer is hidden" in t for t in said)
    assert "b was refused 3 times" in said[-1]


def _setup(**fields: object) -> Setup:
    lists = dict.fromkeys(("calibrated", "landmarks", "spread_mm", "pending"), ())
    return Setup(**{"collecting": "", "samples": 0, "sweep_points": 0, **lists, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setup", "step"),
    [
        (_setup(), Step("pivot", "pointer")),
        (_setup(calibrated=("pointer",)), Step("landmark", "a")),
        (_setup(calibrated=("pointer",), landmarks=("a", "c")), Step("landmark", "b")),
        (_setup(calibrated=("pointer",), landmarks=("a", "b", "c")), Step("sweep")),
        (_setup(calibrated=("pointer",), landmarks=("a", "b", "c"), sweep_points=100), Step("register")),
    ],
)
def test_what_comes_next_is_read_off_the_core(setup: Setup, step: Step) -> None:
    assert next_step(setup, Course(tools=("pointer",), landmarks=("a", "b", "c"), pointer="pointer")) == step


@pytest.mark.parametrize(
    ("before", "after", "rings"),
    [
        ({}, {"collecting": "landmark a", "message": "a: pointer is hidden; hold still, in view"}, True),
        ({"collecting": "landmark a"}, {"message": "'a' was not taken in 30 s: no frame came"}, True),
        ({"collecting": "landmark a"}, {"landmarks": ("a",), "spread_mm": (0.1,), "message": "a touched, spread 0.10 mm of 62 samples"}, False),
        ({"collecting": "sweep pointer"}, {"sweep_points": 900, "message": "900 points swept, 0 frames refused"}, False),
        ({"collecting": "sweep pointer"}, {"message": "0 points swept, 900 frames refused"}, True),
        ({"collecting": "pivot drill"}, {"computing": ("pivot/drill",), "message": "calibrating the tip of drill from 400 poses"}, False),
        ({"computing": ("registration",)}, {"pending": ("registration",), "message": "registration: FRE 0.30 mm, accepted by the gate"}, False),
        ({"computing": ("registration",)}, {"message": "the worker ended"}, True),
        ({"pending": ("registration",)}, {"message": "registration in use"}, False),
    ],
)
def test_what_the_core_says_rings_where_eyes_are_needed(before: dict[str, object], after: dict[str, object], rings: bool) -> None:
    """By what became of a collection or a computation, not by the words."""
    guide = Guide(COURSE)
    hear_setup(guide, _setup(calibrated=("pointer",), **before))
    hear_setup(guide, _setup(calibrated=("pointer",), **after))
    assert [line.bell for line in guide.lines] == [rings]


def test_a_guide_that_joins_in_the_middle_of_a_collection_does_not_end_it() -> None:
    guide = Guide(COURSE)
    hear_setup(guide, _setup(collecting="sweep pointer", calibrated=("pointer",)))
    for k in range(100):
        assert turn(guide, k * 10**9, enter=True) is None


def test_a_refused_order_is_told_with_the_bell() -> None:
    guide = Guide(COURSE)
    hear_setup(guide, _setup())
    turn(guide, 0, enter=False)
    order = turn(guide, 4 * 10**9, enter=False)
    assert order == Collect(what="pivot", tool="pointer", action="start")
    hear_reply(guide, Reply(id="1", who="setup", ok=False, reason="already collecting (sweep); stop or cancel it first"))
    assert guide.lines[-1].bell
    assert "already collecting" in guide.lines[-1].text
