"""The overlay against a rendered camera that shares no line of code with it: markers where the print is, outlines where the body is."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
from scipy.ndimage import map_coordinates

from gui.augmented.crop import WHOLE, crop_of
from gui.augmented.drawing import Prepared, draw
from gui.augmented.model import Context, judge
from gui.augmented.paths import Edges
from navtwin.nouns import Body, Pose, Rig, RigCamera, SquareMarker
from navtwin.nouns.video import VideoBody, VideoFrame
from navtwin.rigid import Rigid
from navtwin.scene.augment import Anatomy, Eye, scene_marks
from navtwin.scene.lens import Lens
from navtwin.scene.model import Structure
from navtwin.scene.silhouette import Shell
from phantoms.camera import Optics, render, true_markers
from phantoms.camera.bodies import make_body
from phantoms.camera.scene import Placed
from phantoms.camera.sheets import plain
from phantoms.camera.stand import own_lenses
from tests.gui.room import MS
from tests.gui.test_augmented_model import SCENE, T_CT_FROM_REF, moment, registration, rig
from tracking import detect_markers

LENS = own_lenses(1, 720)[0]
CAMERA = RigCamera(
    name="cam", width_px=1280, height_px=720, focal_px=(LENS.matrix[0, 0], LENS.matrix[1, 1]), centre_px=(LENS.matrix[0, 2], LENS.matrix[1, 2]),
    distortion=tuple(LENS.distortion.tolist()),
)  # fmt: skip
SQUARE = np.array([(-16.0, 16.0, 0.0), (16.0, 16.0, 0.0), (16.0, -16.0, 0.0), (-16.0, -16.0, 0.0)])
CENTRES = ((-50.0, 40.0, 0.0), (50.0, 40.0, 0.0), (-50.0, -40.0, 0.0), (50.0, -40.0, 0.0))
MARKS = tuple(SquareMarker(id=n, corners_mm=tuple(map(tuple, (SQUARE + c).tolist()))) for n, c in enumerate(CENTRES))  # type: ignore[arg-type]
REF = Body(name="ref", sd_mm=0.1, sd_rad=0.001, dictionary="APRILTAG_36h11", marker=MARKS)
RIG = Rig(reference="ref", tracker=rig().tracker, body=(REF, rig().body[1]), tool=rig().tool, camera=(CAMERA,))
INK_DN, GROUND_DN = 20.0, 200.0


def place(turn_deg: tuple[float, float, float], t_mm: tuple[float, float, float]) -> Rigid:
    """T_camera_from_ref: its front to the camera, then turned."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix() @ np.diag((1.0, -1.0, -1.0))
    matrix[:3, 3] = t_mm
    return Rigid.from_matrix(matrix, target="camera", source="ref")


#: In the middle, and in the corner of the picture where the lens bends most.
PLACES = (place((20.0, -15.0, 8.0), (0.0, 0.0, 450.0)), place((-25.0, 20.0, 160.0), (-175.0, -90.0, 420.0)))


def eye_at(T_camera_from_ref: Rigid) -> Eye:
    """The whole chain as the view goes it: from what the picture's header says to what is drawn."""
    seen = VideoBody(body="ref", status="OK", pose=Pose.from_rigid(T_camera_from_ref))
    frame = VideoFrame(
        epoch="e1", camera="cam", number=1, t_capture_ns=1_000 * MS, t_arrival_ns=1_030 * MS, t_publish_ns=1_040 * MS,
        width_px=1280, height_px=720, full_width_px=1280, full_height_px=720, bodies=(seen,),
    )  # fmt: skip
    verdict = judge(frame, Context(moment(), SCENE, RIG))
    assert verdict.T_camera_from_ct is not None and verdict.T_camera_from_ref is not None
    return Eye(Lens.of(CAMERA), verdict.T_camera_from_ct, verdict.T_camera_from_ref, registration(), REF)


