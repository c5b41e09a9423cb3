"""The worker's answers, as the fold receives them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.accuracy_parts.trials import TIP_MM, TIP_RADIUS_MM, Case, phantom_bone, pivot_poses, touch
from navtwin.nouns import PivotRequest, PivotResult, Pose, RegistrationRequest, RegistrationResult, WorkFailed
from navtwin.register.bones import Bones
from navtwin.register.touch import ball_centres
from navtwin.register.worker import answer
from navtwin.rigid import Rigid
from navtwin.scene.model import Plan, Structure
from navtwin.scene.surface import Surface

NAMES = ("left transverse", "right transverse", "spinous", "base", "left facet", "right facet")
USUAL = Case("usual", surface=True, points=120)


@dataclass(frozen=True)
class SmallScene:
    """The part of a scene that the worker reads."""

    structures: tuple[Structure, ...]
    plans: tuple[Plan, ...]


def box(low: np.ndarray, high: np.ndarray) -> Surface:
    corners = np.array([[(low, high)[i][0], (low, high)[j][1], (low, high)[k][2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return Surface.from_arrays(corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]))


def structure(name: str, role: str, surface: Surface, danger_mm: float | None = None) -> Structure:
    caution = None if danger_mm is None else 2.0 * danger_mm
    return Structure(name, role, "ref", surface, caution, danger_mm, 0.4, 15.0, "#ffffff", 1.0, False)  # type: ignore[arg-type]


def scene(danger_mm: float = 3.0, *, work: bool = True) -> Any:
    bone, middle = phantom_bone()
    cord = box(middle + np.array((-6.0, 15.0, -30.0)), middle + np.array((6.0, 28.0, 30.0)))
    entry, target = (tuple(middle + np.array(p)) for p in ((-16.0, 45.0, 4.0), (-10.0, 0.0, 2.0)))
    plan = Plan("left", entry, target, 5.0, 1.0)  # type: ignore[arg-type]
    bones = (structure("vertebra", "work", bone),) if work else ()
    return SmallScene((*bones, structure("canal", "critical", cord, danger_mm), structure("skin", "context", cord)), (plan,))


def rows(points: np.ndarray) -> tuple[Any, ...]:
    return tuple(tuple(float(v) for v in p) for p in points)


def request(method: str = "landmarks+surface", **changes: Any) -> RegistrationRequest:
    touched = touch(USUAL, 5)
    whole = RegistrationRequest(
        request="r1",
        method=method,  # type: ignore[arg-type]
        landmarks=NAMES,
        ct_mm=rows(touched.ct_mm),
        ref_mm=rows(touched.ref_mm),
        sweep_ref_mm=rows(touched.sweep_ref_mm),
        tip_radius_mm=TIP_RADIUS_MM,
    )
    return msgspec.structs.replace(whole, **changes)


@pytest.mark.parametrize(("method", "error_mm"), [("landmarks", 3.0), ("landmarks+surface", 1.0)])
def test_registration(method: str, error_mm: float) -> None:
    found = answer(request(method), scene())
    assert isinstance(found, RegistrationResult)
    assert found.accepted, found.reasons
    assert (found.request, found.landmarks) == ("r1", NAMES)
    assert len(found.residual_mm) == 6
    assert (found.surface_rms_mm is None) == (method == "landmarks")
    assert found.tre_at == ("canal",)
    assert 0.05 < found.tre_mm[0] < 2.0
    middle = phantom_bone()[1]
    at = touch(USUAL, 5).T_ct_from_ref.inverse().apply([middle])
    assert np.linalg.norm(found.pose.rigid(target="ct", source="ref").apply(at) - middle) < error_mm
    whole = np.zeros((6, 6))
    whole[np.triu_indices(6)] = found.covariance
    assert np.linalg.eigvalsh(whole + np.triu(whole, 1).T).min() > 0.0
    assert msgspec.json.decode(msgspec.json.encode(found), type=RegistrationResult) == found


def test_limits_that_cannot_be_supported() -> None:
    found = answer(request(), scene(danger_mm=0.7))
    assert isinstance(found, RegistrationResult)
    assert not found.accepted
    assert "cannot support the limits of 'canal'" in found.reasons[0]


def test_a_lucky_fit_is_not_believed() -> None:
    touched = touch(USUAL, 5)
    centres = ball_centres(phantom_bone()[0], touched.ct_mm, TIP_RADIUS_MM)
    exact = rows(touched.T_ct_from_ref.inverse().apply(centres))
    found = answer(request("landmarks", ref_mm=exact), scene())
    assert isinstance(found, RegistrationResult)
    assert found.fre_mm < 1e-6
    assert found.tre_mm[0] > 0.2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"landmarks": NAMES[:2], "ct_mm": ((0.0, 0.0, 0.0),) * 2, "ref_mm": ((0.0, 0.0, 0.0),) * 2}, "cannot fix a pose"),
        ({"ref_mm": tuple((float(n), 0.0, 0.0) for n in range(6))}, "on one line as touched"),
        ({"ref_mm": ()}, "6 landmarks|shape"),
        ({"sweep_ref_mm": ()}, "0 swept"),
    ],
)
def test_requests_that_cannot_be_answered(changes: dict[str, Any], words: str) -> None:
    found = answer(request(**changes), scene())
    assert isinstance(found, WorkFailed)
    assert found.request == "r1"
    assert re.search(words, found.reason)


def test_no_bone_to_sweep() -> None:
    found = answer(request(), scene(work=False))
    assert isinstance(found, WorkFailed)
    assert "role 'work'" in found.reason


def test_pivot() -> None:
    poses = pivot_poses(np.random.default_rng(0), 120, 0.0)
    sent = tuple(Pose.from_rigid(Rigid.from_matrix(p, target="tracker", source="marker/drill")) for p in poses)
    found = answer(PivotRequest(request="p1", tool="drill", poses=sent), scene())
    assert isinstance(found, PivotResult)
    assert found.accepted, found.reasons
    assert found.samples >= 118
    assert np.linalg.norm(np.array(found.tip_mm) - TIP_MM) < 0.2
    assert found.covariance[0] > 0.0


def test_poses_that_are_known_worse_count_less_in_a_pivot() -> None:
    """Half of the poses are ten times as noisy, and say so: a result that listens to them is nearer than one that does not."""
    chance = np.random.default_rng(3)
    poses = pivot_poses(chance, 120, 0.0)
    sd_mm = np.where(np.arange(120) % 2, 2.0, 0.05)
    poses[:, :3, 3] += sd_mm[:, None] * chance.normal(size=(120, 3))
    sent = tuple(Pose.from_rigid(Rigid.from_matrix(p, target="tracker", source="marker/drill")) for p in poses)
    stated: Any = tuple(tuple(np.diag((1e-8,) * 3 + (sd * sd,) * 3)[np.triu_indices(6)].tolist()) for sd in sd_mm)
    off = [
        float(np.linalg.norm(np.array(found.tip_mm) - TIP_MM))
        for covariances in ((), stated)
        if isinstance(found := answer(PivotRequest(request="p1", tool="drill", poses=sent, covariances=covariances), scene()), PivotResult)
    ]
    assert len(off) == 2
    assert off[1] < off[0] / 3.0


@pytest.mark.parametrize("count", [0, 2])
def test_pivot_without_poses(count: int) -> None:
    sent = (Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0)),) * count
    found = answer(PivotRequest(request="p2", tool="drill", poses=sent), scene())
    assert isinstance(found, WorkFailed)
    assert f"{count} pose" in found.reason


def test_a_union_of_bones_is_the_nearest_of_them() -> None:
    one, two = box(np.zeros(3), np.full(3, 10.0)), box(np.array((8.0, 0.0, 0.0)), np.array((20.0, 10.0, 10.0)))
    bones, points = Bones([one, two]), np.random.default_rng(0).uniform(-5.0, 25.0, (200, 3))
    found = bones.closest(points)
    separate = np.stack([one.closest(points).distance_mm, two.closest(points).distance_mm])
    np.testing.assert_array_equal(found.distance_mm, separate.min(axis=0))
    corners = bones.vertices_mm[bones.faces[found.face]]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert np.abs(np.einsum("ij,ij->i", found.point_mm - corners[:, 0], normal)).max() < 1e-6
