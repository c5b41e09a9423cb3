"""Where an error bar comes from: the variance of a distance, source by source.

The fold's own kernel adds the sources up; here it is asked once for each source with all others at zero, so that the parts sum to the whole, and no
second formula can drift away from the first. All positions in ct, mm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.kernels.errorbar import ErrorSources, distance_sd
from navtwin.nouns import Rig

Array = npt.NDArray[np.float64]

#: What each source is, in the order in which they are told. `camera` is not part of the fold's error bar: no frame states it.
SOURCES: Final[Mapping[str, str]] = {
    "marker": "noise of the instrument's marker body",
    "camera": "camera's focal length",
    "reference": "noise of the patient's marker body",
    "pivot": "tip calibration",
    "axis": "direction of the tool's axis",
    "registration": "registration",
    "CT": "segmentation of the scan",
}
#: Further than chance: what the approach adds until the operator hears of it.
LATENCY: Final = "latency x speed"
#: Which field of the fold's sources holds which.
_FIELD: Final = {
    "marker": "body_cov",
    "reference": "ref_cov",
    "pivot": "tip_cov",
    "axis": "axis_sd",
    "registration": "registration_cov",
    "CT": "structure_sd",
}
#: Sources that move with the instrument, and so do not depend on where its tip is brought.
_OF_THE_TOOL: Final = ("marker", "pivot", "axis")
_AXES = np.eye(3)
#: Nearer than this the nearest direction is not defined, mm; as in the kernel.
_TOUCHING_MM = 1e-9

Variances = dict[str, Array]


@dataclass(frozen=True)
class Share:
    """What one source has of an allowance.

    Attributes
    ----------
    sd_mm : its own standard deviation along the nearest direction; 0 for latency, which is no chance
    variance_share : of the variance of all chance sources together
    allowance_mm : its part of the whole allowance: of k sd by variance, and latency as it is, so that the parts add up
    """

    source: str
    sd_mm: float
    variance_share: float
    allowance_mm: float


@dataclass(frozen=True)
class Budget:
    """The allowance at one structure, and what it is made of.

    Attributes
    ----------
    point_mm : on the structure
    sd_mm : of all chance sources
    allowance_mm : by how much the bound lies below the measured distance: k sd + latency x speed
    """

    structure: str
    where: str
    instrument: str
    point_mm: tuple[float, float, float] | None
    sd_mm: float
    latency_mm: float
    allowance_mm: float
    shares: tuple[Share, ...]


def only(sources: ErrorSources, *kept: str) -> ErrorSources:
    """The same frame with all other sources known perfectly."""
    return sources._replace(**{field: np.zeros_like(getattr(sources, field)) for name, field in _FIELD.items() if name not in kept})


def split(on_axis: Array, on_structure: Array, tool_of_part: npt.NDArray[np.int64], sources: ErrorSources) -> Variances:
    """Variance of each distance by source, mm^2.

    Parameters
    ----------
    on_axis, on_structure : (P, S, 3) closest points; NaN where unknown
    tool_of_part : (P,) index into the per-tool arrays of `sources`

    Returns
    -------
    By source but the camera, (P, S); NaN where unknown. They sum to the square of what `kernels.errorbar.distance_sd` gives.
    """
    apart = on_axis - on_structure
    touching = np.linalg.norm(apart, axis=2) <= _TOUCHING_MM
    found = {name: _variance(on_axis, on_structure, tool_of_part, only(sources, name)) for name in _FIELD}
    if touching.any():
        worst = _worst_axis(on_axis, on_structure, tool_of_part, sources)
        # A step along the direction itself changes no lever arm, and tells the kernel which direction is meant.
        stepped = np.where(touching[..., None], on_structure + _AXES[worst], on_axis)
        found = {name: _variance(stepped, on_structure, tool_of_part, only(sources, name)) for name in _FIELD}
    return found


def at_points(points_mm: Array, normals: Array, sd_mm: float, tool: int, sources: ErrorSources) -> Variances:
    """Variance by source, mm^2, of the distance along `normals` if a tool brought its tip to each of the points, held as it is held in `sources`.

    Parameters
    ----------
    points_mm, normals : (N, 3), ct; unit normals
    sd_mm : of the segmentation there
    """
    here, one = sources._replace(structure_sd=np.array([sd_mm])), np.full(len(points_mm), tool, dtype=np.int64)
    of_tool = {name: _along(np.broadcast_to(here.tip[tool], points_mm.shape), normals, one, only(here, name)) for name in _OF_THE_TOOL}
    return {name: of_tool[name] if name in of_tool else _along(points_mm, normals, one, only(here, name)) for name in _FIELD}


def focal_share(rig: Rig) -> float | None:
    """By which share of itself the focal length of the rig's first camera is unknown (one standard deviation); None where the rig does not say."""
    if not rig.camera or len(rig.camera[0].intrinsics_sd) < 2:
        return None
    x, y = (sd / focal for sd, focal in zip(rig.camera[0].intrinsics_sd[:2], rig.camera[0].focal_px, strict=True))
    return math.hypot(x, y) / math.sqrt(2.0)


def camera_variance(points_mm: Array, directions: Array, share: float, sources: ErrorSources) -> Array:
    """Variance along `directions` that a wrong focal length leaves at points (..., 3), mm^2.

    A focal length that is off by a share takes every depth for longer by that share; what the instrument and the reference err alike cancels, so
    the difference of their depths remains. A principal point that is off turns both alike, and cancels. Distortion is not counted.
    """
    depth_axis = sources.R_ct_from_tracker[:, 2]
    return np.asarray(np.square(share * ((points_mm - sources.ref_origin) @ depth_axis) * (directions @ depth_axis)))


def budget_of(
    structure: str, where: str, instrument: str, point_mm: Array | None, variances: Mapping[str, float], latency_mm: float, k_sd: float
) -> Budget:
    """A budget of variances by source and the way of the latency, mm."""
    total = sum(variances.values())
    sd = float(np.sqrt(total))
    shares = [
        Share(name, float(np.sqrt(variances[name])), variances[name] / total if total else 0.0, k_sd * variances[name] / sd if total else 0.0)
        for name in SOURCES
        if name in variances
    ]
    at = None if point_mm is None else (float(point_mm[0]), float(point_mm[1]), float(point_mm[2]))
    allowance = k_sd * sd + latency_mm
    return Budget(structure, where, instrument, at, sd, latency_mm, allowance, (*shares, Share(LATENCY, 0.0, 0.0, latency_mm)))


def _variance(on_axis: Array, on_structure: Array, tool_of_part: npt.NDArray[np.int64], sources: ErrorSources) -> Array:
    sd = np.full(on_axis.shape[:2], np.nan)
    distance_sd(np.ascontiguousarray(on_axis), np.ascontiguousarray(on_structure), tool_of_part, sources, np.full(sd.shape, True), sd)
    return np.asarray(np.square(sd))


def _along(points_mm: Array, normals: Array, tools: npt.NDArray[np.int64], sources: ErrorSources) -> Array:
    variance: Array = _variance((points_mm + normals)[:, None], np.array(points_mm)[:, None], tools, sources)[:, 0]
    return variance


def _worst_axis(on_axis: Array, on_structure: Array, tool_of_part: npt.NDArray[np.int64], sources: ErrorSources) -> npt.NDArray[np.intp]:
    """(P, S) the axis of ct along which each pair is least certain, as the kernel takes it where no direction is defined."""
    totals = [_variance(on_structure + axis, on_structure, tool_of_part, sources) for axis in _AXES]
    worst: npt.NDArray[np.intp] = np.argmax(np.nan_to_num(totals), axis=0)
    return worst
