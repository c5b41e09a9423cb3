"""Collecting poses from a live source: what is said, when it stops, what Ctrl-C keeps; and the same from a recording."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy_parts.trials import TIP_MM, pivot_poses
from benchmarks.calibration_cases import rigid, smooth_motion, spin_poses
from navtwin.calibrate import calibrate_pivot
from navtwin.calibrate.poses import rotations_about
from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Sighting, SourceEnded, SourceItem, TrackerFrame, read_rig
from navtwin.rigid import Rigid
from tracking.calibration import guided
from tracking.calibration.advice import Advice, hand_eye_advice, handle_reach, pivot_advice, spin_advice, time_advice
from tracking.calibration.guided import Line, Wanted, collect
from tracking.calibration.streams import Gathered, PoseStream

RIG = Path(__file__).resolve().parents[2] / "docs" / "examples" / "rig.toml"
PERIOD_NS = 20_000_000
UPPER: Any = tuple(float(v) for v in np.diag([1e-7] * 3 + [1e-2] * 3)[np.triu_indices(6)])


def frame(number: int, pose: np.ndarray | None, body: str = "drill", reason: str = "") -> TrackerFrame:
    if pose is None:
        sighting = Sighting(body, "MISSING", reason=reason)
    else:
        sighting = Sighting(body, "OK", Pose.from_rigid(Rigid.from_matrix(pose, target="tracker", source=body)), covariance=UPPER)
    return TrackerFrame("made", number, number * PERIOD_NS, number * PERIOD_NS, (sighting,))


class Clock:
    """Time that goes on by one frame with each reading of a source."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


class Made:
    """A source of what it is given; an exception among it is raised."""

    name, setup_ns = "made", 0

    def __init__(self, items: Iterator[SourceItem | BaseException | None], clock: Clock, *, is_live: bool = True) -> None:
        self.live, self.closed, self.left, self._clock = is_live, False, items, clock

    def read(self, timeout_s: float) -> SourceItem | None:
        self._clock.now_s += PERIOD_NS / 1e9
        item = next(self.left, None)
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("tracking.calibration.guided.time.monotonic", found.monotonic)
    return found


def pivoted(
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
    items: Sequence[SourceItem | BaseException | None],
    *,
    is_live: bool = True,
    seconds: float | None = None,
) -> tuple[Gathered, list[str], str, Made]:
    """What comes of a pivot from these items: poses, notes, what was said, the source."""
    source, said = Made(iter(items), clock, is_live=is_live), io.StringIO()
    monkeypatch.setattr(guided, "opened", lambda wanted: source)
    (gathered,), notes = collect([Wanted("camera:0", ("drill",))], lambda g: pivot_advice(g[0].stream("drill")), Line(said), seconds)
    assert source.closed
    return gathered, notes, said.getvalue(), source


def frames(poses: np.ndarray) -> list[SourceItem | BaseException | None]:
    return [frame(n, pose) for n, pose in enumerate(poses)]


