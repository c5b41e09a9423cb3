"""Poses that no hand made: refused at once, and what a hand makes never."""

from __future__ import annotations

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.nouns import Rig, SquareMarker
from navtwin.rigid import Quat, Vec3
from navtwin.twin.plausible import NEW_START_NS, STEADY_NS, turned_rad

from .liar import MS, Gate, Hand, angle_deg, lost, seen, then, turn
from .world import small_rig

RIG = small_rig()
UP: Quat = (1.0, 0.0, 0.0, 0.0)
REF, DRILL = (0.0, 0.0, 0.0), (100.0, 40.0, 20.0)
PERIOD_NS = 16 * MS

axes = st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda a: sum(v * v for v in a) > 0.1)
hands = st.builds(
    Hand, home=st.just(DRILL), along=axes, about=axes, hertz=st.floats(0.2, 4.0), speed_mm_s=st.floats(0.0, 1500.0), turn_deg_s=st.floats(0.0, 600.0)
)


def started(rig: Rig = RIG, drill: Vec3 = DRILL, frames: int = 5) -> tuple[Gate, int]:
    gate, now = Gate(rig), 0
    for _ in range(frames):
        now += PERIOD_NS
        assert gate.judge(now, seen("ref", REF, UP), seen("drill", drill, UP)) == {"ref", "drill"}
    return gate, now


