"""Which level was touched? Asked where the touches fit others about as well, and in doubt until a touch has told the levels apart.

A check tells them apart where they would differ: the place that was touched lies on bone by the registration in use, and in the air by the rival.
Where the case ends the rival's bone is not known, and no bone in the case is no air in the patient: such a place tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from navtwin.nouns import Priority, RegistrationResult, Rival
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.model import Scene


def refusal(result: RegistrationResult, level: str) -> str:
    """Why a registration cannot be accepted with what was said of its level, "" if it can."""
    if not result.rivals:
        return ""
    if not level:
        return f"{result.level_question} Count, and accept it with the level named"
    if _same(level, result.level):
        return ""
    named = next((rival.level for rival in result.rivals if _same(level, rival.level)), None)
    if named is not None:
        return f"the landmarks were given as those of {result.level}: touch the landmarks of {result.level} itself, not those of {named}"
    return f"'{level}' is none of the levels in question: {', '.join((result.level, *(rival.level for rival in result.rivals)))}"


def level_alarms(rivals: Sequence[Rival], priority: Priority) -> Iterator[tuple[str, str, Priority, str]]:
    """LEVEL_UNCONFIRMED while a rival has not been ruled out."""
    if rivals:
        yield "LEVEL_UNCONFIRMED", "patient", priority, f"it may be {' or '.join(rival.level for rival in rivals)}"


def ruled_out(rival: Rival, scene: Scene, T_ct_from_ref: Rigid, touched_mm: Vec3, radius_mm: float, margin_mm: float) -> bool:
    """Whether a touch of bone, good by the registration in use, would have been in the air at a rival.

    Parameters
    ----------
    touched_mm : centre of the ball by the registration in use, ct
    radius_mm : of the ball
    margin_mm : nearer to bone than this the rival would explain the touch as well
    """
    at = rival.pose.rigid(target="ct", source="ref").point(T_ct_from_ref.inverse().point(touched_mm))
    bones = [s.surface for s in scene.structures if s.role == "work"]
    if not _is_amid(at, [_middle(b.vertices_mm.min(axis=0).tolist(), b.vertices_mm.max(axis=0).tolist()) for b in bones]):
        return False
    return all(float(bone.closest(at).distance_mm[0]) - radius_mm > margin_mm for bone in bones)


def _is_amid(point: Vec3, middles: Sequence[Vec3]) -> bool:
    """Whether a point lies between the first bone and the last, along the line of the two that lie farthest apart: there the case knows all bones."""
    best, ends = 0.0, None
    for n, a in enumerate(middles):
        for b in middles[n + 1 :]:
            square = _dot(_less(b, a), _less(b, a))
            if square > best:
                best, ends = square, (a, b)
    if ends is None:
        return False
    along = _dot(_less(point, ends[0]), _less(ends[1], ends[0])) / best
    return 0.0 <= along <= 1.0


def _middle(low: Sequence[float], high: Sequence[float]) -> Vec3:
    return (0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), 0.5 * (low[2] + high[2]))


def _less(a: Vec3, b: Vec3) -> Vec3:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _dot(a: Vec3, b: Vec3) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _same(said: str, name: str) -> bool:
    """`T12` and `t12` name `vertebrae_T12`, too."""
    plain, whole = said.strip().lower().replace(" ", "_"), name.lower().replace(" ", "_")
    return plain != "" and (plain == whole or plain == whole.rpartition("_")[2])
