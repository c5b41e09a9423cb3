"""The drilled bone at closest approach and at the end of a session, made again from its log, and what the truth in the log would have left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navtwin.errors import NavtwinError
from navtwin.nouns import PoseRows, Rig
from navtwin.record.drilled import DrilledLog
from navtwin.record.seek import Seeker, cutters_of
from navtwin.report.session import Session
from navtwin.scene.bone_views import DrilledBone
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene
from navtwin.scene.removal import Planned
from navtwin.scene.surface import Surface


@dataclass(frozen=True, eq=False)
class Drilled:
    """The bone at a session's end.

    Attributes
    ----------
    bone : None where it could not be made again, and `missing` says why
    knows_doubt : it knows where bone that it shows may be gone; what is cut again from a log's strokes does not
    true : what the true ways of the drills leave; None where the source does not state them
    """

    bone: DrilledBone | None = None
    knows_doubt: bool = True
    true: Carvable | None = None
    missing: str = ""


def drilled_in(log: Path, session: Session, scene: Scene, rig: Rig, replayed: Carvable | None = None) -> Drilled:
    """What was drilled, and why it cannot be shown where it cannot.

    Parameters
    ----------
    replayed : the bone that a replay of the log ended with, where there was one; taken if it is the session's own
    """
    drilling = session.drilling
    if drilling is None or drilling.bone is None or not drilling.stretches:
        return Drilled(missing="nothing was drilled")
    own = replayed if replayed is not None and replayed.hash == drilling.bone.hash else None
    try:
        bone = bone_at_end(log, scene, rig, own)
        return Drilled(bone, own is not None or drilling.bone.doubtful == 0.0, truly_left(session, scene, rig))
    except NavtwinError as refused:
        return Drilled(missing=f"the drilled bone cannot be made again: {refused.problem}")


def bone_at_end(log: Path, scene: Scene, rig: Rig, left: Carvable | None = None) -> DrilledBone:
    """What was left when the session ended, with what was planned.

    Parameters
    ----------
    left : the bone, where it is there already

    Raises
    ------
    InputRefused : nothing was drilled, the case has no such bone, or a plan that does not run through it
    LogDamaged : the strokes in the log do not lead to the bone that the session had
    """
    drilled = DrilledLog.read(log)
    structure = scene.structure(drilled.structure)
    whole = Carvable.of(structure, scene.case_hash)
    if left is None:
        left = Carvable.of(structure, scene.case_hash)
        Seeker(drilled, left, whole.state(), cutters_of(rig)).seek(drilled.last_ns)
    plans = [s for s in scene.structures if s.removal_of == structure.name]
    return DrilledBone(structure, whole, left, left.surface(), Planned.of(plans, whole) if plans else None)


@dataclass(frozen=True, eq=False)
class BoneThen:
    """The bone as it was at closest approach.

    Attributes
    ----------
    structure : that had been drilled by then, "" where nothing had
    surface : of what was left; None where it could not be made again, and `missing` says why
    doubtful : share of the drilled part, 0 to 1, where bone that is shown may have been gone
    """

    structure: str = ""
    surface: Surface | None = None
    doubtful: float = 0.0
    missing: str = ""


def bone_at_closest(log: Path, session: Session, scene: Scene, rig: Rig) -> BoneThen:
    """What was left of the bone when an instrument was closest to a critical structure."""
    drilled = next((bone for bone in session.closest.bones if bone.changed), None) if session.closest is not None else None
    if drilled is None:
        return BoneThen()
    try:
        structure = scene.structure(drilled.structure)
        bone = Carvable.of(structure, scene.case_hash)
        Seeker(DrilledLog.read(log), bone, bone.state(), cutters_of(rig)).seek(session.closest_ns)
    except NavtwinError as refused:
        return BoneThen(drilled.structure, doubtful=drilled.doubtful, missing=refused.problem)
    if bone.hash != drilled.hash:
        why = f"the strokes in the log lead to other bone than was there then ({bone.hash}, then {drilled.hash})"
        return BoneThen(drilled.structure, doubtful=drilled.doubtful, missing=why)
    return BoneThen(drilled.structure, bone.surface(), drilled.doubtful)


def truly_left(session: Session, scene: Scene, rig: Rig) -> Carvable | None:
    """The bone that the true ways of the drills leave, where they truly turned; None where the source does not state them, or it began drilled."""
    drilling, cutters = session.drilling, cutters_of(rig)
    ways = {tool: true for tool, true in session.true_drills.items() if tool in cutters}
    if drilling is None or drilling.bone is None or not ways or drilling.begun_from:
        return None
    bone = Carvable.of(scene.structure(drilling.bone.structure), scene.case_hash)
    for tool, true in ways.items():
        before: PoseRows | None = None
        for row, turns in zip(true.ways.tolist(), (true.turning & np.isfinite(true.ways).all(axis=1)).tolist(), strict=True):
            now: PoseRows | None = tuple(row) if turns else None
            if now is not None:
                bone.sweep(cutters[tool], before, now)
            before = now
    return bone
