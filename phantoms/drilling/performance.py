"""A drilling script performed: what is said, what is seen, and what is truly cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Collect, Part, Rig, SourceItem, Tool, ToolSelect, TrueDrill, TrueWall
from phantoms.drilling.felt import Felt
from phantoms.drilling.hand import Hand
from phantoms.drilling.rig import DRILL
from phantoms.drilling.site import Site
from phantoms.drilling.truth import WALL_REACH_MM, TrueBone, capsule_distances, closest_on
from phantoms.motion import Poses
from phantoms.path import Stance, Track
from phantoms.performance import Flags, Played, chosen_tools, play, random_streams
from phantoms.rehearsal import items_of
from phantoms.script import AIR_MM_S, Script, set_up
from phantoms.shapes import Array, Shape
from phantoms.touch import drop_ball

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

POINTER, BURR = "pointer", "burr"
#: How long the pointer rests on the wall, and has to be still there, s.
TOUCH_S, DWELL_S = 1.4, 0.7
#: Over the bone, and within the scan.
POINTER_WAITS_MM = 60.0
VOLUME_SIDE_MM = 0.35


@dataclass(frozen=True)
class Drilled:
    """A drilling script, sampled at N exposures, with its truth.

    Attributes
    ----------
    bone : the true bone, and all that was truly cut of it
    turning : (N,) the drill truly turns
    """

    played: Played
    site: Site
    bone: TrueBone
    turning: Flags

    @cached_property
    def removed_mm3(self) -> Array:
        """Bone (N,), mm^3, that is gone by each exposure."""
        return self.bone.removed_mm3(self.played.times_s, VOLUME_SIDE_MM)

    @cached_property
    def walls_mm(self) -> dict[str, Array]:
        """By structure, bone (N,), mm, left on the straight way from the burr's skin to it; NaN where it is out of reach."""
        return {name: _walls(self.played, shape, self.bone, name) for name, shape in self.site.anatomy.critical.items()}

    def drills(self, n: int) -> tuple[TrueDrill, ...]:
        """What the drill has truly done by one exposure; nothing while it is put away."""
        if not self.played.motion[DRILL].present[n]:
            return ()
        walls = tuple(TrueWall(structure=s, thickness_mm=float(mm[n])) for s, mm in self.walls_mm.items() if np.isfinite(mm[n]))
        return (TrueDrill(instrument=DRILL, turning=bool(self.turning[n]), removed_mm3=float(self.removed_mm3[n]), walls=walls),)

    def items(self, name: str) -> Iterator[SourceItem]:
        """Every item of the performance, in order of arrival; `name` is what its frames give as their source."""
        return items_of(self.played, name, self.drills)


def perform_drilling(scene: Scene, rig: Rig, site: Site, seed: int) -> Drilled:
    """Perform a drilling script on the phantom's own case; the same seed gives the same performance.

    Raises
    ------
    InputRefused : the case is another, or the rig lacks a tool, its markers or the drill's cutter
    """
    site.refuse_other_case(scene)
    tools = chosen_tools(rig)
    cutter = tools[DRILL].cutter
    if cutter is None or cutter.profile != "sphere":
        raise InputRefused(f"phantom:{site.script} drills with a ball, and the rig's drill has none", "give it [tool.cutter] with profile sphere")
    streams = random_streams(seed)
    script, bone = write_drilling(scene, tools[POINTER], site, cutter.radius_mm, next(streams), seed)

    def distances(structure: str, tool: Tool, part: Part, poses: Poses) -> Array:
        return capsule_distances(site.anatomy.critical[structure], part, poses)

    played = play(script, site.view, rig, tools, streams, tuple(site.anatomy.critical), distances)
    turning = np.any([(played.times_s > a) & (played.times_s <= b) for a, b in script.turning], axis=0)
    return Drilled(played, site, bone, turning)


def write_drilling(scene: Scene, pointer: Tool, site: Site, radius_mm: float, rng: np.random.Generator, seed: int) -> tuple[Script, TrueBone]:
    """Work out a whole drilling script: what happens when, and the bone with all that is truly cut of it."""
    script = Script(shaken=True)
    set_up(script, scene, [site.felt], pointer, site.view, rng)
    hand = Hand(script, Track(script.navigation_s - 1.0, Stance(site.view.out(33.0, left_mm=12.0), -site.view.back)), (seed, 3))
    site.act(site, hand)
    hand.script.pieces[DRILL].append(hand.piece)
    script.turning = hand.turning
    bone = TrueBone(site.anatomy.bone, hand.cuts(radius_mm))
    script.end_s = _touch_walls(script, site, bone, pointer, hand.now_s)
    # It stays in sight, well out of the way: an instrument that is put away where it was in use may be anywhere.
    hand.track.hold(script.end_s - hand.now_s)
    hand.speak()
    script.orders.sort(key=lambda entry: entry[0])
    return script, bone


def _touch_walls(script: Script, site: Site, bone: TrueBone, pointer: Tool, clock: float) -> float:
    """The pointer comes in place of the drill and rests on the drilled wall, here and there; returns when it is out again."""
    aim, ball_mm = -site.view.back, pointer.part[0].radius_mm
    script.orders.append((clock - 0.3, ToolSelect(tools=(pointer.name,))))
    track = Track(clock - 1.0, Stance(site.view.out(POINTER_WAITS_MM, left_mm=-25.0), aim))
    track.hold(0.7)
    begun = track.end_s
    centres, touched = drop_ball([Felt(bone.drilled_distance_mm, np.empty((0, 3)))], np.array(site.touched), aim, ball_mm, 80.0)
    for centre in centres[touched]:
        at = Stance(centre, aim)
        track.go(at.back(30.0), peak_mm_s=AIR_MM_S)
        down = track.go(at, peak_mm_s=40.0)
        script.orders.append((down + 0.1, Collect(what="check", tool=pointer.name, action="start", dwell_s=DWELL_S)))
        track.hold(TOUCH_S)
        track.go(at.back(30.0), peak_mm_s=60.0)
    script.scenes["touches"] = (begun, track.end_s)
    end_s = track.go(Stance(site.view.out(POINTER_WAITS_MM, left_mm=-25.0), aim), peak_mm_s=AIR_MM_S)
    script.pieces[pointer.name].append(track)
    return end_s


def _walls(played: Played, shape: Shape, bone: TrueBone, structure: str) -> Array:
    motion, away = played.motion[DRILL], played.distances_mm[structure, DRILL, BURR]
    near = np.flatnonzero(motion.present & (away > 0.0) & (away < WALL_REACH_MM))
    out = np.full(len(away), np.nan)
    out[motion.present & (away <= 0.0)] = 0.0
    centres = motion.T_ct_from_tip.t_mm[near]
    ends = closest_on(shape, centres)
    way = ends - centres
    starts = centres + bone.cuts.radius_mm * way / np.linalg.norm(way, axis=1, keepdims=True)
    out[near] = bone.bone_on_ways_mm(starts, ends, played.times_s[near])
    return out
