"""A sweep over walls that were drilled: the request takes the bone along, and the messages say what the registration rests on."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from navtwin.nouns import Collect, Register, RegistrationRequest
from navtwin.rigid import Vec3
from navtwin.scene.model import Landmark
from tests.twin.drill_world import BURR_MM, DrillWorld, bone_scene
from tests.twin.world import registration

DEEP: Vec3 = (10.0, 10.0, -1.0)
PLACES: dict[str, Vec3] = {"one": (12.0, 0.0, 0.0), "two": (-12.0, 0.0, 0.0), "three": (0.0, 12.0, 0.0)}


def touched(*, drilled: bool) -> DrillWorld:
    """Three landmarks touched and the drilled floor swept, in navigation."""
    w = DrillWorld(scene=replace(bone_scene(), landmarks=tuple(Landmark(name, at) for name, at in PLACES.items())))
    if drilled:
        w.pedal(True)
        w.hold((10.0, 10.0, 3.0), 3)
        w.go((10.0, 10.0, 3.0), DEEP)
        w.pedal(False)
    for name, at in PLACES.items():
        assert w.order(Collect(what="landmark", tool="pointer", action="start", landmark=name)).ok
        w.hold(None, 25, pointer=at)
        assert w.order(Collect(what="landmark", tool="pointer", action="stop", landmark=name)).ok
    assert w.order(Collect(what="sweep", tool="pointer", action="start")).ok
    w.hold(None, 10, pointer=(10.0, 10.0, -1.0 - BURR_MM))
    assert w.order(Collect(what="sweep", tool="pointer", action="stop")).ok
    return w


def asked(w: DrillWorld, method: str = "landmarks+surface") -> RegistrationRequest:
    assert w.order(Register(method=method)).ok  # type: ignore[arg-type]
    return next(m.body for m in w.messages if isinstance(m.body, RegistrationRequest))


def test_the_request_takes_the_bone_of_that_moment_along() -> None:
    w = touched(drilled=True)
    request = asked(w)
    assert w.memory.setup_message == "computing the registration: landmarks + drilled surface"
    assert request.bone is not None and w.memory.drilled is not None
    assert (request.bone.structure, request.bone.hash) == ("bone", w.memory.drilled.bone.hash)
    assert request.bone.removed_mm3 == pytest.approx(w.memory.drilled.bone.removed_mm3)
    assert request.in_use == w.result.pose


def test_walls_are_as_uncertain_as_the_registration_that_they_were_drilled_by() -> None:
    w = touched(drilled=True)
    sd_mm = 0.4
    diagonal = {0: 0.0, 6: 0.0, 11: 0.0, 15: sd_mm**2, 18: sd_mm**2, 20: sd_mm**2}
    covariance = tuple(diagonal.get(n, 0.0) for n in range(21))
    w.memory.registration = msgspec.structs.replace(registration(), covariance=covariance)  # type: ignore[arg-type]
    assert asked(w).wall_sd_mm == pytest.approx(sd_mm)


def test_whole_bone_is_not_taken_along_nor_by_landmarks_alone() -> None:
    whole = touched(drilled=False)
    assert asked(whole).bone is None
    assert whole.memory.setup_message == "computing the registration: landmarks + surface"
    request = asked(touched(drilled=True), "landmarks")
    assert request.bone is None and request.in_use is None and request.wall_sd_mm == 0.0


def test_what_the_touches_stood_off_before_and_after_is_said() -> None:
    w = touched(drilled=True)
    result = msgspec.structs.replace(registration(), fre_mm=0.31, surface_rms_mm=0.12, surface_rms_before_mm=1.42)
    w.feed(result)
    assert w.memory.setup_message == "registration: FRE 0.31 mm, touches 0.12 mm off the bone, 1.42 mm before, accepted by the gate"
