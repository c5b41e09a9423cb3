from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Accept, Collect, Command, Event, Mark, Register, SourceEnded, ToolSelect, TrackerFrame, TrueSetup, Truth, encode
from navtwin.record.read import decode, read_log
from navtwin.scene.model import Scene
from phantoms.motion import Poses
from phantoms.performance import Performance, perform
from phantoms.rehearsal import generate, items_of, stream_name, write_stream
from phantoms.rig import demo_rig
from phantoms.source import open_source
from phantoms.touch import Stroke
from phantoms.truth import nearest_distance, part_distances

CANAL, AORTA = "spinal_canal", "aorta"
PARTS = ("burr", "neck", "handpiece")


@pytest.fixture(scope="module")
def items(performance: Performance) -> list[object]:
    return list(items_of(performance, stream_name(5)))


def nearest_of(performance: Performance, scene: str, structure: str) -> dict[str, float]:
    """Least true distance of each part of the drill in one scene, mm."""
    during = performance.during(scene)
    return {part: float(np.nanmin(performance.distances_mm[structure, "drill", part][during])) for part in PARTS}


def test_left_pedicle_stays_surely_clear(spine: Scene, performance: Performance) -> None:
    for name in (CANAL, AORTA):
        caution = spine.structure(name).caution_mm
        assert caution is not None and min(nearest_of(performance, "left pedicle", name).values()) > caution + 1.5


def test_right_pedicle_the_neck_comes_nearest_and_stops_short_of_contact(spine: Scene, performance: Performance) -> None:
    canal = spine.structure(CANAL)
    assert canal.caution_mm is not None and canal.danger_mm is not None
    for scene in ("right pedicle", "hidden"):
        near = nearest_of(performance, scene, CANAL)
        assert min(near, key=lambda part: near[part]) == "neck"
        assert 0.1 < near["neck"] < canal.danger_mm - 0.4
        assert near["burr"] > canal.caution_mm + 1.0 and near["handpiece"] > canal.caution_mm + 1.0
        assert min(nearest_of(performance, scene, AORTA).values()) > 5.0


def test_too_deep_the_burr_comes_nearest_the_aorta(spine: Scene, performance: Performance) -> None:
    aorta, canal = spine.structure(AORTA), spine.structure(CANAL)
    assert aorta.danger_mm is not None and canal.caution_mm is not None
    near = nearest_of(performance, "too deep", AORTA)
    assert min(near, key=lambda part: near[part]) == "burr"
    assert 0.3 < near["burr"] < aorta.danger_mm - 0.4
    assert min(nearest_of(performance, "too deep", CANAL).values()) > canal.caution_mm + 1.0
    bone = list(performance.patient.work.values())
    deepest = int(np.nanargmin(np.where(performance.during("too deep"), performance.distances_mm[AORTA, "drill", "burr"], np.inf)))
    pose = performance.motion["drill"].T_ct_from_tip
    along = pose.t_mm[deepest] - np.arange(0.0, 45.0, 1.0)[:, None] * pose.rotation[deepest, :, 2]
    depth = nearest_distance(bone, along)
    assert depth[0] > 0.0 and (depth < 0.0).sum() >= 20  # out of the front of a body that it went through


def test_handpiece_never_enters_bone(performance: Performance) -> None:
    motion, handpiece = performance.motion["drill"], next(p for p in performance.rig.tool[1].part if p.name == "handpiece")
    at = np.flatnonzero(motion.present & (performance.times_s > performance.script.navigation_s))[::6]
    poses = Poses(motion.T_ct_from_tip.rotation[at], motion.T_ct_from_tip.t_mm[at])
    for bone in performance.patient.work.values():
        assert part_distances(bone, handpiece, poses).min() > 0.2


def test_crossings_are_decisive(spine: Scene, performance: Performance) -> None:
    """Near a limit the drill is either clearly passing it or surely clear of it: it goes from caution + 1 mm to danger within a second."""
    for name, scene in ((CANAL, "right pedicle"), (AORTA, "too deep")):
        structure = spine.structure(name)
        assert structure.caution_mm is not None and structure.danger_mm is not None
        distance = np.min([performance.distances_mm[name, "drill", part] for part in PARTS], axis=0)
        times = performance.times_s[performance.during(scene)]
        distance = distance[performance.during(scene)]
        into = int(np.argmax(distance < structure.danger_mm))
        left = np.flatnonzero(distance[:into] > structure.caution_mm + 1.0)[-1]
        assert 0.05 < times[into] - times[left] < 1.0


