"""The rendered camera as a source of pictures: its scripts, their truth, and films of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import tracking.pictures.images
from navtwin.errors import InputRefused
from navtwin.nouns import Body, Command, Rig, SourceEnded, SquareMarker, Tracker, TrueSetup, Truth
from navtwin.scene.model import Scene
from phantoms.camera import patterns, true_markers
from phantoms.camera.device import CameraPhantom, Image, open_camera
from phantoms.camera.film import write_film
from phantoms.camera.take import Track
from phantoms.motion import Poses, turns
from phantoms.rig import demo_rig
from tracking.detect.patterns import cells
from tracking.kit.board import board, calibration_board
from tracking.pictures.folder import open_images

SMALL = "?height=720"


@pytest.fixture(autouse=True, scope="module")
def _known_patterns() -> Iterator[None]:
    """What the entry points lead to, whether or not they are installed."""
    known: dict[str, Callable[..., Any]] = {"printed": cells, "board": board}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns, "_loaded", known.__getitem__)
        yield


def cube(first: int, edge_mm: float = 42.0, side_mm: float = 33.0) -> tuple[SquareMarker, ...]:
    """Five faces of a cube, the one towards -y left for the handle."""
    half, s = edge_mm / 2.0, side_mm / 2.0
    square = np.array([(-s, s, half), (s, s, half), (s, -s, half), (-s, -s, half)])
    vectors = np.array([(0, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 2, 0)]) * np.pi / 2.0
    faces = [square @ turn.T for turn in turns(vectors)]
    return tuple(SquareMarker(id=first + n, corners_mm=tuple(tuple(map(float, p)) for p in face)) for n, face in enumerate(faces))  # type: ignore[misc]


def board_marks(first: int) -> tuple[SquareMarker, ...]:
    square = np.array([(-16.0, 16.0, 0.0), (16.0, 16.0, 0.0), (16.0, -16.0, 0.0), (-16.0, -16.0, 0.0)])
    centres = [(-50.0, 40.0, 0.0), (50.0, 40.0, 0.0), (-50.0, -40.0, 0.0), (50.0, -40.0, 0.0)]
    return tuple(SquareMarker(id=first + n, corners_mm=tuple(map(tuple, (square + c).tolist()))) for n, c in enumerate(centres))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rig() -> Rig:
    """The rehearsal's tools, with cubes on them and a flat board as the reference."""
    marks = {"ref": board_marks(0), "pointer": cube(10), "drill": cube(20)}
    bodies = tuple(Body(name=name, sd_mm=0.3, sd_rad=0.005, dictionary="APRILTAG_36h11", marker=m) for name, m in marks.items())
    demo = demo_rig()
    return Rig(reference="ref", tracker=Tracker(name="camera", rate_hz=30.0, latency_ms=60.0, max_age_ms=130.0), body=bodies, tool=demo.tool)


@pytest.fixture(scope="module")
def rehearsal(_known_patterns: None, rig: Rig, spine: Scene) -> CameraPhantom:
    return open_camera("pedicle:5?height=480", spine, rig)


def pose(track: Track, n: int) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = track.poses.rotation[n], track.poses.t_mm[n]
    return T


def found(grey: np.ndarray, dictionary: int) -> dict[int, np.ndarray]:
    corners, ids, _ = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(dictionary)).detectMarkers(grey)
    return {int(i): c.reshape(4, 2) for i, c in zip([] if ids is None else ids.ravel(), corners, strict=True)}


def exposures(source: CameraPhantom, count: int) -> list[tuple[Image, ...]]:
    read = (source.read(0.0) for _ in range(10_000))
    return [item for item, _ in zip((i for i in read if isinstance(i, tuple)), range(count), strict=False)]


def test_pictures_are_what_tracking_takes() -> None:
    assert [f.name for f in fields(Image)] == [f.name for f in fields(tracking.pictures.images.Image)]
    source = open_camera("board:3" + SMALL)
    assert (source.live, source.cameras, source.setup_ns, source.name) == (False, 1, 0, "camera:phantom:board:3")
    ((image,),) = exposures(source, 1)
    assert image.grey.shape == (720, 1280) and image.grey.dtype == np.uint8 and image.stamp == "host"
    assert image.t_arrival_ns > image.t_capture_ns > 0
    source.close()
    with pytest.raises(SourceEnded):
        source.read(0.0)


