"""Drilled bone for a session and of a session: to begin with, to watch, and as it was at any moment of its log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from navtwin.bus.bone import BoneServer
from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import BoneState, Rig
from navtwin.record.drilled import DrilledLog
from navtwin.record.read import header
from navtwin.record.replay import replay
from navtwin.record.seek import Seeker, Sought, cutters_of, refuse_other_bone
from navtwin.run.bone import BoneWatch
from navtwin.run.core import Core
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene
from navtwin.twin import new_memory, step
from navtwin.twin.drilled import carvable_of
from navtwin.twin.memory import Memory


def watch_of(core: Core, server: BoneServer | None, say: Callable[[str], None]) -> BoneWatch | None:
    """Who shows and keeps the bone of a session; None where nothing can be drilled."""
    drilled = core.memory.drilled
    return None if server is None or drilled is None else BoneWatch(server, core, drilled, say)


def prepare_bone(scene: Scene, rig: Rig, drilled: Path | None, say: Callable[[str], None]) -> BoneState | None:
    """Put what can be drilled on its grid before anything waits for it, and find what a session begins with; None for whole bone, or none at all.

    Parameters
    ----------
    drilled : log of the session whose bone it begins with

    Raises
    ------
    InputRefused, LogDamaged : as `bone_to_begin_with`; the grid is too fine for the memory
    """
    if carvable_of(scene, rig) is not None:
        say("preparing the bone that can be drilled")
        whole_bone(scene, rig)
    return None if drilled is None else bone_to_begin_with(drilled, scene, rig, say)


def bone_to_begin_with(log: Path, scene: Scene, rig: Rig, say: Callable[[str], None]) -> BoneState:
    """The drilled bone at the end of an earlier session, for another of the same case to begin with.

    A session that ended in order has left it in its log, with all that was not known of it. Of one that did not, every input is played again.

    Raises
    ------
    InputRefused : nothing was drilled there; other bone than here; nothing can be drilled here
    LogDamaged : the log is damaged, or does not lead to the bone that the session had
    """
    bone = whole_bone(scene, rig)
    told = _drilled_log(log, bone.state())
    last = told.kept[-1] if told.kept else None
    if last is not None and last.seq == told.last_seq:
        # Found out here whether it is damaged: a session that has begun could only go on without it.
        bone.take(last.state)
        return last.state
    say(f"{log.name} does not end with its bone: the session is played again")
    return _played_again(log, told, scene, rig)


def bone_at(log: Path, scene: Scene, rig: Rig, seconds: float | None) -> tuple[Carvable, DrilledLog, Sought]:
    """The bone of a session so long after it began, or at its end.

    Raises
    ------
    InputRefused, LogDamaged : as `Seeker`
    """
    bone = whole_bone(scene, rig)
    whole = bone.state()
    told = _drilled_log(log, whole)
    seeker = Seeker(told, bone, whole, cutters_of(rig))
    return bone, told, seeker.seek(told.last_ns if seconds is None else told.at_seconds(seconds))


def write_bone(scene: Scene, rig: Rig, left: Carvable, mesh: Path | None, labels: Path | None) -> tuple[str, ...]:
    """Write what is left as a mesh, and what is left and gone as labels on the scan's voxels, where asked for; says what was written."""
    from navtwin.scene.bone_export import write_bone_labels, write_bone_mesh

    said = []
    if mesh is not None:
        said.append(f"{write_bone_mesh(left, mesh)} triangles written to {mesh}")
    if labels is not None:
        T_ct_from_ijk = np.linalg.inv(np.array(scene.volume.T_ijk_from_ct))
        counts = write_bone_labels(whole_bone(scene, rig), left, T_ct_from_ijk, scene.volume.shape_ijk, labels)
        said.append(f"{counts[0]} voxels of bone that is left (1) and {counts[1]} of bone that is gone (2) written to {labels}")
    return tuple(said)


def whole_bone(scene: Scene, rig: Rig) -> Carvable:
    """What can be drilled in a case, before any drilling. Raises InputRefused where nothing can be."""
    number = carvable_of(scene, rig)
    if number is None:
        raise InputRefused(
            f"nothing can be drilled in the case {scene.name} with this rig", "give a bone carve_mm in case.toml, and a tool a cutter in rig.toml"
        )
    return Carvable.of(scene.structures[number], scene.case_hash)


def _drilled_log(log: Path, whole: BoneState) -> DrilledLog:
    """What was drilled in a session; refused where it is not this bone."""
    told = DrilledLog.read(log)
    for kept in told.kept:
        refuse_other_bone(kept.state, whole, log.name)
    if not told.kept and header(log).case_hash != whole.case_hash:
        raise InputRefused(f"{log.name} is a session of another case, or of this one as it was before", "pass the case as it was in that session")
    return told


def _played_again(log: Path, told: DrilledLog, scene: Scene, rig: Rig) -> BoneState:
    found: list[Memory] = []

    def remembered(*world: object) -> Memory:
        found.append(new_memory(*world))  # type: ignore[arg-type]
        return found[0]

    deque(replay(log, scene, rig, step, remembered), maxlen=0)
    drilled = found[0].drilled
    assert drilled is not None
    if told.turns and drilled.bone.hash != told.turns[-1].hash:
        raise LogDamaged(
            f"{log.name}: played again, its bone is not as it was ({drilled.bone.hash}, then {told.turns[-1].hash})",
            "inputs are lost, or another rig or other code drilled it: begin with the log of another session",
        )
    return drilled.bone.state(header(log).session, stretch=drilled.stretch, undone=drilled.undone, trespasses=drilled.trespasses())
