"""Bone between burr and nerve: never told thicker than it is, alerted where it is thin or unknown, and never in the place of the distance's alert."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.nouns import Ack, AudioPause, Mute, Trespass
from navtwin.twin.levels import rank
from navtwin.twin.walls import look_for_walls
from tests.twin.drill_world import AIR, BURR_MM, NERVE_MM, NERVE_RADIUS_MM, DrillWorld, bone_scene, drill_rig
from tests.twin.world import HEADER, MS

WALL, BURR = "nerve/drill/wall", "nerve/drill/burr"
#: Height of the nerve's top.
TOP_MM = NERVE_MM[2] + NERVE_RADIUS_MM


def over(gap_mm: float) -> tuple[float, float, float]:
    """The tip's place over the nerve with its skin so far off it."""
    return (0.0, 0.0, TOP_MM + BURR_MM + gap_mm)


def cutting(gap_mm: float, **more: object) -> DrillWorld:
    """A shaft drilled towards the nerve, the drill still cutting in it."""
    w = DrillWorld(**more)  # type: ignore[arg-type]
    w.pedal(True)
    w.hold(over(TOP_MM * -1.0 + 2.0), 2)
    w.go(over(-TOP_MM + 2.0), over(gap_mm), 60)
    assert w.status == "CUTTING"
    return w


@pytest.mark.parametrize("gap_mm", [5.0, 3.0, 1.5])
def test_the_wall_is_the_bone_that_is_left(gap_mm: float) -> None:
    w = cutting(gap_mm)
    assert w.wall_status == "OK"
    # The ball of facets that the nerve is lies up to 1 % inside the true one.
    assert w.wall.thickness_mm == pytest.approx(gap_mm, abs=0.1)
    assert w.wall.to_mm == pytest.approx((0.0, 0.0, TOP_MM), abs=0.05)


def test_the_burr_is_enlarged_by_its_error_bar() -> None:
    exact, vague = cutting(3.0), cutting(3.0, rig=drill_rig(sd_mm=0.5))
    assert exact.wall.thickness_mm is not None
    assert vague.wall.thickness_mm is not None
    assert vague.wall.thickness_mm == pytest.approx(exact.wall.thickness_mm - 2.0 * 0.5, abs=0.1)
    # An error bar that reaches the nerve leaves no wall to be sure of.
    assert cutting(0.8, rig=drill_rig(sd_mm=0.5)).wall.thickness_mm == 0.0


def test_off_the_bone_only_what_is_bone_counts() -> None:
    w = DrillWorld()
    w.frame(over(-TOP_MM + 4.0))
    assert w.wall.thickness_mm == pytest.approx(-TOP_MM, abs=0.1)
    w.frame(AIR)
    assert (w.wall_status, w.wall.thickness_mm) == ("FAR", None)


def test_where_all_bone_is_gone_there_is_no_wall() -> None:
    w = cutting(0.0)
    w.go(over(0.0), over(3.0))
    assert (w.wall_status, w.wall.thickness_mm) == ("NO_BONE", None)


def test_an_unseen_drill_has_no_known_wall() -> None:
    w = cutting(3.0)
    w.frame(None)
    assert (w.wall_status, w.wall.thickness_mm, w.wall.to_mm) == ("UNKNOWN", None, None)


def test_while_any_drill_may_cut_unseen_no_wall_is_known() -> None:
    w = cutting(3.0)
    assert w.memory.drilled is not None
    drill = w.memory.drilled.drills[0]
    assert {wall.status for wall in drill.walls} == {"OK"}
    drill.is_away = True  # as another one would be
    look_for_walls(w.memory)
    assert {wall.status for wall in drill.walls} == {"UNKNOWN"}


@given(gap_mm=st.floats(0.3, 7.0), aside_mm=st.floats(0.0, 6.0))
@settings(max_examples=15, deadline=None)
def test_a_wall_is_never_told_thicker_than_the_way_is_long(gap_mm: float, aside_mm: float) -> None:
    w = DrillWorld()
    w.pedal(True)
    w.go((aside_mm, 0.0, 3.0), (aside_mm, 0.0, TOP_MM + BURR_MM + gap_mm), 40)
    distance = next(r.distance_mm for r in w.state.readings if (r.structure, r.part) == ("nerve", "burr"))
    assert distance is not None
    if w.wall_status == "OK":
        assert w.wall.thickness_mm is not None
        assert 0.0 <= w.wall.thickness_mm <= distance + 1e-9


