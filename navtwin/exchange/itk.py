"""ITK's linear transforms: from parameters to a matrix. LPS, mm, in the direction that images are resampled in (FromParent).

Formulas: the ITK Software Guide and the classes' own documentation; `y = A (x - c) + c + t` with the centre c in the fixed parameters. Of a composite
the transform that was added last acts first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.exchange.nearly_rigid import nearly_rigid
from navtwin.rigid import Rigid

Array = npt.NDArray[np.float64]
COMPOSITE: Final = "CompositeTransform"
#: More parts than that no tool has.
MOST_PARTS: Final = 16
_TYPE: Final = re.compile(r"(\w+?)_(double|float)_(\d+)_(\d+)")


@dataclass(frozen=True)
class ItkTransform:
    """One transform as it stands in the file; `kind` without precision and dimensions."""

    kind: str
    parameters: tuple[float, ...] = ()
    fixed: tuple[float, ...] = ()


def kind_of(path: Path, word: str) -> str:
    """`AffineTransform` of `AffineTransform_double_3_3`; refused unless it maps 3-D to 3-D."""
    found = _TYPE.fullmatch(word.strip())
    if found is None or (found[3], found[4]) != ("3", "3"):
        raise InputRefused(f"{path} holds a '{word.strip()[:60]}'", "only transforms from 3-D to 3-D can be read")
    return found[1]


def _matrix_offset(p: Array, c: Array) -> Array:
    return _about(p[:9].reshape(3, 3), c, p[9:])


def _euler(p: Array, fixed: Array) -> Array:
    (cx, cy, cz), (sx, sy, sz) = np.cos(p[:3]), np.sin(p[:3])
    x = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    z = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    # The fourth fixed parameter is ComputeZYX; without it the order is ZXY.
    zyx = fixed.size == 4 and fixed[3] != 0.0
    return _about(z @ y @ x if zyx else z @ x @ y, fixed[:3], p[3:])


def _versor(p: Array, c: Array) -> Array:
    """The vector part of a unit quaternion; its scalar part is never negative."""
    square = float(p[:3] @ p[:3])
    if square > 1.0 + 1e-9:
        raise ValueError(f"its versor has length {math.sqrt(square):.6g}, above 1")
    x, y, z = p[:3]
    w = math.sqrt(max(0.0, 1.0 - square))
    turn = np.array(
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    )
    return _about(turn, c, p[3:] if p.size == 6 else np.zeros(3))


def _about(turn: Array, centre: Array, t: Array) -> Array:
    centre = centre if centre.size == 3 else np.zeros(3)
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = turn, centre + t - turn @ centre
    return found


#: Parameters, allowed numbers of fixed parameters, and the formula.
_FORMULAS: Final[dict[str, tuple[int, tuple[int, ...], Callable[[Array, Array], Array]]]] = {
    "AffineTransform": (12, (0, 3), _matrix_offset),
    "MatrixOffsetTransformBase": (12, (0, 3), _matrix_offset),
    "Rigid3DTransform": (12, (0, 3), _matrix_offset),
    "Euler3DTransform": (6, (0, 3, 4), _euler),
    "VersorRigid3DTransform": (6, (0, 3), _versor),
    "VersorTransform": (3, (0, 3), _versor),
    "TranslationTransform": (3, (0,), lambda p, _: _about(np.eye(3), np.zeros(3), p)),
    "IdentityTransform": (0, (0,), lambda _p, _f: np.eye(4)),
}


def matrix_of(path: Path, transforms: Sequence[ItkTransform]) -> Array:
    """The (4, 4) matrix of a file: from fixed (parent) to moving coordinates, LPS, mm.

    Raises
    ------
    InputRefused : a kind without a formula here, numbers that do not fit it, or several transforms that no composite joins
    """
    parts = transforms[1:] if transforms and transforms[0].kind == COMPOSITE else transforms
    if len(parts) > 1 and len(parts) == len(transforms):
        raise InputRefused(f"{path} holds {len(parts)} transforms that no composite joins", "write each to a file of its own")
    if not parts or len(parts) > MOST_PARTS:
        raise InputRefused(f"{path} holds {len(parts)} transforms", f"write one, or a composite of at most {MOST_PARTS}")
    found = np.eye(4)
    # Large numbers overflow here and are refused below, with a name.
    with np.errstate(all="ignore"):
        for part in parts:
            found = found @ _one(path, part)
    if not np.isfinite(found).all():
        raise InputRefused(f"{path} holds numbers too large to compute with", "write it again")
    return found


def _one(path: Path, part: ItkTransform) -> Array:
    if part.kind not in _FORMULAS:
        remedy = "in Slicer harden or split it, so that a linear transform is left" if part.kind != COMPOSITE else "flatten composites of composites"
        raise InputRefused(f"{path} holds a {part.kind}, which is not read", f"{remedy}; known: {', '.join(_FORMULAS)}")
    count, fixed, formula = _FORMULAS[part.kind]
    if len(part.parameters) != count or len(part.fixed) not in fixed:
        raise InputRefused(
            f"{path}: a {part.kind} has {len(part.parameters)} parameters and {len(part.fixed)} fixed ones",
            f"it needs {count} and {' or '.join(map(str, fixed))}: write it again",
        )
    try:
        return formula(np.array(part.parameters), np.array(part.fixed))
    except ValueError as error:
        raise InputRefused(f"{path}: {error}", "write it again") from error


def T_parent_from_node(path: Path, transforms: Sequence[ItkTransform], *, parent: str, node: str) -> tuple[Rigid, str]:
    """The rigid transform that a file holds, turned from FromParent into the direction that points move in, and a sentence if it was mended.

    Raises
    ------
    InputRefused : scale, shear or a mirror; the message says how much
    """
    T_node_from_parent, said = nearly_rigid(matrix_of(path, transforms), target=node, source=parent, where=str(path))
    return T_node_from_parent.inverse(), said


def from_parent(T_parent_from_node: Rigid) -> ItkTransform:
    """A rigid transform as ITK and Slicer store it: an affine transform about the origin, FromParent."""
    back = T_parent_from_node.inverse()
    return ItkTransform("AffineTransform", tuple(v for row in back.rotation for v in row) + back.t_mm, (0.0, 0.0, 0.0))


def turned_axes(T: Rigid) -> Rigid:
    """The same transform with x and y of both frames turned round (LPS to RAS or back)."""
    (a, b, c), (d, e, f), (g, h, i) = T.rotation
    x, y, z = T.t_mm
    return Rigid(((a, b, -c), (d, e, -f), (-g, -h, i)), (-x, -y, z), T.target, T.source)
