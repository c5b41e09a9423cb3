"""Touching a point whose place is known: does the registration in use still hold?

A registration ages: the patient reference is knocked, the skin under it gives, a bone moves, and nothing in the tracker's own figures tells. A touch
does. On bone touched anywhere only the shift along its normal shows; a landmark shows it in all directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from navtwin.nouns import HAND_FLE_MM, NEAR_SURFACE_MM, Check, RegistrationResult, symmetric
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene
from navtwin.twin import right_tool, which_level
from navtwin.twin.drilled import Drilled
from navtwin.twin.memory import Collection, Memory, cross, unit

#: A good touch errs by no more than so many times what is predicted (RMS): 95 of 100 along one direction, more in three.
BOUND_RMS = 2.0
#: A touch fails when it errs by more than so many bounds and by more than so many mm: beyond a slip of the hand.
FAILED_BOUNDS, FAILED_MM = 3.0, 2.0
#: Checks that are said again with each `setup`.
KEPT = 20
#: Nearer than this to the surface, mm, the face's normal is a better direction than the way to the closest point.
ON_SURFACE_MM = 1e-3

_AXES: tuple[Vec3, Vec3, Vec3] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class _Contact:
    """Where a ball meets the nearest bone.

    Attributes
    ----------
    bone, sd_mm : its name, and how well its surface is known
    gap_mm : how far the ball stands off it, negative where it dips in
    away : unit vector away from the bone
    point_mm : the ball's point nearest to the bone, ct
    """

    bone: str
    sd_mm: float
    gap_mm: float
    away: Vec3
    point_mm: Vec3


def refusal(scene: Scene, memory: Memory, landmark: str) -> str:
    """Why a check cannot begin, "" if it can."""
    if memory.registration is None:
        return "no registration is in use: there is nothing to check yet; register and accept first"
    if not landmark and not any(s.role == "work" for s in scene.structures):
        return "the case has no structure with role 'work' to touch: name a landmark"
    return ""


def take_check(scene: Scene, memory: Memory, c: Collection, mean_ref_mm: Vec3, spread_mm: float) -> str:
    """Compare a touch with where the registration in use puts it, and remember what was found.

    Returns
    -------
    why it could not be compared, "" if it was
    """
    registration = memory.registration
    if registration is None:
        return "no registration is in use any more"
    centre = registration.pose.rigid(target="ct", source="ref").point(mean_ref_mm)
    radius = min(p.radius_mm for t in memory.rig.tool if t.name == c.tool for p in t.part)
    contact = _contact(scene, memory.drilled, centre, radius)
    tip_variance = _tip_variance(memory, c.tool)
    if c.landmark:
        name, place = c.landmark, next(m.position_mm for m in scene.landmarks if m.name == c.landmark)
        # A landmark on bone is touched by the ball's side, another one (a fiducial's pit) by its centre.
        on_bone = contact is not None and abs(_nearest(scene, memory.drilled, place).distance_mm) < NEAR_SURFACE_MM
        touched, sd = (contact.point_mm, contact.sd_mm) if on_bone and contact is not None else (centre, 0.0)
        vector = _less(touched, place)
        error = _length(vector)
        variance = tip_variance + HAND_FLE_MM * HAND_FLE_MM + sd * sd
        for axis in _AXES:
            variance += _variance(registration, touched, axis)
    elif contact is not None:
        name, touched, error = contact.bone, contact.point_mm, contact.gap_mm
        vector = (error * contact.away[0], error * contact.away[1], error * contact.away[2])
        variance = tip_variance / 3.0 + contact.sd_mm * contact.sd_mm + _variance(registration, touched, contact.away)
    else:
        return "the touch lies too far from any bone to be compared"
    expected = math.sqrt(variance)
    bound = BOUND_RMS * expected
    check = Check(
        what="landmark" if c.landmark else "bone",
        name=name,
        point_mm=touched,
        error_mm=error,
        vector_mm=vector,
        expected_mm=expected,
        bound_mm=bound,
        good=abs(error) <= bound,
        failed=abs(error) > max(FAILED_BOUNDS * bound, FAILED_MM),
        t_ns=memory.now_ns,
        samples=len(c.points_ref_mm),
        spread_mm=spread_mm,
        tool=c.tool,
    )
    memory.checks[:] = [*memory.checks, check][-KEPT:]
    right_tool.weigh(memory, check)
    memory.failed_checks[:] = [failed for failed in memory.failed_checks if not _answers(check, failed)]
    if check.failed:
        memory.failed_checks.append(check)
    if check.good and check.what == "landmark":
        # Bone anywhere shows a shift along its normal alone: what has slid along it would pass.
        memory.verified_ns = memory.now_ns
    if check.good and contact is not None and abs(contact.gap_mm) <= bound:
        T_ct_from_ref, margin = registration.pose.rigid(target="ct", source="ref"), max(FAILED_BOUNDS * bound, FAILED_MM)
        memory.rivals = [r for r in memory.rivals if not which_level.ruled_out(r, scene, T_ct_from_ref, centre, radius, margin)]
    if check.good and contact is not None and memory.drilled is not None and contact.bone == memory.drilled.name:
        memory.drilled.touched(scene, contact.point_mm, radius)
    memory.setup_message = in_words(check)
    return ""


def forget_checks(memory: Memory) -> None:
    """Another registration comes into use: what was found belongs to the one before."""
    memory.checks.clear()
    memory.failed_checks.clear()
    memory.verified_ns = None


def in_words(check: Check) -> str:
    """`T10 spinous process: 0.4 mm off, up to 0.9 mm is expected`."""
    where = "inside its surface" if check.what == "bone" and check.error_mm < 0.0 else "off"
    return f"{check.name}: {abs(check.error_mm):.1f} mm {where}, up to {check.bound_mm:.1f} mm is expected"


def failed_words(memory: Memory) -> str:
    """The newest failed check; and, where another tool has passed there before, what would tell the tool's fault from the patient's."""
    failed = memory.failed_checks[-1]
    passed = next((c for c in reversed(memory.checks) if c.good and c.tool != failed.tool and right_tool.is_same_place(c, failed)), None)
    if passed is not None:
        return f"{in_words(failed)}, with {failed.tool}; {passed.tool} passed there before: check again with it, to tell the tool from the patient"
    return in_words(failed)


def _answers(check: Check, failed: Check) -> bool:
    """Whether a good check shows that what a failed one found is not so, or not so any more.

    Only at the same place: a patient who has turned about one landmark is off at all others. And bone, which shows no shift along its surface, does
    not answer for a landmark.
    """
    if not check.good or (check.what == "bone" and failed.what == "landmark"):
        return False
    return right_tool.is_same_place(check, failed)


@dataclass(frozen=True, slots=True)
class _Nearest:
    """The bone nearest to a point: its signed distance, its number among the structures (-1: there is none), the place and the face there.

    `face` is -1 on drilled bone, whose faces are no mesh's.
    """

    distance_mm: float
    number: int
    point_mm: Vec3
    face: int


def _nearest(scene: Scene, drilled: Drilled | None, point_mm: Vec3) -> _Nearest:
    best = _Nearest(math.inf, -1, point_mm, -1)
    for n, structure in enumerate(scene.structures):
        if structure.role != "work":
            continue
        if drilled is not None and n == drilled.structure:
            found = drilled.nearest(point_mm)
            if found is not None and found[0] < best.distance_mm:
                best = _Nearest(found[0], n, found[1], -1)
            continue
        closest = structure.surface.closest(point_mm)
        distance = float(closest.distance_mm[0])
        if distance < best.distance_mm:
            x, y, z = closest.point_mm[0].tolist()
            best = _Nearest(distance, n, (x, y, z), int(closest.face[0]))
    return best


def _contact(scene: Scene, drilled: Drilled | None, centre_mm: Vec3, radius_mm: float) -> _Contact | None:
    nearest = _nearest(scene, drilled, centre_mm)
    if nearest.number < 0:
        return None
    structure, distance = scene.structures[nearest.number], nearest.distance_mm
    if abs(distance) >= ON_SURFACE_MM:
        way = _less(centre_mm, nearest.point_mm)
        away = (way[0] / distance, way[1] / distance, way[2] / distance)
    elif nearest.face < 0:
        assert drilled is not None
        away = drilled.outwards(centre_mm)
    else:
        a, b, c = (structure.surface.vertices_mm[k].tolist() for k in structure.surface.faces[nearest.face].tolist())
        away = unit(cross((b[0] - a[0], b[1] - a[1], b[2] - a[2]), (c[0] - a[0], c[1] - a[1], c[2] - a[2])))
    point = (centre_mm[0] - radius_mm * away[0], centre_mm[1] - radius_mm * away[1], centre_mm[2] - radius_mm * away[2])
    return _Contact(structure.name, structure.sd_mm, distance - radius_mm, away, point)


def wall_sd_mm(registration: RegistrationResult, point_mm: Vec3) -> float:
    """Standard deviation, per axis, of where a registration puts a point of ct: so far off may a wall be that was drilled there in the twin."""
    total = 0.0
    for axis in _AXES:
        total += _variance(registration, point_mm, axis)
    return math.sqrt(total / 3.0)


def _variance(registration: RegistrationResult, point_mm: Vec3, along: Vec3) -> float:
    """Of a registered point along a unit vector: a small motion (turn, shift) about the centroid moves it by `shift + turn x arm`."""
    row = (*cross(_less(point_mm, registration.centroid_mm), along), *along)
    total = 0.0
    for a, line in zip(row, symmetric(registration.covariance, 6).tolist(), strict=True):
        for b, value in zip(row, line, strict=True):
            total += a * value * b
    # Rounding must not take the root of less than nothing.
    return max(total, 0.0)


def _tip_variance(memory: Memory, tool: str) -> float:
    """Of the pointer's tip, mm^2, all three axes together."""
    xx, _, _, yy, _, zz = memory.tips[tool].covariance
    return xx + yy + zz


def _less(a: Vec3, b: Vec3) -> Vec3:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _length(a: Vec3) -> float:
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])