def test_a_live_pivot_stops_by_itself_once_the_tip_is_known(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    poses = pivot_poses(np.random.default_rng(0), 300, 0.0)
    gathered, notes, said, source = pivoted(monkeypatch, clock, frames(poses))
    stream = gathered.stream("drill")
    assert next(source.left, None) is not None
    assert 150 <= len(stream) < 300
    assert stream.covariances is not None
    assert calibrate_pivot(stream.poses, stream.covariances).accepted
    assert notes == []
    assert "tilt the handle" in said
    assert "hidden in 0 of" in said.splitlines()[-1]


def test_time_is_up_and_what_there_is_is_kept(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    still = np.tile(np.eye(4), (500, 1, 1))
    waiting: list[SourceItem | BaseException | None] = [None] * 200
    gathered, _, said, _ = pivoted(monkeypatch, clock, [*waiting, *frames(still)], seconds=2.0)
    # The clock starts with the first frame: a camera takes its time to open.
    assert 95 <= gathered.count() <= 105
    assert "waiting for pictures" in said
    assert "tilt it further: 0 of 40 deg" in said


def test_ctrl_c_keeps_what_was_collected(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    poses = pivot_poses(np.random.default_rng(0), 60, 0.0)
    gathered, notes, said, _ = pivoted(monkeypatch, clock, [*frames(poses), KeyboardInterrupt()])
    assert gathered.count() == 60
    assert "Ctrl-C" in notes[0]
    assert "Ctrl-C" in said


def test_a_hidden_body_is_told_of_with_the_reason(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    hidden: list[SourceItem | BaseException | None] = [frame(n, None, reason="too oblique") for n in range(100)]
    gathered, _, said, _ = pivoted(monkeypatch, clock, [*hidden, SourceEnded()])
    assert "'drill' is hidden:" in said
    assert "(too oblique)" in said
    assert "hidden in 100 of 100 frames" in said
    with pytest.raises(InputRefused, match="never seen in that time \\(too oblique\\)"):
        gathered.seen_stream("drill")


def test_after_a_slip_collection_begins_anew(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    poses = pivot_poses(np.random.default_rng(1), 120, 0.0)
    poses[60:, :3, 3] += (3.0, 0.0, 0.0)
    good = pivot_poses(np.random.default_rng(2), 400, 0.0)
    gathered, notes, said, _ = pivoted(monkeypatch, clock, frames(np.concatenate([poses, good])), seconds=30.0)
    assert "the tip slides: seat it again" in said
    assert any("begun anew" in note for note in notes)
    stream = gathered.stream("drill")
    found = calibrate_pivot(stream.poses, stream.covariances)
    assert found.accepted, found.reasons
    assert np.linalg.norm(found.tip_mm - TIP_MM) < 0.2


def test_a_tip_that_never_holds_still_is_left_to_the_gate(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    poses = np.concatenate([pivot_poses(np.random.default_rng(n), 100, 0.0) for n in range(6)])
    poses[:, :3, 3] += np.linspace(0.0, 45.0, len(poses))[:, None]
    _, notes, _, source = pivoted(monkeypatch, clock, [*frames(poses), SourceEnded()], seconds=60.0)
    assert sum("begun anew" in note for note in notes) == guided.MOST_STARTS - 1
    assert next(source.left, None) is None


def test_a_recording_is_read_whole_or_as_long_as_asked(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    items = [*frames(pivot_poses(np.random.default_rng(0), 700, 0.0)), SourceEnded()]
    gathered, _, said, _ = pivoted(monkeypatch, clock, items, is_live=False)
    assert gathered.count() == 700
    assert "tilt" not in said
    gathered, _, _, _ = pivoted(monkeypatch, clock, items, is_live=False, seconds=4.0)
    assert gathered.count() == 201


def test_live_and_recorded_do_not_mix(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    made = {"camera:0": Made(iter(()), clock), "camera:1": Made(iter(()), clock, is_live=False)}
    monkeypatch.setattr(guided, "opened", lambda wanted: made[wanted.address])
    with pytest.raises(InputRefused, match="live and the other recorded"):
        collect([Wanted("camera:0", ("a",)), Wanted("camera:1", ("b",))], lambda g: Advice("", 0.0), Line(io.StringIO()))
    assert all(source.closed for source in made.values())


def test_two_live_sources_are_read_in_turn(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    made = {a: Made(iter([*(frame(n, np.eye(4), b) for n in range(50)), SourceEnded()]), clock) for a, b in (("camera:0", "a"), ("camera:1", "b"))}
    monkeypatch.setattr(guided, "opened", lambda wanted: made[wanted.address])
    both, _ = collect([Wanted("camera:0", ("a",)), Wanted("camera:1", ("b",))], lambda g: Advice("go on", 0.0), Line(io.StringIO()))
    assert [g.count() for g in both] == [50, 50]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_elsewhere_there_are_few(clock: Clock) -> None:
    terminal, plain = Terminal(), io.StringIO()
    for stream in (terminal, plain):
        line = Line(stream)
        for n in range(100):
            clock.now_s += 0.1
            line.show(f"{n} poses", f"turn it further: {n} of 60 deg")
        line.say("done")
    assert "\n" not in terminal.getvalue().removesuffix("done\n")
    assert terminal.getvalue().count("\r") == 101
    assert len(plain.getvalue().splitlines()) == 3


def test_sides_are_counted_from_the_start_and_named_by_the_picture() -> None:
    # The handle stands up (against y), then is tilted to the right of the picture (x) and towards the camera (against z).
    tilt = np.concatenate([np.zeros((10, 3)), np.linspace((0.0, 0.0, 0.0), (0.4, 0.0, 0.0), 50), np.linspace((0.0, 0.0, 0.0), (0.0, 0.0, -0.2), 50)])
    reach = dict(handle_reach(np.array([0.0, -1.0, 0.0]) + tilt))
    assert set(reach) == {"left in the picture", "right in the picture", "towards the camera", "away from the camera"}
    assert reach["right in the picture"] == pytest.approx(np.degrees(np.arctan(0.4)), abs=1.5)
    assert reach["left in the picture"] < 3.0
    assert reach["towards the camera"] == pytest.approx(np.degrees(np.arctan(0.2)), abs=1.0)
    # Begun at one end of a wide tilt, the far side makes up for the near one.
    one_way = np.array([0.0, -1.0, 0.0]) + np.linspace((-0.4, 0.0, 0.0), (0.5, 0.0, 0.0), 50)
    assert min(v for k, v in handle_reach(one_way) if "picture" in k) >= 20.0


def test_spin_advice_leads_to_a_whole_turn() -> None:
    poses, _, tip = spin_poses(np.random.default_rng(0), 300)
    assert "V-block" in spin_advice(poses[:10], tip).text
    assert spin_advice(poses[:50], tip).text == "turn it further: 59 of 120 deg"
    assert spin_advice(poses, tip).enough
    wobbling = poses.copy()
    wobbling[:, :3, :3] = rotations_about(np.outer(0.03 * np.sin(np.linspace(0.0, 6.0, 300)), (1.0, 0.3, 0.0))) @ poses[:, :3, :3]
    assert spin_advice(wobbling, tip).anew


def test_hand_eye_and_time_advice_end_when_their_gates_accept() -> None:
    motion, t_ns = smooth_motion(np.random.default_rng(1)), 1_000_000_000 + np.arange(600) * 25_000_000
    t = t_ns / 1e9
    eye, world = rigid(np.array([0.4, -1.1, 0.7]), np.array([30.0, -50.0, 80.0])), rigid(np.array([-0.9, 0.2, 0.3]), np.array([-200.0, 90.0, 700.0]))
    rng = np.random.default_rng(2)
    body = rigid(0.3 * motion(t)[:, :3] + 1e-3 * rng.normal(size=(600, 3)), 40.0 * motion(t)[:, 3:])
    seen = np.linalg.inv(np.linalg.inv(world) @ body @ eye)
    a, b = PoseStream("a", t_ns, body), PoseStream("b", t_ns, seen)
    assert hand_eye_advice(a, b, 0).enough
    assert time_advice(a, b).enough
    few, fewer = PoseStream("a", t_ns[:100], body[:100]), PoseStream("b", t_ns[:100], seen[:100])
    assert "of 10 s" in time_advice(few, fewer).text
    flat = rigid(np.outer(np.linspace(-0.6, 0.6, 600), (0.0, 0.0, 1.0)), 40.0 * motion(t)[:, 3:])
    one_axis = PoseStream("a", t_ns, flat)
    assert "another axis" in hand_eye_advice(one_axis, b, 0).text
    assert "at the same time" in hand_eye_advice(a, PoseStream("b", t_ns + 10**12, seen), 0).text


def test_what_cannot_be_opened_is_named() -> None:
    rig = read_rig(RIG)
    for address, words in (("none.mcap", "no log none.mcap"), ("saw:0", "no source of kind 'saw'"), ("video:none.avi", "no marker body 'saw'")):
        with pytest.raises(InputRefused, match=words):
            guided.opened(Wanted(address, ("saw",), rig))
