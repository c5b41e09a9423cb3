"""The true geometry of a printed marker body, measured from pictures of it; how far the print is from the plan; and whether to believe it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.rigid import Rigid
from tracking.body import MarkerBody
from tracking.calibration.marker_bundle import Adjusted, Eyes, Shots, adjust, linked
from tracking.camera_model import Camera
from tracking.detect.markers import Markers
from tracking.pose.estimate import View, estimate_pose_views

Array = npt.NDArray[np.float64]

#: Frames in which each marker must be seen, and frames that must link it with another.
MIN_VIEWS, MIN_LINKS = 8, 3
#: One frame in this many is kept out of the fit, to try the answer on.
HELD_OUT_EACH = 5
#: More frames than this are thinned evenly.
MOST_FRAMES = 400
#: How far a print's scale may be from the plan's.
SCALE_LIMIT = 0.005
#: Largest standard deviation of a corner; how far a corner may be from its marker's flat square (and that many standard deviations).
CORNER_SD_LIMIT_MM, BEND_LIMIT_MM, BEND_SDS = 0.15, 0.15, 4.0
#: A marker further from the plan than this is not misprinted but in another place, or another marker.
SHIFT_LIMIT_MM, TILT_LIMIT_DEG = 4.0, 12.0
#: Reprojection on held-out frames that speaks against the camera's calibration, or for a body that gave way.
HELD_OUT_LIMIT_PX = 1.0
#: Standard deviation of a print's scale: nobody measured it; a ruler on the check square.
UNMEASURED_SCALE_SD, RULER_SCALE_SD = 0.002, 0.001

#: No corner is believed to be better than this, px: lens models and paper are not.
LEAST_SD_PX = 0.01

ScaleFrom = Literal["cameras", "ruler", "plan"]


@dataclass(frozen=True, eq=False)
class BodyMeasurement:
    """A body as it was made.

    Attributes
    ----------
    plan, body : as planned and as measured; a marker that could not be measured stays as planned
    covariance : (12 M, 12 M) mm^2, of all corners in the order of `body`, the scale's error in it; NaN for markers not measured
    corner_sd_mm : (M,) root mean square of the marker's twelve numbers' standard deviations; NaN where not measured
    shift_mm, tilt_deg : (M,) how far each marker's centre is from the plan, and by what angle the marker is turned against it
    bend_mm : (M,) how far one of its corners is from the flat square that fits best
    rms_mm : of all corners from the plan
    scale, scale_sd, scale_from : of the print against the plan, and what told it: two cameras, a ruler, or only the plan
    views : (M,) frames that show each marker and another; `frames` those used, of `frames_read`
    rms_px, held_out_px, plan_held_out_px : RMS distance of corners seen from corners predicted: in the fit; on frames kept out of it; on those, with
        the plan
    sd_mm, sd_rad : standard deviations per axis that a pose of this body has, the body's own error included
    accepted, reasons : the verdict
    """

    plan: MarkerBody
    body: MarkerBody
    covariance: Array
    corner_sd_mm: Array
    shift_mm: Array
    tilt_deg: Array
    bend_mm: Array
    rms_mm: float
    scale: float
    scale_sd: float
    scale_from: ScaleFrom
    views: npt.NDArray[np.int64]
    frames: int
    frames_read: int
    rms_px: float
    held_out_px: float
    plan_held_out_px: float
    sd_mm: float
    sd_rad: float
    accepted: bool
    reasons: tuple[str, ...]


def measure_body(
    detections: Sequence[Markers], camera: Camera, plan: MarkerBody, scale: float | None = None, scale_sd: float = RULER_SCALE_SD
) -> BodyMeasurement:
    """Measure a body with one camera.

    Parameters
    ----------
    detections : the markers of each picture, in the order of capture
    plan : the body as planned
    scale, scale_sd : of the print against the plan, measured with a ruler (the check square's side over 100 mm): one camera cannot see it.
        None: the plan is believed

    Raises
    ------
    InputRefused : nothing to measure: a body of one marker, no frame that shows two of its markers in one pose
    """
    views = [[View(markers, camera, Rigid.identity("tracker", "camera"))] for markers in detections]
    return measure_body_views(views, plan, scale, scale_sd)


def measure_body_views(
    frames: Sequence[Sequence[View]], plan: MarkerBody, scale: float | None = None, scale_sd: float = RULER_SCALE_SD
) -> BodyMeasurement:
    """Measure a body with one camera or several; frames that several cameras see tell the print's scale, and `scale` is then not used.

    Parameters and errors as of `measure_body`; `frames` holds the views of each exposure.
    """
    if len(plan.ids) < 2:
        raise InputRefused("the body has one marker", "there is nothing to measure but its side: do that with a ruler")
    thinned = [frames[n] for n in np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).astype(int))] if frames else []
    # A frame with one marker tells nothing of where the others are.
    posed = [(views, pose) for views in thinned if len(_rows_seen(views, plan)) > 1 and (pose := _posed(views, plan)) is not None]
    fitted = [item for n, item in enumerate(posed) if n % HELD_OUT_EACH != HELD_OUT_EACH - 1]
    held_out = [views for n, (views, _) in enumerate(posed) if n % HELD_OUT_EACH == HELD_OUT_EACH - 1]
    seen = [_rows_seen(views, plan) for views, _ in fitted]
    group = linked(seen, len(plan.ids), MIN_LINKS)
    if len(group) < 2:
        raise InputRefused(
            f"none of {len(frames)} frames show two of the body's markers together well enough for a pose"
            if not posed
            else "no two markers are linked",
            "film the body from 20 to 50 cm in good light, turning it slowly so that every two neighbours are seen together",
        )
    members = sorted(group)
    shots, eyes, poses = _shots(fitted, plan, members)
    two_cameras = _in_stereo(shots)
    start = 1.0 if scale is None else scale
    found = adjust(shots, eyes, plan.corners_mm[members], poses, start, free_scale=two_cameras)
    scale_from: ScaleFrom = "cameras" if two_cameras else "plan" if scale is None else "ruler"
    own_sd = found.scale_sd if two_cameras else UNMEASURED_SCALE_SD if scale is None else scale_sd
    return _measured(found, plan, members, shots, held_out, seen, scale_from, own_sd, len(frames))


def _posed(views: Sequence[View], body: MarkerBody) -> Array | None:
    """T_tracker_from_body by all views; failing that (a print off scale tears them apart) by the first that has one."""
    for chosen in [views, *([view] for view in views if len(views) > 1)]:
        pose = estimate_pose_views(list(chosen), body).T_camera_from_body
        if pose is not None:
            return pose.matrix()
    return None


def _once(markers: Markers, body: MarkerBody) -> list[tuple[int, int]]:
    """(row in the picture, row in the body) of the body's markers that the picture shows once."""
    numbers = markers.ids.tolist()
    return [(numbers.index(number), row) for row, number in enumerate(body.ids.tolist()) if numbers.count(number) == 1]


def _rows_seen(views: Sequence[View], body: MarkerBody) -> set[int]:
    return {row for view in views for _, row in _once(view.markers, body)}


def _shots(fitted: Sequence[tuple[Sequence[View], Array]], plan: MarkerBody, members: list[int]) -> tuple[Shots, Eyes, Array]:
    """Rows of the adjustment; frames that show only one marker of the group tell nothing of the others and are left out."""
    place = {row: n for n, row in enumerate(members)}
    kept = [(views, pose) for views, pose in fitted if len(_rows_seen(views, plan) & place.keys()) >= 2]
    eyes = list[View]()
    frame, camera, marker, seen, whiten = [], [], [], [], []
    for number, (views, _) in enumerate(kept):
        for view in views:
            which = next(
                (n for n, eye in enumerate(eyes) if eye.camera is view.camera and eye.T_tracker_from_camera == view.T_tracker_from_camera), None
            )
            if which is None:
                which = len(eyes)
                eyes.append(view)
            assert view.markers.joint_covariance_px is not None
            for row, own in _once(view.markers, plan):
                if own in place and np.isfinite(view.markers.corners_px[row]).all():
                    frame.append(number)
                    camera.append(which)
                    marker.append(place[own])
                    seen.append(view.markers.corners_px[row])
                    whiten.append(np.linalg.inv(np.linalg.cholesky(view.markers.joint_covariance_px[row] + LEAST_SD_PX**2 * np.eye(8))))
    stand = np.array([eye.T_tracker_from_camera.inverse().matrix() for eye in eyes])
    shots = Shots(np.array(frame), np.array(camera), np.array(marker), np.array(seen), np.array(whiten))
    return shots, Eyes(tuple(eye.camera for eye in eyes), stand), np.array([pose for _, pose in kept])


def _in_stereo(shots: Shots) -> bool:
    """Whether enough frames are seen by two cameras."""
    pairs = np.unique(np.column_stack([shots.frame, shots.camera]), axis=0)
    return bool((np.unique(pairs[:, 0], return_counts=True)[1] > 1).sum() >= MIN_VIEWS)


def _measured(
    found: Adjusted,
    plan: MarkerBody,
    members: list[int],
    shots: Shots,
    held_out: Sequence[Sequence[View]],
    seen: Sequence[set[int]],
    scale_from: ScaleFrom,
    scale_sd: float,
    frames_read: int,
) -> BodyMeasurement:
    count = len(plan.ids)
    corners = plan.corners_mm.copy()
    corners[members] = found.corners_mm
    body = MarkerBody(plan.ids, corners)
    arms = (found.corners_mm - found.corners_mm.mean(axis=(0, 1))).ravel()
    own = found.covariance if scale_from == "cameras" else found.covariance + scale_sd**2 * np.outer(arms, arms)
    places = (12 * np.array(members)[:, None] + np.arange(12)).ravel()
    covariance = np.full((12 * count, 12 * count), np.nan)
    covariance[np.ix_(places, places)] = own
    corner_sd = np.sqrt(np.diag(covariance).reshape(count, 12).mean(axis=1))
    bend, bend_sd = np.full(count, np.nan), np.full(count, np.nan)
    bend[members], bend_sd[members] = found.bend_mm, found.bend_sd_mm
    off = corners - plan.corners_mm
    # Poses of the held-out frames by the measured body and by the plan, and the error bars that such poses have.
    ours = [pose for views in held_out if (pose := estimate_pose_views(list(views), body)).covariance is not None]
    variance = np.median([np.diag(pose.covariance) for pose in ours if pose.covariance is not None], axis=0) if ours else np.full(6, np.nan)
    own_variance = float(np.diag(own).mean())
    radius = float(np.sqrt(np.mean(arms**2) * 3.0))
    draft = BodyMeasurement(
        plan=plan,
        body=body,
        covariance=covariance,
        corner_sd_mm=corner_sd,
        shift_mm=np.linalg.norm(off.mean(axis=1), axis=1),
        tilt_deg=np.array([_turn_deg(a, b) for a, b in zip(plan.corners_mm, corners, strict=True)]),
        bend_mm=bend,
        rms_mm=float(np.sqrt(np.square(off[members]).sum(axis=2).mean())),
        scale=found.scale,
        scale_sd=scale_sd,
        scale_from=scale_from,
        views=np.bincount([row for rows in seen for row in rows], minlength=count),
        frames=len(found.T_tracker_from_body),
        frames_read=frames_read,
        rms_px=float(np.sqrt(np.square(found.residual_px).sum(axis=2).mean())),
        held_out_px=_rms([pose.rms_px for pose in ours]),
        plan_held_out_px=_rms([estimate_pose_views(list(views), plan).rms_px for views in held_out]),
        sd_mm=float(np.sqrt(variance[3:].mean() + own_variance)),
        sd_rad=float(np.sqrt(variance[:3].mean() + own_variance / radius**2)),
        accepted=False,
        reasons=(),
    )
    reasons = tuple(_reasons(draft, members, bend_sd))
    return BodyMeasurement(**{**vars(draft), "accepted": not reasons, "reasons": reasons})


def _rms(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else float("nan")


def _turn_deg(plan: Array, made: Array) -> float:
    """Angle between two markers' axes (x, y along the sides, and the normal)."""

    def axes(quad: Array) -> Array:
        x = quad[1] + quad[2] - quad[0] - quad[3]
        z = np.cross(x, quad[0] + quad[1] - quad[2] - quad[3])
        x, z = x / np.linalg.norm(x), z / np.linalg.norm(z)
        return np.column_stack([x, np.cross(z, x), z])

    turn = axes(plan).T @ axes(made)
    sine = np.linalg.norm([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2.0
    return float(np.degrees(np.arctan2(sine, (np.trace(turn) - 1.0) / 2.0)))


def _reasons(m: BodyMeasurement, members: list[int], bend_sd: Array) -> Iterator[str]:
    """Why not to believe it, each with what to do."""
    for row, number in enumerate(m.plan.ids.tolist()):
        if m.views[row] < MIN_VIEWS:
            yield f"marker {number} is seen beside another in {m.views[row]} frames, not {MIN_VIEWS}: show it longer, or take it out of the rig"
        elif row not in members:
            yield f"marker {number} is never seen together with the others: turn the body slowly from one face to the next"
        elif m.shift_mm[row] > SHIFT_LIMIT_MM or m.tilt_deg[row] > TILT_LIMIT_DEG:
            where = f"{m.shift_mm[row]:.1f} mm and {m.tilt_deg[row]:.0f} deg"
            yield f"marker {number} is {where} from the plan: it is on another face or turned, or this is another body"
        elif m.bend_mm[row] > BEND_LIMIT_MM and m.bend_mm[row] > BEND_SDS * bend_sd[row]:
            yield f"marker {number} is not flat: a corner is {m.bend_mm[row]:.2f} mm off; flatten that face or put a core under it"
        elif m.corner_sd_mm[row] > CORNER_SD_LIMIT_MM:
            sd = m.corner_sd_mm[row]
            yield f"marker {number} is known to {sd:.2f} mm only: film it nearer, with its neighbours, from more directions"
    if abs(m.scale - 1.0) > SCALE_LIMIT:
        told = {"cameras": "the two cameras see", "ruler": "the ruler says", "plan": ""}[m.scale_from]
        yield f"{told} a print {100.0 * (m.scale - 1.0):+.2f} % off the plan's size: measure the sheet's check square and print again at 100 %"
    if not np.isfinite(m.held_out_px):
        yield "too few frames to keep some out of the fit: film longer"
    elif m.held_out_px > HELD_OUT_LIMIT_PX:
        yield f"the measured body misses new frames by {m.held_out_px:.1f} px: check the camera's calibration and that nothing on the body is loose"
