"""What the header of a volume file states, in our terms: how its voxels are stored, what their values mean and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from navtwin.volumes.storage import Storage, read_stored, refuse_claims
from navtwin.volumes.volume import Affine, Sides, Volume, VolumeBox, placed, placement, volume_box

#: Millimetres in one unit of length, by the word for it that `--unit` takes.
UNITS: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001}
UNIT_ASSUMED: Final = "It does not say the unit of its lengths; mm is assumed, and its size agrees."
#: The longest side of a volume of a patient, mm: a tooth has more than the one, a whole body less than the other.
SMALLEST_MM, LARGEST_MM = 3.0, 3000.0


@dataclass(frozen=True)
class Layout:
    """A volume file's header.

    Attributes
    ----------
    path : the file that was named
    format : "NIfTI-1" ...
    storage : its voxels, along (i, j, k)
    T_ct_from_ijk : (4, 4) affine from voxel indices to ct (LPS, mm)
    spacing_mm : voxel sides along (i, j, k)
    stated : (what, how the file states it) of axes, units and what else is worth knowing
    doubts : whole sentences on what is missing, assumed or suspicious
    """

    path: Path
    format: str
    storage: Storage
    T_ct_from_ijk: Affine
    spacing_mm: Sides
    stated: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]

    @property
    def shape_ijk(self) -> tuple[int, int, int]:
        ni, nj, nk = self.storage.shape
        return (ni, nj, nk)

    @property
    def box(self) -> VolumeBox:
        """Where in ct something is known."""
        return volume_box(self.T_ct_from_ijk, self.shape_ijk)


def layout(
    path: Path, format: str, storage: Storage, T_ct_from_ijk: Affine, mm: float, stated: Sequence[tuple[str, str]], doubts: Sequence[str]
) -> Layout:  # fmt: skip
    """A layout whose claims have been checked; `mm` millimetres were taken for one unit of the file's lengths.

    Raises
    ------
    InputRefused : more voxels than the file can hold; an affine that is not finite, singular or sheared; a size that no patient has;
        a scale of values that is not finite
    """
    refuse_claims(storage)
    spacing_mm = placement(T_ct_from_ijk, path)
    refuse_size(spacing_mm, storage.shape, mm, path)
    T_ct_from_ijk.flags.writeable = False
    return Layout(path, format, storage, T_ct_from_ijk, spacing_mm, tuple(stated), tuple(doubts))


def three_axes(shape: Sequence[int], path: Path) -> tuple[int, int, int]:
    """The number of voxels along (i, j, k), where axes with a single sample behind the third are left out.

    Raises
    ------
    InputRefused : other than three axes of two voxels or more
    """
    counts = list(shape)
    while len(counts) > 3 and counts[-1] == 1:
        counts.pop()
    if len(counts) != 3 or min(counts) < 2:
        raise InputRefused(f"{path} has {' x '.join(map(str, shape))} voxels", "pass one volume with three axes of two voxels or more")
    return (counts[0], counts[1], counts[2])


def mm_per_unit(stated: str | None, unit: str | None, path: Path) -> float:
    """Millimetres in the unit of a file's lengths.

    Parameters
    ----------
    stated : the unit that the file states, None if it states none: that counts as mm, which the size must bear out
    unit : what the user says it is; it outdoes the file

    Raises
    ------
    InputRefused : a file that states another unit than mm, without `unit`; a unit that is not known
    """
    if unit is not None:
        if unit not in UNITS:
            raise InputRefused(f"--unit {unit} is not known", nearest(unit, UNITS))
        return UNITS[unit]
    if stated not in (None, "mm"):
        known = f"pass --unit {stated} if that is so, --unit mm if its numbers are mm all the same"
        raise InputRefused(f"{path} is not in millimetres but says {stated}", known if stated in UNITS else "export it again in mm")
    return 1.0


def unit_words(stated: str | None, unit: str | None) -> tuple[str, str]:
    """What the file states of its unit, as a fact."""
    return ("unit", f"{stated or 'not stated'}{f', taken as {unit}' if unit else ''}")


def refuse_size(spacing_mm: Sides, shape: Sequence[int], mm: float, path: Path) -> None:
    """Refuse a volume of a size that no patient has, naming the unit in which it would have one; its lengths were taken as `mm` millimetres each."""
    longest = max(side * count for side, count in zip(spacing_mm, shape, strict=True))
    if not SMALLEST_MM <= longest <= LARGEST_MM:
        fits = next((unit for unit in ("mm", "m", "um") if 20.0 <= longest * (UNITS[unit] / mm) <= 2000.0), None)
        remedy = f"pass --unit {fits} if its numbers are in {fits}, whatever its header says" if fits else "export it again with its voxel sizes"
        raise InputRefused(f"{path} would be {longest:.3g} mm long, which no patient's scan is", remedy)


def read_values(header: Layout) -> Volume:
    """The voxels with their values; whole numbers are kept as such, and stay exact.

    Raises
    ------
    InputRefused : as `read_stored`
    """
    return placed(scaled(read_stored(header.storage), header.storage.slope, header.storage.intercept), header.T_ct_from_ijk, header.path)


def scaled(stored: npt.NDArray[Any], slope: float, intercept: float) -> npt.NDArray[Any]:
    """stored x slope + intercept, computed in double precision: whole numbers where all are and 32 bits hold them, else float32."""
    if slope == 1.0 and intercept == 0.0:
        return stored
    ends = np.array([stored.min(), stored.max()], dtype=np.float64) * slope + intercept
    for kind in (np.int16, np.int32):
        limits = np.iinfo(kind)
        if limits.min <= ends.min() and ends.max() <= limits.max:
            whole = np.empty(stored.shape, dtype=kind)
            if all(_put(plane, slope, intercept, into) for plane, into in zip(stored, whole, strict=True)):
                return whole
            break
    values = np.empty(stored.shape, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for plane, into in zip(stored, values, strict=True):
            into[...] = plane.astype(np.float64) * slope + intercept
    return values


def _put(plane: npt.NDArray[Any], slope: float, intercept: float, into: npt.NDArray[Any]) -> bool:
    """Put the scaled values of a plane where they belong, if all of them are whole numbers."""
    exact = plane.astype(np.float64) * slope + intercept
    if not (exact == np.rint(exact)).all():
        return False
    into[...] = exact
    return True
