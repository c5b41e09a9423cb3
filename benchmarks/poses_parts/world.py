"""The rendered room: cameras, the kit's printed bodies, and what a frame of them yields through the real detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from navtwin.rigid import Rigid
from phantoms.camera import Lens, Occluder, Optics, Placed, Sheet, plain, printed, render
from tracking import Camera, MarkerBody, Markers, detect_markers
from tracking.detect.patterns import cells, dictionary_of
from tracking.kit.bodies import PrintedBody, cube, dodecahedron, flat_board, reference_board
from tracking.pose.estimate import PoseEstimate, View

Array = np.ndarray

#: The stated camera: 1920 x 1080, focal length 1400 px, a webcam's distortion.
MATRIX = np.array([[1400.0, 0.0, 955.3], [0.0, 1402.0, 543.8], [0.0, 0.0, 1.0]])
DISTORTION = np.array([-0.10, 0.04, 6e-4, -4e-4, 0.0])
LENS = Lens(MATRIX, DISTORTION, 1920, 1080)
CAMERA = Camera(MATRIX, DISTORTION, 1920, 1080)
#: Noise and blur of the rows that the targets are stated for.
STATED = Optics(blur_px=0.8, noise_dn=2.0)
#: The working distance, mm.
NEAR_MM, FAR_MM = 300.0, 700.0
DICTIONARY = "APRILTAG_36h11"
#: Two cameras 30 cm apart, turned towards a point half a metre away.
BASELINE_MM, MEETING_MM = 300.0, 500.0


@dataclass(frozen=True, eq=False)
class Body:
    """A body of the kit: as printed, as drawn, and as pose estimation knows it."""

    printed: PrintedBody
    sheets: tuple[Sheet, ...]
    markers: MarkerBody


def _body(made: PrintedBody) -> Body:
    """Its faces, as sheets: `printed` wants outlines clockwise, and a solid's inside is never seen."""
    solid, sheets = len(made.faces) > 1, []
    back: dict[str, float | None] = {"back_dn": None} if solid else {}
    for face in made.faces:
        outline = face.outline_mm[::-1]
        prints = [(c, cells(made.dictionary, n), n) for n, c in zip(face.ids, face.corners_mm, strict=True)]
        sheets.append(printed(outline, prints, **back) if prints else plain(outline, 190.0, closed=solid))
    return Body(made, tuple(sheets), made.marker_body())


def kit() -> dict[str, Body]:
    """The bodies of the printed kit, by name."""
    size = dictionary_of(DICTIONARY).size
    made = [
        reference_board("reference", DICTIONARY, size, 0),
        dodecahedron("dodecahedron", DICTIONARY, size, 6),
        cube("cube", DICTIONARY, size, 17),
        flat_board("flat board", DICTIONARY, size, 22),
    ]
    return {body.name: _body(body) for body in made}


def pose(rotation: Rotation, t_mm: Sequence[float] | Array) -> Array:
    """(4, 4) T_camera_from_body."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = rotation.as_matrix(), t_mm
    return T


def facing(rng: np.random.Generator, most_deg: float) -> Rotation:
    """A body whose +z looks at a camera that stands in direction -z, tilted by up to `most_deg` about any axis and turned by any angle."""
    tilt, about = np.radians(rng.uniform(0.0, most_deg)), rng.uniform(0.0, 2.0 * np.pi)
    upright = Rotation.from_matrix(np.diag([1.0, -1.0, -1.0]))
    return (
        Rotation.from_rotvec(tilt * np.array([np.cos(about), np.sin(about), 0.0]))
        * upright
        * Rotation.from_rotvec([0.0, 0.0, rng.uniform(-np.pi, np.pi)])
    )


def place(rng: np.random.Generator, radius_mm: float) -> Array:
    """Somewhere in the working distance, with a sphere of that radius inside the image."""
    z = rng.uniform(NEAR_MM, FAR_MM)
    half = z * (np.array([1920.0, 1080.0]) / 2.0 - 20.0) / 1400.0 - radius_mm
    return np.array([*(rng.uniform(-1.0, 1.0, 2) * half), z])


def second_camera() -> Array:
    """(4, 4) T_tracker_from_camera of the right-hand camera."""
    return pose(Rotation.from_rotvec([0.0, -np.arctan2(BASELINE_MM, MEETING_MM), 0.0]), [BASELINE_MM, 0.0, 0.0])


def rigid(T: Array, target: str, source: str) -> Rigid:
    return Rigid.from_matrix(T, target=target, source=source)


def stands(stereo: bool) -> list[Array]:
    return [np.eye(4), second_camera()] if stereo else [np.eye(4)]


def views(
    bodies: Sequence[tuple[Body, Array]], optics: Optics, rng: np.random.Generator, stereo: bool = False, occluders: Sequence[Occluder] = ()
) -> list[View]:
    """One exposure by one camera or both, through the real detector. Poses are T_tracker_from_body."""
    found = []
    for T_tracker_from_camera in stands(stereo):
        back = np.linalg.inv(T_tracker_from_camera)
        image = render(LENS, [Placed(back @ T, body.sheets) for body, T in bodies], optics, rng, occluders=occluders)
        markers: Markers = detect_markers(image, DICTIONARY)
        found.append(View(markers, CAMERA, rigid(T_tracker_from_camera, "tracker", "camera")))
    return found


def error(estimate: PoseEstimate, truth: Array) -> Array:
    """(6,) turn (rad) and shift (mm) from the truth to the estimate, in the tracker's axes."""
    assert estimate.T_camera_from_body is not None
    found = estimate.T_camera_from_body.matrix()
    turn = Rotation.from_matrix(found[:3, :3] @ truth[:3, :3].T).as_rotvec()
    return np.concatenate([turn, found[:3, 3] - truth[:3, 3]])


def normalised_square(estimate: PoseEstimate, truth: Array) -> float:
    """Squared error in units of the stated covariance; its mean over many is 6 if the covariance is honest."""
    off = error(estimate, truth)
    return float(off @ np.linalg.solve(estimate.covariance, off))
