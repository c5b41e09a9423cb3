"""Mending gives back a known shape, says what it did, and refuses what nobody could mend without inventing it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.meshes.read import read_raw
from navtwin.meshes.repair import Mended, mend
from navtwin.scene.surface import Surface
from tests.kernels import meshes
from tests.meshes.test_report import real

SPHERE, FACES = meshes.sphere(20.0, 3)
FACES = FACES.astype(np.int64)
HERE = Path("a.stl")


def mended(vertices: np.ndarray, faces: np.ndarray) -> Mended:
    found = mend(vertices, np.asarray(faces, dtype=np.int64), HERE)
    surface = Surface.from_arrays(found.vertices, found.faces)
    assert surface.is_watertight and surface.volume_mm3 > 0.0 and found.after.is_closed
    return found


def test_a_sound_surface_is_left_alone() -> None:
    found = mended(SPHERE, FACES)
    assert found.done == () and len(found.faces) == len(FACES)
    assert (np.sort(found.vertices[found.faces].reshape(-1, 9), axis=0) == np.sort(SPHERE[FACES].reshape(-1, 9), axis=0)).all()


@pytest.mark.parametrize("seed", range(3))
def test_windings_at_random_are_turned_back(seed: int) -> None:
    flips = np.random.default_rng(seed).random(len(FACES)) < 0.4
    found = mended(SPHERE, np.where(flips[:, None], FACES[:, ::-1], FACES))
    assert found.after.volume_mm3 == pytest.approx(Surface.from_arrays(SPHERE, FACES).volume_mm3)
    assert any(f"Turned {flips.sum()} of {len(FACES)} faces" in text for text in found.done)


def test_inside_out_and_a_hollow() -> None:
    shell, ball = np.concatenate([SPHERE, SPHERE / 2.0]), np.concatenate([FACES, FACES[:, ::-1] + len(SPHERE)])
    for faces, vertices in ((FACES[:, ::-1], SPHERE), (ball[:, ::-1], shell)):
        assert "inside out" in " ".join(mended(vertices, faces).done)
    assert mended(shell, ball).done == ()
    apart = mended(np.concatenate([SPHERE, SPHERE / 2.0 + [90.0, 0, 0]]), ball)
    assert apart.after.volume_mm3 == pytest.approx(1.125 * Surface.from_arrays(SPHERE, FACES).volume_mm3)


def test_a_flat_hole_is_closed_exactly() -> None:
    """One side of a box, and one triangle of it: what closes them is the box."""
    vertices, faces = meshes.box((1.0, 2.0, 3.0))
    for gone in (slice(2, 4), slice(2, 3)):
        found = mended(vertices, np.delete(faces, gone, axis=0))
        assert (found.after.volume_mm3, found.after.area_mm2) == pytest.approx((48.0, 88.0))
        assert "Closed 1 holes" in found.done[0] and "nobody has scanned" in found.done[0]


def test_repeats_flaps_specks_and_spare_vertices_are_dropped() -> None:
    extra = np.array([[0.0, 0, 40], *(SPHERE[FACES[0]].mean(axis=0) * 3 + [[0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]])])
    n = len(SPHERE)
    junk = [FACES[3], [5, 5, 6], [FACES[9, 0], FACES[9, 1], n], [n + 1, n + 2, n + 3], FACES[17], FACES[17, ::-1]]
    found = mended(np.concatenate([SPHERE, extra, SPHERE]), np.concatenate([FACES[:100], FACES[100:] + len(SPHERE) + 4, junk]))
    assert found.after.is_sound and len(found.vertices) == n and len(found.faces) == len(FACES)
    assert found.after.volume_mm3 == pytest.approx(Surface.from_arrays(SPHERE, FACES).volume_mm3)
    text = " ".join(found.done)
    assert "used a vertex twice" in text and "repeated another" in text and "loose faces" in text and f"became {n}" in text


def test_faces_back_to_back_are_dropped_where_that_leaves_a_solid() -> None:
    """Two boxes that share a wall, each with its own: one box without it. A box of double faces: a box of single ones."""
    vertices, faces = meshes.box((1.0, 1.0, 1.0))
    two = mended(np.concatenate([vertices, vertices + np.array([2.0, 0, 0])]), [*faces, *(faces + 8)])
    assert two.after.volume_mm3 == pytest.approx(16.0) and two.after.area_mm2 == pytest.approx(40.0) and len(two.faces) == 20
    assert "back to back" in " ".join(two.done)
    double = mended(vertices, np.concatenate([faces, faces[:, ::-1]]))
    assert double.after.volume_mm3 == pytest.approx(8.0) and len(double.faces) == 12


def test_a_speck_is_small_and_a_tumour_is_none() -> None:
    n = len(SPHERE)
    small = np.concatenate([SPHERE, SPHERE / 60.0 + [90.0, 0, 0], SPHERE / 30.0 + [50.0, 0, 0]])
    found = mended(small, np.concatenate([FACES, FACES + n, FACES + 2 * n]))
    assert found.after.parts == 2 and "Dropped 1 of 3 parts as specks" in found.done[1]


def moebius() -> tuple[np.ndarray, np.ndarray]:
    turn = np.arange(12) * np.pi / 6.0
    across = np.stack([np.cos(turn / 2) * np.cos(turn), np.cos(turn / 2) * np.sin(turn), np.sin(turn / 2)], axis=1)
    middle = 20.0 * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    vertices = np.concatenate([middle - 3 * across, middle + 3 * across])
    quads = [(k, k + 1, k + 13, k + 12) if k < 11 else (11, 12, 0, 23) for k in range(12)]
    return vertices, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])


SHEET = (np.array([[0.0, 0, 0], [5, 0, 0], [5, 5, 0], [0, 5, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))


def walled() -> tuple[np.ndarray, np.ndarray]:
    """A ball with a disc across it: three faces meet all around the equator."""
    sides = FACES[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    equator = sides[(SPHERE[sides, 2] == 0.0).all(axis=1) & (sides[:, 0] < sides[:, 1])]
    fan = np.concatenate([np.unique(equator, axis=0), np.full((len(np.unique(equator, axis=0)), 1), len(SPHERE))], axis=1)
    return np.concatenate([SPHERE, np.zeros((1, 3))]), np.concatenate([FACES, fan])


@pytest.mark.parametrize(
    ("mesh", "says"),
    [
        ((SPHERE, FACES[SPHERE[FACES].mean(axis=1)[:, 2] > 0.0]), "1 holes are left, the widest 40 mm wide"),
        (SHEET, "1 holes are left, the widest 5 mm wide; up to 10 mm are closed, if that doubles no sheet"),
        (moebius(), "one side only"),
        (walled(), "nobody can tell the inside"),
        ((SPHERE, np.array([[0, 0, 1]])), "no face with three different corners"),
    ],
)
def test_what_cannot_be_mended_is_refused(mesh: tuple[np.ndarray, np.ndarray], says: str) -> None:
    with pytest.raises(InputRefused, match=says) as refused:
        mend(mesh[0], mesh[1].astype(np.int64), HERE)
    assert "a.stl" in refused.value.problem


@real
def test_a_real_surface_is_mended(path: Path) -> None:
    """Decimated models have faces back to back, flaps and crossed fans: all come out closed, and hardly changed."""
    mesh = read_raw(path)
    found = mend(mesh.vertices, mesh.faces, path)
    surface = Surface.from_arrays(found.vertices, found.faces)
    assert surface.sign.is_certain and surface.volume_mm3 > 0.0
    assert found.after.area_mm2 == pytest.approx(found.before.area_mm2, rel=2e-3)
