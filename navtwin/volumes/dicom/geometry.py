"""Where the slices of a series lie, from the position and orientation of each alone, and what is wrong with that.

DICOM PS3.3 section C.7.6.2.1.1: a pixel (column i, row j) lies at position + i x spacing between columns x row direction
+ j x spacing between rows x column direction. SliceThickness, SpacingBetweenSlices and the tilt tag are never asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.frames import Frame
from navtwin.volumes.volume import SHEAR_TOLERANCE

Array = npt.NDArray[np.float64]
Kind = Literal["same place", "missing", "tilted", "uneven"]

#: What rounding in a header may move a pixel by. Positions are written with as few as two decimals.
TOLERANCE_MM: Final = 0.05
#: ... and that is no more than this share of the distance between slices.
_SHARE: Final = 0.05
#: A gap this many times the usual one is a hole: one slice or more is not there.
_HOLE: Final = 1.5
#: How far rows and columns may be off unit length and off square to each other: cosines are written with as few as three decimals.
_COSINE_TOLERANCE: Final = 2e-3
_NAMED: Final = 6
_EXPORT_AGAIN: Final = "export the series again from the scanner or archive"


@dataclass(frozen=True)
class Fault:
    """Something that keeps slices from being a volume.

    Attributes
    ----------
    kind : what it is
    problem, remedy : for people; the problem names the slices
    pairs : for "same place": indices (into `Stack.frames`) of neighbours that lie at one place
    """

    kind: Kind
    problem: str
    remedy: str
    pairs: tuple[tuple[int, int], ...] = ()

    @property
    def can_be_mended(self) -> bool:
        """By resampling; of slices at one place it depends on their pixels."""
        return self.kind in ("tilted", "uneven")


@dataclass(frozen=True)
class Stack:
    """Slices of one size, spacing and orientation, in the order in which they lie along their normal.

    Attributes
    ----------
    frames : N slices
    axes : (3, 3) unit columns: along a row (i), along a column (j), normal (i x j)
    spacing_mm : between columns (along i), between rows (along j)
    places_mm : (N, 3) positions of the first pixels on these axes
    faults : what keeps them from being a volume as they are
    """

    frames: tuple[Frame, ...]
    axes: Array
    spacing_mm: tuple[float, float]
    places_mm: Array
    faults: tuple[Fault, ...]

    @property
    def step_mm(self) -> Array:
        """(3,) mean step from slice to slice, on the axes."""
        step: Array = (self.places_mm[-1] - self.places_mm[0]) / (len(self.frames) - 1)
        return step

    @property
    def T_ct_from_ijk(self) -> Array:
        """(4, 4) affine; true where there are no faults."""
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1] = self.axes[:, 0] * self.spacing_mm[0], self.axes[:, 1] * self.spacing_mm[1]
        affine[:3, 2], affine[:3, 3] = self.axes @ self.step_mm, self.axes @ self.places_mm[0]
        return affine


def stack(frames: Sequence[Frame]) -> Stack:
    """Put slices in order.

    Raises
    ------
    InputRefused : fewer than two slices, or slices that do not say where they lie, or of several sizes, spacings or orientations;
        the slices are named
    """
    if len(frames) < 2:
        raise InputRefused(f"{frames[0].name if frames else 'the series'} is one slice, no volume", "name the folder that holds all slices")
    _refuse_silent(frames)
    _refuse_sizes(frames)
    spacing = _common_spacing(frames)
    axes = _common_axes(frames)
    places = np.array([f.position_mm for f in frames], dtype=np.float64) @ axes
    if not np.abs(places).max() < 1e6:
        raise InputRefused("the slices lie more than a kilometre away", _EXPORT_AGAIN)
    order = np.lexsort((places[:, 1], places[:, 0], places[:, 2]))
    ordered, places = tuple(frames[i] for i in order), places[order]
    return Stack(ordered, axes, (spacing[1], spacing[0]), places, _faults(ordered, places))


def several(names: Sequence[str]) -> str:
    """`a, b, c and 12 more`."""
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _at(frame: Frame) -> str:
    where = frame.position_mm or ()
    return f"{frame.name} at ({', '.join(f'{x:.6g}' for x in where)}) mm"


def _refuse_silent(frames: Sequence[Frame]) -> None:
    for what, missing in (
        ("position (ImagePositionPatient)", [f.name for f in frames if f.position_mm is None]),
        ("orientation (ImageOrientationPatient)", [f.name for f in frames if f.orientation is None]),
        ("pixel spacing (PixelSpacing)", [f.name for f in frames if f.spacing_mm is None]),
    ):
        if missing:
            raise InputRefused(f"no {what} in {several(missing)}", f"nothing is guessed: {_EXPORT_AGAIN}")


def _refuse_sizes(frames: Sequence[Frame]) -> None:
    _one_kind(frames, [f"{f.layout.columns} x {f.layout.rows} pixels" for f in frames], "sizes")


def _one_kind(frames: Sequence[Frame], kinds: Sequence[str], what: str) -> None:
    """All alike, or a refusal that names the fewer ones."""
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    if len(counts) == 1:
        return
    usual = max(counts, key=lambda kind: counts[kind])
    odd = [f"{f.name} ({kind})" for f, kind in zip(frames, kinds, strict=True) if kind != usual]
    raise InputRefused(f"slices of several {what}: {counts[usual]} have {usual}, but not {several(odd)}", "keep only the slices of one volume")


def _common_spacing(frames: Sequence[Frame]) -> tuple[float, float]:
    """Between rows, between columns. No edge of a slice may move by more than the tolerance."""
    spacings = np.array([f.spacing_mm for f in frames], dtype=np.float64)
    for frame, spacing in zip(frames, spacings, strict=True):
        if spacing.min() < 1e-3 or spacing.max() > 100:
            raise InputRefused(f"{frame.name} claims pixels of {spacing[0]:g} x {spacing[1]:g} mm", _EXPORT_AGAIN)
    usual = np.median(spacings, axis=0)
    moved = np.abs(spacings - usual) @ np.array([frames[0].layout.rows, frames[0].layout.columns])
    odd = [f"{frames[i].name} ({spacings[i, 0]:g} x {spacings[i, 1]:g} mm)" for i in np.flatnonzero(moved > TOLERANCE_MM).tolist()]
    if odd:
        raise InputRefused(f"slices of several pixel spacings: most have {usual[0]:g} x {usual[1]:g} mm, but not {several(odd)}",
                           "keep only the slices of one volume")  # fmt: skip
    return float(usual[0]), float(usual[1])


def _common_axes(frames: Sequence[Frame]) -> Array:
    cosines = np.array([f.orientation for f in frames], dtype=np.float64).reshape(-1, 2, 3)
    off = np.maximum(np.abs(np.linalg.norm(cosines, axis=2) - 1).max(axis=1), np.abs((cosines[:, 0] * cosines[:, 1]).sum(axis=1)))
    broken = [f.name for f, bad in zip(frames, off > _COSINE_TOLERANCE, strict=True) if bad]
    if broken:
        raise InputRefused(f"rows and columns are not square unit directions in {several(broken)}", _EXPORT_AGAIN)
    usual = np.median(cosines, axis=0)
    layout, spacing = frames[0].layout, frames[0].spacing_mm or (1.0, 1.0)
    reach = max(layout.rows * spacing[0], layout.columns * spacing[1]) / 2
    # Where orientations are mixed evenly the median is none of them: then every slice is at odds with the first one's.
    for reference in (usual, cosines[0]):
        moved = np.linalg.norm(cosines - reference, axis=2).max(axis=1) * reach
        if (moved <= TOLERANCE_MM).any():
            break
    odd = [f"{frames[i].name} ({', '.join(f'{x:.5g}' for x in cosines[i].ravel())})" for i in np.flatnonzero(moved > TOLERANCE_MM).tolist()]
    if odd:
        raise InputRefused(f"slices of several orientations: most have ({', '.join(f'{x:.5g}' for x in reference.ravel())}), but not {several(odd)}",
                           "keep only the slices of one volume")  # fmt: skip
    along_i = reference[0] / np.linalg.norm(reference[0])
    along_j = reference[1] - along_i * (along_i @ reference[1])
    along_j /= np.linalg.norm(along_j)
    return np.column_stack((along_i, along_j, np.cross(along_i, along_j)))


def _faults(frames: tuple[Frame, ...], places: Array) -> tuple[Fault, ...]:
    """In the order of gravity."""
    gaps = np.diff(places[:, 2])
    usual = _usual_gap(gaps)
    same = np.flatnonzero(gaps <= max(1e-3, min(TOLERANCE_MM, _SHARE * usual)))
    found = [_same_place(frames, same)] if len(same) else []
    holes = np.flatnonzero(gaps > _HOLE * usual) if usual else np.array([], dtype=np.intp)
    if len(holes):
        found.append(_missing(frames, gaps, holes, usual))
    if found:
        return tuple(found)
    step = (places[-1] - places[0]) / (len(places) - 1)
    aside = float(np.hypot(step[0], step[1]))
    if aside > SHEAR_TOLERANCE * float(np.linalg.norm(step)):
        found.append(_tilted(step))
    line = places[0] + np.arange(len(places))[:, None] * step
    off = np.linalg.norm(places - line, axis=1)
    odd = np.flatnonzero(off > min(TOLERANCE_MM, _SHARE * usual))
    if len(odd):
        found.append(_uneven(frames, gaps, places - line, odd))
    return tuple(found)


def _usual_gap(gaps: Array) -> float:
    """The lower quartile of the gaps: where some are twice as wide as others, the wide ones are the holes. 0 where all is at one place."""
    apart = np.sort(gaps[gaps > 1e-3])
    if not len(apart):
        return 0.0
    apart = apart[apart > _SHARE * apart[len(apart) // 2]]
    return float(apart[len(apart) // 4])


def _same_place(frames: tuple[Frame, ...], same: npt.NDArray[np.intp]) -> Fault:
    pairs = tuple((int(i), int(i) + 1) for i in same)
    named = [f"{frames[a].name} and {_at(frames[b])}" for a, b in pairs]
    return Fault("same place", f"{len(pairs)} slices lie where another one lies: {several(named)}", "keep one slice of each place", pairs)


def _missing(frames: tuple[Frame, ...], gaps: Array, holes: npt.NDArray[np.intp], usual: float) -> Fault:
    named = [f"between {_at(frames[i])} and {_at(frames[i + 1])} ({gaps[i]:.4g} mm)" for i in holes]
    return Fault("missing", f"slices are missing: they lie {usual:.4g} mm apart, but {several(named)} there is a hole",
                 "export the whole series again: what was not scanned is never made up, --resample or not")  # fmt: skip


def _tilted(step: Array) -> Fault:
    aside = float(np.hypot(step[0], step[1]))
    angle = float(np.degrees(np.arctan2(aside, step[2])))
    return Fault("tilted", f"the gantry was tilted: each slice lies {aside:.4g} mm aside of the last, {angle:.2f} degrees off the normal",
                 "pass --resample to put it onto a square grid")  # fmt: skip


def _uneven(frames: tuple[Frame, ...], gaps: Array, off: Array, odd: npt.NDArray[np.intp]) -> Fault:
    named = [f"{_at(frames[i])} (off by {np.linalg.norm(off[i]):.3g} mm)" for i in odd]
    return Fault("uneven", f"the slices are unevenly spaced ({gaps.min():.4g} to {gaps.max():.4g} mm): {several(named)}",
                 "pass --resample to put them onto an even grid")  # fmt: skip
