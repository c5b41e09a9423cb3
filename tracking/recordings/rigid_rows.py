"""Many recorded 4 x 4 matrices at once: which of them are rigid, and the poses they state."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.rigid import ORTHONORMAL_TOLERANCE, PRINTED_TOLERANCE, REACH_MM

Floats = npt.NDArray[np.float64]

#: Rotations printed with all their digits are taken as they are.
_EXACT: Final = 1e-12
#: Why a pose is refused, by number; 0 is not refused.
REFUSALS: Final = (
    "",
    "its transform is not 16 finite numbers",
    "its position is out of any tracker's reach",
    "its transform has another last row than 0 0 0 1",
    "its rotation is not orthonormal",
    "its rotation is left-handed (a mirror)",
    "its quaternion is not of length 1",
)
NOT_NUMBERS, _FAR, _LAST_ROW, _SHEARED, _MIRROR, _NO_UNIT = range(1, len(REFUSALS))


class Rows(NamedTuple):
    """Poses, a row each: unit quaternions (n, 4), scalar first and not negative; positions (n, 3), mm; `refused` (n,), index into REFUSALS."""

    q_wxyz: Floats
    t_mm: Floats
    refused: npt.NDArray[np.uint8]


def from_matrices(matrices: Floats) -> Rows:
    """Poses of (n, 4, 4) matrices `p_to = M p_from`, mm. Where one is refused, its row is the identity."""
    count = len(matrices)
    refused = np.zeros(count, dtype=np.uint8)
    matrices = _dismiss(matrices, refused, ~np.isfinite(matrices).all(axis=(1, 2)), NOT_NUMBERS)
    matrices = _dismiss(matrices, refused, np.abs(matrices).max(axis=(1, 2), initial=0.0) > REACH_MM, _FAR)
    last_row = np.abs(matrices[:, 3] - (0.0, 0.0, 0.0, 1.0)).max(axis=1, initial=0.0)
    matrices = _dismiss(matrices, refused, last_row > ORTHONORMAL_TOLERANCE, _LAST_ROW)
    rotations = matrices[:, :3, :3]
    deviation = np.abs(rotations.swapaxes(1, 2) @ rotations - np.eye(3)).max(axis=(1, 2), initial=0.0)
    matrices = _dismiss(matrices, refused, deviation > PRINTED_TOLERANCE, _SHEARED)
    matrices = _dismiss(matrices, refused, _determinant(matrices[:, :3, :3]) < 0.0, _MIRROR)
    rotations = matrices[:, :3, :3].copy()
    rounded = (deviation > _EXACT) & (refused == 0)
    rotations[rounded] = nearest_rotations(rotations[rounded])
    return Rows(quaternions(rotations), matrices[:, :3, 3].copy(), refused)


def from_quaternions(q_wxyz: Floats, t_mm: Floats) -> Rows:
    """Poses of (n, 4) quaternions, scalar first, and (n, 3) positions, mm. Printed quaternions are brought to length 1."""
    refused = np.zeros(len(q_wxyz), dtype=np.uint8)
    both = np.concatenate((q_wxyz, t_mm), axis=1)
    refused[~np.isfinite(both).all(axis=1)] = NOT_NUMBERS
    both[refused > 0] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    refused[np.abs(both).max(axis=1, initial=0.0) > REACH_MM] = _FAR
    both[refused > 0] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    norm2 = (both[:, :4] ** 2).sum(axis=1)
    refused[np.abs(norm2 - 1.0) > PRINTED_TOLERANCE] = _NO_UNIT
    both[refused > 0] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    # Those with all their digits stay as they are, to the last bit.
    rounded = (np.abs(norm2 - 1.0) > _EXACT) & (refused == 0)
    both[rounded, :4] /= np.sqrt(norm2[rounded])[:, None]
    return Rows(both[:, :4].copy(), both[:, 4:].copy(), refused)


def from_angles(angles_rad: Floats, t_mm: Floats) -> Rows:
    """Poses of (n, 3) angles about the fixed axes x, then y, then z (R = Rz Ry Rx), and (n, 3) positions, mm."""
    angles_rad = np.where(np.isfinite(angles_rad), angles_rad, np.nan)
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles_rad).T, np.sin(angles_rad).T
    matrices = np.tile(np.eye(4), (len(t_mm), 1, 1))
    rows = (
        (cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx),
        (sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx),
        (-sy, cy * sx, cy * cx),
    )
    matrices[:, :3, :3], matrices[:, :3, 3] = np.array(rows).transpose(2, 0, 1), t_mm
    return from_matrices(matrices)


def _dismiss(matrices: Floats, refused: npt.NDArray[np.uint8], bad: Any, why: int) -> Floats:
    """Note why rows are refused, and put the identity in their place so that the checks that follow have sound numbers."""
    if not bad.any():
        return matrices
    refused[bad & (refused == 0)] = why
    return np.where(bad[:, None, None], np.eye(4), matrices)


def nearest_rotations(rotations: Floats) -> Floats:
    """The rotation nearest to each of (n, 3, 3) near-rotations (Frobenius norm): Newton's iteration for the polar factor, which doubles the
    number of right digits each time (Higham, Functions of Matrices, section 8.3).
    """
    for _ in range(3):
        cofactors = np.cross(rotations[:, [1, 2, 0]], rotations[:, [2, 0, 1]])
        rotations = 0.5 * (rotations + cofactors / _determinant(rotations)[:, None, None])
    return rotations


def _determinant(rotations: Floats) -> Floats:
    determinant: Floats = (rotations[:, 0] * np.cross(rotations[:, 1], rotations[:, 2])).sum(axis=1)
    return determinant


def quaternions(rotations: Floats) -> Floats:
    """(n, 4) quaternions of (n, 3, 3) rotations, with the same bits as `navtwin.rigid.Rigid.q_wxyz` gives."""
    (a, b, c), (d, e, f), (g, h, i) = rotations.transpose(1, 2, 0)
    squares = np.stack((1.0 + a + e + i, 1.0 + a - e - i, 1.0 - a + e - i, 1.0 - a - e + i))
    largest = squares.argmax(axis=0)
    s = np.sqrt(np.take_along_axis(squares, largest[None], axis=0)[0])
    wx, wy, wz, xy, xz, yz = ((one / s) for one in (h - f, c - g, d - b, b + d, c + g, f + h))
    options = np.array(((s, wx, wy, wz), (wx, s, xy, xz), (wy, xy, s, yz), (wz, xz, yz, s)))
    q = options[largest, :, np.arange(len(s))]
    return np.where(q[:, :1] >= 0.0, 0.5, -0.5) * q
