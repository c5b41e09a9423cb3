from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume
from tests.kernels import meshes

SIDE = 0.375


def block(half: float = 10.0) -> Carvable:
    return Carvable(Surface.from_arrays(*meshes.box((half, half, half))), SIDE)


def ball_volume(radius: float) -> float:
    return 4.0 / 3.0 * np.pi * radius**3


@pytest.mark.parametrize("radius", [1.5, 2.0, 3.0, 6.0])
@pytest.mark.parametrize("at", [(0.0, 0.0, 0.0), (0.13, -0.21, 0.37)])
def test_a_ball_takes_its_volume(radius: float, at: tuple[float, float, float]) -> None:
    bone = block()
    before = bone.surface().volume_mm3
    assert bone.carve(at, at, radius) == pytest.approx(ball_volume(radius), rel=0.005)
    assert before - bone.surface().volume_mm3 == pytest.approx(ball_volume(radius), rel=0.08)


def test_a_stroke_takes_its_volume_and_leaves_its_wall() -> None:
    bone = block()
    a, b, radius = np.array([-5.0, 1.0, 0.3]), np.array([4.0, -2.0, 1.1]), 1.5
    length, before = np.linalg.norm(b - a), bone.surface().volume_mm3
    assert bone.carve(a, b, radius) == pytest.approx(ball_volume(radius) + np.pi * radius**2 * length, rel=0.005)
    assert bone.removed_mm3 == pytest.approx(before - bone.surface().volume_mm3, rel=0.08)
    middle = (a + b) / 2
    assert bone.closest(middle).distance_mm[0] == pytest.approx(radius, abs=0.1 * SIDE)
    assert bone.closest([[0.0, 0.0, 9.0]]).distance_mm[0] == pytest.approx(-1.0, abs=0.05)


def test_half_a_ball_at_the_face() -> None:
    assert block().carve([10.0, 0, 0], [10.0, 0, 0], 3.0) == pytest.approx(ball_volume(3.0) / 2, rel=0.005)


def test_twice_is_once() -> None:
    bone = block()
    assert bone.carve([1, 2, 3], [4, 4, 4], 2.0) > 0.0
    left, removed = bone.surface(), bone.removed_mm3
    assert bone.carve([1, 2, 3], [4, 4, 4], 2.0) == 0.0
    assert bone.removed_mm3 == removed
    assert bone.surface() is left


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_left_never_grows(seed: int) -> None:
    rng, bone = np.random.default_rng(seed), block(5.0)
    volumes = [bone.surface().volume_mm3]
    for _ in range(3):
        a = rng.uniform(-8, 8, 3)
        assert bone.carve(a, a + rng.uniform(-3, 3, 3), rng.uniform(0.0, 2.5)) >= 0.0
        assert bone.surface().sign.is_certain
        volumes.append(bone.surface().volume_mm3)
    assert volumes == sorted(volumes, reverse=True)
    assert bone.removed_mm3 <= 1000.0 * 1.01


def test_far_away_and_far_too_large() -> None:
    bone = block(3.0)
    assert bone.carve([1e6, 0, 0], [1e7, 0, 0], 2.0) == 0.0
    assert bone.carve([0, 0, 0], [0, 0, 0], 1e6) == pytest.approx(216.0, rel=0.03)
    with pytest.raises(InputRefused, match="nothing is left"):
        bone.surface()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_unknown_pose_carves_nothing(bad: float) -> None:
    bone = block(3.0)
    for a, radius in (([bad, 0, 0], 1.0), ([0, 0, 0], bad), ([0, 0, 0], -1.0)):
        with pytest.raises(InputRefused, match="cannot be carved"):
            bone.carve(a, [0, 0, 0], radius)
    assert bone.removed_mm3 == 0.0


def test_an_open_surface_and_too_fine_a_grid_are_refused() -> None:
    vertices, faces = meshes.box()
    with pytest.raises(InputRefused, match="not closed"):
        Carvable(Surface.from_arrays(vertices, faces[1:]), SIDE)
    with pytest.raises(InputRefused, match="inest that fits is"):
        Carvable(Surface.from_arrays(vertices, faces), 1e-4)
    with pytest.raises(InputRefused, match="ide_mm is 0"):
        Carvable(Surface.from_arrays(vertices, faces), 0.0)


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_from_a_volume_of_thick_slices_and_either_hand(mirror: float) -> None:
    """A ball of bone in a scan whose first axis may run backwards."""
    spacing = (0.8, 0.8, 2.0)
    T = np.diag([mirror * spacing[0], spacing[1], spacing[2], 1.0])
    T[:3, 3] = -mirror * 16.0 + 5.0, -11.0, -9.0
    k, j, i = np.meshgrid(np.arange(20), np.arange(40), np.arange(40), indexing="ij")
    centre = T[:3, 3] + T[:3, :3] @ (20.0, 20.0, 10.0)
    place = np.stack([i, j, k], -1) @ T[:3, :3].T + T[:3, 3]
    hu = (300.0 + 100.0 * (10.0 - np.linalg.norm(place - centre, axis=-1))).clip(-1000, 1500).astype(np.float32)
    volume = Volume(hu, T, spacing, Path("made-up.nii"))
    bone = Carvable.from_volume(volume, threshold_hu=300.0)
    assert bone.side_mm == 0.375
    assert bone.surface().sign_is_trusted
    assert bone.surface().volume_mm3 == pytest.approx(ball_volume(10.0), rel=0.02)
    assert bone.closest(centre).distance_mm[0] == pytest.approx(-10.0, abs=0.2)
    assert bone.carve(centre, centre, 4.0) == pytest.approx(ball_volume(4.0), rel=0.005)
    assert bone.closest(centre).distance_mm[0] == pytest.approx(4.0, abs=0.1)


def test_from_labels() -> None:
    labels = np.zeros((30, 30, 30), np.int16)
    labels[8:22, 8:22, 8:22] = 7
    bone = Carvable.from_volume(Volume(labels, np.eye(4), (1.0, 1.0, 1.0), Path("made-up.nii")), labels=7)
    assert bone.surface().volume_mm3 == pytest.approx(14.0**3, rel=0.02)
    assert bone.carve([15, 15, 15], [15, 15, 15], 3.0) == pytest.approx(ball_volume(3.0), rel=0.005)
