"""The definition files beside the films: cameras, boards, tips, as a rig of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navtwin.exchange.rig_bodies import plus_square
from navtwin.exchange.surgery_text import read_camera, read_markers
from navtwin.nouns import Body, Rig, RigCamera, SquareMarker, Tracker

WIDTH_PX, HEIGHT_PX = 640, 480


def one_file_camera(path: Path) -> RigCamera:
    """A camera whose file has the matrix in three rows and the coefficients in a fourth."""
    found = read_camera(path, (WIDTH_PX, HEIGHT_PX))
    return RigCamera(path.stem, WIDTH_PX, HEIGHT_PX, found.focal_px, found.centre_px, found.distortion)


def two_file_camera(folder: Path) -> RigCamera:
    """A camera whose matrix and coefficients are in two files of a folder."""
    matrix, distortion = (np.loadtxt(folder / f"calib.{what}.txt") for what in ("intrinsics", "distortion"))
    (fx, fy), (cx, cy) = np.diag(matrix)[:2].tolist(), matrix[:2, 2].tolist()
    return RigCamera("webcam", WIDTH_PX, HEIGHT_PX, (fx, fy), (cx, cy), tuple(distortion.tolist()))


def board(path: Path, dictionary: str) -> Body:
    """A body from its table: number, middle, four corners in mm."""
    return _body(path.stem, dictionary, read_markers(path))


def square(name: str, dictionary: str, number: int, side_mm: float) -> Body:
    """One marker about its own middle, in the axes of the published answers: x right, y up, z out of the paper."""
    return _body(name, dictionary, (plus_square(number, side_mm),))


def rig_of(camera: RigCamera, bodies: tuple[Body, ...], rate_hz: float = 30.0) -> Rig:
    """A rig of one camera."""
    return Rig(reference=bodies[0].name, tracker=Tracker(name="film", rate_hz=rate_hz, latency_ms=0.0), body=bodies, tool=(), camera=(camera,))


def _body(name: str, dictionary: str, markers: tuple[SquareMarker, ...]) -> Body:
    # The tracker measures the noise of every pose; the body's own is not asked for.
    return Body(name=name, sd_mm=0.0, sd_rad=0.0, dictionary=dictionary, marker=markers)
