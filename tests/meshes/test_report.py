"""What is said of a surface agrees with its known shape, with what tells the side of a point, and with trimesh."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from navtwin.meshes.read import read_raw
from navtwin.meshes.report import MeshReport, findings, report_mesh
from navtwin.scene.surface import Surface
from tests.kernels import meshes

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SPHERE, FACES = meshes.sphere(20.0, 3)
FAR, NEAR = np.array([90.0, 0, 0]), np.array([25.0, 0, 0])


def look(vertices: np.ndarray, faces: np.ndarray) -> MeshReport:
    return report_mesh(vertices, np.asarray(faces, dtype=np.int64), crossings=True)


def test_a_sound_surface_has_nothing_to_tell() -> None:
    vertices, faces = meshes.box((1.0, 2.0, 3.0))
    found = look(vertices, faces)
    assert found.is_sound and findings(found) == ()
    assert (found.triangles, found.vertices, found.parts) == (12, 8, 1)
    assert (found.area_mm2, found.volume_mm3) == pytest.approx((88.0, 48.0))
    assert (found.low_mm, found.high_mm) == ((-1.0, -2.0, -3.0), (1.0, 2.0, 3.0))


def turned(faces: np.ndarray, which: slice) -> np.ndarray:
    faces = faces.copy()
    faces[which] = faces[which, ::-1]
    return faces


@pytest.mark.parametrize(
    ("vertices", "faces", "field", "number", "says"),
    [
        (SPHERE, FACES[(FACES != 100).all(axis=1)], "holes", 1, "6 edges are open, around 1 hole: .* inside and outside are not defined"),
        (SPHERE, FACES[np.r_[1:300, 301:512]], "holes", 2, "6 edges are open, around 2 holes"),
        (SPHERE, turned(FACES, slice(7, 8)), "turned_edges", 3, "Along 3 edges neighbours look opposite ways"),
        (SPHERE, turned(FACES, slice(None)), "inside_out", 1, "1 closed part has normals that point inwards"),
        (SPHERE, np.concatenate([FACES, FACES[:1]]), "duplicate_faces", 1, "1 repeats another"),
        (SPHERE, np.concatenate([FACES, FACES[:1]]), "unbalanced_edges", 3, "3 edges are shared by more than two faces: .* not defined"),
        (SPHERE, np.concatenate([FACES, FACES[:1], FACES[:1, ::-1]]), "crowded_edges", 3, "certain, but takes longer"),
        (SPHERE, np.concatenate([FACES, [[0, 0, 1]]]), "collapsed_faces", 1, "1 face uses a vertex twice"),
        (np.concatenate([SPHERE, SPHERE + FAR]), np.concatenate([FACES, FACES + len(SPHERE)]), "parts", 2, "2 separate parts"),
        (np.concatenate([SPHERE, SPHERE + NEAR]), np.concatenate([FACES, FACES + len(SPHERE)]), "parts", 2, "cross.* or touch each other"),
    ],
)
def test_what_is_wrong_is_told_with_what_it_means(vertices: np.ndarray, faces: np.ndarray, field: str, number: int, says: str) -> None:
    found = look(vertices, faces)
    assert getattr(found, field) == number
    assert any(re.search(says, sentence) for sentence in findings(found)), findings(found)
    assert found.is_closed == Surface.from_arrays(vertices, faces).sign.is_certain


def test_a_hollow_is_not_inside_out() -> None:
    shell = np.concatenate([FACES, FACES[:, ::-1] + len(SPHERE)])
    found = look(np.concatenate([SPHERE, SPHERE / 2.0]), shell)
    assert found.inside_out == 0 and found.parts == 2 and found.is_sound
    assert look(np.concatenate([SPHERE, SPHERE + FAR]), shell).inside_out == 1


def test_vertices_in_one_place_are_one() -> None:
    """STL's triangles, each with corners of its own."""
    found = look(SPHERE[FACES].reshape(-1, 3), np.arange(3 * len(FACES)).reshape(-1, 3))
    assert found.is_sound and found.extra_vertices == 3 * len(FACES) - len(SPHERE)


REAL = [*sorted((DATA / "anatomy").rglob("*.vtk")), *sorted((DATA / "tracking" / "plus").glob("*.stl"))]
real = pytest.mark.parametrize(
    "path", REAL or [pytest.param(None, marks=pytest.mark.skip(reason="the shared data is not here"))], ids=lambda p: p and p.name
)


@real
def test_a_real_surface_is_judged_as_by_the_sign_and_by_trimesh(path: Path) -> None:
    """Models of the atlas, the liver, the kidney and the tools: closed where the core calls them certain; trimesh finds the same volume."""
    import trimesh

    mesh = read_raw(path)
    found = report_mesh(mesh.vertices, mesh.faces)
    assert found.is_closed == Surface.from_arrays(mesh.vertices, mesh.faces).sign.is_certain
    theirs = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert found.area_mm2 == pytest.approx(theirs.area, rel=1e-9)
    if found.is_closed:
        assert found.volume_mm3 == pytest.approx(theirs.volume, rel=1e-6)


ATLAS = DATA / "anatomy" / "head_neck_atlas"


@pytest.mark.heavy
@pytest.mark.skipif(not ATLAS.exists(), reason="the shared data is not here")
@pytest.mark.parametrize("model", ["Model_12_axis.vtk", "Model_25_mandible.vtk", "Model_101_right_common_carotid.vtk"])
def test_models_of_the_atlas_lie_on_its_labels_when_read_as_ras(model: str) -> None:
    """The atlas keeps labels in LPS and models in RAS; neither model says so. Decimated models lie within a voxel of their labels."""
    from navtwin.scene.extract import extract
    from navtwin.volumes.read import read_label_volume

    labels = read_label_volume(ATLAS / "HN-Atlas-labels.nrrd")
    there = extract(labels, labels=(int(model.split("_")[1]),)).surface
    off_mm = {space: np.abs(there.closest(Surface.read(ATLAS / "models" / model, space).vertices_mm).distance_mm) for space in ("LPS", "RAS")}
    assert np.median(off_mm["RAS"]) < 0.5 and np.percentile(off_mm["RAS"], 95) < 1.0
    assert np.median(off_mm["LPS"]) > 15.0
