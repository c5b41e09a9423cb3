"""The rehearsal performed: every movement sampled at every exposure, as it really was and as the tracker saw it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Part, Rig, Tool
from phantoms.motion import Poses
from phantoms.path import frames, tremor, unit
from phantoms.rig import FACING, NOISE, MadeTool, make_tools
from phantoms.script import Script, write_script
from phantoms.shapes import Array
from phantoms.stage import Stage, constant
from phantoms.touch import Approach
from phantoms.tracker import NS_PER_S, Fits, Timing, arrival_times, capture_times, observe
from phantoms.trajectories import plans_by_side
from phantoms.truth import TruePatient, part_distances, true_patient

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

TREMOR_MM = 0.1
TREMOR_RAD = 0.002
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Motion:
    """What one tool truly does at each of N exposures.

    Attributes
    ----------
    T_ct_from_tip : N poses; they mean nothing where the tool is not `present`
    present : (N,) the tool is in the tracker's view, not put away
    seen : (N,) and not hidden from it
    """

    T_ct_from_tip: Poses
    present: Flags
    seen: Flags


@dataclass(frozen=True)
class Played:
    """A whole script, sampled at N exposures; `phantoms.rehearsal` reads it out item by item.

    Attributes
    ----------
    capture_ns, arrival_ns : (N,) instants of exposure and of arrival at the host, ns, from 0 on
    delivered : (N,) the frame arrives at all
    motion : by tool
    fits : by body, T_tracker_from_marker as the tracker solved it
    distances_mm : by (structure, tool, part), (N,) true distance at each exposure, NaN where the tool is not present
    """

    rig: Rig
    script: Script
    stage: Stage
    made: dict[str, MadeTool]
    capture_ns: npt.NDArray[np.int64]
    arrival_ns: npt.NDArray[np.int64]
    delivered: Flags
    motion: dict[str, Motion]
    fits: dict[str, Fits]
    distances_mm: dict[tuple[str, str, str], Array]

    @property
    def times_s(self) -> Array:
        """Instants of exposure (N,), s."""
        return self.capture_ns / NS_PER_S

    def during(self, scene: str) -> Flags:
        """(N,) the exposures of one of the script's scenes."""
        start_s, end_s = self.script.scenes[scene]
        return (self.times_s >= start_s) & (self.times_s <= end_s)


@dataclass(frozen=True)
class Performance(Played):
    """The pedicle screws' rehearsal, with the patient that they truly went into."""

    patient: TruePatient


def perform(scene: Scene, rig: Rig, seed: int) -> Performance:
    """Perform the rehearsal on a case; the same seed gives the same performance.

    Raises
    ------
    InputRefused : the rig lacks a tool or its markers, or the case lacks what the script needs (`write_script`)
    """
    tools = chosen_tools(rig)
    streams = random_streams(seed)
    patient = true_patient(scene, seed)
    script = write_script(scene, patient, tools, next(streams))

    def distances(structure: str, tool: Tool, part: Part, poses: Poses) -> Array:
        return part_distances(patient.critical[structure], part, poses)

    played = play(script, Approach.over(*plans_by_side(scene)), rig, tools, streams, tuple(patient.critical), distances)
    return Performance(**vars(played), patient=patient)


def random_streams(seed: int) -> Iterator[np.random.Generator]:
    """One for each thing that chance decides, in the order in which they are asked for."""
    return (np.random.default_rng([seed, 2, n]) for n in range(100))


