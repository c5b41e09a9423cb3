"""How far off what is drawn over a picture may be, in its pixels: the registration's covariance and the pose's, through the lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.bus.words import ERROR_BAR_SD
from navtwin.nouns import Body, RegistrationResult
from navtwin.nouns.base import symmetric
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.lens import Lens

F64 = npt.NDArray[np.float64]
#: Points of an ellipse.
ROUND = np.arange(40) * (2.0 * np.pi / 40)


@dataclass(frozen=True, eq=False)
class Spread:
    """The predicted error of one point across the view, at two standard deviations.

    Attributes
    ----------
    ellipse_px : (40, 2) in the picture, around the point
    px, mm : its longer half axis, in the picture and in the patient
    """

    ellipse_px: F64
    px: float
    mm: float

    @property
    def words(self) -> str:
        """`± 6 px (1.9 mm)`."""
        return f"± {max(1.0, self.px):.0f} px ({self.mm:.1f} mm)"


def spread_at(
    point_mm: Vec3,
    lens: Lens,
    T_camera_from_ct: Rigid,
    T_camera_from_ref: Rigid,
    registration: RegistrationResult,
    reference: Body,
    more_sd_mm: float = 0.0,
) -> Spread | None:
    """The spread of a point of ct; None where it has no image.

    Parameters
    ----------
    registration : in use; its covariance is a small motion in ct axes about its centroid (Fitzpatrick, West and Maurer, IEEE TMI 1998;17:694)
    reference : the reference body with its pose's declared noise: turned about its origin, it moves what is farther away more
    more_sd_mm : a further error of the point, alike in all directions: the segmentation's
    """
    p = np.array(T_camera_from_ct.point(point_mm))
    pixel, gradient = lens.project(p), lens.gradient(p)
    if not np.isfinite(gradient).all():
        return None
    turn = np.array(T_camera_from_ct.rotation)
    rows = np.hstack((-_cross(np.subtract(point_mm, registration.centroid_mm)), np.eye(3)))
    registered = turn @ rows @ symmetric(registration.covariance, 6) @ rows.T @ turn.T
    arm = _cross(p - np.array(T_camera_from_ref.t_mm))
    covariance = registered + reference.sd_rad**2 * arm @ arm.T + (reference.sd_mm**2 + more_sd_mm**2) * np.eye(3)
    across = np.eye(3) - np.outer(p, p) / (p @ p)
    lengths, axes = np.linalg.eigh(gradient @ covariance @ gradient.T)
    half = ERROR_BAR_SD * np.sqrt(np.maximum(lengths, 0.0))
    ellipse = pixel + np.stack((half[0] * np.cos(ROUND), half[1] * np.sin(ROUND)), axis=1) @ axes.T
    mm = ERROR_BAR_SD * float(np.sqrt(np.linalg.eigvalsh(across @ covariance @ across)[-1]))
    return Spread(ellipse, float(half[1]), mm)


def _cross(v: F64) -> F64:
    """(3, 3): times w it is the cross product of v and w."""
    x, y, z = v
    return np.array(((0.0, -z, y), (z, 0.0, -x), (-y, x, 0.0)))
