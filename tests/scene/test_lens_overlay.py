"""What is drawn over a picture, in its pixels: outlines of known shapes, depth under the bone, planned paths, and how far off all that may be."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pyvista as pv

from navtwin.nouns import Body, Part, Pose, RegistrationResult, RigCamera
from navtwin.rigid import Rigid
from navtwin.scene.augment import Anatomy, Eye, part_shells, scene_marks, tool_marks
from navtwin.scene.cover import Cover
from navtwin.scene.lens import Lens
from navtwin.scene.model import Patient, Plan, Scene, Structure
from navtwin.scene.spread import spread_at
from navtwin.volumes.volume import VolumeBox

PLAIN = RigCamera(name="c", width_px=1280, height_px=720, focal_px=(900.0, 900.0), centre_px=(640.0, 360.0))
BENT = RigCamera(name="c", width_px=1280, height_px=720, focal_px=(900.0, 905.0), centre_px=(644.0, 351.0), distortion=(-0.2, 0.08, 1e-3, -7e-4))
REF = Body(name="ref", sd_mm=0.2, sd_rad=0.003)
#: Any symmetric matrix with positive eigenvalues: rotation in rad, translation in mm.
COVARIANCE = np.diag((0.004, 0.006, 0.003, 0.4, 0.2, 0.5)) ** 2
#: ct looks away from the camera, 400 mm before it.
T_CAMERA_FROM_CT = Rigid.from_matrix([[1, 0, 0, 10], [0, -1, 0, -5], [0, 0, -1, 400], [0, 0, 0, 1]], target="camera", source="ct")
T_CAMERA_FROM_REF = Rigid.from_matrix([[1, 0, 0, 90], [0, -1, 0, 60], [0, 0, -1, 380], [0, 0, 0, 1]], target="camera", source="ref")


def registration(covariance: np.ndarray = COVARIANCE) -> RegistrationResult:
    return RegistrationResult(
        request="r", accepted=True, reasons=(), pose=Pose(q_wxyz=(1, 0, 0, 0), t_mm=(0, 0, 0)), fre_mm=0.3, landmarks=(), residual_mm=(),
        covariance=tuple(covariance[np.triu_indices(6)].tolist()), centroid_mm=(20.0, -10.0, 5.0),
    )  # fmt: skip


def eye(camera: RigCamera = PLAIN) -> Eye:
    return Eye(Lens.of(camera), T_CAMERA_FROM_CT, T_CAMERA_FROM_REF, registration(), REF)


def scene(**shapes: tuple[str, pv.PolyData]) -> Scene:
    structures = []
    for name, (role, shape) in shapes.items():
        mesh = shape.triangulate()
        surface: Any = SimpleNamespace(vertices_mm=mesh.points, faces=mesh.regular_faces)
        limits = (2.0, 1.0) if role == "critical" else (None, None)
        structures.append(Structure(name, role, "ref", surface, *limits, 0.3, 15.0, "#f2c14e", 1.0, False))  # type: ignore[arg-type]
    plan = Plan("path", (0.0, 0.0, 40.0), (0.0, 0.0, 0.0), 4.0, 1.0)
    box = VolumeBox(((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), (1, 1, 1))
    return Scene("s", tuple(structures), (), (plan,), Patient(), box, Path("ct"), Path(), "hash")


def test_a_balls_outline_is_the_cone_that_touches_it() -> None:
    """Of a ball at c with radius r, the rays that touch it make an angle with sine r / |c| with the ray to its middle."""
    made = Anatomy.of(scene(ball=("critical", pv.Icosphere(radius=20.0, center=(30.0, 15.0, 0.0), nsub=5))))
    (traced,) = scene_marks(made, eye()).structures
    (loop,) = traced.loops
    rays = np.column_stack([(loop.pixels - PLAIN.centre_px) / PLAIN.focal_px, np.ones(len(loop.pixels))])
    middle = np.array(T_CAMERA_FROM_CT.point((30.0, 15.0, 0.0)))
    sine = np.linalg.norm(np.cross(rays, middle), axis=1) / np.linalg.norm(rays, axis=1) / np.linalg.norm(middle)
    # Half a pixel is 0.22 mm there.
    assert sine * np.linalg.norm(middle) == pytest.approx(20.0, abs=0.22)
    assert len(loop.pixels) > 60 and (loop.below_mm == 0.0).all()


def test_what_is_farther_away_is_drawn_first_and_what_is_under_bone_says_how_deep() -> None:
    shapes = {
        "near": ("critical", pv.Icosphere(radius=8.0, center=(-60.0, 0.0, 30.0), nsub=4)),
        "deep": ("critical", pv.Icosphere(radius=8.0, center=(0.0, 0.0, -40.0), nsub=4)),
        "bone": ("work", pv.Box((-30.0, 30.0, -30.0, 30.0, -10.0, 10.0)).triangulate().subdivide(5)),
    }
    marks = scene_marks(Anatomy.of(scene(**shapes)), eye())
    assert [t.name for t in marks.structures] == ["deep", "near"]
    deep, near = marks.structures
    # From the bone's surface, 390 mm away, to the rim of the ball, some 440 mm away.
    assert np.concatenate([loop.below_mm for loop in deep.loops]) == pytest.approx(50.0, abs=4.0)
    assert (np.concatenate([loop.below_mm for loop in near.loops]) == 0.0).all()
    assert len(marks.bones) == 1 and len(marks.bones[0]) >= 1


def test_a_planned_path_falls_where_the_lens_bends_it() -> None:
    marks = scene_marks(Anatomy.of(scene()), eye(BENT))
    (path,) = marks.plans
    lens = Lens.of(BENT)
    for pixels, point in ((path.axis[0], (0.0, 0.0, 40.0)), (path.axis[-1], (0.0, 0.0, 0.0)), (path.aim[-1], (0.0, 0.0, 100.0))):
        assert pixels == pytest.approx(lens.project(T_CAMERA_FROM_CT.apply(point)))
    assert path.target_px == pytest.approx(path.axis[-1])
    assert np.linalg.norm(path.target - path.target_px, axis=1).mean() == pytest.approx(2.0 * 905.0 / 400.0, rel=0.02)


def test_an_instrument_behind_the_camera_or_out_of_the_lens_is_left_out() -> None:
    parts = (
        Part(name="burr", from_mm=(0, 0, 0), to_mm=(0, 0, 0), radius_mm=2.0),
        Part(name="neck", from_mm=(0, 0, 0), to_mm=(0, 0, -60), radius_mm=1.0),
    )
    shells = part_shells(parts)
    before = Rigid.from_matrix([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 300], [0, 0, 0, 1]], target="camera", source="tip")
    marks = tool_marks("drill", shells, parts, Lens.of(PLAIN), before)
    assert marks.tip_px == pytest.approx(PLAIN.centre_px)
    assert marks.axis[-1] == pytest.approx((640.0, 360.0 - 900.0 * 60.0 / 300.0))
    assert marks.ahead[-1] == pytest.approx((640.0, 360.0 + 900.0 * 60.0 / 300.0))
    (burr,) = marks.parts[0]
    assert np.linalg.norm(burr.pixels - marks.tip_px, axis=1) == pytest.approx(900.0 * 2.0 / 300.0, rel=0.03)
    behind = Rigid.from_matrix([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, -300], [0, 0, 0, 1]], target="camera", source="tip")
    gone = tool_marks("drill", shells, parts, Lens.of(PLAIN), behind)
    assert gone.parts == ((), ()) and not len(gone.axis) and np.isnan(gone.tip_px).all()


@pytest.mark.parametrize("camera", [PLAIN, BENT], ids=["pinhole", "bent"])
def test_the_spread_is_that_of_ten_thousand_registrations_and_poses(camera: RigCamera) -> None:
    rng, point, lens = np.random.default_rng(7), np.array((-40.0, 25.0, 30.0)), Lens.of(camera)
    spread = spread_at(tuple(point), lens, T_CAMERA_FROM_CT, T_CAMERA_FROM_REF, registration(), REF, more_sd_mm=0.3)  # type: ignore[arg-type]
    assert spread is not None
    count = 10_000
    motion = rng.multivariate_normal(np.zeros(6), COVARIANCE, count)
    moved = point + np.cross(motion[:, :3], point - registration().centroid_mm) + motion[:, 3:] + 0.3 * rng.standard_normal((count, 3))
    placed = T_CAMERA_FROM_CT.apply(moved)
    turned = (
        placed + np.cross(REF.sd_rad * rng.standard_normal((count, 3)), placed - T_CAMERA_FROM_REF.t_mm) + REF.sd_mm * rng.standard_normal((count, 3))
    )
    pixels = lens.project(turned)
    cloud = np.cov(pixels.T)
    half = 2.0 * np.sqrt(np.linalg.eigvalsh(cloud))
    assert spread.px == pytest.approx(half[1], rel=0.04)
    middle = lens.project(T_CAMERA_FROM_CT.apply(point))
    assert np.linalg.norm(spread.ellipse_px - middle, axis=1).min() == pytest.approx(half[0], rel=0.04)
    # 2 sd in the plane hold 86.5 of 100.
    inverse = np.linalg.inv(cloud)
    assert np.einsum("ni,ij,nj->n", spread.ellipse_px - middle, inverse, spread.ellipse_px - middle) == pytest.approx(4.0, rel=0.08)
    assert spread.words == f"± {spread.px:.0f} px ({spread.mm:.1f} mm)"


def test_a_point_that_has_no_image_has_no_spread() -> None:
    assert spread_at((0.0, 0.0, 800.0), Lens.of(PLAIN), T_CAMERA_FROM_CT, T_CAMERA_FROM_REF, registration(), REF) is None


def test_a_cover_tells_in_front_from_behind_and_says_nothing_beside_it() -> None:
    x, y = np.meshgrid(np.arange(100.0, 200.0, 5.0), np.arange(100.0, 200.0, 5.0))
    samples = np.stack((x.ravel(), y.ravel()), axis=1)
    cover = Cover.of(samples, np.full(len(samples), 300.0), (640, 480), 5.0)
    asked = np.array([(150.0, 150.0), (150.0, 150.0), (400.0, 150.0), (-5.0, 150.0), (np.nan, np.nan)])
    below = cover.below_mm(asked, np.array((320.0, 290.0, 320.0, 320.0, 320.0)))
    assert below.tolist() == [20.0, 0.0, 0.0, 0.0, 0.0]
