"""The rehearsal's timetable: which tool moves how and when, what the operator's pedal says, when the drill is hidden and the patient bumped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Accept, Collect, Mark, Order, Register, Tool, ToolSelect
from phantoms.path import Stance, Track
from phantoms.shapes import Array
from phantoms.touch import Approach, Cone, Stroke, strokes, touch
from phantoms.trajectories import Ground, Hole, levered_neck, planned_hole, plans_by_side, too_deep_hole
from phantoms.truth import Bone, TruePatient

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

AIR_MM_S: Final = 120.0
DRILLING_MM_S: Final = 13.0
#: Fast enough to be decisive at a limit; a graze would be nobody's miss and nobody's false alarm.
CROSSING_MM_S: Final = 12.0
RETREAT_MM_S: Final = 30.0
STANDOFF_MM: Final = 25.0
HIDDEN_S: Final = 1.2
LANDMARKS: Final = 6
TOUCH_ERROR_MM: Final = 0.3


class Piece(Protocol):
    """A stretch of one tool's movement, during which the tracker is shown it."""

    @property
    def start_s(self) -> float: ...

    @property
    def end_s(self) -> float: ...

    def sample(self, times_s: Array) -> tuple[Array, Array]:
        """Tip (N, 3), mm, and axis (N, 3) in ct."""


@dataclass(frozen=True)
class Bump:
    """The patient is knocked, with the reference and the drill that sits in its bone."""

    start_s: float
    duration_s: float
    shift_mm: Array
    turn_rad: Array


@dataclass
class Script:
    """What happens when. Times are seconds; poses are in ct.

    Attributes
    ----------
    pieces : of each tool, in order of time; between them it lies out of the tracker's view
    orders : the operator's commands
    scenes : named stretches of time, for tests and reports
    hidden : stretches in which the drill is there, and hidden
    jumps : instants at which the tracker mistakes the drill for being elsewhere, and by how much (3,), mm, ct
    shaken : the drill's pieces have the hand's tremor in them already
    turning : stretches in which the drill turns
    """

    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    orders: list[tuple[float, Order]] = field(default_factory=list)
    scenes: dict[str, tuple[float, float]] = field(default_factory=dict)
    hidden: list[tuple[float, float]] = field(default_factory=list)
    jumps: list[tuple[float, Array]] = field(default_factory=list)
    shaken: bool = False
    turning: list[tuple[float, float]] = field(default_factory=list)
    bump: Bump | None = None
    navigation_s: float = 0.0
    end_s: float = 0.0

    def collect(self, start_s: float, end_s: float, what: str, tool: str, landmark: str = "") -> None:
        for time_s, action in ((start_s, "start"), (end_s, "stop")):
            self.orders.append((time_s, Collect(what=what, tool=tool, action=action, landmark=landmark)))  # type: ignore[arg-type]


def write_script(scene: Scene, patient: TruePatient, tools: Mapping[str, Tool], rng: np.random.Generator) -> Script:
    """Work out the whole rehearsal for a patient.

    Raises
    ------
    InputRefused : the case lacks what the script needs: six landmarks, two plans, canal and aorta within reach
    """
    left, right = plans_by_side(scene)
    view = Approach.over(left, right)
    ground = Ground.of(scene, patient, tools["drill"])
    script = Script()
    set_up(script, scene, list(patient.work.values()), tools["pointer"], view, rng)
    _navigate(script, scene, ground, view, rng)
    script.orders.sort(key=lambda entry: entry[0])
    return script


def set_up(script: Script, scene: Scene, bone: Sequence[Bone], pointer: Tool, view: Approach, rng: np.random.Generator) -> None:
    """Calibrate both tools, touch six landmarks, sweep the bone and register; navigation begins at `script.navigation_s`.

    Raises
    ------
    InputRefused : the case has fewer landmarks
    """
    if len(scene.landmarks) < LANDMARKS:
        problem = f"the rehearsal touches {LANDMARKS} landmarks and case '{scene.name}' has {len(scene.landmarks)}"
        raise InputRefused(problem, "add [[landmark]] entries to case.toml")
    clock = 0.5
    for tool in ("pointer", "drill"):
        clock = _pivot(script, tool, view, clock)
    clock = _touch_and_sweep(script, scene, bone, pointer, view, clock, rng)
    script.navigation_s = clock + 1.2
    script.orders += [
        (clock + 0.3, Register(method="landmarks+surface")),
        # The drill is chosen before navigation begins, or putting the pointer away would be an alarm.
        (clock + 1.1, ToolSelect(tools=("drill",))),
        # Vertebrae are alike: where the touches fit a neighbour as well, the level is asked for.
        (script.navigation_s, Accept(result="registration", level=_level_of(scene))),
        (script.navigation_s, Mark(label="navigation")),
    ]


def _level_of(scene: Scene) -> str:
    """The bone that the landmarks lie on."""
    touched = np.array([landmark.position_mm for landmark in scene.landmarks])
    return min((s for s in scene.structures if s.role == "work"), key=lambda s: float(np.abs(s.surface.closest(touched).distance_mm).sum())).name


def _pivot(script: Script, tool: str, view: Approach, clock: float) -> float:
    """Nine seconds in a divot beside the patient, the middle eight of them collected."""
    cone = Cone(clock, clock + 9.0, view.out(30.0, left_mm=-60.0, head_mm=-110.0), view)
    script.pieces.setdefault(tool, []).append(cone)
    script.collect(clock + 0.5, clock + 8.5, "pivot", tool)
    script.orders.append((clock + 9.3, Accept(result=f"pivot/{tool}")))
    script.scenes[f"pivot {tool}"] = (cone.start_s, cone.end_s)
    return clock + 9.8


