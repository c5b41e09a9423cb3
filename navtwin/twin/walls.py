"""How much bone is left between a cutter and each critical structure, and the alert where it is thin or nobody knows.

The way is straight, from the cutter to the structure's closest point; it begins at the skin of a cutter that is enlarged by its error bar. What is
told is never more than what is there, if that bar holds. It neither hides nor replaces the alert of the distance, which knows nothing of bone.
"""

from __future__ import annotations

import math

from navtwin.nouns import WALL, WALL_AIR_MM, Alert, Wall
from navtwin.rigid import Vec3
from navtwin.twin.drilled import REACH_MM, Drill, Drilled, ThinWall, Violation
from navtwin.twin.judge import K_SD, is_stale, pair_status
from navtwin.twin.levels import FALL_MARGIN_MM, FALL_NS
from navtwin.twin.memory import Memory

#: Less bone than this share of its grid's side is none: so much is left where a cutter has just come through.
SLIVER = 0.1


def look_for_walls(memory: Memory) -> None:
    """Measure the walls of every drill in this frame."""
    if memory.drilled is None:
        return
    # While any drill may cut unseen, nobody knows what is left.
    is_followed = not is_stale(memory) and not any(drill.is_away for drill in memory.drilled.drills)
    for drill in memory.drilled.drills:
        is_known = is_followed and memory.tool_status.get(drill.tool) == "OK"
        drill.walls = tuple(_wall(memory, memory.drilled, drill, v, is_known=is_known) for v in memory.drilled.violations)


def _wall(memory: Memory, drilled: Drilled, drill: Drill, violation: Violation, *, is_known: bool) -> Wall:
    p, structure, name = memory.proximity, violation.structure, violation.name
    distance = float(p.distance[drill.part, structure])
    if is_known and distance > REACH_MM:
        return Wall(structure=name, status="FAR")
    if not is_known or pair_status(memory, drill.part, structure, stale=False) != "OK":
        return Wall(structure=name, status="UNKNOWN")
    a, b = _vec(p.on_axis[drill.part, structure].tolist()), _vec(p.on_structure[drill.part, structure].tolist())
    length = math.dist(a, b)
    radius = length - distance
    bar = K_SD * float(p.sd[drill.part, structure])
    if distance <= 0.0 or length == 0.0:
        # It is in the structure: there is nothing between.
        return Wall(structure=name, status="NO_BONE", from_mm=a, to_mm=b)
    skin, enlarged = _on(a, b, radius / length), _on(a, b, min(1.0, (radius + bar) / length))
    whole, is_doubtful = drilled.bone.bone_on_way(skin, b)
    if is_doubtful:
        return Wall(structure=name, status="UNKNOWN", from_mm=skin, to_mm=b)
    if whole <= SLIVER * drilled.bone.side_mm:
        return Wall(structure=name, status="NO_BONE", from_mm=skin, to_mm=b)
    left, _ = drilled.bone.bone_on_way(enlarged, b) if enlarged != b else (0.0, False)
    return Wall(structure=name, status="OK", thickness_mm=left, from_mm=enlarged, to_mm=b)


def _vec(values: list[float]) -> Vec3:
    return (values[0], values[1], values[2])


def _on(a: Vec3, b: Vec3, share: float) -> Vec3:
    return b if share >= 1.0 else (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))


def judge_walls(memory: Memory) -> None:
    """Bring the alert of every wall up to `memory.now_ns`: a rise is immediate, a fall needs more than the limit and a margin for 300 ms."""
    drilled = memory.drilled
    if drilled is None:
        return
    # A structure's place among the violations is that among the walls.
    places = {violation.structure: n for n, violation in enumerate(drilled.violations)}
    for thin in drilled.thin_walls:
        drill = drilled.drills[thin.drill]
        _judge(memory, drill, drill.walls[places[thin.structure]] if drill.walls else None, thin)


def _is_thin(memory: Memory, drill: Drill, thin: ThinWall, bone_mm: float, margin_mm: float = 0.0) -> bool:
    """Whether so much bone is thin for a cutter that is where this one is: it cuts, and no more than a little air is between."""
    distance = float(memory.proximity.distance[drill.part, thin.structure])
    # Where the distance is not known it may be near.
    is_far = distance - bone_mm > WALL_AIR_MM + margin_mm
    return drill.status == "CUTTING" and bone_mm <= drill.cutter.thin_wall_mm + margin_mm and not is_far


def _judge(memory: Memory, drill: Drill, wall: Wall | None, thin: ThinWall) -> None:
    active = thin.since_ns is not None
    if drill.status in ("FROZEN", "UNKNOWN"):
        # Held, for it can only have become thinner.
        thin.known, thin.fall_since_ns = False, None
        return
    left = wall.thickness_mm if wall is not None and wall.status == "OK" else None
    is_unknown = wall is not None and wall.status == "UNKNOWN"
    limit = drill.cutter.thin_wall_mm
    if is_unknown:
        thin.doubt_ns = memory.now_ns
    # Beside bone in doubt a wall is known in one frame and not in the next: it counts as known once it has been for a while.
    known = not is_unknown and (thin.doubt_ns is None or memory.now_ns - thin.doubt_ns >= FALL_NS)
    if _is_thin(memory, drill, thin, limit if is_unknown else math.inf if left is None else left):
        if not active:
            thin.since_ns, thin.acked_by = memory.now_ns, ""
        thin.known, thin.thickness_mm, thin.fall_since_ns = known, left, None
    elif active:
        if left is not None:
            thin.known, thin.thickness_mm = known, left
        if left is not None and _is_thin(memory, drill, thin, left, FALL_MARGIN_MM):
            thin.fall_since_ns = None
        elif thin.fall_since_ns is None:
            thin.fall_since_ns = memory.now_ns
        elif memory.now_ns - thin.fall_since_ns >= FALL_NS:
            thin.since_ns, thin.acked_by, thin.fall_since_ns = None, "", None


def active_wall(memory: Memory, alert: str) -> ThinWall | None:
    """The wall that an alert's id names, where it is alerted now."""
    walls = memory.drilled.thin_walls if memory.drilled is not None else []
    return next((w for w in walls if w.id == alert and w.since_ns is not None), None)


def wall_alerts(memory: Memory, *, paused: bool) -> list[Alert]:
    """The alerts of thin walls, and of those that may be."""
    drilled = memory.drilled
    if drilled is None:
        return []
    alerts = []
    for thin in drilled.thin_walls:
        if thin.since_ns is not None:
            drill, structure = drilled.drills[thin.drill], memory.proximity.structures[thin.structure].name
            left = thin.thickness_mm if thin.known else None
            alerts.append(
                Alert(
                    id=thin.id,
                    structure=structure,
                    instrument=drill.tool,
                    part=WALL,
                    level="CAUTION",
                    known=thin.known,
                    status="OK",
                    priority="medium",
                    since_ns=thin.since_ns,
                    limit_mm=drill.cutter.thin_wall_mm,
                    distance_mm=left,
                    bound_mm=left,
                    silenced=bool(thin.acked_by) or structure in memory.muted or paused,
                    acked_by=thin.acked_by,
                )
            )
    return alerts
