from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Part
from navtwin.scene.model import Scene
from phantoms.motion import Poses
from phantoms.patient import shapes
from phantoms.truth import SmoothField, displaced, part_distances, true_patient


def face_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    return np.asarray(np.cross(b - a, c - a))


def test_extracted_surfaces_agree_with_the_shapes(spine: Scene) -> None:
    """Surfaces of the patient's shapes lie on the shapes, and their distances are the analytic ones."""
    for name in ("spinal_canal", "aorta"):
        shape, surface = shapes()[name], spine.structure(name).surface
        within = np.abs(surface.vertices_mm[:, 2]) < 60.0
        assert np.abs(shape.distance_mm(surface.vertices_mm[within])).max() < 0.2
        p = np.random.default_rng(1).uniform((-30.0, -30.0, -45.0), (30.0, 50.0, 45.0), (400, 3))
        assert surface.closest(p).distance_mm == pytest.approx(shape.distance_mm(p), abs=0.2)


@pytest.mark.parametrize("name", ["vertebrae_T12", "spinal_canal", "aorta"])
def test_true_surface_errs_as_declared_and_never_folds(spine: Scene, name: str) -> None:
    structure = spine.structure(name)
    before = face_areas(structure.surface.vertices_mm, structure.surface.faces)
    off = []
    for seed in range(3):
        true = displaced(structure, np.random.default_rng(seed))
        off.append(structure.surface.closest(true.vertices_mm).distance_mm)
        after = face_areas(true.vertices_mm, true.faces)
        assert (np.einsum("fi,fi->f", before, after) > 0.0).all()
        assert true.is_watertight and true.normals_are_outward
        assert np.sqrt(np.mean(off[-1] ** 2)) == pytest.approx(structure.sd_mm, rel=0.05)
        assert np.abs(off[-1]).max() < 2.5 * structure.sd_mm
    assert abs(np.corrcoef(off[0], off[1])[0, 1]) < 0.7


def test_field_is_smooth_over_its_correlation_length() -> None:
    p = np.random.default_rng(0).uniform(-100.0, 100.0, (3000, 3))
    near, far = np.array((7.5, 0.0, 0.0)), np.array((0.0, 45.0, 0.0))
    same, at_near, at_far = [], [], []
    for seed in range(12):
        field = SmoothField.draw(15.0, np.random.default_rng(seed))
        same.append(np.mean(field.at(p) ** 2))
        at_near.append(np.mean(field.at(p) * field.at(p + near)))
        at_far.append(np.mean(field.at(p) * field.at(p + far)))
    assert np.mean(same) == pytest.approx(1.0, abs=0.05)
    assert np.mean(at_near) == pytest.approx(np.exp(-(7.5**2) / (2.0 * 15.0**2)), abs=0.06)
    assert np.mean(at_far) == pytest.approx(0.0, abs=0.06)


def test_structures_err_independently_and_by_seed(spine: Scene) -> None:
    one, again, other = true_patient(spine, 3), true_patient(spine, 3), true_patient(spine, 4)
    assert set(one.work) == {"vertebrae_T10", "vertebrae_T11", "vertebrae_T12", "vertebrae_L1"} and set(one.critical) == {"spinal_canal", "aorta"}
    assert (one.critical["aorta"].vertices_mm == again.critical["aorta"].vertices_mm).all()
    assert (one.critical["aorta"].vertices_mm != other.critical["aorta"].vertices_mm).any()


def test_part_distances_against_the_shapes(spine: Scene) -> None:
    """A burr, and a neck off its tool's axis, near the analytic canal."""
    surface, shape = spine.structure("spinal_canal").surface, shapes()["spinal_canal"]
    rng = np.random.default_rng(2)
    tips = rng.uniform((-25.0, 5.0, -20.0), (25.0, 45.0, 20.0), (40, 3))
    rotation = np.tile(np.array(((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))), (40, 1, 1))
    burr = Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.5)
    neck = Part(name="neck", from_mm=(2.0, 0.0, 0.0), to_mm=(2.0, 0.0, -30.0), radius_mm=1.2)
    assert part_distances(surface, burr, Poses(rotation, tips)) == pytest.approx(shape.distance_mm(tips) - 1.5, abs=0.2)
    along = np.linspace(0.0, -30.0, 300)
    line = tips[:, None, :] + (rotation @ np.array((2.0, 0.0, 0.0)))[:, None, :] + along[None, :, None] * rotation[:, None, :, 2]
    expected = shape.distance_mm(line.reshape(-1, 3)).reshape(40, -1).min(axis=1) - 1.2
    clear = expected > 0.0
    assert clear.sum() > 10
    assert part_distances(surface, neck, Poses(rotation, tips))[clear] == pytest.approx(expected[clear], abs=0.2)


def test_a_case_without_canal_or_aorta_is_refused(spine: Scene) -> None:
    bare = replace(spine, structures=tuple(s for s in spine.structures if s.name != "aorta"))
    with pytest.raises(InputRefused, match="'aorta'"):
        true_patient(bare, 1)
