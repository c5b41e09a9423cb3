"""Small volumes at any place in space, and strategies that make them: what the tests of this room start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from navtwin.volumes.volume import Volume, placed

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
KINDS = ("i1", "u1", "i2", "u2", "i4", "f4")


def rotation(axis: npt.ArrayLike, angle_rad: float) -> npt.NDArray[np.float64]:
    """(3, 3) by Rodrigues' formula."""
    x, y, z = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    K = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle_rad) * K + (1.0 - np.cos(angle_rad)) * K @ K


def oblique(sides: tuple[float, float, float] = (0.5, 0.75, 2.0), left_handed: bool = False) -> npt.NDArray[np.float64]:
    """T_ct_from_ijk, turned about a skew axis."""
    T = np.eye(4)
    T[:3, :3] = rotation((1.0, -2.0, 0.5), 0.4) * sides * (1.0, 1.0, -1.0 if left_handed else 1.0)
    T[:3, 3] = (-120.25, 33.5, 801.125)
    return T


def volume(T_ct_from_ijk: npt.NDArray[np.float64] | None = None, shape: tuple[int, int, int] = (5, 6, 7), kind: str = "i2") -> Volume:
    """(nk, nj, ni) values, each different from its neighbours, some of them negative where the type allows it."""
    values = (np.arange(np.prod(shape)).reshape(shape) * 7 % 251 - (0 if kind.startswith("u") else 100)).astype(kind)
    return placed(values, oblique() if T_ct_from_ijk is None else T_ct_from_ijk, Path("made-up"))


@st.composite
def affines(draw: Callable[..., Any]) -> npt.NDArray[np.float64]:
    """Any place and handedness, half turns and what is near them included; nothing sheared."""
    number = st.floats(-1.0, 1.0).map(lambda v: v if abs(v) > 1e-3 else 0.5)
    axis = draw(st.one_of(st.sampled_from([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]), st.tuples(number, number, number)))
    angle = draw(st.one_of(st.sampled_from([0.0, np.pi / 2, np.pi, np.pi - 1e-5, np.pi - 3e-4]), st.floats(-np.pi, np.pi)))
    T = np.eye(4)
    sides = draw(st.tuples(*[st.floats(0.6, 5.0)] * 3))
    T[:3, :3] = rotation(axis, angle) * sides * (1.0, 1.0, draw(st.sampled_from([1.0, -1.0])))
    T[:3, 3] = draw(st.tuples(*[st.floats(-2000.0, 2000.0)] * 3))
    return T


@st.composite
def volumes(draw: Callable[..., Any]) -> Volume:
    """Any bits that a type of voxels can hold and that are finite."""
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    shape = draw(st.tuples(*[st.integers(5, 7)] * 3))
    raw = np.random.default_rng(draw(st.integers(0, 2**32))).bytes(int(np.prod(shape)) * kind.itemsize)
    values = np.frombuffer(raw, kind).reshape(shape).copy()
    if kind.kind == "f":
        values[~np.isfinite(values)] = -0.0
    return placed(values, draw(affines()), Path("made-up"))


def corners_apart_mm(one: Volume, other: Volume) -> float:
    nk, nj, ni = one.hu.shape
    corners = np.array([(i, j, k, 1.0) for i in (0, ni) for j in (0, nj) for k in (0, nk)])
    return float(np.linalg.norm(corners @ (one.T_ct_from_ijk - other.T_ct_from_ijk).T, axis=1).max())
