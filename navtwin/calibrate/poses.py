"""Arrays of rigid poses: the check at the door, and rotations as vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]

#: How far R'R may be from the identity: streams that pass through float32 stay below it.
ORTHONORMAL_TOLERANCE = 1e-4


def checked_poses(poses: npt.ArrayLike, what: str, least: int, remedy: str) -> tuple[Array, Array]:
    """(N, 3, 3) rotations and (N, 3) translations, mm, of an (N, 4, 4) array of rigid poses.

    Parameters
    ----------
    what : names the calibration in messages
    least : fewest poses that leave anything to compute; `remedy` says what to do about fewer

    Raises
    ------
    InputRefused : another shape, too few, NaN, a matrix that is not rigid or is left-handed
    """
    try:
        m = np.asarray(poses, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputRefused(f"the poses for the {what} are not numbers", "pass an (N, 4, 4) array of rigid matrices") from error
    if m.ndim != 3 or m.shape[1:] != (4, 4):
        raise InputRefused(f"the poses for the {what} have shape {m.shape}", "pass an (N, 4, 4) array of rigid matrices")
    if len(m) < least:
        raise InputRefused(f"{len(m)} pose(s) are too few for the {what}", remedy)
    bad = np.flatnonzero(~np.isfinite(m).all(axis=(1, 2)))
    if len(bad):
        raise InputRefused(f"pose {bad[0]} of the {what} holds NaN or infinite values", "leave out poses in which the body is hidden")
    r = m[:, :3, :3]
    skew = np.abs(r.transpose(0, 2, 1) @ r - np.eye(3)).max(axis=(1, 2))
    last = np.abs(m[:, 3] - (0.0, 0.0, 0.0, 1.0)).max(axis=1)
    fault = np.maximum(skew, last)
    bad = np.flatnonzero(fault > ORTHONORMAL_TOLERANCE)
    if len(bad):
        raise InputRefused(f"pose {bad[0]} of the {what} is not rigid (by {fault[bad[0]]:.2g})", "remove scale and shear")
    bad = np.flatnonzero(np.linalg.det(r) < 0.0)
    if len(bad):
        raise InputRefused(f"pose {bad[0]} of the {what} is left-handed (a mirror)", "check the axes of where the poses come from")
    return r, m[:, :3, 3]


def cross_matrices(vectors: Array) -> Array:
    """(N, 3, 3) with [v]x w = v x w."""
    x, y, z = np.moveaxis(np.asarray(vectors, dtype=np.float64), -1, 0)
    o = np.zeros_like(x)
    return np.stack([np.stack([o, -z, y], -1), np.stack([z, o, -x], -1), np.stack([-y, x, o], -1)], -2)


def rotations_about(vectors_rad: Array) -> Array:
    """(N, 3, 3) rotations of (N, 3) rotation vectors (Rodrigues); one (3,) vector gives one (3, 3)."""
    vectors = np.asarray(vectors_rad, dtype=np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    k = cross_matrices(vectors)
    return np.asarray(np.eye(3) + np.sinc(angle / np.pi) * k + 0.5 * np.sinc(angle / (2.0 * np.pi)) ** 2 * (k @ k))


def vectors_of(rotations: Array) -> Array:
    """(N, 3) rotation vectors, rad, of (N, 3, 3) rotations, each of length 0 to pi."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(rotations).as_rotvec())


def nearest_rotation(matrix: Array) -> Array:
    """(3, 3) the rotation nearest to a matrix (Kabsch, Acta Cryst. 1976;A32:922)."""
    u, _, vt = np.linalg.svd(matrix)
    return np.asarray(u @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))]) @ vt)


def axis_words(axis: Array) -> str:
    """A direction as (x, y, z), its largest component positive: an axis has no sign."""
    sign = 1.0 if axis[np.abs(axis).argmax()] >= 0.0 else -1.0
    return "(" + ", ".join(f"{round(sign * v, 2) + 0.0:.2f}" for v in axis) + ")"