def test_a_thin_wall_is_a_caution_while_it_is_cut_and_beside_the_distance_s_own_alert() -> None:
    w = cutting(3.0)
    assert w.alert(WALL) is None
    w.go(over(3.0), over(0.9))
    wall = w.alert(WALL)
    assert (wall.level, wall.known, wall.priority, wall.part, wall.limit_mm) == ("CAUTION", True, "medium", "wall", 1.0)
    assert wall.distance_mm == pytest.approx(0.9, abs=0.1)
    # The distance is at DANGER by itself, and stands first.
    assert w.alert(BURR).level == "DANGER"
    assert [a.id for a in w.alerts.alerts] == [BURR, WALL]
    assert {p.id for p in w.alerts.pairs} == {BURR, "nerve/pointer/tip"}


def test_a_wall_of_a_structure_far_off_in_air_is_alerted_though_the_distance_is_not() -> None:
    """Only the last millimetre is bone: the distance to what lies beyond it is beyond its limits."""
    w = DrillWorld(scene=bone_scene(caution_mm=0.2, danger_mm=0.1))
    w.pedal(True)
    w.go(over(-TOP_MM + 2.0), over(0.9), 60)
    assert w.alert(BURR) is None
    assert w.alert(WALL).level == "CAUTION"


def test_it_is_never_masked_and_never_masks() -> None:
    w = cutting(0.9)
    for gap in (0.5, 0.0, -0.5):
        w.go(over(0.9), over(gap))
        assert rank(w.alert(BURR).level) >= rank("DANGER")
    assert w.alert(BURR).level == "CONTACT"


def test_it_ends_when_the_drill_has_stopped_for_300_ms() -> None:
    w = cutting(0.9)
    w.pedal(False)
    w.hold(over(0.9), 17)
    assert w.alert(WALL) is not None
    w.hold(over(0.9), 4)
    assert w.alert(WALL) is None


def test_it_falls_only_beyond_its_margin() -> None:
    w = cutting(0.95)
    # It cuts on, round the nerve to one side and then to the other: 1.3 mm is not thick enough to end it, and 1.7 mm is.
    for side, gap, is_alerted in ((1.0, 1.3, True), (-1.0, 1.7, False)):
        away = NERVE_RADIUS_MM + BURR_MM + gap
        for n in range(60):
            angle = 0.6 + 0.015 * n
            w.frame((side * away * math.sin(angle), 0.0, NERVE_MM[2] + away * math.cos(angle)), step_ms=30.0)
        assert w.status == "CUTTING"
        assert w.wall.thickness_mm == pytest.approx(gap, abs=0.1)
        assert (w.alert(WALL) is not None) == is_alerted


def test_an_unknown_wall_is_alerted_as_unknown_while_it_is_cut() -> None:
    w = cutting(4.0)
    assert w.memory.drilled is not None
    w.memory.drilled.bone.doubt(over(2.0), over(2.0), 1.0)
    w.go(over(4.0), over(3.8), 3)
    wall = w.alert(WALL)
    assert w.wall_status == "UNKNOWN"
    assert (wall.level, wall.known, wall.distance_mm) == ("CAUTION", False, None)


def test_beside_doubt_an_alert_stays_unknown_until_the_wall_has_been_known_for_300_ms() -> None:
    w = cutting(2.0)
    assert w.memory.drilled is not None
    thin = w.memory.drilled.thin_walls[0]
    w.go(over(2.0), over(0.9), 60)
    assert w.alert(WALL).known
    thin.doubt_ns = w.now_ns
    w.go(over(0.9), over(0.7), 10)
    assert (w.wall_status, w.alert(WALL).known) == ("OK", False)
    w.go(over(0.7), over(0.5), 12)
    assert w.alert(WALL).known