def play(
    script: Script,
    view: Approach,
    rig: Rig,
    tools: Mapping[str, Tool],
    streams: Iterator[np.random.Generator],
    critical: tuple[str, ...],
    distances: Callable[[str, Tool, Part, Poses], Array],
) -> Played:
    """Sample a script's movements at every exposure, as they were and as the tracker saw them.

    Parameters
    ----------
    distances : true distance (N,), mm, from a part to a critical structure, for N poses T_ct_from_tip of its tool
    """
    stage = Stage.around(view, next(streams))
    made = make_tools(rig, next(streams))
    timing = Timing()
    capture_ns = capture_times(script.end_s, rig.tracker, timing, next(streams))
    times_s = capture_ns / NS_PER_S
    arrival_ns = arrival_times(capture_ns, rig.tracker, timing, next(streams))
    delivered = next(streams).random(len(times_s)) >= timing.lost_share
    motion = {name: _move(script, name, times_s, stage.to_camera, timing, next(streams)) for name in tools}
    T_tracker_from_ct = stage.T_tracker_from_ct_at(times_s, script.bump, view.middle_mm)
    fits = {}
    for body in rig.body:
        carried = [tool for tool in tools.values() if tool.body == body.name]
        if body.name == rig.reference:
            inner = constant(stage.T_ct_from_ref, len(times_s))
        elif carried:
            inner = motion[carried[0].name].T_ct_from_tip.then(_tip_in_marker(made[carried[0].name], len(times_s)).inverse())
        else:
            continue
        seen = T_tracker_from_ct.then(inner)
        for time_s, jump_mm in script.jumps if "drill" in {tool.name for tool in carried} else ():
            seen.t_mm[int(np.searchsorted(times_s, time_s))] += T_tracker_from_ct.rotation[0] @ jump_mm
        fits[body.name] = observe(seen, body.markers_mm, NOISE, next(streams))
    true_mm = {
        (structure, tool.name, part.name): _where_present(motion[tool.name], partial(distances, structure, tool, part))
        for tool in tools.values()
        for part in tool.part
        for structure in critical
    }
    return Played(rig, script, stage, made, capture_ns, arrival_ns, delivered, motion, fits, true_mm)


def chosen_tools(rig: Rig) -> dict[str, Tool]:
    """The pointer and the drill of a rig, checked."""
    tools = {tool.name: tool for tool in rig.tool}
    for name in ("pointer", "drill"):
        if name not in tools:
            raise InputRefused(f"the rehearsal needs a tool '{name}' in the rig", nearest(name, tools))
    chosen = {name: tools[name] for name in ("pointer", "drill")}
    for body in rig.body:
        if body.name in (rig.reference, *(tool.body for tool in chosen.values())) and len(body.markers_mm) < 3:
            raise InputRefused(
                f"body '{body.name}' has {len(body.markers_mm)} markers", "give it markers_mm, three or more, so that they can be seen"
            )
    if not {"burr", "neck", "handpiece"} <= {part.name for part in chosen["drill"].part}:
        raise InputRefused("the drill of the rehearsal has a burr, a neck and a handpiece", "name its [[tool.part]] entries so")
    return chosen


def _move(script: Script, name: str, times_s: Array, to_camera: Array, timing: Timing, rng: np.random.Generator) -> Motion:
    """A tool's true movement, with the tremor of the hand that holds it; a tip in a divot or on bone keeps still."""
    count = len(times_s)
    tips, axes, present = np.zeros((count, 3)), np.tile(-to_camera, (count, 1)), np.zeros(count, dtype=bool)
    for piece in script.pieces[name]:
        on = (times_s >= piece.start_s) & (times_s <= piece.end_s)
        tips[on], axes[on] = piece.sample(times_s[on])
        present |= on
    seen = present & (rng.random(count) >= timing.unseen_share)
    if name == "drill":
        if not script.shaken:
            tips += np.where(times_s >= script.scenes["sweep"][1], 1.0, 0.0)[:, None] * tremor(times_s, TREMOR_MM, rng)
        for start_s, end_s in script.hidden:
            seen &= (times_s < start_s) | (times_s >= end_s)
    axes = unit(axes + tremor(times_s, TREMOR_RAD, rng))
    return Motion(Poses(frames(axes, to_camera), tips), present, seen)


def _tip_in_marker(made: MadeTool, count: int) -> Poses:
    """T_marker_from_tip of a tool as it was made."""
    return Poses(np.tile(frames(made.axis[None], np.array(FACING)), (count, 1, 1)), np.tile(made.tip_mm, (count, 1)))


def _where_present(motion: Motion, distances: Callable[[Poses], Array]) -> Array:
    """Distances (N,) at the exposures at which a tool is present, NaN at the others."""
    out = np.full(len(motion.present), np.nan)
    at = motion.present
    out[at] = distances(Poses(motion.T_ct_from_tip.rotation[at], motion.T_ct_from_tip.t_mm[at]))
    return out
