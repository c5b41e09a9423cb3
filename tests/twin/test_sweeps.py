"""Between two frames: what a fast hand passes is not missed, and what was not seen is not made up."""

from __future__ import annotations

import pytest

from navtwin.nouns import Accept

from .world import MS, RADIUS_MM, World, registration, small_rig

BURR = "canal/drill/burr"


def beside(gap_mm: float = 10.0, side_mm: float = -30.0) -> World:
    """A drill whose tip has been to one side of the canal for a while, known to be clear of it."""
    # Faster than a hand is believed to be, so that one frame can lead past everything.
    world = World(rig=small_rig(most_speed_mm_s=5000.0), beside_mm=side_mm)
    world.hold(gap_mm, 5)
    assert world.pair(BURR).level == "CLEAR"
    return world


def reading(world: World):  # type: ignore[no-untyped-def]
    return next(r for r in world.state.readings if (r.structure, r.instrument, r.part) == ("canal", "drill", "burr"))


def passing(world: World):  # type: ignore[no-untyped-def]
    return next((p for p in world.state.passings if (p.structure, p.instrument, p.part) == ("canal", "drill", "burr")), None)


def test_a_thrust_through_between_two_frames_is_a_contact() -> None:
    world = beside(gap_mm=-RADIUS_MM - 1.5)  # the tip on the line through the canal's middle
    world.beside_mm = 30.0
    world.frame(-RADIUS_MM - 1.5)
    assert reading(world).distance_mm == pytest.approx(30.0 - RADIUS_MM - 1.5, abs=0.1)
    assert passing(world).clearance_mm <= 0.0
    assert world.alert(BURR).level == "CONTACT"


def test_a_thrust_past_is_judged_by_its_nearest_place() -> None:
    world = beside(gap_mm=1.0)
    world.beside_mm = 30.0
    world.frame(1.0)
    assert passing(world).clearance_mm == pytest.approx(1.0, abs=0.1)
    before, after = world.now_ns - 31 * MS, world.now_ns - 15 * MS
    assert passing(world).at_ns == pytest.approx((before + after) / 2, abs=0.5 * MS)
    assert world.alert(BURR).level == "DANGER"


def test_a_thrust_past_falls_again_after_a_while() -> None:
    world = beside(gap_mm=1.0)
    world.beside_mm = 30.0
    world.hold(1.0, 10)
    assert world.alert(BURR).level == "DANGER"
    world.hold(1.0, 15)
    assert world.alert(BURR) is None


def test_a_slow_hand_has_nothing_to_tell_of_its_way() -> None:
    world = World()
    for k in range(20):
        world.frame(20.0 - 0.5 * k)
        assert passing(world) is None


def test_one_frame_without_a_pose_is_bridged() -> None:
    world = beside(gap_mm=1.0)
    world.frame(None)
    world.beside_mm = 30.0
    world.frame(1.0)
    assert passing(world).clearance_mm == pytest.approx(1.0, abs=0.1)


def test_a_gap_longer_than_max_age_is_unknown_not_swept() -> None:
    world = beside(gap_mm=-RADIUS_MM - 1.5)
    world.hold(None, 7)  # 112 ms without a pose; the rig allows 100
    world.beside_mm = 30.0
    world.frame(-RADIUS_MM - 1.5)
    assert passing(world) is None
    assert world.alert(BURR) is None
    assert not world.pair(BURR).known


def test_a_new_registration_moves_nothing_through_anything() -> None:
    world = beside(gap_mm=-RADIUS_MM - 1.5)
    world.feed(registration())
    world.order(Accept(result="registration"))
    world.beside_mm = 30.0
    world.frame(-RADIUS_MM - 1.5)
    assert passing(world) is None
