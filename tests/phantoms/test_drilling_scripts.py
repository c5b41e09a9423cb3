"""The drilling scripts before anything is sampled: every scene is there and does what its name says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Collect, Drilling, Mark, Spindle, ToolSelect
from navtwin.scene.model import Landmark, Patient, Scene, Structure
from navtwin.volumes.volume import VolumeBox
from phantoms.drilling.hand import SAID_EVERY_S
from phantoms.drilling.meshed import meshed
from phantoms.drilling.moves import HIDDEN_S, SILENT_S
from phantoms.drilling.performance import POINTER, perform_drilling, write_drilling
from phantoms.drilling.rig import BURR_RADIUS_MM, DRILL, drilling_rig
from phantoms.drilling.site import Site, beside
from phantoms.drilling.truth import TrueBone, closest_on
from phantoms.rig import demo_rig
from phantoms.script import Script
from phantoms.scripts import SITES
from phantoms.shapes import Array, Sphere
from phantoms.source import open_source

FASTEST_MM_S = 400.0
SCENES = {
    "mastoid": ["air", "cortex", "graze", "swipe", "cavity", "dropout", "late word", "tegmen", "sinus", "facial nerve", "undo", "breach", "touches"],
    "lamina": ["air", "graze", "swipe", "lamina", "dropout", "late word", "canal", "undo", "breach", "touches"],
}
BREACHED = {"mastoid": "sigmoid_sinus", "lamina": "spinal_canal"}


class Written(NamedTuple):
    site: Site
    script: Script
    bone: TrueBone

    def removed(self, scene: str) -> float:
        """Bone that is gone after a scene and was there before it, mm^3."""
        return removed_in_scenes(self.site.script)[scene]

    def tips(self, scene: str) -> tuple[Array, Array]:
        """The drill's tip in a scene, and the speed at which it moves."""
        times = np.arange(*self.script.scenes[scene], 1.0 / 60.0)
        tips, _ = self.script.pieces[DRILL][-1].sample(times)
        return tips, np.linalg.norm(np.diff(tips, axis=0), axis=1) * 60.0


def scene_of(site: Site) -> Scene:
    """As much of the site's case as a script looks at."""
    surface = meshed(Sphere((0.0, 0.0, 0.0), 5.0), 2.0)
    structure = Structure(site.bone, "work", "ref", surface, None, None, 0.1, 15.0, "#c0c0c0", 1.0, False)
    box = VolumeBox(((1.0, 0.0, 0.0, 99.0), (0.0, 1.0, 0.0, 99.0), (0.0, 0.0, 1.0, 99.0), (0.0, 0.0, 0.0, 1.0)), (200, 200, 200))
    marks = tuple(Landmark(name, p) for name, p in site.landmarks.items())
    return Scene(site.script, (structure,), marks, (), Patient(), box, Path("ct"), Path("case"), "0" * 64)


@cache
def written(name: str) -> Written:
    site = SITES[name]()
    pointer = next(tool for tool in drilling_rig().tool if tool.name == POINTER)
    return Written(site, *write_drilling(scene_of(site), pointer, site, BURR_RADIUS_MM, np.random.default_rng(3), 1))


@cache
def removed_in_scenes(name: str) -> dict[str, float]:
    one = written(name)
    spans = np.array(list(one.script.scenes.values()))
    taken = np.diff(one.bone.removed_mm3(spans.ravel(), side_mm=0.4).reshape(-1, 2), axis=1)[:, 0]
    return dict(zip(one.script.scenes, taken.tolist(), strict=True))


@pytest.fixture(params=SITES)
def one(request: pytest.FixtureRequest) -> Written:
    return written(request.param)


def test_all_scenes_are_there_in_order(one: Written) -> None:
    names = SCENES[one.site.script]
    starts = [one.script.scenes[name][0] for name in names]
    assert starts == sorted(starts) and starts[0] >= one.script.navigation_s - 1.1
    marked = [order.label for _, order in one.script.orders if isinstance(order, Mark)]
    assert marked == ["navigation", *names[:-1]] or marked == [names[0], "navigation", *names[1:-1]]
    assert one.script.end_s - one.script.navigation_s < 180.0


def test_the_pedal_is_heard_every_tenth_of_a_second_but_once(one: Written) -> None:
    said = [(t, order) for t, order in one.script.orders if isinstance(order, Spindle)]
    gaps = [(a, b) for (a, _), (b, _) in pairwise(said) if b - a > SAID_EVERY_S + 1e-6]
    assert len(gaps) == 1 and gaps[0][1] - gaps[0][0] == pytest.approx(SILENT_S, abs=0.11)
    late = one.script.scenes["late word"]
    assert late[0] < gaps[0][0] and gaps[0][1] < late[1]
    assert any(a <= gaps[0][0] and gaps[0][1] <= b for a, b in one.script.turning), "it turns all the while"
    words = {on for t, order in said for on in [order.on] if any(a <= t < b for a, b in one.script.turning)}
    assert words == {True}
    claimed = [t for t, order in said if order.on and not any(a <= t < b for a, b in one.script.turning)]
    undo = one.script.scenes["undo"]
    assert claimed and undo[0] < min(claimed) and max(claimed) < undo[1], "only before the undo is it said to turn while it stands"


