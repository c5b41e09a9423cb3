from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.nouns import read_rig
from navtwin.scene import read_ct, read_labels
from navtwin.scene.case import load_scene
from phantoms import patient
from phantoms.patient import on_bone, shapes, write_patient
from phantoms.patient_case import phantom_case
from phantoms.rig import demo_rig
from phantoms.volume import Grid

COARSE = Grid(origin_mm=(-82.0, -84.0, -72.0), spacing_mm=(1.5, 1.5, 2.0), shape_ijk=(110, 136, 73))


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A coarser scan, for the sake of time, and a cache of its own."""
    monkeypatch.setattr(patient, "GRID", COARSE)
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path / "cache"))


@pytest.mark.heavy
def test_case_of_the_built_in_patient(tmp_path: Path) -> None:
    """The product's own case builder, given the phantom's CT and labels, finds the analytic shapes again."""
    phantom_case(tmp_path / "case")
    scene = load_scene(tmp_path / "case")
    assert read_rig(tmp_path / "case" / "rig.toml") == demo_rig()
    assert {s.name for s in scene.structures} == set(shapes())
    assert {s.name for s in scene.structures if s.role == "critical"} == {"spinal_canal", "aorta"}
    p = np.random.default_rng(0).uniform((-25.0, -25.0, -40.0), (25.0, 45.0, 40.0), (300, 3))
    for name in ("spinal_canal", "aorta", "vena_cava"):
        found, true = scene.structure(name).surface.closest(p).distance_mm, shapes()[name].distance_mm(p)
        assert np.abs(found - true).max() < 0.5 * max(COARSE.spacing_mm)
        assert np.sqrt(np.mean((found - true) ** 2)) < 0.15 * max(COARSE.spacing_mm)
    for plan in scene.plans:
        line = np.linspace(plan.entry_mm, plan.target_mm, 50)
        assert shapes()["vertebrae_T12"].distance_mm(line[1:]).max() < 0.0
        assert shapes()["spinal_canal"].distance_mm(line).min() - 1.5 > (scene.structure("spinal_canal").caution_mm or 0.0) + 1.5
    assert len(scene.landmarks) >= 6 and all(scene.volume.contains(mark.position_mm) for mark in scene.landmarks)


@pytest.mark.heavy
def test_written_ct_and_labels_are_placed_where_the_shapes_are(tmp_path: Path) -> None:
    ct_path, labels_path, table = write_patient(tmp_path)
    ct = read_ct(ct_path)
    labels = read_labels(labels_path, ct)
    assert table.read_text(encoding="utf-8").startswith("group,original_idx,structure,id")
    aorta = np.argwhere(labels.hu == 52)[::97]
    points = (np.concatenate([aorta[:, ::-1], np.ones((len(aorta), 1))], axis=1) @ ct.T_ct_from_ijk.T)[:, :3]
    assert shapes()["aorta"].distance_mm(points).max() <= 1e-3
    deep = shapes()["aorta"].distance_mm(points) < -1.5
    assert np.median(ct.hu[tuple(aorta[deep].T)]) == pytest.approx(320.0, abs=5.0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ct.nii.gz", "labels.nii.gz", "structures.csv"]


def test_points_on_bone() -> None:
    point = on_bone("vertebrae_T12", (0.0, 100.0, -25.0), np.array((0.0, -1.0, 0.0)))
    assert abs(shapes()["vertebrae_T12"].distance_mm([point])[0]) < 1e-3 and point[1] > 50.0
    with pytest.raises(ValueError, match="misses"):
        on_bone("vertebrae_T12", (0.0, 100.0, 60.0), np.array((0.0, -1.0, 0.0)))