def _touch_and_sweep(
    script: Script,
    scene: Scene,
    bone: Sequence[Bone],
    pointer: Tool,
    view: Approach,
    clock: float,
    rng: np.random.Generator,
) -> float:
    """Six landmarks, each touched for a second, then the bone that faces the surgeon."""
    ball_mm = pointer.part[0].radius_mm
    aim = -view.back
    track = Track(clock, Stance(view.out(140.0, left_mm=-80.0), aim))
    for landmark in scene.landmarks[:LANDMARKS]:
        at = Stance(touch(bone, np.array(landmark.position_mm), ball_mm, TOUCH_ERROR_MM, rng), aim)
        track.go(at.back(25.0), peak_mm_s=AIR_MM_S)
        touched = track.go(at, peak_mm_s=40.0)
        left = track.hold(1.2)
        script.collect(touched + 0.1, left - 0.1, "landmark", pointer.name, landmark.name)
        track.go(at.back(25.0), peak_mm_s=60.0)
    script.scenes["landmarks"] = (clock, track.end_s)
    begun = track.end_s
    for centres in strokes(bone, view, ball_mm):
        first = Stance(centres[0], aim)
        track.go(first.back(8.0), peak_mm_s=AIR_MM_S)
        stroke = Stroke.along(centres, track.go(first, peak_mm_s=40.0), aim)
        script.collect(stroke.start_s, stroke.end_s, "sweep", pointer.name)
        script.pieces[pointer.name] += [track, stroke]
        track = Track(stroke.end_s, stroke.last)
        track.go(stroke.last.back(8.0), peak_mm_s=80.0)
    script.scenes["sweep"] = (begun, track.end_s)
    track.go(track.stance.back(60.0), peak_mm_s=AIR_MM_S)
    script.pieces[pointer.name].append(track)
    return track.end_s


def _navigate(script: Script, scene: Scene, ground: Ground, view: Approach, rng: np.random.Generator) -> None:
    """Left pedicle, right pedicle with the neck near the canal, too deep towards the aorta, hidden, bumped."""
    plan_left, plan_right = plans_by_side(scene)
    left, lever, deep = planned_hole(plan_left, ground, plan_left.tolerance_mm), levered_neck(plan_right, ground), too_deep_hole(scene, ground)
    track = Track(script.navigation_s - 1.0, Stance(view.out(130.0, left_mm=60.0), left.axis))

    start = _enter(track, left)
    track.go(left.bottom, peak_mm_s=DRILLING_MM_S)
    track.hold(0.8)
    script.scenes["left pedicle"] = (start, _leave(track, left))

    start = _enter(track, lever.hole)
    _lever(track, lever.hole, lever.end, hold_s=0.8)
    script.scenes["right pedicle"] = (start, _leave(track, lever.hole))

    start = _enter(track, deep)
    track.go(deep.at(deep.depth_mm - 12.0), peak_mm_s=DRILLING_MM_S)
    track.hold(0.3)
    track.go(deep.bottom, peak_mm_s=CROSSING_MM_S)
    track.hold(0.8)
    script.scenes["too deep"] = (start, _leave(track, deep))

    start = _enter(track, lever.hole)
    _lever(track, lever.hole, lever.end, hold_s=0.6 + HIDDEN_S + 1.0, script=script)
    script.scenes["hidden"] = (start, _leave(track, lever.hole))

    start = _enter(track, left)
    track.go(left.at(0.7 * left.depth_mm), peak_mm_s=DRILLING_MM_S)
    knocked = track.hold(0.5)
    track.hold(1.8)
    direction, axis = rng.standard_normal(3), rng.standard_normal(3)
    script.bump = Bump(
        start_s=knocked,
        duration_s=0.5,
        shift_mm=rng.uniform(11.0, 18.0) * direction / np.linalg.norm(direction),
        turn_rad=np.radians(rng.uniform(2.0, 4.0)) * axis / np.linalg.norm(axis),
    )
    script.scenes["bump"] = (start, _leave(track, left))
    script.end_s = track.go(Stance(view.out(110.0, left_mm=60.0), left.axis), peak_mm_s=AIR_MM_S)
    script.pieces["drill"].append(track)


def _enter(track: Track, hole: Hole) -> float:
    """Through the air to a hole and down to the bone; returns when it sets off."""
    start = track.end_s
    track.go(hole.at(-STANDOFF_MM), peak_mm_s=AIR_MM_S)
    track.go(hole.at(-2.0), peak_mm_s=40.0)
    return start


def _leave(track: Track, hole: Hole) -> float:
    """Back out of a hole into the air; returns when it is out."""
    return track.go(hole.at(-STANDOFF_MM), peak_mm_s=RETREAT_MM_S)


def _lever(track: Track, hole: Hole, end: Stance, *, hold_s: float, script: Script | None = None) -> None:
    """Down the hole, lever the drill towards the canal, stay, and back the same way; with a script given, hide the drill meanwhile."""
    track.go(hole.bottom, peak_mm_s=DRILLING_MM_S)
    track.hold(0.3)
    levered = track.go(end, duration_s=0.9, pivot_mm=hole.entry_mm)
    track.hold(hold_s)
    if script is not None:
        script.hidden.append((levered + 0.6, levered + 0.6 + HIDDEN_S))
    track.go(hole.bottom, duration_s=0.9, pivot_mm=hole.entry_mm)
