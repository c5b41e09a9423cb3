"""Registration on walls that were drilled: the patient is knocked after the cavity was made, and a sweep in the cavity finds him again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import pyvista as pv

from navtwin.nouns import BoneState, Pose, RegistrationRequest, RegistrationResult, WorkFailed
from navtwin.register.worker import answer
from navtwin.rigid import Rigid
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Plan, Structure
from navtwin.scene.surface import Surface
from tests.register.points import pose

F64 = npt.NDArray[np.float64]
RADIUS_MM = 0.5
SHIFT_MM = np.array((0.9, -0.9, 0.8))
#: On the block's top and sides, away from the cavity.
LANDMARKS_MM = np.array(((-17.0, -13.0, 0.0), (17.0, -13.0, 0.0), (17.0, 13.0, 0.0), (-17.0, 13.0, 0.0)))
NAMES = ("one", "two", "three", "four")


@dataclass(frozen=True)
class Case:
    """The part of a scene that the worker reads."""

    structures: tuple[Structure, ...]
    plans: tuple[Plan, ...] = ()
    case_hash: str = "block"


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@cache
def block() -> Structure:
    mesh = pv.Box((-20.0, 20.0, -16.0, 16.0, -20.0, 0.0), level=8).triangulate().clean()
    surface = Surface.from_arrays(mesh.points.astype(float), mesh.regular_faces)
    return Structure("temporal bone", "work", "ref", surface, None, None, 0.2, 15.0, "#ffffff", 1.0, False, carve_mm=0.5)


@cache
def cavity() -> tuple[Surface, BoneState]:
    """Drilled in the twin: a trough with a deeper end, which fits nowhere else."""
    bone = Carvable.of(block(), "block")
    for y in (-4.0, 0.0, 4.0):
        bone.carve((-8.0, y, -1.0), (8.0, y, -5.0), 3.0)
    bone.carve((5.0, 4.0, -6.0), (9.0, 4.0, -8.0), 2.0)
    return bone.surface(), bone.state("s1")


def touched(seed: int, sweeps: int = 160) -> tuple[F64, F64, Rigid, Rigid]:
    """Landmarks and a sweep of the cavity's walls in ref axes, the true T_ct_from_ref now, and the one from before the knock."""
    chance = np.random.default_rng(seed)
    before = pose(seed)
    knocked = np.array(before.matrix())
    knocked[:3, 3] += SHIFT_MM
    now = Rigid.from_matrix(knocked, target="ct", source="ref")
    left, _ = cavity()
    corners = left.vertices_mm[left.faces]
    middle, normal = corners.mean(axis=1), np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    walls = np.flatnonzero((block().surface.closest(middle).distance_mm < -1.0) & (np.linalg.norm(normal, axis=1) > 1e-3))
    some = chance.choice(walls, sweeps, replace=False)
    out = normal[some] / np.linalg.norm(normal[some], axis=1, keepdims=True)
    balls = middle[some] + (RADIUS_MM + chance.normal(0.0, 0.1, (sweeps, 1))) * out
    marks = LANDMARKS_MM + np.array((0.0, 0.0, RADIUS_MM)) + chance.normal(0.0, 0.25, LANDMARKS_MM.shape)
    return now.inverse().apply(marks), now.inverse().apply(balls), now, before


def rows(points: F64) -> tuple[Any, ...]:
    return tuple(tuple(float(v) for v in p) for p in points)


def request(seed: int = 1, **changes: Any) -> tuple[RegistrationRequest, Rigid, Rigid]:
    marks, balls, now, before = touched(seed)
    asked = RegistrationRequest(
        request="r1", method="landmarks+surface", landmarks=NAMES, ct_mm=rows(LANDMARKS_MM), ref_mm=rows(marks),
        sweep_ref_mm=rows(balls), tip_radius_mm=RADIUS_MM, bone=cavity()[1], wall_sd_mm=0.2, in_use=Pose.from_rigid(before),
    )  # fmt: skip
    return msgspec.structs.replace(asked, **changes), now, before


def off_mm(found: RegistrationResult, now: Rigid) -> float:
    """The worst error over the cavity."""
    at = np.array(((-8.0, 0.0, -3.0), (8.0, 0.0, -6.0), (0.0, 6.0, -4.0), (0.0, -6.0, -4.0)))
    return float(np.linalg.norm(found.pose.rigid(target="ct", source="ref").apply(now.inverse().apply(at)) - at, axis=1).max())


def test_a_sweep_of_the_cavity_finds_a_knocked_patient_again() -> None:
    for seed in (1, 2):
        asked, now, before = request(seed)
        found = answer(asked, Case((block(),)))  # type: ignore[arg-type]
        assert isinstance(found, RegistrationResult)
        assert found.accepted, found.reasons
        knocked = np.linalg.norm(before.apply(now.inverse().apply([[0.0, 0.0, 0.0]])))
        assert abs(knocked - 1.5) < 0.01
        assert off_mm(found, now) < 0.3
        assert found.surface_rms_mm is not None and found.surface_rms_before_mm is not None
        assert found.surface_rms_mm < 0.2
        assert found.surface_rms_before_mm > 0.6


def test_against_the_scans_own_surface_it_does_not() -> None:
    asked, now, _ = request(bone=None)
    found = answer(asked, Case((block(),)))  # type: ignore[arg-type]
    assert isinstance(found, RegistrationResult)
    assert not found.accepted or off_mm(found, now) > 0.3


def test_walls_that_are_known_worse_make_the_prediction_wider() -> None:
    sure, unsure = (answer(request(wall_sd_mm=sd)[0], Case((block(),))) for sd in (0.0, 1.0))  # type: ignore[arg-type]
    assert isinstance(sure, RegistrationResult) and isinstance(unsure, RegistrationResult)
    # Of translation along x, about the centroid.
    assert unsure.covariance[15] > 1.5 * sure.covariance[15]


def test_bone_that_is_not_this_cases_is_refused() -> None:
    state = cavity()[1]
    for wrong in (msgspec.structs.replace(state, case_hash="another"), msgspec.structs.replace(state, structure="skull")):
        found = answer(request(bone=wrong)[0], Case((block(),)))  # type: ignore[arg-type]
        assert isinstance(found, WorkFailed) and found.request == "r1"


def test_a_request_with_drilled_bone_survives_the_way_to_the_worker() -> None:
    asked, _, _ = request()
    assert msgspec.json.decode(msgspec.json.encode(asked), type=RegistrationRequest) == asked


def test_landmarks_alone_ask_nothing_of_the_bone() -> None:
    found = answer(request(method="landmarks", sweep_ref_mm=())[0], Case((block(),)))  # type: ignore[arg-type]
    assert isinstance(found, RegistrationResult)
    assert found.surface_rms_mm is None and found.surface_rms_before_mm is None
