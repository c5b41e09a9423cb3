"""The real patient: every promise about its case, measured on the shared copy of the CT."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from navtwin.scene import Scene, load_scene, read_ct, read_labels
from navtwin.scene.check import check_case
from navtwin.scene.data import CT, MASK
from navtwin.scene.thorax import VERTEBRAE, build_thorax_case
from tests.scene.cases import THORAX
from tests.scene.test_extract import distance_to_voxel_faces, points_on, to_index

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(not THORAX.is_dir(), reason="the shared thorax CT is not here")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.mktemp("thorax-cache")))
        path = tmp_path_factory.mktemp("thorax") / "case"
        build_thorax_case(path, THORAX)
        before = time.perf_counter()
        build_thorax_case(path.with_name("again"), THORAX)
        assert time.perf_counter() - before < 2.0
        yield path


@pytest.fixture(scope="module")
def scene(folder: Path) -> Scene:
    return load_scene(folder)


def test_nothing_is_wrong_with_it(folder: Path) -> None:
    assert check_case(folder).findings == ()


def test_surfaces_are_true_to_the_labels(scene: Scene) -> None:
    volume = read_ct(THORAX / CT)
    labels = read_labels(THORAX / MASK, volume)
    mm3 = abs(np.linalg.det(volume.T_ct_from_ijk[:3, :3]))
    for name, label in (("vertebrae_T11", 33), ("vertebrae_L1", 31), ("oesophagus", 15)):
        surface = scene.structure(name).surface
        mask = labels.hu == label
        assert surface.is_watertight
        assert surface.normals_are_outward
        assert surface.volume_mm3 == pytest.approx(mask.sum() * mm3, rel=0.01)
        corner = np.argwhere(mask).min(axis=0)
        small = mask[tuple(slice(a, b + 1) for a, b in zip(corner, np.argwhere(mask).max(axis=0), strict=True))]
        index = to_index(points_on(surface, 200), volume.T_ct_from_ijk) - corner[::-1]
        assert distance_to_voxel_faces(index, small).max() <= 0.5


def test_the_plans_stay_outside_their_limits_with_the_error_bar(folder: Path) -> None:
    clearances = check_case(folder).clearances
    assert len(clearances) == 4
    for c in clearances:
        assert c.clearance_mm - 0.9 > c.caution_mm + 0.3, c
        assert c.danger_mm > 0.9


def test_the_plans_run_through_bone_and_the_handpiece_stays_out(scene: Scene) -> None:
    vertebra = scene.structure("vertebrae_T11").surface
    bones = [scene.structure(name).surface for name in VERTEBRAE]
    left, right = scene.plans
    assert left.entry_mm[0] > right.entry_mm[0]  # x grows to the left
    for plan in scene.plans:
        entry, target = np.array(plan.entry_mm), np.array(plan.target_mm)
        length = float(np.linalg.norm(target - entry))
        way = (target - entry) / length
        assert 35.0 < length < 45.0
        assert abs(vertebra.closest(entry).distance_mm[0]) < 0.01
        inner = entry + np.arange(8.0, length, 1.0)[:, None] * way
        assert (vertebra.closest(inner).distance_mm < -2.2).all()  # past the sloping entry, a 3 mm bore stays in bone
        assert way[1] < -0.85  # forwards
        for bone in bones:
            assert bone.closest_to_capsule(target - 50.0 * way, target - 170.0 * way, 6.0).distance_mm > 1.0


def test_the_landmarks_lie_on_bone_and_surround_the_level(scene: Scene) -> None:
    bones = [scene.structure(name).surface for name in VERTEBRAE]
    points = np.array([m.position_mm for m in scene.landmarks])
    assert len(points) == 6
    distance = np.abs([bone.closest(points).distance_mm for bone in bones]).min(axis=0)
    assert distance.max() < 0.01
    assert np.ptp(points, axis=0).max() > 50.0
    assert np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[1] / np.sqrt(6) > 10.0


def test_it_says_where_it_is_from(scene: Scene) -> None:
    assert "LIDC-IDRI" in scene.citation
    assert "CC BY 3.0" in scene.citation
    assert scene.patient.age is None
