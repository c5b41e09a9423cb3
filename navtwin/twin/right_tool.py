"""Is it the right tool?

A pointer that was taken for another, or bent, is followed as well as ever: its tip is elsewhere, and no residual shows it.
"""

from __future__ import annotations

import math

from navtwin.nouns import Check, PivotResult, TrackerFrame
from navtwin.rigid import Vec3
from navtwin.twin.memory import Memory

#: A tip that was calibrated twice lies within so many mm, or so many standard deviations of both together; else it is another tool's, or bent.
ANOTHER_MM, ANOTHER_SDS = 3.0, 3.0
#: A good touch answers for a failed one of a place within so many mm.
SAME_PLACE_MM = 10.0


def moved_mm(memory: Memory, result: PivotResult) -> float | None:
    """How far a new tip lies from the one that the tool has, where that is more than both errors allow; None where it is not."""
    known = memory.tips.get(result.tool)
    if known is None:
        return None
    apart = _length(_less(result.tip_mm, known.T_marker_from_tip.t_mm))
    sd = math.sqrt(_trace(result.covariance) + _trace(known.covariance))
    return apart if apart > max(ANOTHER_MM, ANOTHER_SDS * sd) else None


def question(memory: Memory, result: PivotResult) -> str:
    """What is asked before a tip that lies elsewhere is taken into use, "" where there is nothing to ask."""
    apart = moved_mm(memory, result)
    return "" if apart is None else f"its tip lies {apart:.1f} mm from the one known: is it the right tool?"


def refusal(memory: Memory, result: PivotResult, *, changed: bool) -> str:
    """Why a tip cannot be taken into use, "" if it can."""
    asked = question(memory, result)
    if changed or not asked:
        return ""
    return f"{result.tool}: {asked} If it was exchanged or bent, accept it as changed (changed_tool)"


def weigh(memory: Memory, check: Check) -> None:
    """After a check: where one tool passes at a place at which another failed, it is that tool that is in doubt, and not the patient.

    One that fails after another tool has passed says nothing yet: the reference may have been knocked in between. The other has to pass again.
    """
    if check.good:
        if check.what == "landmark":
            memory.doubted_tools.pop(check.tool, None)
        for failed in memory.failed_checks:
            # Bone, which shows no shift along its surface, does not answer for a landmark.
            if failed.tool == check.tool or not is_same_place(failed, check) or (failed.what, check.what) == ("landmark", "bone"):
                continue
            memory.doubted_tools[failed.tool] = f"{abs(failed.error_mm):.1f} mm off at {failed.name}, where {check.tool} passes"


def seen_instead(memory: Memory, frame: TrackerFrame | None, body: str) -> str:
    """What is seen where a tool's body is not: `but 'pointer' is seen: is it the right tool?`; "" where nothing is that could be taken for it."""
    if frame is None:
        return ""
    known = {b.name for b in memory.rig.body}
    seen = [s.body for s in frame.sightings if s.status == "OK" and s.body not in (body, memory.rig.reference)]
    strangers = [f"a body '{name}' that the rig does not know" for name in seen if name not in known]
    idle = [f"'{tool.name}'" for tool in memory.rig.tool if tool.body in seen and tool.name not in memory.selected]
    others = [*strangers, *idle]
    return f"but {' and '.join(others)} {'is' if len(others) == 1 else 'are'} seen: is it the right tool?" if others else ""


def is_same_place(one: Check, other: Check) -> bool:
    """Whether two checks were to touch within `SAME_PLACE_MM` of each other."""
    return _length(_less(_place(one), _place(other))) <= SAME_PLACE_MM


def _place(check: Check) -> Vec3:
    """Where it should have been touched."""
    return _less(check.point_mm, check.vector_mm)


def _trace(covariance: tuple[float, ...]) -> float:
    return covariance[0] + covariance[3] + covariance[5]


def _less(a: Vec3, b: Vec3) -> Vec3:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def _length(a: Vec3) -> float:
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])
