"""Films of printed markers, through the tracker, against what their makers found in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from benchmarks.recorded_parts.definitions import board, one_file_camera, rig_of, square, two_file_camera
from benchmarks.recorded_parts.rows import ROUNDED_PX, Row, compared, counted, steady, told, turned
from navtwin.nouns import Body, Rig, Sighting, SourceEnded, TrackerFrame
from tracking.detect.markers import Markers
from tracking.opencv import cv2
from tracking.pictures.sources import open_pictures
from tracking.rig import camera_of
from tracking.stream.tracker import MarkerTracker

Array = npt.NDArray[np.float64]

#: A turn between neighbouring frames that no hand makes: a flipped pose.
FLIP_DEG = 45.0

# Published answers; target camera, source body.
TAG = np.array(
    [
        [0.99928828, -0.02261964, 0.03018762, 17.609988],
        [-0.02280416, -0.99972323, 0.00578211, 25.085676],
        [0.03004847, -0.00646639, -0.99952753, 210.36779],
    ]
)
BOARD = np.array(
    [
        [-0.85007277, 0.51807849, -0.09471516, -80.6235428],
        [-0.46167221, -0.64647658, 0.60739345, 50.7177658],
        [0.25344635, 0.56005599, 0.78873458, 250.268387],
    ]
)
POINTER = np.array(
    [
        [-0.773764273, -0.563721201, -0.288976095, -23.673605],
        [0.465339307, -0.815332481, 0.344517345, 75.3889084],
        [-0.429823343, 0.132103287, 0.893196849, 259.07785],
    ]
)
#: Source pointer, target board.
POINTER_IN_BOARD = np.array(
    [
        [0.33398465, 0.889101495, 0.312974096, -57.5688438],
        [-0.942426732, 0.30902685, 0.127805557, 18.4890157],
        [0.0169147126, -0.337640249, 0.941123241, 16.5393924],
    ]
)
#: Means over frames 3, 4 and 5: their smoothing.
SMOOTHED = slice(3, 6)
BOARD_SMOOTHED_MM = np.array([-81.0664190, 50.2856242, 249.139445])
POINTER_SMOOTHED_MM = np.array([-24.6573302, 75.4109523, 259.739705])
POINTER_IN_BOARD_SMOOTHED = np.array(
    [
        [0.340810874, 0.893456607, 0.292546132, -56.8496465],
        [-0.939093678, 0.30891278, 0.150585388, 18.972943],
        [0.0441702707, -0.326049361, 0.944320286, 18.2695831],
    ]
)
BOARD_MARKERS = 11
SHEET_MARKERS, MARKER, MIDDLE_PX, DIAGONAL_PX = 12, 6, np.array([262.5, 241.5]), 151.32085


def followed(film: Path, rig: Rig) -> tuple[list[TrackerFrame], list[Markers]]:
    """Every frame of a film, through the product's own path: what is given out, and the markers found."""
    source, tracker = open_pictures(f"video:{film}", rig=rig), MarkerTracker(rig, film.name)
    frames, found = list[TrackerFrame](), list[Markers]()
    while True:
        try:
            item = source.read(0.0)
        except SourceEnded:
            return frames, found
        frames.append(tracker.track(item))  # type: ignore[arg-type]
        found.append(next(iter(tracker.found[0].values())))


def rows(folder: Path) -> Iterator[Row]:
    """All rows of the films in `folder`, the ArUco films' own."""
    yield from _single_tag(folder)
    yield from _board_and_pointer(folder)
    yield from _sheet(folder)


def _single_tag(folder: Path) -> Iterator[Row]:
    film = "single tag (output.avi)"
    tag = square("tag", "4X4_50", 0, 50.0)
    rig = rig_of(one_file_camera(folder / "calibration.txt"), (tag,), 10.0)
    frames, found = followed(folder / "output.avi", rig)
    seen = _sightings(frames, "tag")
    yield counted(film, "frames with a pose", "A", 10, len(_given(seen)), _share(seen))
    yield from _pose_rows(film, "frame 1", "A", rig, tag, TAG, seen[1], found[1], _share(seen))
    yield _continuity(film, "tag", seen)


