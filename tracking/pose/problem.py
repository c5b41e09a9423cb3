"""What the cameras saw of one body, sorted for the solver: which markers can be used, along which rays, with what noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import TrackerStatus
from navtwin.rigid import Rigid
from tracking.body import MarkerBody
from tracking.camera_model import Camera
from tracking.detect.markers import Markers
from tracking.pose.lens import rays
from tracking.pose.solve import whitening

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Corners may lie this share of the image's size outside it: a marker cut by the edge has its corners completed from its sides.
OUTSIDE_SHARE = 0.1
#: Added to every corner's variance, px^2: no corner is known better than to a few thousandths of a pixel.
_LEAST_COVARIANCE = 0.004**2 * np.eye(8)
#: Variance of a corner that does not count, px^2.
UNKNOWN_PX2 = 1e10


@dataclass(frozen=True, eq=False)
class View:
    """What one camera saw.

    Attributes
    ----------
    markers : of any bodies; those of other bodies are passed over
    camera : its calibration
    T_tracker_from_camera : where it stands
    """

    markers: Markers
    camera: Camera
    T_tracker_from_camera: Rigid


@dataclass(frozen=True, eq=False)
class Problem:
    """M markers of a body that can be used.

    Attributes
    ----------
    ids : (M,) their numbers; a marker seen by two cameras is there twice
    corners_mm : (M, 4, 3) body axes
    rays : (M, 4, 2) x and y of the rays (x, y, 1) to the corners, camera axes
    slopes : (M, 4, 2, 2) derivatives of pixels by rays
    covariance_px : (M, 8, 8) of the corners
    white : (M, 8, 8) what makes the ray residuals independent, of unit variance; those of corners not kept come out as 0
    kept : (M, 4) which corners count
    view : (M,) index of the camera that saw it
    stands : (V, 3, 4) camera from tracker
    status, reason : why there is nothing to use, if there is nothing
    """

    ids: npt.NDArray[np.int32]
    corners_mm: Array
    rays: Array
    slopes: Array
    covariance_px: Array
    white: Array
    kept: Mask
    view: Index
    stands: Array
    status: TrackerStatus
    reason: str

    @cached_property
    def use(self) -> Mask:
        """(M,) markers of which a corner counts."""
        return np.asarray(self.kept.any(axis=1))

    @cached_property
    def sd_px(self) -> Array:
        """(M, 4) standard deviation of each corner, px: the root mean square of its two axes."""
        variance = np.diagonal(self.covariance_px, axis1=1, axis2=2)
        return np.asarray(np.sqrt((variance[:, ::2] + variance[:, 1::2]) / 2.0))


def whitened(problem: Problem, kept: Mask) -> Problem:
    """The same, resting on the `kept` corners (M, 4) only: of the others, nothing is known."""
    unknown = np.repeat(np.where(kept, 0.0, UNKNOWN_PX2), 2, axis=1)
    covariance = problem.covariance_px + unknown[:, :, None] * np.eye(8)
    return replace(problem, kept=kept, white=whitening(covariance, problem.slopes))


def problem_of(views: Sequence[View], body: MarkerBody) -> Problem:
    """Sort what the views hold of the body. A marker that a view shows twice is not used: one of the two is not it."""
    parts, told = [], list[tuple[TrackerStatus, str]]()
    for number, view in enumerate(views):
        seen, own, twice = _matched(view.markers, body)
        if not seen.size:
            told.append(("OUT_OF_VIEW", f"marker {twice[0]} is in the image more than once" if twice else "none of the body's markers is seen"))
            continue
        part, why = _usable(view, body, seen, own, number)
        if why is not None:
            told.append(why)
        else:
            parts.append(part)
    stands = np.array([_camera_from_tracker(view.T_tracker_from_camera) for view in views]).reshape(-1, 3, 4)
    if not parts:
        # The word that says most: a spoilt corner over an absent one.
        status, reason = min(told, key=lambda pair: pair[0] != "INVALID", default=("OUT_OF_VIEW", "no camera has an image"))
        none = np.zeros((0, 4, 2))
        nobody = np.zeros((0, 4), dtype=np.bool_)
        return Problem(np.zeros(0, np.int32), none, none, none, none, none, nobody, np.zeros(0, np.int64), stands, status, reason)
    ids, corners, ray, slopes, covariance, white, index = parts[0] if len(parts) == 1 else (np.concatenate(c) for c in zip(*parts, strict=True))
    return Problem(ids, corners, ray, slopes, covariance, white, np.ones((len(ids), 4), dtype=np.bool_), index, stands, "OK", "")


def _matched(markers: Markers, body: MarkerBody) -> tuple[Index, Index, list[int]]:
    """Rows in the view and in the body of the markers that the view holds once, and the numbers of those that it holds more often."""
    where = dict[int, int]()
    twice = set[int]()
    for row, number in enumerate(markers.ids.tolist()):
        if number in where:
            twice.add(number)
        where[number] = row
    rows = [(where[number], row) for row, number in enumerate(body.ids.tolist()) if number in where and number not in twice]
    pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], sorted(twice.intersection(body.ids.tolist()))


_Part = tuple[npt.NDArray[np.int32], Array, Array, Array, Array, Array, Index]


def _usable(view: View, body: MarkerBody, seen: Index, own: Index, number: int) -> tuple[_Part, tuple[TrackerStatus, str] | None]:
    """The markers whose corners are corners; if none is left, the reason instead."""
    corners_px, covariance = view.markers.corners_px[seen], view.markers.joint_covariance_px
    assert covariance is not None
    size = np.array((view.camera.width_px, view.camera.height_px), dtype=np.float64)
    finite = np.isfinite(corners_px).all(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        inside = (np.abs(corners_px - (size - 1.0) / 2.0) <= size * (0.5 + OUTSIDE_SHARE)).all(axis=(1, 2))
    found, slopes = rays(corners_px.reshape(-1, 2), view.camera.lens)
    found, slopes = found.reshape(-1, 4, 2), slopes.reshape(-1, 4, 2, 2)
    noise = covariance[seen] + _LEAST_COVARIANCE
    white = whitening(noise, slopes)
    ray = np.isfinite(found).all(axis=(1, 2))
    good = finite & inside & ray & np.isfinite(white).all(axis=(1, 2))
    if not good.all():
        own, found, slopes, noise, white = own[good], found[good], slopes[good], noise[good], white[good]
    part = (body.ids[own], body.corners_mm[own], found, slopes, noise, white, np.full(len(own), number, dtype=np.int64))
    if len(own):
        return part, None
    if not finite.all():
        return part, ("INVALID", "a corner is not finite")
    if not inside.all():
        return part, ("OUT_OF_VIEW", "a corner lies outside the image")
    if not ray.all():
        return part, ("INVALID", "no ray through the lens leads to a corner: check the camera's calibration")
    return part, ("INVALID", "the corners' covariance is no covariance")


def _camera_from_tracker(pose: Rigid) -> Array:
    if pose.target != "tracker":
        raise InputRefused(f"a view stands at T_{pose.target}_from_{pose.source}", "pass T_tracker_from_camera")
    return pose.inverse().matrix()[:3]
