"""The synthetic view against a sphere whose depth in each pixel is known, through a lens that bends; and where a camera stood in a session."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from navtwin.errors import InputRefused
from navtwin.nouns import Body, Event, Part, Pose, RegistrationResult, Rig, RigCamera, Sighting, Tool, Tracker, TrackerFrame
from navtwin.record.log import LogWriter
from navtwin.rigid import Rigid
from navtwin.scene.lens import Lens
from navtwin.scene.lens_rays import pixel_rays, rays
from navtwin.scene.surface import Surface
from navtwin.scene.synthetic_place import camera_called, place_in_session, place_looking
from navtwin.scene.synthetic_view import DEPTH_STEP_MM, synthetic_view, write_depth, write_facts, write_labels
from tests.report.made_up import made_header

BARREL = (-0.32, 0.11, 8e-4, -5e-4, -0.011)
TILTED = (0.21, -0.08, 7e-4, -4e-4, 0.004, 0.31, -0.05, 0.002, 1e-3, -4e-4, -8e-4, 3e-4, 0.021, -0.013)


def camera(distortion: tuple[float, ...] = BARREL, name: str = "left", place: Pose | None = None) -> RigCamera:
    return RigCamera(
        name=name, width_px=160, height_px=120, focal_px=(140.0, 139.0), centre_px=(81.2, 58.7), distortion=distortion, T_tracker_from_camera=place
    )


def ball(centre: tuple[float, float, float], radius: float, fine: int = 4) -> Surface:
    import pyvista as pv

    mesh = pv.Icosphere(radius=radius, center=centre, nsub=fine)
    return Surface.from_arrays(mesh.points, mesh.regular_faces)


@pytest.mark.parametrize("distortion", [(), BARREL, TILTED], ids=["pinhole", "barrel", "tilted"])
def test_each_pixel_s_ray_comes_back_to_it(distortion: tuple[float, ...]) -> None:
    lens = Lens.of(camera(distortion))
    back = lens.project(500.0 * pixel_rays(lens))
    columns, rows = np.meshgrid(np.arange(160.0), np.arange(120.0))
    assert np.abs(back - np.stack((columns, rows), axis=-1)).max() < 1e-5


def test_where_the_lens_brings_no_ray_there_is_none() -> None:
    lens = Lens.of(camera((-0.6, 0.0, 0.0, 0.0)))
    far = rays(lens, [(81.2, 58.7), (2000.0, 58.7)])
    assert np.allclose(far[0], (0.0, 0.0, 1.0))
    assert np.isnan(far[1]).all()


@pytest.mark.parametrize("distortion", [(), BARREL], ids=["pinhole", "barrel"])
def test_depth_and_edge_of_a_sphere(distortion: tuple[float, ...]) -> None:
    lens = Lens.of(camera(distortion))
    T_camera_from_ct = place_looking((30.0, -260.0, 40.0), (2.0, 1.0, -3.0), (0.1, 0.0, 1.0))
    centre, radius = np.array((4.0, 6.0, -2.0)), 60.0
    view = synthetic_view([("ball", ball((4.0, 6.0, -2.0), radius, fine=6))], lens, T_camera_from_ct)
    # |t d - c|^2 = r^2 in camera axes, d with z = 1: t is the depth.
    d, c = pixel_rays(lens), T_camera_from_ct.apply(centre)
    dd, dc = (d * d).sum(axis=-1), d @ c
    discriminant = dc * dc - dd * (c @ c - radius * radius)
    true = np.where(discriminant > 0.0, (dc - np.sqrt(np.maximum(discriminant, 0.0))) / dd, np.nan)
    seen = np.isfinite(view.depth_mm)
    # At the rim the way in is so slanting that a mesh inscribed by micrometres differs by more: there only the edge is judged.
    grazing = discriminant < 0.02 * radius * radius * dd
    assert np.count_nonzero(seen & ~grazing) > 1500
    assert np.abs(view.depth_mm - true)[seen & ~grazing].max() < 0.05
    truly = discriminant > 0.0
    for axis in (0, 1):
        shifted = [np.roll(truly, step, axis) for step in (-1, 1)]
        truly_wide, truly_narrow = truly | shifted[0] | shifted[1], truly & shifted[0] & shifted[1]
        assert not (seen & ~truly_wide).any() and not (truly_narrow & ~seen).any()
    assert np.array_equal(view.labels == 1, seen)


def test_the_nearer_structure_is_seen_and_numbered() -> None:
    lens = Lens.of(camera(()))
    T = place_looking((0.0, -200.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    behind, before = ball((0.0, 60.0, 0.0), 70.0), ball((0.0, 0.0, 0.0), 20.0)
    for order in ((("behind", behind), ("before", before)), (("before", before), ("behind", behind))):
        view = synthetic_view(order, lens, T)
        number = {name: n for n, name in enumerate(view.names, start=1)}
        assert view.labels[59, 81] == number["before"]
        assert view.labels[59, 120] == number["behind"]
        assert view.labels[0, 0] == 0 and np.isnan(view.depth_mm[0, 0])
        assert view.depth_mm[59, 81] == pytest.approx(180.0, abs=0.1)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    lens = Lens.of(camera(()))
    T = place_looking((0.0, -200.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    view = synthetic_view([("facial nerve", ball((0.0, 0.0, 0.0), 20.0))], lens, T)
    assert write_depth(view, tmp_path / "d.png") == 0
    assert write_depth(view, tmp_path / "d.npy") == 0
    write_labels(view, tmp_path / "s.png")
    write_facts(view, lens, T, tmp_path / "f.json", {"case": "ball"})
    assert np.array_equal(np.load(tmp_path / "d.npy"), view.depth_mm, equal_nan=True)
    with Image.open(tmp_path / "d.png") as image:
        steps = np.asarray(image)
        assert steps.dtype == np.uint16 or image.mode.startswith("I")
        assert "0.1 mm" in image.info["Depth unit"]
    seen = np.isfinite(view.depth_mm)
    assert np.abs(steps[seen] * DEPTH_STEP_MM - view.depth_mm[seen]).max() <= DEPTH_STEP_MM / 2 + 1e-4
    assert not steps[~seen].any()
    with Image.open(tmp_path / "s.png") as image:
        assert image.mode == "L" and np.array_equal(np.asarray(image), view.labels)
    facts = json.loads((tmp_path / "f.json").read_text())
    assert facts["structures"] == {"1": "facial nerve"} and facts["case"] == "ball"
    assert np.allclose(facts["T_camera_from_ct"], T.matrix())


def test_a_depth_beyond_the_png_is_left_out_and_counted(tmp_path: Path) -> None:
    lens = Lens.of(camera(()))
    T = place_looking((0.0, -8000.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    view = synthetic_view([("far", ball((0.0, 0.0, 0.0), 300.0))], lens, T)
    count = write_depth(view, tmp_path / "d.png")
    assert count == np.count_nonzero(view.labels) > 0
    with Image.open(tmp_path / "d.png") as image:
        assert not np.asarray(image).any()


@pytest.mark.parametrize("name", ["d.jpg", "d"])
def test_other_endings_are_refused(name: str, tmp_path: Path) -> None:
    view = synthetic_view([("ball", ball((0.0, 0.0, 0.0), 20.0))], Lens.of(camera(())), place_looking((0, -90, 0), (0, 0, 0), (0, 0, 1)))
    with pytest.raises(InputRefused, match="cannot write a depth image"):
        write_depth(view, tmp_path / name)
    with pytest.raises(InputRefused, match="cannot write a segmentation image"):
        write_labels(view, tmp_path / name)


def rig(*cameras: RigCamera) -> Rig:
    part = Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=2.0)
    return Rig(
        reference="patient",
        tracker=Tracker(name="t", rate_hz=60.0, latency_ms=10.0),
        body=(Body(name="patient", sd_mm=0.1, sd_rad=0.001),),
        tool=(Tool(name="drill", body="patient", axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.001, part=(part,)),),
        camera=cameras,
    )


def pose(yaw: float, t: tuple[float, float, float]) -> Pose:
    return Pose(q_wxyz=(float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))), t_mm=t)


def write_log(path: Path, *, lost_after_ns: int = 2**62) -> None:
    registration = RegistrationResult(
        request="r", accepted=True, reasons=(), pose=pose(0.4, (5.0, -7.0, 2.0)), fre_mm=0.1, landmarks=(), residual_mm=(), covariance=(0.0,) * 21,
        centroid_mm=(0.0, 0.0, 0.0),
    )  # fmt: skip
    with LogWriter(path, live=False) as log:
        log.write_header(made_header())
        log.write_event(Event(seq=1, t_ns=1_000_000_000, body=registration))
        for n in range(10):
            t_ns = 2_000_000_000 + n * 100_000_000
            seen = Sighting(body="patient", status="OK", pose=pose(0.1 * n, (0.0, float(n), 700.0)))
            hidden = Sighting(body="patient", status="MISSING")
            frame = TrackerFrame(source="s", number=n, t_capture_ns=t_ns, t_arrival_ns=t_ns, sightings=(seen if t_ns < lost_after_ns else hidden,))
            log.write_event(Event(seq=2 + n, t_ns=t_ns, body=frame))


def test_a_camera_s_place_in_a_session(tmp_path: Path) -> None:
    write_log(tmp_path / "s.mcap")
    second = camera(name="right", place=pose(-0.2, (60.0, 0.0, 0.0)))
    setup = rig(camera(), second)
    at_ns = 2_350_000_000  # the frame before is number 3
    T_ref_from_ct = pose(0.4, (5.0, -7.0, 2.0)).rigid(target="ct", source="ref").inverse()
    T_tracker_from_ct = pose(0.3, (0.0, 3.0, 700.0)).rigid(target="tracker", source="ref") @ T_ref_from_ct
    first = place_in_session(tmp_path / "s.mcap", setup, camera_called(setup, ""), at_ns)
    assert np.allclose(first.matrix(), T_tracker_from_ct.matrix())
    T_camera_from_tracker = pose(-0.2, (60.0, 0.0, 0.0)).rigid(target="tracker", source="camera").inverse()
    other = place_in_session(tmp_path / "s.mcap", setup, camera_called(setup, "right"), at_ns)
    assert np.allclose(other.matrix(), (T_camera_from_tracker @ T_tracker_from_ct).matrix())


def test_an_unknown_place_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path / "s.mcap", lost_after_ns=2_200_000_000)
    setup = rig(camera())
    with pytest.raises(InputRefused, match="no registration by then"):
        place_in_session(tmp_path / "s.mcap", setup, setup.camera[0], 900_000_000)
    with pytest.raises(InputRefused, match="was not seen"):
        place_in_session(tmp_path / "s.mcap", setup, setup.camera[0], 2_900_000_000)
    with pytest.raises(InputRefused, match="no camera 'lefft'"):
        camera_called(setup, "lefft")
    with pytest.raises(InputRefused, match="no calibrated camera"):
        camera_called(rig(), "")


def test_a_place_that_looks_at_a_point() -> None:
    T: Rigid = place_looking((10.0, -200.0, 5.0), (10.0, 0.0, 5.0), (0.0, 0.0, 1.0))
    assert np.allclose(T.point((10.0, 0.0, 5.0)), (0.0, 0.0, 200.0))
    assert T.point((10.0, 0.0, 15.0))[1] < 0.0, "what is above is higher in the picture: y runs down"
    # From the front (-y, anterior) the patient's left (+x) is on the right.
    assert T.point((20.0, 0.0, 5.0))[0] > 0.0
    for eye, up in (((10.0, 0.0, 5.0), (0.0, 0.0, 1.0)), ((10.0, 0.0, -90.0), (0.0, 0.0, 1.0))):
        with pytest.raises(InputRefused, match="do not make a view"):
            place_looking(eye, (10.0, 0.0, 5.0), up)
