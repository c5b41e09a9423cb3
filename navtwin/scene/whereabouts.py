"""Does a surface lie where the scan has it? Wrong axes, a mirror, a wrong unit and a wrong patient show here, and never in a residual.

Bone is brighter than what is around it. A bone whose skin has no such step under it lies in the wrong place, and where one of the usual mistakes
would explain it, that mistake has a name: the same surface with the mistake undone lies on the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.scene.findings import Finding, fault, warning
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume

F64 = npt.NDArray[np.float64]
#: So many places of a skin are looked at, and so far to its either side, mm.
LOOKED_AT, ASIDE_MM = 1500, 1.5
#: Bone's skin is a step of so many HU at least.
STEP_HU = 80.0
#: Of a bone's own skin so much lies on such a step: on a chest CT 0.77 to 0.89, and of bones moved by 15 to 40 mm at most 0.40. The mean step would
#: not tell: where another bone is crossed it is high.
MOSTLY_ON = 0.55
#: Brighter than this somewhere in the scan, HU, or there is no bone to compare with.
BRIGHT_HU = 250.0
#: A mistake explains a place when so much of the surface lies in the scan once it is undone.
MOSTLY_IN = 0.9
#: And when the step is so many times as high then. A bone that is mirrored in itself lies half on bone all the same.
CLEARLY = 1.5
#: Nearer to the middle than this, mm, a side is not told from the other.
LEAST_ASIDE_MM = 5.0


@dataclass(frozen=True)
class Mistake:
    """A usual one: what undoes it (a factor for each axis of ct, about the origin or the scan's middle), what it looks like, the remedy."""

    undo: tuple[float, float, float]
    about_middle: bool
    looks: str
    remedy: str


MISTAKES = (
    Mistake((-1.0, -1.0, 1.0), False, "RAS read as LPS", "import it again with --space RAS"),
    Mistake((1000.0,) * 3, False, "metres read as mm", "import it again with --unit m"),
    Mistake((10.0,) * 3, False, "centimetres read as mm", "import it again with --unit cm"),
    Mistake((-1.0, 1.0, 1.0), False, "mirrored, left and right exchanged", "turn the sign of x where it was made, or take the patient's own"),
    Mistake((1.0, -1.0, 1.0), False, "mirrored, front and back exchanged", "turn the sign of y where it was made"),
    Mistake((1.0, 1.0, -1.0), False, "mirrored, head and feet exchanged", "turn the sign of z where it was made"),
    Mistake((-1.0, 1.0, 1.0), True, "mirrored about the scan's middle, left and right exchanged", "flip it back where it was made"),
    Mistake((1.0, -1.0, 1.0), True, "mirrored about the scan's middle, front and back exchanged", "flip it back where it was made"),
    Mistake((1.0, 1.0, -1.0), True, "mirrored about the scan's middle, head and feet exchanged", "flip it back where it was made"),
)


def share_inside(surface: Surface, volume: Volume) -> float:
    """How much of a surface's vertices lies within the scan, 0 to 1."""
    return float(np.isfinite(_hu_at(volume, _some(surface.vertices_mm))).mean())


def misplaced(name: str, surface: Surface, volume: Volume) -> Iterator[Finding]:
    """What is wrong with where a bone lies: a fault with the mistake's name, a warning where it has none; nothing for one that lies well.

    Parameters
    ----------
    surface : of a bone
    volume : the CT, HU
    """
    if float(np.max(volume.hu[::2, ::2, ::2])) < BRIGHT_HU:
        return
    points, out = _skin(surface)
    step, inside, on_step = _step(volume, points, out)
    middle, best, named = _middle(volume), max(STEP_HU, CLEARLY * step), None
    for mistake in MISTAKES:
        undo = np.array(mistake.undo)
        about = middle if mistake.about_middle else np.zeros(3)
        # Normals turn with a mirror; their length stays 1.
        there, share, _ = _step(volume, about + (points - about) * undo, out * np.sign(undo))
        if share >= MOSTLY_IN and there >= best:
            # By more than one percent, or the first, commonest one would lose to a mirror that a symmetric bone cannot tell from it.
            best, named = 1.01 * there, (mistake, there)
    if named is not None:
        mistake, there = named
        yield fault(
            f"structure '{name}' looks {mistake.looks}: with that undone the CT is {there:.0f} HU brighter under its skin, as it lies {step:.0f}",
            mistake.remedy,
        )
        return
    if inside < 0.5 or on_step < MOSTLY_ON:
        where = f"only {100.0 * inside:.0f} % of it lie within the CT" if inside < 0.5 else f"only {100.0 * on_step:.0f} % of its skin lie on bone's"
        yield warning(f"structure '{name}' does not lie on the CT's bone: {where}", "check its axes, its unit, and whose patient it is")


def on_the_wrong_side(named: Sequence[tuple[str, str, float]], middle_x_mm: float, laterality: str | None) -> Iterator[Finding]:
    """What is called left and lies on the right, or the other way round.

    Parameters
    ----------
    named : (kind, name, x in ct) of structures and plans; LPS, so that the patient's left is where x grows
    middle_x_mm : of the body
    laterality : the side that is operated on, as the patient's facts state it
    """
    sides = {(kind, name): side for kind, name, _ in named if (side := side_of(name))}
    at = {(kind, name): x for kind, name, x in named}
    for (kind, name), side in sides.items():
        partner = (kind, _other_name(name))
        reference = at.get(partner, middle_x_mm)
        off = at[(kind, name)] - reference if side == "left" else reference - at[(kind, name)]
        if off < -(LEAST_ASIDE_MM if partner in at else 3.0 * LEAST_ASIDE_MM):
            way, of = "right" if side == "left" else "left", f"'{partner[1]}'" if partner in at else "the body's middle"
            where = f"{-off:.0f} mm to the {way} of {of}"
            # Its counterpart tells for certain; what lies near the middle of a body may well cross it.
            said = fault if partner in at else warning
            yield said(f"{kind} '{name}' is called {side} and lies {where}", "check for a mirrored file (RAS or LPS), or the name")
    operated = side_of(laterality or "")
    plans = [x for kind, _, x in named if kind == "plan"]
    if operated and plans:
        offs = [(x - middle_x_mm) * (1.0 if operated == "left" else -1.0) for x in plans]
        if max(offs) < -LEAST_ASIDE_MM:
            yield fault(f"the patient's facts say {operated}, and every plan lies on the other side", "check plan and side, and for a mirrored file")


def side_of(name: str) -> str:
    """`left` or `right` where a name says one of them, "" where it says none or both."""
    words = name.lower().replace("_", " ").replace("-", " ").split()
    said = {side for side in ("left", "right") if side in words}
    return said.pop() if len(said) == 1 else ""


def _other_name(name: str) -> str:
    """The name of the same thing on the other side."""
    for one, other in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return name


def body_middle_x_mm(volume: Volume) -> float:
    """Middle of the body from left to right, ct: the mean of what is not air, where there is air about it; else the scan's own middle."""
    coarse = volume.hu[::4, ::4, ::4]
    k, j, i = np.nonzero(coarse > -300)
    if not len(i) or len(i) > 0.95 * coarse.size:
        return float(_middle(volume)[0])
    T = volume.T_ct_from_ijk
    return float(np.mean(4.0 * (T[0, 0] * i + T[0, 1] * j + T[0, 2] * k) + T[0, 3]))


def bones_of(entries: Sequence[tuple[str, str]], surfaces: Mapping[str, Surface]) -> Iterator[tuple[str, Surface]]:
    """Structures that are bone, by (name, role): what may be cut, and what is called a vertebra."""
    for name, role in entries:
        if name in surfaces and (role == "work" or "vertebra" in name.lower()):
            yield name, surfaces[name]


def _some(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(rows[:: max(1, len(rows) // LOOKED_AT)])


def _skin(surface: Surface) -> tuple[F64, F64]:
    """Middles of some faces (N, 3), mm, and their unit normals, outward."""
    corners = np.asarray(surface.vertices_mm)[_some(surface.faces)]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return corners.mean(axis=1), normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)


def _step(volume: Volume, points: F64, out: F64) -> tuple[float, float, float]:
    """How much brighter the scan is under a skin than over it, HU; how much of the skin lies in the scan, and how much of that on a step."""
    under, over = _hu_at(volume, points - ASIDE_MM * out), _hu_at(volume, points + ASIDE_MM * out)
    both = np.isfinite(under) & np.isfinite(over)
    steps = (under - over)[both]
    return (float(steps.mean()), float(both.mean()), float((steps > STEP_HU).mean())) if both.any() else (0.0, 0.0, 0.0)


def _hu_at(volume: Volume, points: F64) -> F64:
    """HU of the nearest voxel (N,), NaN outside the scan."""
    T = np.linalg.inv(volume.T_ct_from_ijk)
    index = np.rint(points @ T[:3, :3].T + T[:3, 3]).astype(np.int64)
    inside = ((index >= 0) & (index < volume.shape_ijk)).all(axis=1)
    found = np.full(len(points), np.nan)
    i, j, k = index[inside].T
    found[inside] = volume.hu[k, j, i]
    return found


def _middle(volume: Volume) -> F64:
    half = (np.array(volume.shape_ijk) - 1.0) / 2.0
    return np.asarray(volume.T_ct_from_ijk[:3, :3] @ half + volume.T_ct_from_ijk[:3, 3])