def test_durations(spine: Scene, performance: Performance) -> None:
    script = performance.script
    assert 60.0 <= script.end_s - script.navigation_s <= 90.0
    starts = [
        script.scenes[name][0]
        for name in ("pivot pointer", "pivot drill", "landmarks", "sweep", "left pedicle", "right pedicle", "too deep", "hidden", "bump")
    ]
    assert starts == sorted(starts)
    caution = spine.structure(CANAL).caution_mm
    below = performance.distances_mm[CANAL, "drill", "neck"] < caution
    first = performance.times_s[below & (performance.times_s > script.navigation_s)][0]
    assert 5.0 < first - script.navigation_s < 30.0


def test_speeds_are_a_hands(performance: Performance) -> None:
    for name, motion in performance.motion.items():
        both = motion.present[1:] & motion.present[:-1]
        speed = np.linalg.norm(np.diff(motion.T_ct_from_tip.t_mm, axis=0), axis=1) / np.diff(performance.times_s)
        assert speed[both].max() < 150.0, name
    burr = performance.distances_mm[AORTA, "drill", "burr"]
    near = performance.during("too deep")[1:] & (burr[1:] < 8.0) & (np.diff(burr) < 0.0)
    assert -np.min((np.diff(burr) / np.diff(performance.times_s))[near]) < 20.0


def test_drill_is_hidden_while_the_neck_is_near_the_canal(spine: Scene, performance: Performance) -> None:
    motion = performance.motion["drill"]
    (start_s, end_s) = performance.script.hidden[0]
    assert end_s - start_s == pytest.approx(1.2)
    gone = (performance.times_s >= start_s) & (performance.times_s < end_s)
    assert not motion.seen[gone].any() and motion.present[gone].all()
    assert performance.distances_mm[CANAL, "drill", "neck"][gone].max() < spine.structure(CANAL).danger_mm  # type: ignore[operator]
    navigating = motion.present & ~gone
    assert 0.99 < motion.seen[navigating].mean() < 1.0  # single frames drop out now and then


def test_bump_moves_the_patient_and_no_distance(performance: Performance) -> None:
    bump = performance.script.bump
    assert bump is not None and 10.0 < np.linalg.norm(bump.shift_mm) < 20.0 and 1.0 < np.degrees(np.linalg.norm(bump.turn_rad)) < 5.0
    reference = performance.fits["ref"].poses.t_mm
    before, after = performance.times_s < bump.start_s - 0.1, performance.times_s > bump.start_s + bump.duration_s + 0.1
    assert np.linalg.norm(reference[after].mean(axis=0) - reference[before].mean(axis=0)) > 5.0
    assert reference[before].std(axis=0).max() < 0.1
    during = (performance.times_s > bump.start_s - 0.3) & (performance.times_s < bump.start_s + bump.duration_s + 0.3)
    distance = performance.distances_mm[CANAL, "drill", "neck"][during]
    assert np.abs(np.diff(distance)).max() < 0.15


def test_pointer_rests_on_true_bone(spine: Scene, performance: Performance) -> None:
    bone, motion = list(performance.patient.work.values()), performance.motion["pointer"]
    radius = performance.rig.tool[0].part[0].radius_mm
    touched = {}
    on = np.zeros(len(performance.times_s), dtype=bool)
    for piece in performance.script.pieces["pointer"]:
        if isinstance(piece, Stroke):
            on |= (performance.times_s >= piece.start_s) & (performance.times_s <= piece.end_s)
    swept = motion.T_ct_from_tip.t_mm[on]
    assert len(swept) > 300 and np.abs(nearest_distance(bone, swept) - radius).max() < 0.15
    assert np.ptp(swept, axis=0).max() > 20.0
    starts = [(t, o.landmark) for t, o in performance.script.orders if isinstance(o, Collect) and o.what == "landmark" and o.action == "start"]
    for start_s, name in starts:
        at = (performance.times_s > start_s) & (performance.times_s < start_s + 0.9)
        tips = motion.T_ct_from_tip.t_mm[at]
        assert np.ptp(tips, axis=0).max() < 1e-9
        touched[name] = tips[0]
        assert nearest_distance(bone, tips[:1])[0] == pytest.approx(radius, abs=0.01)
    for mark in spine.landmarks[:6]:
        assert np.linalg.norm(touched[mark.name] - mark.position_mm) < 2.0