@pytest.mark.parametrize("T_camera_from_ref", PLACES, ids=["middle", "corner"])
def test_landmarks_of_the_patient_fall_where_the_rendered_print_shows_them(T_camera_from_ref: Rigid) -> None:
    """Corners of the print, taken for landmarks of the patient: known in ct, drawn by the overlay, found in the rendered picture."""
    body = make_body(REF)
    placed = [Placed(T_camera_from_ref.matrix(), body.sheets)]
    optics = Optics(blur_px=0.7, noise_dn=1.6)
    picture = render(LENS, placed, optics, np.random.default_rng(1))
    drawn = eye_at(T_camera_from_ref).pixels(T_CT_FROM_REF.apply(body.corners_mm.reshape(-1, 3))).reshape(-1, 4, 2)
    truth = {marker.id: marker.corners_px for marker in true_markers(LENS, placed, optics) if marker.visible.all()}
    assert len(truth) == 4
    assert max(np.abs(drawn[number] - corners).max() for number, corners in truth.items()) < 0.01
    found = detect_markers(picture, dictionary="APRILTAG_36h11")
    assert len(found.ids) == 4
    off = np.linalg.norm(np.array([drawn[i] for i in found.ids]) - found.corners_px, axis=-1)
    assert off.max() < 0.5


@pytest.mark.parametrize("T_camera_from_ref", PLACES, ids=["middle", "corner"])
def test_an_outline_runs_where_the_rendered_body_ends(T_camera_from_ref: Rigid) -> None:
    """A dark body of eighty faces before a light ground: along the outline's normals the picture passes half-way within half a pixel."""
    ball = pv.Icosphere(radius=30.0, nsub=2, center=(12.0, -8.0, 25.0))
    corners = np.asarray(ball.points, dtype=np.float64)[ball.regular_faces]
    # Sheets go round clockwise as seen from outside, a mesh's faces the other way.
    sheets = tuple(plain(face[::-1], INK_DN, closed=True) for face in corners)
    eye = eye_at(T_camera_from_ref)
    picture = render(LENS, [Placed(eye.T_camera_from_ct.matrix(), sheets)], Optics(), background=np.full((720, 1280), GROUND_DN))
    assert (picture == INK_DN).sum() > 5000
    structure = Structure("ball", "critical", "ref", None, 2.0, 1.0, 0.3, 15.0, "#f2c14e", 1.0, False)  # type: ignore[arg-type]
    anatomy = Anatomy(((structure, Shell.of(ball.points, ball.regular_faces)),), (), (), None)
    (traced,) = scene_marks(anatomy, eye).structures
    edges = Edges(traced.loops)
    outer = edges.outer(edges.mask((1280, 720)))
    assert outer.sum() >= 20
    # The painter's coordinates have a pixel's corner at 0, the picture's its middle.
    middle, along = (edges.start[outer] + edges.end[outer]) / 2.0 - 0.5, edges.end[outer] - edges.start[outer]
    normal = np.stack((-along[:, 1], along[:, 0]), axis=1) / np.hypot(along[:, 0], along[:, 1])[:, None]
    steps = np.linspace(-2.0, 2.0, 81)
    points = middle[:, None, :] + steps[None, :, None] * normal[:, None, :]
    profile = map_coordinates(picture.astype(float), (points[..., 1], points[..., 0]), order=1)
    # From the ground inwards, where half the light is gone; further in, light leaks through the seams of the faces.
    dark = profile < (INK_DN + GROUND_DN) / 2.0
    from_ground = np.where((profile[:, 0] > profile[:, -1])[:, None], dark, dark[:, ::-1])
    crossing = steps[from_ground.argmax(axis=1)]
    assert from_ground.any(axis=1).all() and not from_ground[:, 0].any()
    assert np.abs(crossing).max() < 0.5 and abs(crossing.mean()) < 0.1


def test_nothing_is_drawn_where_the_reference_was_not_seen() -> None:
    frame = VideoFrame(
        epoch="e1", camera="cam", number=1, t_capture_ns=1_000 * MS, t_arrival_ns=1_030 * MS, t_publish_ns=1_040 * MS,
        width_px=1280, height_px=720, full_width_px=1280, full_height_px=720,
    )  # fmt: skip
    around = Context(moment(), SCENE, RIG)
    drawing = draw(Prepared.of(SCENE, RIG), frame, judge(frame, around), around, crop_of(frame, WHOLE, (1280, 720)))
    assert not drawing.scene.structures and not drawing.tools and not drawing.distances