def _board_and_pointer(folder: Path) -> Iterator[Row]:
    film = "board, pointer (multipattern.avi)"
    lens = two_file_camera(folder.parent / "camera_calibration")
    bodies = (board(folder / "reference.txt", "ARUCO_ORIGINAL"), board(folder / "pointer.txt", "ARUCO_ORIGINAL"))
    rig, tip_mm = rig_of(lens, bodies), np.loadtxt(folder / "pointer_tip.txt")
    frames, found = followed(folder / "multipattern.avi", rig)
    base, pointer = _sightings(frames, "reference"), _sightings(frames, "pointer")
    yield counted(film, "markers of the board, frame 0", "B", BOARD_MARKERS, len(_own(bodies[0], found[0])), _share(base))
    theirs = [_rounding(rig, _own(body, found[0]), matrix) for body, matrix in zip(bodies, (BOARD, POINTER), strict=True)]
    for body, published, smooth_mm, seen, rounding in zip(
        bodies, (BOARD, POINTER), (BOARD_SMOOTHED_MM, POINTER_SMOOTHED_MM), (base, pointer), theirs, strict=True
    ):
        yield from _pose_rows(film, f"{body.name}, frame 0", "B", rig, body, published, seen[0], found[0], _share(seen))
        places = np.array([_matrix(s)[:3, 3] for s in seen[SMOOTHED]])
        sd = np.sqrt(np.mean([np.diag(_covariance(s))[3:] for s in seen[SMOOTHED]], axis=0))
        what = f"{body.name}, place, mean of frames 3 to 5"
        yield compared(film, what, "B", smooth_mm, places.mean(axis=0), sd, np.sqrt(np.diag(rounding)[3:]), "mm", _share(seen))
        yield _continuity(film, body.name, seen)
    tips, covariances = zip(
        *(_tip(_matrix(b), _matrix(p), _covariance(b), _covariance(p), tip_mm) for b, p in zip(base, pointer, strict=True)), strict=True
    )
    sds = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    their_sd = np.sqrt(np.diag(_tip(_square(BOARD), _square(POINTER), theirs[0], theirs[1], tip_mm)[1]))
    share, end = _share([b if b.pose is None else p for b, p in zip(base, pointer, strict=True)]), np.append(tip_mm, 1.0)
    yield compared(film, "pointer tip in board axes, frame 0", "B", POINTER_IN_BOARD @ end, tips[0], sds[0], their_sd, "mm", share)
    mean, sd = np.mean(tips[SMOOTHED], axis=0), np.sqrt(np.square(sds[SMOOTHED]).mean(axis=0))
    yield compared(film, "the same, mean of frames 3 to 5", "B", POINTER_IN_BOARD_SMOOTHED @ end, mean, sd, their_sd, "mm", share)


def _sheet(folder: Path) -> Iterator[Row]:
    film = "drawn sheet (12markers.avi)"
    numbers = range(1, SHEET_MARKERS + 1)
    rig = rig_of(one_file_camera(folder / "calibration.txt"), tuple(square(f"marker {n}", "6X6_250", n, 50.0) for n in numbers))
    frames, found = followed(folder / "12markers.avi", rig)
    share = (sum(len(m.ids) == SHEET_MARKERS for m in found), len(found))
    yield counted(film, "markers found", "A", SHEET_MARKERS, len(found[0].ids), share)
    yield counted(film, "of them with a pose", "-", SHEET_MARKERS, len(_given(frames[0].sightings)), share)
    row = int(np.flatnonzero(found[0].ids == MARKER)[0])
    corners, covariance = found[0].corners_px[row].ravel(), np.asarray(found[0].joint_covariance_px)[row]
    across = (corners[4:6] - corners[0:2]) / np.linalg.norm(corners[4:6] - corners[0:2])
    along = np.concatenate([-across, np.zeros(2), across, np.zeros(2)])[None]
    # Their corners are middles of the outermost black pixels, ours are where black ends: half a pixel further out on either side.
    for what, published, linear, outwards_px in (
        (f"marker {MARKER}, middle", MIDDLE_PX, np.tile(np.eye(2), 4) / 4.0, 0.0),
        (f"marker {MARKER}, diagonal between pixels' middles", np.array([DIAGONAL_PX]), along, np.sqrt(2.0)),
    ):
        sd, their_sd = np.sqrt(np.diag(linear @ covariance @ linear.T)), ROUNDED_PX * np.sqrt(np.diag(linear @ linear.T))
        yield compared(film, what, "A", published, linear @ corners - outwards_px, sd, their_sd, "px", share)


def _pose_rows(
    film: str, what: str, source: str, rig: Rig, body: Body, published: Array, seen: Sighting, found: Markers, share: tuple[int, int]
) -> Iterator[Row]:
    ours, own = _matrix(seen), _own(body, found)
    sd, their_sd = np.sqrt(np.diag(_covariance(seen))), np.sqrt(np.diag(_rounding(rig, own, published)))
    yield compared(film, f"{what}, place", source, published[:, 3], ours[:3, 3], sd[3:], their_sd[3:], "mm", share)
    turn = Rotation.from_matrix(ours[:3, :3] @ published[:, :3].T).as_rotvec(degrees=True)
    yield turned(film, f"{what}, turn", source, turn, np.degrees(sd[:3]), np.degrees(their_sd[:3]), share)
    theirs_px, ours_px = (f"{_misfit_px(rig, own, matrix):.2f}" for matrix in (published, ours))
    yield told(film, f"{what}, our corners from either pose, RMS", source, theirs_px, ours_px, "px", share)