def test_the_board_is_found_where_it_is() -> None:
    source = open_camera("board:1" + SMALL)
    (sheet,) = source.take.sheets["board"]
    lens = source.truth.lenses[0]
    everywhere = []
    for n in range(0, 80, 16):
        corners, ids, _, _ = cv2.aruco.CharucoDetector(calibration_board()).detectBoard(source.take.picture(0, n))
        bodies, _ = source.take.scene(0, n)
        assert ids is not None and len(ids) >= 12
        chess = np.asarray(calibration_board().getChessboardCorners())[ids.ravel()]
        # OpenCV counts from the board's top left, y down; ours from its centre, y up.
        T = bodies[0].T_camera_from_body
        centred = (chess - (90.0, 60.0, 0.0)) * (1.0, -1.0, 1.0)
        true = cv2.projectPoints(centred @ T[:3, :3].T + T[:3, 3], np.zeros(3), np.zeros(3), lens.matrix, lens.distortion)[0].reshape(-1, 2)
        # OpenCV's search window reaches into neighbouring cells where the board is steep, so not every corner is as good as most.
        off = np.linalg.norm(corners.reshape(-1, 2) - true, axis=1)
        assert np.median(off) < 0.1 and np.quantile(off, 0.9) < 0.4
        everywhere.append(true)
    assert sheet.ids == tuple(range(27))
    seen = [m.corners_px for n in range(0, 80, 2) for m in true_markers(lens, source.take.scene(0, n)[0]) if m.visible.all()]
    reached = np.concatenate(seen)
    assert (reached.min(axis=0) < (90.0, 60.0)).all() and (reached.max(axis=0) > (1190.0, 660.0)).all()


def test_two_cameras_see_one_world() -> None:
    source = open_camera("board:2?cameras=2&height=720")
    assert source.cameras == 2
    (left, right), *_ = exposures(source, 1)
    assert (left.camera, right.camera) == (0, 1) and left.t_capture_ns == right.t_capture_ns
    first = found(left.grey, cv2.aruco.DICT_5X5_100)
    second = found(right.grey, cv2.aruco.DICT_5X5_100)
    shared = sorted(first.keys() & second.keys())
    assert len(shared) >= 10
    rays, places = [], []
    for lens, T, corners in zip(source.truth.lenses, source.truth.T_tracker_from_camera, (first, second), strict=True):
        pixels = np.concatenate([corners[i] for i in shared])
        flat = cv2.undistortPoints(pixels[:, None], lens.matrix, lens.distortion).reshape(-1, 2)
        rays.append(np.column_stack([flat, np.ones(len(flat))]) @ T[:3, :3].T)
        places.append(T[:3, 3])
    # Rays to one corner from both cameras meet.
    normal = np.cross(*rays)
    gap = np.abs(normal @ (places[1] - places[0])) / np.linalg.norm(normal, axis=1)
    assert np.median(gap) < 0.3


def test_a_body_is_not_quite_as_planned_and_shown_from_all_sides(rig: Rig) -> None:
    source = open_camera("body:pointer:4", None, rig)
    ids, corners = source.truth.corners_mm["pointer"]
    plan = np.array([m.corners_mm for m in rig.body[1].marker])
    off = np.linalg.norm(corners - plan, axis=2)
    assert ids == (10, 11, 12, 13, 14) and 0.02 < off.mean() < 0.5
    assert (open_camera("body:pointer:5", None, rig).truth.corners_mm["pointer"][1] != corners).any()
    lens, scenes = source.truth.lenses[0], (source.take.scene(0, n)[0] for n in range(0, 420, 7))
    together = {frozenset(m.id for m in true_markers(lens, scene) if m.visible.all()) for scene in scenes}
    # Every marker is seen, and the groups hang together: from any one, overlaps lead to all.
    reached = {10}
    for _ in ids:
        reached |= {i for group in together if group & reached for i in group}
    assert reached == set(ids)


def test_markers_are_detected_where_the_truth_has_them(rig: Rig) -> None:
    source = open_camera("body:drill:1" + SMALL, None, rig)
    checked = 0
    for n in (30, 160, 300):
        seen = found(source.take.picture(0, n), cv2.aruco.DICT_APRILTAG_36h11)
        for marker in true_markers(source.truth.lenses[0], source.take.scene(0, n)[0], source.take.optics):
            if marker.id in seen and marker.visible.all():
                # OpenCV's corners before refinement are whole pixels.
                assert np.abs(seen[marker.id] - marker.corners_px).max() < 1.5
                checked += 1
    assert checked >= 4


def test_a_pivoted_tip_stays_and_a_spun_axis_too(rig: Rig) -> None:
    pivot, spin = open_camera("pivot:drill:2", None, rig), open_camera("spin:drill:2", None, rig)
    made = pivot.truth.tools["drill"]
    assert made.tip_mm == pytest.approx(spin.truth.tools["drill"].tip_mm)
    for source in (pivot, spin):
        tips = source.truth.tracks["drill"].poses.points(made.tip_mm)
        assert np.ptp(tips, axis=0).max() < 1e-9
    axes = spin.truth.tracks["drill"].poses.rotation @ made.axis
    assert np.ptp(axes, axis=0).max() < 1e-12
    turned = pivot.truth.tracks["drill"].poses.rotation @ made.axis
    assert np.degrees(np.arccos((turned @ turned.T).min())) > 50.0
    for n in range(0, 400, 40):
        markers = true_markers(pivot.truth.lenses[0], pivot.take.scene(0, n)[0])
        assert sum(m.visible.all() for m in markers) >= 1


