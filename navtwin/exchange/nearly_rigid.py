"""Matrices from files that should be rigid: those printed short are mended, others refused, saying how far they are off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.rigid import ORTHONORMAL_TOLERANCE, PRINTED_TOLERANCE, Rigid


def nearly_rigid(matrix: npt.ArrayLike, *, target: str, source: str, where: str) -> tuple[Rigid, str]:
    """A (4, 4) matrix as a rigid transform, and a sentence if its rotation had to be taken to the nearest one.

    Parameters
    ----------
    where : begins the refusal: file and name of the transform

    Raises
    ------
    InputRefused : not finite, scale, shear or a mirror; the message says how much
    """
    m = np.asarray(matrix, dtype=np.float64)
    r = m[:3, :3]
    with np.errstate(all="ignore"):
        gram = r.T @ r
    if not (np.isfinite(m).all() and np.isfinite(gram).all()):
        raise InputRefused(f"{where}: the matrix holds numbers that are not finite or too large", "write it again")
    if np.abs(m[3] - (0.0, 0.0, 0.0, 1.0)).max() > ORTHONORMAL_TOLERANCE:
        raise InputRefused(f"{where}: the matrix's last row is {m[3].tolist()}", "the last row of a rigid transform is 0 0 0 1")
    error = float(np.abs(gram - np.eye(3)).max())
    if error > PRINTED_TOLERANCE:
        raise InputRefused(f"{where} is not rigid: {_how_far(gram)}", "remove scale and shear before it is written")
    if np.linalg.det(r) < 0.0:
        raise InputRefused(f"{where} is a mirror (left-handed)", "check the axes (RAS or LPS) of where it comes from")
    if error <= ORTHONORMAL_TOLERANCE:
        return Rigid.from_matrix(m, target=target, source=source), ""
    u, _, vt = np.linalg.svd(r)
    mended = m.copy()
    mended[:3, :3], mended[3] = u @ vt, (0.0, 0.0, 0.0, 1.0)
    return Rigid.from_matrix(
        mended, target=target, source=source
    ), f"The rotation was printed short (off by {error:.1g}) and was taken to the nearest one."


def _how_far(gram: npt.NDArray[np.float64]) -> str:
    """Scale along each axis, and the largest angle between two axes that should be 90 degrees."""
    scales = np.sqrt(np.diag(gram))
    lengths = np.outer(scales, scales)
    cosines = [float(gram[i, k] / lengths[i, k]) if lengths[i, k] > 0.0 else 0.0 for i, k in ((0, 1), (0, 2), (1, 2))]
    skew = max(abs(90.0 - float(np.degrees(np.arccos(np.clip(c, -1.0, 1.0))))) for c in cosines)
    return f"it scales its axes by {scales[0]:.6g}, {scales[1]:.6g}, {scales[2]:.6g} and leans them by {skew:.3g} degrees"
