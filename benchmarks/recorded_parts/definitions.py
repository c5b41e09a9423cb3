"""The definition files beside the films: cameras, boards, tips, as a rig of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Body, Rig, RigCamera, SquareMarker, Tracker

Array = npt.NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 640, 480


def _camera(name: str, numbers: Array, distortion: Array) -> RigCamera:
    """A camera from its (3, 3) matrix and coefficients."""
    (fx, fy), (cx, cy) = np.diag(numbers)[:2].tolist(), numbers[:2, 2].tolist()
    return RigCamera(name, WIDTH_PX, HEIGHT_PX, (fx, fy), (cx, cy), tuple(distortion.tolist()))


def one_file_camera(path: Path) -> RigCamera:
    """A camera whose file has the matrix in three rows and the coefficients in a fourth."""
    return _camera(path.stem, np.loadtxt(path, max_rows=3), np.loadtxt(path, skiprows=3, max_rows=1))


def two_file_camera(folder: Path) -> RigCamera:
    """A camera whose matrix and coefficients are in two files of a folder."""
    return _camera("webcam", np.loadtxt(folder / "calib.intrinsics.txt"), np.loadtxt(folder / "calib.distortion.txt"))


def board(path: Path, dictionary: str) -> Body:
    """A body from its table: number, middle, four corners in mm."""
    rows = np.loadtxt(path, ndmin=2)
    return _body(path.stem, dictionary, {int(row[0]): row[4:].reshape(4, 3) for row in rows})


def square(name: str, dictionary: str, number: int, side_mm: float) -> Body:
    """One marker about its own middle, in the axes of the published answers: x right, y up, z out of the paper."""
    half = side_mm / 2.0
    return _body(name, dictionary, {number: np.array([(-half, half, 0.0), (half, half, 0.0), (half, -half, 0.0), (-half, -half, 0.0)])})


def rig_of(camera: RigCamera, bodies: tuple[Body, ...], rate_hz: float = 30.0) -> Rig:
    """A rig of one camera."""
    return Rig(reference=bodies[0].name, tracker=Tracker(name="film", rate_hz=rate_hz, latency_ms=0.0), body=bodies, tool=(), camera=(camera,))


def _body(name: str, dictionary: str, corners_mm: dict[int, Array]) -> Body:
    markers = tuple(SquareMarker(number, tuple(tuple(c) for c in corners.tolist())) for number, corners in corners_mm.items())  # type: ignore[arg-type]
    # The tracker measures the noise of every pose; the body's own is not asked for.
    return Body(name=name, sd_mm=0.0, sd_rad=0.0, dictionary=dictionary, marker=markers)
