"""Cameras of OpenCV: read as OpenCV itself reads them, written so that OpenCV reads them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.exchange.camera_file import read_camera_xml, read_camera_yaml, write_camera_yaml
from navtwin.exchange.surgery_text import read_camera
from navtwin.files.formats import Options
from navtwin.nouns import RigCamera, read_rig
from tests.exchange.samples import SHARED, a_rig, bring, damaged, edits, export, format_of, never_anything_else
from tracking.opencv import cv2

MATRIX = np.array([[683.748, 0.0, 342.143], [0.0, 689.402, 227.701], [0.0, 0.0, 1.0]])
LENS = np.array([[-0.117, 0.1039, 0.023, 0.00275, -1.54]])
cameras = st.builds(
    RigCamera,
    name=st.just("c"),
    width_px=st.just(640),
    height_px=st.just(480),
    focal_px=st.tuples(*[st.floats(1.0, 1e5)] * 2),
    centre_px=st.tuples(st.floats(0.0, 639.0), st.floats(0.0, 479.0)),
    distortion=st.sampled_from([0, 4, 5, 8, 12, 14]).flatmap(lambda n: st.tuples(*[st.floats(-1e3, 1e3)] * n)),
    rms_px=st.none() | st.floats(0.0, 10.0),
    calibrated=st.sampled_from(["", "2026-01-02", "2026-01-02T03:04:05+00:00"]),
)


def by_opencv(path: Path, distortion: np.ndarray = LENS, names: tuple[str, str] = ("camera_matrix", "distortion_coefficients")) -> Path:
    """Written by OpenCV, in the kind that the name's ending asks for."""
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("calibration_time", "Thu 02 Jan 2020 03:04:05 PM UTC")
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    storage.write("flags", 0)
    storage.write(names[0], MATRIX)
    storage.write(names[1], distortion)
    storage.write("avg_reprojection_error", 0.25)
    storage.write("per_view_reprojection_errors", np.array([[0.1], [0.2]], dtype=np.float32))
    storage.write("grid_points", np.zeros((2, 3, 3), dtype=np.float32))
    storage.release()
    return path


@pytest.mark.parametrize("ending", ["yml", "xml"])
@pytest.mark.parametrize("count", [4, 5, 8, 12, 14])
@pytest.mark.parametrize("column", [False, True])
def test_what_opencv_wrote_is_read_to_the_last_bit(tmp_path: Path, ending: str, count: int, column: bool) -> None:
    lens = np.linspace(-1.0, 1.0, count)[None] / 3.0
    path = by_opencv(tmp_path / f"c.{ending}", lens.T.copy() if column else lens)
    found = (read_camera_xml if ending == "xml" else read_camera_yaml)(path)
    assert found.size_px == (640, 480)
    assert (*found.focal_px, *found.centre_px) == (MATRIX[0, 0], MATRIX[1, 1], MATRIX[0, 2], MATRIX[1, 2])
    assert found.distortion == tuple(lens.ravel())
    assert found.rms_px == 0.25
    assert "2020" in found.calibrated
    assert format_of(path).name == f"camera of OpenCV ({'XML' if ending == 'xml' else 'YAML'})"


