"""The level is asked for where others fit as well, and stays in doubt until a touch has told them apart."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from navtwin.nouns import Accept, Pose, RegistrationResult, Rival
from navtwin.scene.model import Landmark
from tests.twin.test_checking import beyond, check, registered
from tests.twin.world import World, ball, registration, small_scene

#: Three bones along z, 30 mm apart, the middle one where the world has its bone; the upper one is not as the others: something sticks out of it.
MIDDLES = ((30.0, 0.0, -30.0), (30.0, 0.0, 0.0), (30.0, 0.0, 30.0))
UP = (0.0, 0.0, 30.0)


def rival(shift_mm: tuple[float, float, float], level: str) -> Rival:
    return Rival(level=level, pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=shift_mm), shift_mm=shift_mm, misfit_mm=0.3, found_misfit_mm=0.3)


RESULT = msgspec.structs.replace(registration(), level="vertebrae_T12", rivals=(rival(UP, "vertebrae_T11"),))


def asked() -> World:
    scene = small_scene()
    bone = scene.structures[2]
    bones = tuple(replace(bone, name=f"bone {n}", surface=ball(middle, 10.0)) for n, middle in enumerate(MIDDLES))
    knob = replace(bone, name="knob", surface=ball((30.0, 14.0, -30.0), 6.0))
    w = World(scene=replace(scene, structures=(*scene.structures[:2], *bones, knob)), rig=registered().rig, register=False)
    w.feed(RESULT)
    return w


def test_it_is_not_accepted_without_a_level_and_the_candidates_are_told() -> None:
    w = asked()
    assert "Which level was touched?" in w.memory.setup_message
    reply = w.order(Accept(result="registration"))
    assert not reply.ok
    assert "vertebrae_T12" in reply.reason
    assert "vertebrae_T11 (30 mm to the head)" in reply.reason
    assert w.memory.registration is None


@pytest.mark.parametrize(
    ("level", "words"),
    [("T11", "touch the landmarks of vertebrae_T12 itself"), ("L5", "none of the levels in question: vertebrae_T12")],
)
def test_another_level_than_the_one_registered_to_is_refused(level: str, words: str) -> None:
    reply = asked().order(Accept(result="registration", level=level))
    assert not reply.ok
    assert words in reply.reason


@pytest.mark.parametrize("said", ["vertebrae_T12", "T12", "t12", "vertebrae T12"])
def test_the_level_named_takes_it_into_use_and_leaves_it_in_doubt(said: str) -> None:
    w = asked()
    assert w.order(Accept(result="registration", level=said)).ok
    alarm = w.technical("LEVEL_UNCONFIRMED")
    assert alarm.priority == "medium"
    assert "it may be vertebrae_T11" in alarm.text


def accepted() -> World:
    w = asked()
    assert w.order(Accept(result="registration", level="T12")).ok
    return w


def test_a_good_check_where_both_have_bone_leaves_it_in_doubt() -> None:
    w = accepted()
    assert check(w, beyond((30.0, 10.0, 0.0), 0.0)).good
    assert w.technical("LEVEL_UNCONFIRMED") is not None


def test_a_good_check_where_the_other_level_has_air_ends_it() -> None:
    """The knob of the lowest bone: one level up there is none, and the case knows that bone."""
    w = accepted()
    assert check(w, beyond((30.0, 20.0, -30.0), 0.0, (30.0, 14.0, -30.0))).good
    assert w.technical("LEVEL_UNCONFIRMED") is None


def test_where_the_case_ends_no_bone_is_no_air() -> None:
    w = accepted()
    assert check(w, beyond((30.0, 10.0, 30.0), 0.0, MIDDLES[2])).good
    assert w.technical("LEVEL_UNCONFIRMED") is not None


def test_a_bad_check_or_a_touch_in_the_air_tells_nothing() -> None:
    w = accepted()
    w.scene = replace(w.scene, landmarks=(Landmark("pit", (60.0, 30.0, -20.0)),))
    assert check(w, (60.0, 30.0, -20.0), "pit").good
    assert not check(w, beyond((30.0, 20.0, -30.0), 1.5, (30.0, 14.0, -30.0))).good
    assert w.technical("LEVEL_UNCONFIRMED") is not None


def test_a_registration_without_rivals_asks_nothing_and_clears_the_doubt() -> None:
    w = accepted()
    w.feed(registration())
    assert w.order(Accept(result="registration")).ok
    assert w.technical("LEVEL_UNCONFIRMED") is None


def test_each_rival_stands_by_itself() -> None:
    w = asked()
    both: RegistrationResult = msgspec.structs.replace(RESULT, rivals=(rival(UP, "T11"), rival((0.0, 0.0, -30.0), "L1")))
    w.feed(both)
    assert w.order(Accept(result="registration", level="T12")).ok
    assert check(w, beyond((30.0, 20.0, -30.0), 0.0, (30.0, 14.0, -30.0))).good
    assert "it may be L1" in w.technical("LEVEL_UNCONFIRMED").text
