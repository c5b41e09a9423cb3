"""Which way the axes of a file's world point. A file that does not say is refused, with the flag to pass."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from navtwin.errors import InputRefused, nearest
from navtwin.volumes.volume import LPS_FROM_RAS, Affine

_LPS_FROM_LAS: Final = np.diag((1.0, -1.0, 1.0, 1.0))
#: T_ct_from_world of each system of axes.
TO_LPS: Final[dict[str, Affine]] = {"LPS": np.eye(4), "RAS": LPS_FROM_RAS, "LAS": _LPS_FROM_LAS}
#: Positive and negative end of the x, y and z axis of ct.
_ENDS: Final = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))


def lps_from(stated: str | None, space: str | None, path: Path) -> tuple[Affine, str]:
    """T_ct_from_world, and which axes the world has.

    Parameters
    ----------
    stated : LPS, RAS or LAS, None where the file does not say
    space : what the user says they are

    Raises
    ------
    InputRefused : neither says it, or they contradict each other
    """
    if space is not None and space not in ("LPS", "RAS"):
        raise InputRefused(f"--space {space} is not known", nearest(space, ("LPS", "RAS")))
    if stated is not None and space is not None and stated != space:
        raise InputRefused(f"{path} says that its axes are {stated}, --space says {space}", "leave out --space: the file says it")
    axes = stated or space
    if axes is None:
        raise InputRefused(f"{path} does not say whether its axes are LPS or RAS", "pass --space LPS or --space RAS")
    return TO_LPS[axes], axes


def directions(T_ct_from_ijk: Affine) -> str:
    """Where the voxel axes run, in words: `i to right, j to posterior, k to superior`, and how far they are off the patient's axes."""
    axes = T_ct_from_ijk[:3, :3] / np.linalg.norm(T_ct_from_ijk[:3, :3], axis=0)
    words, off = [], 0.0
    for name, axis in zip("ijk", axes.T, strict=True):
        main = int(np.abs(axis).argmax())
        words.append(f"{name} to {_ENDS[main][int(axis[main] < 0.0)]}")
        off = max(off, float(np.degrees(np.arccos(min(1.0, abs(axis[main]))))))
    return ", ".join(words) + (f"; turned by up to {off:.1f} deg" if off >= 0.05 else "")


def handedness(T_ct_from_ijk: Affine) -> str:
    """Whether the voxel axes (i, j, k) are right- or left-handed."""
    return "right-handed" if np.linalg.det(T_ct_from_ijk[:3, :3]) > 0.0 else "left-handed"