@given(hands, st.floats(20.0, 1000.0), st.lists(st.integers(1, 2000), max_size=4), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_what_a_hand_does_is_never_refused(hand: Hand, rate_hz: float, dropouts_ms: list[int], seed: int) -> None:
    chance, gate, now = random.Random(seed), Gate(RIG), 0
    still = Hand(REF, (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), 1.0, 0.0, 0.0)
    for gap_ms in [*dropouts_ms, 0]:
        for _ in range(60):
            now += round(1e9 / rate_hz)
            there = gate.judge(now, still.seen_at("ref", now, chance), hand.seen_at("drill", now, chance))
            assert there == {"ref", "drill"}, gate.why
        until = now + gap_ms * MS
        while now < until:
            now += round(1e9 / rate_hz)
            assert gate.judge(now, still.seen_at("ref", now, chance), lost("drill")) == {"ref"}


anywhere = st.tuples(*[st.floats(-300.0, 300.0)] * 3)
turns = st.tuples(axes, st.floats(-math.pi, math.pi)).map(lambda t: turn(*t))
streams = st.lists(st.tuples(st.integers(1, 700), st.one_of(st.none(), st.tuples(anywhere, turns)), st.integers(1, 12)), min_size=2, max_size=12)


@given(streams, streams)
@settings(max_examples=150, deadline=None)
def test_no_pose_that_is_believed_implies_more_than_the_limits(ref: list, drill: list) -> None:  # type: ignore[type-arg]
    """Random streams of stays, leaps and losses. Between two believed poses, with no longer absence between, no speed is above the rig's."""
    gate, now = Gate(RIG), 0
    good: dict[str, tuple[int, Vec3, Quat]] = {}
    came: dict[str, int] = {}
    for (step_ms, r, repeat), (_, d, _) in zip(ref, drill, strict=False):
        for n in range(repeat):
            now += (step_ms if n == 0 else 16) * MS
            there = {"ref": r, "drill": d}
            sightings = [seen(name, *place) if place else lost(name) for name, place in there.items()]
            believed = gate.judge(now, *sightings)
            for name, place in there.items():
                if place is None:
                    continue
                if name in believed and name in good and now - came[name] < NEW_START_NS:
                    t_ns, at, q = good[name]
                    gap_s = (now - t_ns) * 1e-9
                    assert math.dist(at, place[0]) <= 3.0 + 6.0 * 0.05 + 3000.0 * gap_s + 1e-6
                    assert angle_deg(q, place[1]) <= 3.0 + 650.0 * gap_s + 1.2
                if name in believed:
                    good[name] = (now, *place)
                came[name] = now


@pytest.mark.parametrize("degrees", [16.0, 25.0, 40.0, 90.0, 180.0])
@pytest.mark.parametrize("body", ["ref", "drill"])
def test_a_flip_is_refused_at_once_and_for_as_long_as_it_lasts(body: str, degrees: float) -> None:
    gate, now = started()
    flipped = turn((1.0, 0.3, 0.0), math.radians(degrees))
    for n in range(200):
        now += PERIOD_NS
        aside = 0.2 * n  # the hand goes on while the pose is flipped
        poses = {"ref": seen("ref", REF, UP), "drill": seen("drill", (DRILL[0] + aside, *DRILL[1:]), UP)}
        poses[body] = seen(body, poses[body].pose.t_mm, flipped)  # type: ignore[union-attr]
        assert gate.judge(now, *poses.values()) == {"ref", "drill"} - {body}
        assert "as a flipped marker does" in gate.why[body]
    now += PERIOD_NS
    assert gate.judge(now, seen("ref", REF, UP), seen("drill", (DRILL[0] + 40.0, *DRILL[1:]), UP)) == {"ref", "drill"}, "it has flipped back"


def test_a_flipped_body_that_slowly_turns_past_where_it_was_is_not_believed() -> None:
    """It may be the flipped pose that comes by, with the body somewhere else."""
    gate, now = started()
    for n in range(100):
        now += PERIOD_NS
        q = turn((1.0, 0.0, 0.0), math.radians(50.0 - n))
        assert gate.judge(now, seen("ref", REF, UP), seen("drill", DRILL, q)) == {"ref"}


def test_a_flipped_body_makes_a_new_start_once_it_was_hidden() -> None:
    gate, now = started()
    flipped = turn((1.0, 0.0, 0.0), math.radians(60.0))
    now += PERIOD_NS
    assert gate.judge(now, seen("ref", REF, UP), seen("drill", DRILL, flipped)) == {"ref"}
    assert gate.judge(now + 490 * MS, seen("ref", REF, UP), seen("drill", DRILL, flipped)) == {"ref"}
    assert gate.judge(now + 1000 * MS, seen("ref", REF, UP), seen("drill", DRILL, flipped)) == {"ref", "drill"}


def test_the_middle_of_the_markers_stays_where_it_is_when_a_body_with_its_origin_elsewhere_flips() -> None:
    corners = tuple((200.0 + x, y, 0.0) for x, y in ((-20.0, 20.0), (20.0, 20.0), (20.0, -20.0), (-20.0, -20.0)))
    marked = msgspec.structs.replace(RIG.body[1], dictionary="APRILTAG_36h11", marker=(SquareMarker(1, corners),))  # type: ignore[arg-type]
    gate, now = started(msgspec.structs.replace(RIG, body=(RIG.body[0], marked, RIG.body[2])))
    # About the marker's middle: the origin, 200 mm aside, moves by as much.
    angle = math.radians(50.0)
    moved = (DRILL[0] + 200.0 - 200.0 * math.cos(angle), DRILL[1], DRILL[2] + 200.0 * math.sin(angle))
    assert gate.judge(now + PERIOD_NS, seen("ref", REF, UP), seen("drill", moved, turn((0.0, 1.0, 0.0), angle))) == {"ref"}
    assert "as a flipped marker does" in gate.why["drill"]


def test_a_leap_is_believed_once_it_has_stayed_and_could_have_got_there() -> None:
    gate, now = started()
    there, begun = (DRILL[0] + 150.0, *DRILL[1:]), now + PERIOD_NS
    believed_ns = None
    for _ in range(30):
        now += PERIOD_NS
        if gate.judge(now, seen("ref", REF, UP), seen("drill", there, UP)) == {"ref", "drill"}:
            believed_ns = believed_ns or now
        else:
            assert gate.why["drill"] == "it leapt by 150 mm in 16 ms"
            assert believed_ns is None
    assert believed_ns is not None
    assert STEADY_NS <= believed_ns - begun < STEADY_NS + 2 * PERIOD_NS


def test_one_outlier_costs_one_frame() -> None:
    gate, now = started()
    assert gate.judge(now + PERIOD_NS, seen("ref", REF, UP), seen("drill", (DRILL[0], 400.0, 0.0), UP)) == {"ref"}
    assert gate.judge(now + 2 * PERIOD_NS, seen("ref", REF, UP), seen("drill", DRILL, UP)) == {"ref", "drill"}


@pytest.mark.parametrize("apart_mm", [25.0, 60.0, 300.0])
def test_an_exchange_is_refused_at_once_and_until_they_change_back(apart_mm: float) -> None:
    drill = (apart_mm, 0.0, 0.0)
    gate, now = started(drill=drill)
    for n in range(120):
        now += PERIOD_NS
        aside = 0.3 * n
        exchanged = (seen("ref", (apart_mm, aside, 0.0), UP), seen("drill", REF, UP))
        assert gate.judge(now, *exchanged) == set()
        assert gate.why["drill"] == "it exchanged places with ref"
    now += PERIOD_NS
    assert gate.judge(now, seen("ref", REF, UP), seen("drill", (apart_mm, aside, 0.0), UP)) == {"ref", "drill"}


def test_exchanged_bodies_are_believed_again_only_when_both_were_hidden() -> None:
    gate, now = started()
    now += PERIOD_NS
    assert gate.judge(now, seen("ref", DRILL, UP), seen("drill", REF, UP)) == set()
    for _ in range(60):  # one alone: the other still goes by its name
        now += PERIOD_NS
        assert gate.judge(now, seen("ref", DRILL, UP), lost("drill")) == set()
    now += PERIOD_NS
    assert gate.judge(now, seen("ref", DRILL, UP), seen("drill", REF, UP)) == set()
    for _ in range(40):
        now += PERIOD_NS
        assert gate.judge(now, lost("ref"), lost("drill")) == set()
    now += PERIOD_NS
    assert gate.judge(now, seen("ref", REF, UP), lost("drill")) == {"ref"}
    now += PERIOD_NS
    assert gate.judge(now, seen("ref", REF, UP), seen("drill", DRILL, UP)) == {"ref", "drill"}


def test_a_body_that_appears_in_the_place_of_another_which_is_gone_is_not_believed_however_long() -> None:
    gate, now = started()
    for _ in range(100):
        now += PERIOD_NS
        assert gate.judge(now, lost("ref"), seen("drill", REF, UP)) == set()
        assert gate.why["drill"] == "it leapt to where ref was"


def test_limits_of_zero_judge_no_speed() -> None:
    gate, now = started(small_rig(most_speed_mm_s=0.0, most_turn_deg_s=0.0))
    away = seen("drill", (5000.0, 0.0, 0.0), turn((1.0, 0.0, 0.0), 3.0))
    assert gate.judge(now + MS, seen("ref", REF, UP), away) == {"ref", "drill"}


@given(turns, turns)
def test_the_angle_between_two_rotations(a: Quat, b: Quat) -> None:
    assert turned_rad(a, b) == pytest.approx(math.radians(angle_deg(a, b)), abs=0.02)
    q = then(turn((0.3, 1.0, -0.2), math.radians(1.0)), a)
    assert turned_rad(a, q) == pytest.approx(math.radians(1.0), abs=1e-9)