def test_cuts_happen_only_while_it_turns(one: Written) -> None:
    assert one.removed("air") == 0.0 and one.removed("undo") == 0.0
    takes = {name: one.removed(name) for name in SCENES[one.site.script][1:-1] if name != "undo"}
    assert min(takes.values()) > 0.1
    assert takes["graze"] < 12.0 < takes["swipe"] < 80.0
    assert [order.action for _, order in one.script.orders if isinstance(order, Drilling)] == ["undo"]


def test_the_swipe_is_fast_and_within_the_gate(one: Written) -> None:
    _, speed = one.tips("swipe")
    assert 250.0 < speed.max() < 0.85 * FASTEST_MM_S
    for name in SCENES[one.site.script][:-1]:
        assert name == "swipe" or one.tips(name)[1].max() < 150.0, name


def test_the_drill_is_lost_while_it_cuts(one: Written) -> None:
    ((start_s, end_s),) = one.script.hidden
    assert end_s - start_s == pytest.approx(HIDDEN_S)
    assert any(a < start_s and end_s < b for a, b in one.script.turning)
    before, after = one.bone.removed_mm3([start_s, end_s], side_mm=0.5)
    assert after - before > 0.5


def test_the_jump_would_carve_a_trench_and_is_no_hands(one: Written) -> None:
    ((time_s, offset_mm),) = one.script.jumps
    tip, _ = one.script.pieces[DRILL][-1].sample(np.array([time_s]))
    assert np.linalg.norm(offset_mm) * 60.0 > 1.5 * FASTEST_MM_S
    between = tip + np.linspace(0.0, 1.0, 20)[:, None] * offset_mm
    assert one.bone.drilled_distance_mm(between, time_s).min() < -0.8
    assert any(a < time_s < b for a, b in one.script.turning)


def test_the_breach_touches_and_nothing_else_does(one: Written) -> None:
    for name, shape in one.site.anatomy.critical.items():
        for scene in SCENES[one.site.script][:-1]:
            room = float((shape.distance_mm(one.tips(scene)[0]) - BURR_RADIUS_MM).min())
            if scene == "breach" and name == BREACHED[one.site.script]:
                assert -1.0 < room < -0.4
            else:
                assert room > 0.3, (name, scene)


def test_the_nerves_wall_gets_thin() -> None:
    one = written("mastoid")
    nerve = one.site.anatomy.critical["facial_nerve"]
    tips, _ = one.tips("facial nerve")
    room = nerve.distance_mm(tips) - BURR_RADIUS_MM
    assert 0.4 < room.min() < 0.8
    nearest = tips[[int(np.argmin(room))]]
    left = one.bone.bone_on_ways_mm(nearest, closest_on(nerve, nearest), np.array([np.inf]))
    assert 0.3 < left[0] < 1.0


def test_the_pointer_rests_on_the_drilled_wall(one: Written) -> None:
    checks = [(t, order) for t, order in one.script.orders if isinstance(order, Collect) and order.what == "check"]
    assert len(checks) == len(one.site.touched)
    radius = next(tool for tool in drilling_rig().tool if tool.name == POINTER).part[0].radius_mm
    tips, _ = one.script.pieces[POINTER][-1].sample(np.array([t for t, _ in checks]) + 0.3)
    assert one.bone.drilled_distance_mm(tips) == pytest.approx(np.full(len(tips), radius), abs=0.03)
    assert (one.site.anatomy.bone.distance_mm(tips) < radius - 0.5).any(), "where bone was before"
    selected = [(t, order.tools) for t, order in one.script.orders if isinstance(order, ToolSelect)]
    assert selected[-1][1] == (POINTER,) and selected[-1][0] < checks[0][0]


def test_what_cannot_be_drilled_is_refused() -> None:
    site, rig = written("lamina").site, drilling_rig()
    case = scene_of(site)
    bare = msgspec.structs.replace(rig, tool=tuple(msgspec.structs.replace(t, cutter=None) for t in rig.tool))
    moved = replace(case, landmarks=tuple(Landmark(m.name, (m.position_mm[0] + 1.0, *m.position_mm[1:])) for m in case.landmarks))
    for scene, used, words in ((moved, rig, "is another"), (case, bare, "has none"), (replace(case, structures=()), rig, "is another")):
        with pytest.raises(InputRefused, match=words):
            perform_drilling(scene, used, site, 1)
    with pytest.raises(InputRefused, match="mastoid"):
        open_source("mastoidd", case, rig)
    assert demo_rig().tool[1].cutter is None, "the screws' rig is as it was"


def test_a_ray_that_stays_away_is_refused() -> None:
    with pytest.raises(ValueError, match="never comes"):
        beside(Sphere((0.0, 0.0, 0.0), 1.0), (10.0, 20.0, 0.0), (1.0, 0.0, 0.0), 1.0)
