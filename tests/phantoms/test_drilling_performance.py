"""The lamina's script sampled and read out: what is seen, what is said, what is true; and the product's alarms against that truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.nouns import Command, Drilling, Spindle, TrackerFrame, TrueSetup, Truth, encode
from navtwin.report.against_truth import judge_session
from navtwin.report.gather import gather
from navtwin.run.session import new_header
from navtwin.run.simulate import simulate
from navtwin.scene.model import Landmark, Patient, Scene, Structure
from navtwin.volumes.volume import VolumeBox
from phantoms.drilling.lamina import lamina
from phantoms.drilling.meshed import meshed
from phantoms.drilling.performance import Drilled, perform_drilling
from phantoms.drilling.rig import DRILL, drilling_rig

pytestmark = pytest.mark.heavy
LIMITS = {"spinal_canal": (1.8, 1.2), "aorta": (3.0, 1.8)}
SEED = 2


@pytest.fixture(scope="module")
def scene() -> Scene:
    """The built-in spine where it is drilled, its surfaces made from the shapes themselves."""
    site = lamina()
    bone = Structure(site.bone, "work", "ref", meshed(site.anatomy.bone, 0.7), None, None, 0.1, 15.0, "#e6dccb", 1.0, False, carve_mm=0.4)
    critical = tuple(
        Structure(name, "critical", "ref", meshed(shape, 1.5), *LIMITS[name], 0.1, 15.0, "#d8654f", 1.0, False)
        for name, shape in site.anatomy.critical.items()
    )
    box = VolumeBox(((1.0, 0.0, 0.0, 200.0), (0.0, 1.0, 0.0, 200.0), (0.0, 0.0, 1.0, 200.0), (0.0, 0.0, 0.0, 1.0)), (400, 400, 400))
    marks = tuple(Landmark(name, p) for name, p in site.landmarks.items())
    return Scene("lamina", (bone, *critical), marks, (), Patient(), box, Path("ct"), Path("case"), "1" * 64)


@pytest.fixture(scope="module")
def drilled(scene: Scene) -> Drilled:
    return perform_drilling(scene, drilling_rig(), lamina(), SEED)


@pytest.fixture(scope="module")
def items(drilled: Drilled) -> list[object]:
    return list(drilled.items("phantom:lamina:2"))


def test_same_seed_same_stream(scene: Scene, items: list[object]) -> None:
    again = perform_drilling(scene, drilling_rig(), lamina(), SEED).items("phantom:lamina:2")
    assert [encode(item) for item in again] == [encode(item) for item in items]


def test_truth_tells_what_the_drill_has_done(drilled: Drilled, items: list[object]) -> None:
    truths = [item for item in items if isinstance(item, Truth)]
    drills = [(truth.t_capture_ns * 1e-9, truth.drills[0]) for truth in truths if truth.drills]
    assert len(drills) > 2000
    removed = [drill.removed_mm3 for _, drill in drills]
    assert removed == sorted(removed) and removed[0] == 0.0 and removed[-1] > 500.0
    for time_s, drill in drills[::17]:
        assert drill.turning == any(a < time_s <= b for a, b in drilled.played.script.turning)
        assert all(0.0 <= wall.thickness_mm <= 8.0 for wall in drill.walls)
    assert any(wall.thickness_mm == 0.0 for _, drill in drills for wall in drill.walls), "down to the canal"
    assert any(wall.thickness_mm > 1.0 for _, drill in drills for wall in drill.walls)
    assert all(not truth.drills for truth in truths if truth.t_capture_ns * 1e-9 < 0.4), "put away"


def test_the_tracker_lies_once(drilled: Drilled) -> None:
    ((time_s, offset_mm),) = drilled.played.script.jumps
    played = drilled.played
    tip = played.fits["ref"].poses.inverse().then(played.fits[DRILL].poses).points(played.made[DRILL].tip_mm)
    T_ct_from_ref = played.stage.T_ct_from_ref
    error = np.linalg.norm(T_ct_from_ref.apply(tip) - played.motion[DRILL].T_ct_from_tip.t_mm, axis=1)
    seen = played.motion[DRILL].seen
    lied = np.flatnonzero(seen & (error > 3.0))
    assert len(lied) == 1 and abs(played.times_s[lied[0]] - time_s) < 0.02
    assert error[lied[0]] == pytest.approx(np.linalg.norm(offset_mm), abs=1.0)


def test_what_is_said_reaches_the_host_with_the_frames(items: list[object]) -> None:
    orders = [item.order for item in items if isinstance(item, Command)]
    assert sum(isinstance(order, Spindle) for order in orders) > 300 and sum(isinstance(order, Drilling) for order in orders) == 1
    frames = [item for item in items if isinstance(item, TrackerFrame)]
    statuses = {s.status for frame in frames for s in frame.sightings if s.body == DRILL}
    assert {"OK", "MISSING", "OUT_OF_VIEW"} <= statuses


def test_every_alarm_that_the_truth_demands_is_raised(scene: Scene, drilled: Drilled, items: list[object]) -> None:
    rig = drilling_rig()
    header = new_header(scene, rig, Path("rig.toml"), "phantom:lamina:2", 0.0)
    session = gather(header, simulate(scene, rig, items, header), [i for i in items if isinstance(i, Truth | TrueSetup)])  # type: ignore[arg-type]
    findings = judge_session(session, scene, rig)
    assert [f for f in findings if f.verdict in ("missed", "late")] == []
    contact = [f for f in findings if f.pair == "spinal_canal/drill/burr" and f.nearest_mm < 0.0]
    assert contact, "the breach is judged"