@settings(max_examples=40, deadline=None)
@given(cameras)
def test_what_is_written_opencv_reads_to_the_last_bit_and_so_do_we(camera: RigCamera) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "c.yml"
        write_camera_yaml(path, camera)
        found = read_camera_yaml(path)
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        matrix, lens = storage.getNode("camera_matrix").mat(), storage.getNode("distortion_coefficients").mat()
        size = tuple(int(storage.getNode(f"image_{side}").real()) for side in ("width", "height"))
        storage.release()
    assert (found.size_px, found.focal_px, found.centre_px) == ((640, 480), camera.focal_px, camera.centre_px)
    assert (found.distortion, found.rms_px, found.calibrated) == (camera.distortion, camera.rms_px, camera.calibrated)
    (fx, fy), (cx, cy) = camera.focal_px, camera.centre_px
    np.testing.assert_array_equal(matrix, [[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    assert size == (640, 480)
    assert (() if lens is None else tuple(lens.ravel())) == camera.distortion


ROS = """image_width: 800
image_height: 600
camera_name: left
camera_matrix:
  rows: 3
  cols: 3
  data: [538.63, 0, 457.698, 0, 539.723, 297.003, 0, 0, 1]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.30678, 0.0825017, 0.0028784, -0.00015829, 0]
projection_matrix:
  rows: 3
  cols: 4
  data: [538.63, 0, 457.698, 0, 0, 539.723, 297.003, 0, 0, 0, 1, 0]
"""


def test_ros_writes_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(ROS, encoding="utf-8")
    found = read_camera_yaml(path)
    assert (found.size_px, found.focal_px, found.centre_px) == ((800, 600), (538.63, 539.723), (457.698, 297.003))
    assert len(found.distortion) == 5


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("plumb_bob", "equidistant", "lens model"),
        ("rows: 3\n  cols: 3", "rows: 2\n  cols: 3", "numbers, not 6"),
        ("[538.63, 0,", "[538.63, 0.1,", "without skew"),
        ("[538.63,", "[-538.63,", "without skew"),
        ("cols: 5", "cols: 4", "5 numbers, not 4"),
        ("-0.00015829, 0]", "-0.00015829]", "4 numbers, not 5"),
        ("457.698, 0, 539", "957.698, 0, 539", "outside"),
        ("image_height: 600\n", "", "one side"),
        ("image_height: 600", "image_height: 6e2", "number of pixels"),
        ("data: [538.63", "data: [inf", "no finite number"),
        ("camera_matrix:\n", "camera_matrix:\n  dt: u\n", "no plain numbers"),
        ("camera_name: left", "image_width: 640", "stands there twice"),
        ("0, 1, 0]", "0, 1, 0", "within a list"),
    ],
)
def test_cameras_that_cannot_be_used_are_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "c.yaml"
    assert old in ROS
    path.write_text(ROS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputRefused, match=words):
        read_camera_yaml(path)


def test_a_camera_goes_into_a_rig_and_out(tmp_path: Path) -> None:
    rig, path = a_rig(tmp_path), by_opencv(tmp_path / "webcam.yml")
    assert "Camera 'webcam' added" in bring(path, rig)
    camera = read_rig(rig).camera[0]
    assert (camera.name, camera.width_px, camera.distortion, camera.rms_px, camera.calibrated) == ("webcam", 640, tuple(LENS.ravel()), 0.25, "")
    out = tmp_path / "out.yml"
    export(rig, out)
    assert read_camera_yaml(out).focal_px == (MATRIX[0, 0], MATRIX[1, 1])
    with pytest.raises(InputRefused, match="--name webcam"):
        bring(path, rig)
    with pytest.raises(InputRefused, match="where camera 'second' stands"):
        bring(path, rig, name="second")
    assert "has new numbers" in bring(by_opencv(tmp_path / "again.xml", LENS[:, :4].copy()), rig, name="webcam")
    assert len(read_rig(rig).camera[0].distortion) == 4
    with pytest.raises(InputRefused, match="no camera 'webcan'"):
        export(rig, out, name="webcan")


def test_numbers_of_a_further_camera_leave_its_place_alone(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    first = 'name = "one"\nwidth_px = 640\nheight_px = 480\nfocal_px = [500.0, 500.0]\ncentre_px = [320.0, 240.0]\n'
    place = "[camera.T_tracker_from_camera]\nq_wxyz = [1.0, 0.0, 0.0, 0.0]\nt_mm = [100.0, 0.0, 0.0]\n"
    text = f"\n[[camera]]\n{first}\n[[camera]]\n{first.replace('one', 'two')}{place}"
    rig.write_text(rig.read_text(encoding="utf-8") + text, encoding="utf-8")
    bring(by_opencv(tmp_path / "c.yml"), rig, name="two")
    two = read_rig(rig).camera[1]
    assert two.focal_px == (MATRIX[0, 0], MATRIX[1, 1])
    assert len(two.distortion) == 5
    assert two.T_tracker_from_camera is not None
    assert two.T_tracker_from_camera.t_mm == (100.0, 0.0, 0.0)


TEXT = "560.0 0.0 320.0\n0.0 560.0 240.0\n0.0 0.0 1.0\n0.1 0.0 0.0 0.0 0.0\n"


def test_a_camera_that_does_not_state_its_size_needs_one_that_does(tmp_path: Path) -> None:
    rig, path = a_rig(tmp_path), tmp_path / "calibration.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert read_camera(path).distortion == (0.1, 0.0, 0.0, 0.0, 0.0)
    assert any("size" in doubt for doubt in format_of(path).inspect(path, Options()).doubts)
    with pytest.raises(InputRefused, match="does not state the size"):
        bring(path, rig)
    bring(by_opencv(tmp_path / "webcam.yml"), rig)
    bring(path, rig, name="webcam")
    assert read_rig(rig).camera[0].focal_px == (560.0, 560.0)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the data pack is not here")
def test_the_published_calibration() -> None:
    path = SHARED / "aruco" / "calibration.txt"
    assert format_of(path).name == "scikit-surgery camera"
    assert read_camera(path).centre_px == (320.0, 240.0)


@pytest.mark.parametrize(
    "text", ["", TEXT[:40], TEXT.replace("560.0 0.0", "560.0 1.0"), TEXT.replace("0.1 0.0 0.0", "0.1"), TEXT.replace("240.0", "nan")]
)
def test_text_that_is_no_camera_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused):
        read_camera(path)


NUMBERS = " ".join(map(repr, MATRIX.ravel().tolist()))
XML = (
    '<?xml version="1.0"?>\n<opencv_storage>\n<image_width>640</image_width><image_height>480</image_height>\n<camera_matrix type_id="opencv-matrix">'
    f"<rows>3</rows><cols>3</cols><dt>d</dt><data>{NUMBERS}</data></camera_matrix></opencv_storage>"
)


@settings(max_examples=60, deadline=None)
@given(edits)
def test_damaged_cameras_are_refused_in_our_words(changes: list[tuple[int, int, str]]) -> None:
    with TemporaryDirectory() as folder:
        here = Path(folder)
        never_anything_else(read_camera_yaml, here / "c.yml", damaged(ROS.encode(), changes))
        never_anything_else(read_camera_xml, here / "c.xml", damaged(XML.encode(), changes))
        never_anything_else(read_camera, here / "c.txt", damaged(TEXT.encode(), changes))