def test_the_rehearsal_is_filmed_with_its_orders_and_truth(rehearsal: CameraPhantom) -> None:
    source = rehearsal
    first, (image,), truth = (source.read(0.0) for _ in range(3))
    assert isinstance(first, TrueSetup) and isinstance(image, Image) and source.setup_ns > 0
    assert isinstance(truth, Truth) and (truth.frame, truth.t_capture_ns) == (image.number, image.t_capture_ns)
    items = list(islice(source.take.played(), 120))
    assert any(isinstance(i, Command) for i in items)
    for a, b in pairwise(items):
        assert not isinstance(a, int) or (isinstance(b, Truth) and b.frame == a)
    T_ct_from_ref = first.T_ct_from_ref.rigid(target="ct", source="ref").matrix()
    tip = {t.tool: np.array(t.tip_mm) for t in first.tools}
    checked = 0
    for item in (i for i in items if isinstance(i, Truth)):
        T_ct_from_camera = T_ct_from_ref @ np.linalg.inv(pose(source.truth.tracks["ref"], item.frame))
        for state in item.instruments:
            if state.pose is not None:
                seen = T_ct_from_camera @ pose(source.truth.tracks[state.instrument], item.frame) @ [*tip[state.instrument], 1.0]
                assert seen[:3] == pytest.approx(state.pose.t_mm, abs=1e-6)
                checked += 1
    assert checked > 5
    # Everything is near enough, and most of the reference is always to be seen.
    for track in source.truth.tracks.values():
        depth = track.poses.t_mm[track.present, 2]
        assert depth.min() > 250.0 and depth.max() < 700.0
    for n in range(0, len(source.take.capture_ns), 200):
        bodies, covers = source.take.scene(0, n)
        markers = true_markers(source.truth.lenses[0], bodies, source.take.optics, covers)
        assert sum(int(m.visible.sum()) for m in markers if m.id < 10) >= 8


def test_what_is_hidden_is_covered(rehearsal: CameraPhantom) -> None:
    source = rehearsal
    track = source.truth.tracks["drill"]
    n = int(np.flatnonzero(track.present & ~track.seen)[0])
    bodies, covers = source.take.scene(0, n)
    markers = true_markers(source.truth.lenses[0], bodies, source.take.optics, covers)
    assert markers and not any(m.visible.any() for m in markers if m.id >= 20)
    assert not found(source.take.picture(0, n), cv2.aruco.DICT_APRILTAG_36h11).keys() & set(range(20, 25))


def test_equal_seeds_film_equal_pictures(rig: Rig) -> None:
    once, again = (open_camera("pivot:pointer:7" + SMALL, None, rig).take.picture(0, 33) for _ in range(2))
    other = open_camera("pivot:pointer:8" + SMALL, None, rig).take.picture(0, 33)
    assert (once == again).all() and (once != other).any()


def test_motion_between_exposures_is_the_true_one() -> None:
    times = np.arange(20) / 50.0
    angular, velocity = np.array([0.4, -1.1, 0.7]), np.array([30.0, -20.0, 10.0])
    start = turns(np.array([[0.3, 0.2, -0.5]]))[0]
    poses = Poses(turns(times[:, None] * angular) @ start, times[:, None] * velocity + (0.0, 0.0, 400.0))
    motions = Track.open(poses).motions(times)
    assert motions == pytest.approx(np.tile([*angular, *velocity], (20, 1)), abs=1e-9)
    gone = np.ones(20, dtype=bool)
    gone[10] = False
    assert (Track(poses, gone, gone).motions(times)[9:12:2] == 0.0).all()


def test_a_film_is_read_back_as_it_was(rig: Rig, tmp_path: Path) -> None:
    name = "pivot:pointer:7?height=360&cameras=2"
    written = write_film(open_camera(name, None, rig), tmp_path / "film", limit=3)
    assert written == 3
    direct, recorded = open_camera(name, None, rig), open_images(str(tmp_path / "film"), rig)
    assert recorded.cameras == 2
    for expected in exposures(direct, 3):
        for a, b in zip(expected, recorded.read(0.0), strict=True):
            assert (a.camera, a.number, a.t_capture_ns) == (b.camera, b.number, b.t_capture_ns)
            assert (a.grey == b.grey).all()
    truth = json.loads((tmp_path / "film" / "truth.json").read_text())
    assert truth["numbers"] == [0, 1, 2] and len(truth["cameras"]) == 2
    assert truth["T_tracker_from_body"]["pointer"][2]["t_mm"] == pytest.approx(direct.truth.tracks["pointer"].poses.t_mm[2])
    with pytest.raises(InputRefused, match="already there"):
        write_film(direct, tmp_path / "film")


NONE_OF_OURS = "bord board:x board:1:2 body body:nobody pivot:nothing pedicle board?wide=1 board?cameras=0 board?readout=-1 board?lens=my"


@pytest.mark.parametrize("rest", NONE_OF_OURS.split())
def test_what_cannot_be_filmed_is_refused(rest: str, rig: Rig) -> None:
    with pytest.raises(InputRefused):
        open_camera(rest, None, rig)
    with pytest.raises(InputRefused):
        open_camera("body:pointer")