def _continuity(film: str, name: str, seen: Sequence[Sighting]) -> Row:
    """Between neighbouring frames that have a pose; the hands in these films are slow."""
    pairs = [(_matrix(a), _matrix(b)) for a, b in pairwise(seen) if a.pose is not None and b.pose is not None]
    turns = [float(np.degrees(Rotation.from_matrix(b[:3, :3] @ a[:3, :3].T).magnitude())) for a, b in pairs]
    steps = [float(np.linalg.norm(b[:3, 3] - a[:3, 3])) for a, b in pairs]
    return steady(film, f"{name}, flips; largest steps", sum(t > FLIP_DEG for t in turns), max(steps), max(turns), _share(seen))


def _tip(base: Array, pointer: Array, base_covariance: Array, pointer_covariance: Array, tip_mm: Array) -> tuple[Array, Array]:
    """The pointer's tip in the board's axes, and its (3, 3) covariance by first order from both poses."""
    lever = pointer[:3, :3] @ tip_mm
    apart = lever + pointer[:3, 3] - base[:3, 3]
    back = base[:3, :3].T
    # A turn w of the pointer moves its tip by w x lever; one of the board, seen from the board, by -(w x apart).
    by_pointer, by_base = np.hstack([back @ -_cross(lever), back]), np.hstack([back @ _cross(apart), -back])
    return back @ apart, by_pointer @ pointer_covariance @ by_pointer.T + by_base @ base_covariance @ by_base.T


def _own(body: Body, found: Markers) -> list[tuple[Array, Array]]:
    """Corners seen, px, and in body axes, mm, of each of the body's markers."""
    corners_mm = {marker.id: np.array(marker.corners_mm) for marker in body.marker}
    return [(px, corners_mm[int(n)]) for n, px in zip(found.ids, found.corners_px, strict=True) if int(n) in corners_mm]


def _rounding(rig: Rig, own: Sequence[tuple[Array, Array]], camera_from_body: Array) -> Array:
    """(6, 6) covariance of a pose fitted to corners in whole pixels: turn about the body's origin, shift; distortion left aside."""
    focal = rig.camera[0].focal_px
    slopes = []
    for corner in np.concatenate([mm for _, mm in own]):
        lever = camera_from_body[:3, :3] @ corner
        x, y, z = lever + camera_from_body[:3, 3]
        by_place = np.array([[focal[0] / z, 0.0, -focal[0] * x / z**2], [0.0, focal[1] / z, -focal[1] * y / z**2]])
        slopes.append(np.hstack([by_place @ -_cross(lever), by_place]))
    stacked = np.concatenate(slopes)
    return np.asarray(ROUNDED_PX**2 * np.linalg.inv(stacked.T @ stacked))


def _misfit_px(rig: Rig, own: Sequence[tuple[Array, Array]], camera_from_body: Array) -> float:
    """RMS distance of our corners from where a pose puts them."""
    camera = camera_of(rig.camera[0])
    seen, places = np.concatenate([px for px, _ in own]), np.concatenate([mm for _, mm in own])
    turn = cv2.Rodrigues(np.ascontiguousarray(camera_from_body[:3, :3]))[0]
    put = cv2.projectPoints(places, turn, camera_from_body[:3, 3].copy(), camera.matrix, camera.distortion)[0].reshape(-1, 2)
    return float(np.sqrt(np.square(put - seen).sum(axis=1).mean()))


def _sightings(frames: Sequence[TrackerFrame], body: str) -> list[Sighting]:
    return [next(s for s in frame.sightings if s.body == body) for frame in frames]


def _given(seen: Sequence[Sighting]) -> list[Sighting]:
    return [s for s in seen if s.pose is not None]


def _share(seen: Sequence[Sighting]) -> tuple[int, int]:
    return len(_given(seen)), len(seen)


def _matrix(seen: Sighting) -> Array:
    """(4, 4) camera from body."""
    assert seen.pose is not None, f"{seen.body}: {seen.reason}"
    return seen.pose.rigid(target="tracker", source=f"marker/{seen.body}").matrix()


def _covariance(seen: Sighting) -> Array:
    full = np.zeros((6, 6))
    full[np.triu_indices(6)] = seen.covariance
    return np.asarray(full + np.triu(full, 1).T)


def _square(matrix: Array) -> Array:
    return np.vstack([matrix, (0.0, 0.0, 0.0, 1.0)])


def _cross(v: Array) -> Array:
    return np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
