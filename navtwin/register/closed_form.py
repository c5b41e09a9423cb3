"""The rigid motion that best takes one set of points to another, in closed form."""

from __future__ import annotations

import numpy as np

from navtwin.register.model import Array
from navtwin.rigid import Rigid


def fit_rotation(ct_mm: Array, ref_mm: Array, *, mirrored: bool = False) -> tuple[Array, Array]:
    """Least-squares rotation and translation with ct ~ R ref + t.

    Arun, Huang and Blostein, IEEE PAMI 1987;9:698, with the determinant's sign fixed as by Umeyama, IEEE PAMI 1991;13:376, so that noise
    never yields a reflection. `mirrored` fits a reflection on purpose, to find out whether one explains the data.

    Parameters
    ----------
    ct_mm, ref_mm : (N, 3) matching points, N >= 3, not collinear

    Returns
    -------
    (3, 3) and (3,).
    """
    ct_mean, ref_mean = ct_mm.mean(axis=0), ref_mm.mean(axis=0)
    u, _, vt = np.linalg.svd((ref_mm - ref_mean).T @ (ct_mm - ct_mean))
    handedness = np.sign(np.linalg.det(u) * np.linalg.det(vt)) * (-1.0 if mirrored else 1.0)
    rotation = vt.T @ np.diag((1.0, 1.0, handedness)) @ u.T
    return rotation, ct_mean - rotation @ ref_mean


def residual_mm(ct_mm: Array, ref_mm: Array, rotation: Array, t_mm: Array) -> Array:
    """(N, 3) ct position less the moved ref position."""
    return np.asarray(ct_mm - (ref_mm @ rotation.T + t_mm))


def fre_mm(residuals_mm: Array) -> float:
    """RMS length of (N, 3) residuals."""
    return float(np.sqrt(np.square(residuals_mm).sum(axis=1).mean()))


def as_rigid(rotation: Array, t_mm: Array) -> Rigid:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, t_mm
    return Rigid.from_matrix(matrix, target="ct", source="ref")