def test_true_tips_and_registration_explain_what_is_seen(performance: Performance) -> None:
    """The chain from sightings, true tip and true registration ends within tracker noise of the true tip: frames are not mixed up."""
    setup = next(items_of(performance, "x"))
    assert isinstance(setup, TrueSetup)
    ct_from_ref = setup.T_ct_from_ref.rigid(target="ct", source="ref")
    tips = {tool.tool: np.array(tool.tip_mm) for tool in setup.tools}
    ref_from_tracker = performance.fits["ref"].poses.inverse()
    for name, motion in performance.motion.items():
        in_ref = ref_from_tracker.points(performance.fits[name].poses.points(tips[name]))
        error = (ct_from_ref.apply(in_ref) - motion.T_ct_from_tip.t_mm)[motion.seen]
        assert np.sqrt((error**2).sum(axis=1).mean()) < 0.35
        assert np.abs(error.mean(axis=0)).max() < 0.02


def test_items_come_in_order_with_their_truth(performance: Performance, items: list[object]) -> None:
    assert isinstance(items[0], TrueSetup)
    frames = [i for i in items if isinstance(i, TrackerFrame)]
    assert all(a.t_arrival_ns < b.t_arrival_ns and a.number < b.number and a.t_capture_ns < b.t_capture_ns for a, b in pairwise(frames))
    assert all(f.t_capture_ns < f.t_arrival_ns for f in frames) and frames[0].t_capture_ns >= 0
    assert 0 < frames[-1].number + 1 - len(frames) < 40  # some frames are lost
    for n, item in enumerate(items):
        if isinstance(item, TrackerFrame):
            truth = items[n + 1]
            assert isinstance(truth, Truth) and truth.frame == item.number and truth.t_capture_ns == item.t_capture_ns
    statuses = {s.status for f in frames for s in f.sightings}
    assert statuses == {"OK", "MISSING", "OUT_OF_VIEW"}
    last = max(t for t, _ in performance.script.orders)
    assert last < performance.script.navigation_s + 0.1


def test_commands_are_what_an_operator_would_give(items: list[object]) -> None:
    orders = [i.order for i in items if isinstance(i, Command)]
    kinds = [type(o) for o in orders]
    assert kinds[:3] == [Collect, Collect, Accept] and kinds[3:6] == [Collect, Collect, Accept]
    assert kinds[-4:] == [Register, ToolSelect, Accept, Mark]
    assert [o.result for o in orders if isinstance(o, Accept)] == ["pivot/pointer", "pivot/drill", "registration"]
    collected = [o for o in orders if isinstance(o, Collect)]
    assert [o.action for o in collected] == ["start", "stop"] * (len(collected) // 2)
    assert len({o.landmark for o in collected if o.what == "landmark"}) == 6
    assert {i.who for i in items if isinstance(i, Command)} == {"script"}
    assert len({i.id for i in items if isinstance(i, Command)}) == len(orders)


def test_same_seed_same_stream(spine: Scene, items: list[object]) -> None:
    again = [encode(item) for item in generate(spine, demo_rig(), 5)]
    assert again == [encode(item) for item in items]


def test_recorded_stream_reads_back(spine: Scene, items: list[object], tmp_path: Path) -> None:
    some = items[:3000]
    paths = [tmp_path / name for name in ("a.mcap", "b.mcap")]
    for path in paths:
        write_stream(path, some, spine, demo_rig(), stream_name(5))  # type: ignore[arg-type]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    records = [r for r in read_log(paths[0]) if r.channel in ("/input", "/truth")]
    bodies = [decode(r) for r in records]
    assert [b.body if isinstance(b, Event) else b for b in bodies] == some
    times = [b.t_ns for b in bodies if isinstance(b, Event)]
    assert times == sorted(times)


def test_source(spine: Scene) -> None:
    source = open_source("pedicle:5", spine, demo_rig())
    assert not source.live and source.name == "phantom:pedicle:5"
    assert isinstance(source.read(0.0), TrueSetup)
    source.close()
    with pytest.raises(SourceEnded):
        source.read(0.0)


@pytest.mark.parametrize("address, words", [("hip", "pedicle"), ("pedicel", "'pedicle'"), ("pedicle:x", "'x' is no seed"), ("pedicle:-1", "no seed")])
def test_unknown_addresses_are_refused(spine: Scene, address: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        open_source(address, spine, demo_rig())


def test_cases_and_rigs_that_cannot_be_rehearsed_are_refused(spine: Scene) -> None:
    rig = demo_rig()
    for scene, used, words in (
        (replace(spine, plans=spine.plans[:1]), rig, "left and a right plan"),
        (replace(spine, landmarks=spine.landmarks[:5]), rig, "6 landmarks"),
        (spine, msgspec.structs.replace(rig, tool=rig.tool[:1]), "tool 'drill'"),
        (spine, msgspec.structs.replace(rig, body=tuple(msgspec.structs.replace(b, markers_mm=()) for b in rig.body)), "0 markers"),
    ):
        with pytest.raises(InputRefused, match=words):
            perform(scene, used, 1)