def test_a_thin_wall_far_off_behind_air_is_not_alerted_until_the_cutter_is_near() -> None:
    w = cutting(0.9)
    w.go(over(0.9), over(0.9 + 4.0), 40)
    w.pedal(False)
    w.hold(over(0.9 + 4.0), 25)
    assert w.alert(WALL) is None
    # It cuts the rim of the shaft, 4 mm above its floor.
    w.pedal(True)
    aside = (3.0, 0.0, over(0.9 + 4.0)[2])
    w.go(over(0.9 + 4.0), aside, 30)
    assert w.status == "CUTTING"
    assert w.alert(WALL) is None


@pytest.mark.parametrize("frames", [3, 60])
def test_it_is_held_unknown_while_the_drill_is_not_followed(frames: int) -> None:
    w = cutting(0.9)
    since = w.alert(WALL).since_ns
    w.hold(None, frames)
    wall = w.alert(WALL)
    assert (wall.known, wall.distance_mm, wall.since_ns) == (False, None, since)


def test_it_can_be_acknowledged_until_it_comes_anew() -> None:
    w = cutting(0.9)
    assert "say the level" in w.order(Ack(epoch=HEADER.session, alert=WALL)).reason
    assert w.order(Ack(epoch=HEADER.session, alert=WALL, level="CAUTION"), who="anna").ok
    assert (w.alert(WALL).silenced, w.alert(WALL).acked_by) == (True, "anna")
    assert not w.alert(BURR).silenced
    w.pedal(False)
    w.hold(over(0.9), 25)
    assert "no alert" in w.order(Ack(epoch=HEADER.session, alert=WALL, level="CAUTION")).reason
    w.pedal(True)
    w.go(over(0.9), over(0.8))
    assert not w.alert(WALL).silenced


def test_the_structure_s_mute_and_the_audio_pause_cover_it() -> None:
    w = DrillWorld(scene=bone_scene(caution_mm=0.2, danger_mm=0.1))
    w.pedal(True)
    w.go(over(-TOP_MM + 2.0), over(0.95), 60)
    assert w.order(Mute(structure="nerve")).ok
    assert w.alert(WALL).silenced
    # The mute lasts while the wall is alerted, though the distance is clear all the time.
    for n in range(400):
        w.frame((0.0, 0.0, TOP_MM + BURR_MM + 0.95 - 0.001 * n))
    assert w.alert(BURR) is None
    assert w.alert(WALL).silenced
    w.now_ns += 121_000 * MS
    w.hold(over(0.5), 3)
    assert w.order(AudioPause(seconds=20.0)).ok
    w.go(over(0.55), over(0.45))
    assert w.alert(WALL).silenced


def told(w: DrillWorld) -> tuple[Trespass, ...]:
    return w.bone.trespasses


def test_bone_is_not_cut_through_the_nerve_and_what_was_entered_is_told() -> None:
    w = cutting(0.5)
    assert w.bone.trespasses == ()
    w.go(over(0.5), over(-2.0))
    (trespass,) = told(w)
    # The lens that a ball of 2 mm and one of 3 mm share when they overlap by 2 mm.
    r, s, d = BURR_MM, NERVE_RADIUS_MM, BURR_MM + NERVE_RADIUS_MM - 2.0
    lens = 3.14159 * (r + s - d) ** 2 * (d * d + 2.0 * d * (r + s) - 3.0 * (r - s) ** 2) / (12.0 * d)
    assert trespass.structure == "nerve"
    assert trespass.volume_mm3 == pytest.approx(lens, rel=0.05)
    assert w.alert(BURR).level == "CONTACT"
    nerve = w.scene.structure("nerve").surface
    assert nerve.closest(NERVE_MM).distance_mm[0] < -2.9
    w.go(over(-2.0), over(0.5))
    w.go(over(0.5), over(-2.0))
    assert told(w)[0].volume_mm3 == pytest.approx(trespass.volume_mm3, rel=1e-3), "counted once"


def test_a_drill_that_stands_in_the_nerve_trespasses_on_nothing() -> None:
    w = cutting(0.5)
    w.pedal(False)
    w.go(over(0.5), over(-1.0))
    assert w.bone.trespasses == ()
    assert w.alert(BURR).level == "CONTACT"
