"""One scripted rehearsal run through the whole pipeline, beside its truth: every link of the chain as it was measured and as it truly was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Event, Rig, TrackerFrame, TrueSetup, Truth, read_rig
from navtwin.report.gather import gather
from navtwin.report.session import Session
from navtwin.rigid import Rigid
from navtwin.run.session import new_header
from navtwin.run.simulate import simulate
from navtwin.scene.case import load_scene
from navtwin.scene.error_budget import split
from navtwin.scene.model import Scene
from navtwin.twin.judge import K_SD, bounds_mm
from navtwin.twin.memory import Memory
from phantoms.motion import Poses
from phantoms.performance import Performance, perform
from phantoms.rehearsal import items_of, stream_name
from phantoms.rig import FACING, RIG_FILE
from phantoms.touch import Approach
from phantoms.trajectories import plans_by_side

Array = npt.NDArray[np.float64]
#: One frame in so many is looked at for the budget: neighbours tell the same.
EVERY = 5
DRILL, BURR = "drill", "burr"


@dataclass(frozen=True)
class Sample:
    """What the fold reckoned in one frame of the burr and one critical structure.

    Attributes
    ----------
    variances : by source, mm^2
    latency_mm : what of the allowance is latency x speed
    """

    frame: int
    structure: str
    distance_mm: float
    variances: dict[str, float]
    latency_mm: float


@dataclass(frozen=True)
class Rehearsal:
    """One seed's rehearsal: what really was, what the twin said of it, and what its error bars were made of."""

    seed: int
    scene: Scene
    rig: Rig
    played: Performance
    session: Session
    samples: tuple[Sample, ...]

    @property
    def T_tracker_from_ct(self) -> Poses:
        """Where the patient truly was at each exposure."""
        stage, script = self.played.stage, self.played.script
        return stage.T_tracker_from_ct_at(self.played.times_s, script.bump, Approach.over(*plans_by_side(self.scene)).middle_mm)

    @property
    def T_marker_from_tip(self) -> Poses:
        """Of the drill as it was made, at each exposure."""
        from phantoms.path import frames

        made, count = self.played.made[DRILL], len(self.played.capture_ns)
        return Poses(np.tile(frames(made.axis[None], np.array(FACING)), (count, 1, 1)), np.tile(made.tip_mm, (count, 1)))

    @property
    def T_ct_from_ref(self) -> Rigid | None:
        """As it was registered last; None where no registration was accepted."""
        found = self.session.registration
        return None if found is None else found.pose.rigid(target="ct", source="ref")


@cache
def world(case: Path) -> tuple[Scene, Rig]:
    """Case and rig, loaded once in each process."""
    return load_scene(case), read_rig(case / RIG_FILE)


def rehearse(case: Path, seed: int) -> Rehearsal:
    """Perform the pedicle screws of one seed and run them flat out through calibration, registration and navigation."""
    scene, rig = world(case)
    played = perform(scene, rig, seed)
    items = list(items_of(played, stream_name(seed)))
    header = new_header(scene, rig, case / RIG_FILE, f"phantom:{stream_name(seed)}", 0.0)
    samples: list[Sample] = []

    def look(memory: Memory, event: Event) -> None:
        if isinstance(event.body, TrackerFrame) and event.body.number % EVERY == 0 and memory.phase == "navigation":
            samples.extend(_samples(scene, memory, event.body.number))

    run = simulate(scene, rig, items, header, look)
    session = gather(header, run, [i for i in items if isinstance(i, Truth | TrueSetup)])
    return Rehearsal(seed, scene, rig, played, session, tuple(samples))


def _samples(scene: Scene, memory: Memory, frame: int) -> list[Sample]:
    """The burr against each critical structure, where its distance is known."""
    p = memory.proximity
    if p.error_sources is None:
        return []
    burr = next(n for n, (t, part) in enumerate(zip(p.tool_of_part, p.part_names, strict=True)) if (p.tool_names[t], part) == (DRILL, BURR))
    found, latency = split(p.on_axis, p.on_structure, p.tool_of_part, p.error_sources), p.distance - K_SD * p.sd - bounds_mm(memory)
    return [
        Sample(frame, s.name, float(p.distance[burr, n]), {name: float(v[burr, n]) for name, v in found.items()}, float(latency[burr, n]))
        for n, s in enumerate(scene.structures)
        if s.role == "critical" and np.isfinite(p.sd[burr, n])
    ]
