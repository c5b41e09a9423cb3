"""A small rig of printed markers, and pictures of it."""

from __future__ import annotations

import numpy as np

from navtwin.nouns import Body, Pose, Rig, RigCamera, Smoothing, SquareMarker, Tracker
from navtwin.rigid import Rigid
from tests.tracking.rendered import CAMERA, picture, placed
from tracking.opencv import cv2

SIDE_MM = 60.0
NUMBER, DICTIONARY = 7, "APRILTAG_36h11"


def square(number: int, side_mm: float = SIDE_MM) -> SquareMarker:
    h = side_mm / 2.0
    return SquareMarker(id=number, corners_mm=((-h, h, 0.0), (h, h, 0.0), (h, -h, 0.0), (-h, -h, 0.0)))


def rig_camera(name: str = "webcam", T_tracker_from_camera: Rigid | None = None) -> RigCamera:
    m = CAMERA.matrix
    return RigCamera(
        name=name,
        width_px=CAMERA.width_px,
        height_px=CAMERA.height_px,
        focal_px=(float(m[0, 0]), float(m[1, 1])),
        centre_px=(float(m[0, 2]), float(m[1, 2])),
        T_tracker_from_camera=None if T_tracker_from_camera is None else Pose.from_rigid(T_tracker_from_camera),
    )


def printed_rig(
    cameras: tuple[RigCamera, ...] | None = None,
    dictionary: str = DICTIONARY,
    numbers: tuple[int, ...] = (NUMBER, 8),
    smoothing: Smoothing | None = None,
) -> Rig:
    """One body of one marker for each number; the first is the reference. And one with spheres, which no picture shows."""
    bodies = [Body(name=f"body{n}", sd_mm=0.2, sd_rad=0.002, dictionary=dictionary, marker=(square(n),)) for n in numbers]
    spheres = Body(name="spheres", sd_mm=0.2, sd_rad=0.002, markers_mm=((0.0, 0.0, 0.0), (50.0, 0.0, 0.0), (0.0, 40.0, 0.0)))
    tracker = Tracker(name="printed", rate_hz=30.0, latency_ms=20.0, smoothing=smoothing)
    return Rig(reference=bodies[0].name, tracker=tracker, body=(*bodies, spheres), tool=(), camera=(rig_camera(),) if cameras is None else cameras)


POSE = placed((0.5, 0.3, 0.4), (20.0, -15.0, 400.0))


def shown(pose: Rigid = POSE, number: int = NUMBER, noise_seed: int = 0) -> np.ndarray:
    """A picture of one marker of 36h11, with a sensor's noise."""
    grey = picture(number, SIDE_MM, pose, cv2.aruco.DICT_APRILTAG_36h11, 8)
    noise = np.random.default_rng(noise_seed).integers(-2, 3, grey.shape)
    return np.clip(grey.astype(np.int16) + noise, 0, 255).astype(np.uint8)
