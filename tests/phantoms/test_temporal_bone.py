from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from phantoms.drilling import temporal_bone as bone
from phantoms.shapes import Array


@pytest.fixture(scope="module")
def lattice() -> Array:
    return np.stack(
        np.meshgrid(*[np.arange(low, high, 0.9) for low, high in ((-46.0, 4.0), (-30.0, 32.0), (-28.0, 24.0))], indexing="ij"), -1
    ).reshape(-1, 3)


@pytest.fixture(scope="module")
def critical_mm(lattice: Array) -> dict[str, Array]:
    return {name: shape.distance_mm(lattice) for name, shape in bone.critical().items()}


def test_no_critical_structure_touches_another(critical_mm: dict[str, Array]) -> None:
    """Between any two there is a gap: at every point the distances to both sum up to no less than it."""
    for one, other in combinations(critical_mm, 2):
        assert (critical_mm[one] + critical_mm[other]).min() > 1.4, (one, other)


def test_planned_removal_keeps_its_distances(lattice: Array, critical_mm: dict[str, Array]) -> None:
    planned = bone.planned_removal().distance_mm(lattice)
    assert 4000.0 < (planned < 0.0).sum() * 0.9**3 < 9000.0
    for name, mm in critical_mm.items():
        assert mm[planned < 0.0].min() >= bone.KEEP_MM[name]
    assert bone.KEEP_MM[bone.NERVE] >= 1.5
    assert bone.cavities()["ear_canal"].distance_mm(lattice[planned < 0.0]).min() >= bone.KEEP_CANAL_MM
    in_antrum = bone.cavities()["antrum"].distance_mm(lattice[planned < 0.0])
    assert in_antrum.min() < -2.0, "a mastoidectomy opens the antrum"


def test_nothing_critical_is_bone(lattice: Array, critical_mm: dict[str, Array]) -> None:
    inside = lattice[::7][bone.bone().distance_mm(lattice[::7]) < 0.0]
    assert len(inside) > 5000
    for shape in (*bone.critical().values(), *bone.cavities().values()):
        assert shape.distance_mm(inside).min() > 0.0


def test_sizes_are_an_adults() -> None:
    """The figures that the module cites, from the shapes themselves."""
    nerve = np.array(bone.NERVE_MM)
    steps = np.linalg.norm(np.diff(nerve, axis=0), axis=1)
    geniculate, bend_begins, bend_ends, foramen = 3, 5, 6, 9
    assert 8.0 < steps[geniculate:bend_begins].sum() < 11.0 and 13.0 < steps[bend_ends:foramen].sum() < 15.0
    assert 1.2 <= 2.0 * bone.NERVE_RADIUS_MM <= 1.6 and 9.0 <= 2.0 * bone.SINUS_RADIUS_MM <= 11.0
    canal, sinus = bone.cavities()["ear_canal"], bone.critical()[bone.SINUS]
    behind = np.array([(-9.0, y, -5.0) for y in np.arange(-8.0, 20.0, 0.1)])
    between = (canal.distance_mm(behind) > 0.0) & (sinus.distance_mm(behind) > 0.0) & (behind[:, 1] > -4.0)
    assert 11.0 < between.sum() * 0.1 < 15.0
    over_antrum = np.array([(-14.5, 5.0, z) for z in np.arange(4.8, 14.0, 0.05)])
    roof = (bone.cavities()["antrum"].distance_mm(over_antrum) > 0.0) & (bone.critical()[bone.DURA].distance_mm(over_antrum) > 0.0)
    assert 1.0 < roof.sum() * 0.05 < 2.6
    depth = bone.first_hit(bone.outer_form(), (30.0, 5.0, 5.0), (-1.0, 0.0, 0.0))[0] - (-15.0 + 3.6)
    assert 11.0 < depth < 15.0


def test_landmarks_lie_on_bone_and_can_be_touched() -> None:
    marks = bone.landmarks()
    assert len(marks) >= 6
    points = np.array(list(marks.values()))
    assert np.abs(bone.bone().distance_mm(points)).max() < 2e-3
    assert min(np.linalg.norm(a - b) for a, b in combinations(points, 2)) > 8.0
    spread = np.linalg.svd(points[:6] - points[:6].mean(axis=0), compute_uv=False)
    assert spread[1] > 15.0, "far from one line, for the registration"


def test_cells_lie_in_the_mastoid_and_repeat() -> None:
    cells = bone.air_cells()
    assert len(cells.radii_mm) == bone.CELLS
    centres = np.array(cells.centres_mm)
    assert bone.outer_form().distance_mm(centres).max() < -2.8
    bone.air_cells.cache_clear()
    assert bone.air_cells() == cells


def test_a_ray_that_misses_is_refused() -> None:
    with pytest.raises(ValueError, match="misses"):
        bone.first_hit(bone.outer_form(), (30.0, 0.0, 60.0), (-1.0, 0.0, 0.0))
