"""Rigid motions sampled many times over, as arrays: what the script computes with before single poses go out as nouns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantoms.shapes import Array


@dataclass(frozen=True)
class Poses:
    """A rigid motion sampled N times: rotation (N, 3, 3) and translation (N, 3), mm."""

    rotation: Array
    t_mm: Array

    def __len__(self) -> int:
        return len(self.t_mm)

    def then(self, inner: Poses) -> Poses:
        """The product `self @ inner`, sample by sample."""
        return Poses(np.matmul(self.rotation, inner.rotation), self.points(inner.t_mm))

    def inverse(self) -> Poses:
        transposed = np.swapaxes(self.rotation, 1, 2)
        return Poses(transposed, -np.einsum("nij,nj->ni", transposed, self.t_mm))

    def points(self, p_mm: npt.ArrayLike) -> Array:
        """One point (3,), or one for each sample (N, 3), moved into the target frame: (N, 3)."""
        return np.asarray(np.einsum("nij,nj->ni", self.rotation, np.broadcast_to(p_mm, (len(self), 3))) + self.t_mm)


def rotations(q_wxyz: Array) -> Array:
    """Rotation matrices (N, 3, 3) of unit quaternions (N, 4), scalar first."""
    w, x, y, z = q_wxyz.T
    rows = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def turns(rotation_vectors_rad: Array) -> Array:
    """Rotation matrices (N, 3, 3) of rotation vectors (N, 3)."""
    angle = np.sqrt((rotation_vectors_rad**2).sum(axis=1))
    half = np.sinc(angle / (2.0 * np.pi)) / 2.0
    return rotations(np.concatenate([np.cos(angle / 2.0)[:, None], half[:, None] * rotation_vectors_rad], axis=1))


def quaternions(rotation: Array) -> Array:
    """Unit quaternions (N, 4), scalar first and not negative, of rotation matrices (N, 3, 3) (Shepperd: the largest component is found first)."""
    m = rotation
    trace = np.trace(m, axis1=1, axis2=2)
    square = 1.0 + np.stack([trace, *(2.0 * m[:, i, i] - trace for i in range(3))], axis=1)
    k = np.argmax(square, axis=1)
    a, b, c = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    d, e, f = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    products = np.stack([square[:, 0], a, b, c, a, square[:, 1], d, e, b, d, square[:, 2], f, c, e, f, square[:, 3]], axis=1).reshape(-1, 4, 4)
    q = products[np.arange(len(m)), k]
    q *= np.where(q[:, :1] < 0.0, -1.0, 1.0)
    return np.asarray(q / np.sqrt((q**2).sum(axis=1, keepdims=True)))
