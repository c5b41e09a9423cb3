"""What a screen that follows a calibration is told, shown, and obeyed in."""

from __future__ import annotations

import io
import os
import time
from typing import Any

import msgspec
import numpy as np
import pytest
import typer

from benchmarks.accuracy_parts.trials import pivot_poses
from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Sighting, SourceEnded, TrackerFrame
from navtwin.nouns.calibration import CalibrationEnded, CalibrationVerdict, Progress, decode_line
from navtwin.nouns.video import VideoFrame
from tests.tracking.printed import printed_rig, rig_camera
from tests.tracking.test_guided import Clock, Made, clock, frames
from tracking.calibration import guided
from tracking.calibration import screen as screens
from tracking.calibration.advice import pivot_advice
from tracking.calibration.board_progress import FIRST_FIT, BoardScreen, goals_of, quality_so_far, summed
from tracking.calibration.board_views import gather
from tracking.calibration.coverage import Coverage, next_move, tilts_deg
from tracking.calibration.guided import Line, Wanted, collect
from tracking.calibration.orders import GONE, Orders
from tracking.calibration.screen import Screen
from tracking.calibration.targets import BoardView, sheet_target
from tracking.pictures.images import Image
from tracking.stream import shown as making
from tracking.stream.tap import PictureTap

__all__ = ["clock"]  # a fixture

BLACK = np.zeros((48, 64), np.uint8)
VERDICT = CalibrationVerdict(what="camera", name="webcam", accepted=True, waits=True)


class Said:
    """Orders as they are asked for: some while views are collected, some when a verdict waits."""

    def __init__(self, *words: str, later: tuple[str, ...] = ()) -> None:
        self.words, self.later = list(words), list(later)

    def next(self) -> str:
        return self.words.pop(0) if self.words else ""

    def wait(self) -> str:
        return self.later.pop(0) if self.later else GONE


class Port:
    """Where pictures go: a list."""

    def __init__(self, *, watched: bool = True) -> None:
        self.port, self.watched, self.closed = 5999, watched, False
        self.published = list[tuple[VideoFrame, bytes]]()

    def publish(self, frame: VideoFrame, jpeg: bytes) -> None:
        self.published.append((frame, jpeg))

    def close(self) -> None:
        self.closed = True


def made(*words: str, later: tuple[str, ...] = (), port: Port | None = None) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen("camera", out, Said(*words, later=later), port), out  # type: ignore[arg-type]


def lines_of(out: io.StringIO) -> list[Any]:
    return [decode_line(line) for line in out.getvalue().splitlines()]


# Orders


def test_orders_are_lines_until_the_stream_ends() -> None:
    reads, writes = os.pipe()
    orders = Orders(reads)
    assert orders.next() == ""
    os.write(writes, b"fin")
    os.write(writes, b"ish\r\n\n  accept \nrej")
    assert [orders.wait(), orders.wait()] == ["finish", "accept"]
    os.close(writes)
    # What was cut short was no order; and that nobody is there any more stays true.
    assert [orders.wait(), orders.wait(), orders.next()] == [GONE, GONE, ""]
    os.close(reads)


def test_that_the_stream_has_ended_is_not_forgotten_while_a_recording_is_read() -> None:
    reads, writes = os.pipe()
    os.close(writes)
    out = io.StringIO()
    screen = Screen("camera", out, Orders(reads))
    end = time.monotonic() + 5.0
    while screen._orders._words.empty() and time.monotonic() < end:
        time.sleep(0.001)
    assert not screen.attend(live=False)
    # Nobody can accept: it must not be waited for.
    assert not screen.decide(VERDICT)
    os.close(reads)


def test_a_stream_that_cannot_be_read_has_ended() -> None:
    reads, writes = os.pipe()
    os.close(writes)
    os.close(reads)
    assert Orders(reads).wait() == GONE


def test_finish_ends_the_collecting_and_cancel_the_command() -> None:
    screen, _ = made("finish")
    assert screen.attend(live=True)
    assert screen.attend(live=True), "once said it holds"
    screen, out = made("cancel")
    with pytest.raises(typer.Exit) as left:
        screen.attend(live=False)
    assert left.value.exit_code == 0
    assert lines_of(out) == [CalibrationEnded(what="camera", stored=False, words="cancelled: nothing was stored")]


def test_a_screen_that_is_gone_ends_a_live_source_and_no_recording() -> None:
    assert not made(GONE)[0].attend(live=False)
    with pytest.raises(typer.Exit):
        made(GONE)[0].attend(live=True)


def test_what_is_no_order_is_said_and_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert not made("format the disk")[0].attend(live=True)
    assert "'format the disk' is none of finish, cancel, accept, reject" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("orders", "stored"), [(("accept",), True), (("finish", "accept"), True), (("reject",), False), (("cancel",), False), ((), False)]
)
def test_only_accept_accepts(orders: tuple[str, ...], stored: bool) -> None:
    screen, out = made(later=orders)
    assert screen.decide(VERDICT) is stored
    assert lines_of(out) == [VERDICT]


@pytest.mark.parametrize("early", ["accept", "cancel"])
def test_consent_before_the_verdict_is_none(early: str) -> None:
    assert not made(early)[0].decide(VERDICT)
    assert made(early, later=("accept",))[0].decide(VERDICT) is (early == "accept")


def test_a_verdict_that_does_not_wait_is_not_waited_for() -> None:
    screen, _ = made(later=("accept",))
    assert not screen.decide(msgspec.structs.replace(VERDICT, waits=False))


# Lines


def test_progress_is_told_when_it_changes_and_not_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    screen, out = made(port=Port())
    screen.open("camera:0")
    screen.tell("show the board", views=0)
    screen.tell("hold still", views=0)
    now[0] += 2.0 * screens.TELL_S
    screen.tell("hold still", views=1, done_share=0.05)
    now[0] += 2.0 * screens.TELL_S
    screen.tell("hold still", views=1, done_share=0.05)
    screen.tell("seen", views=1)
    screen.tell("kept", views=2)
    screen.compute("computing from 2 views")
    opening, first, second, third, last = lines_of(out)
    assert (opening.phase, opening.words, opening.video_port) == ("opening", "opening camera:0", 5999)
    assert (first.words, second.words, second.done_share) == ("show the board", "hold still", 0.05)
    assert (third.words, third.views) == ("seen", 1)
    # Nothing that was only not told yet is lost.
    assert (last.phase, last.views) == ("computing", 2)
    assert all(isinstance(line, Progress) for line in (opening, first, second, third, last))


# Pictures


def test_no_picture_is_made_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "jpeg_of", lambda grey: pytest.fail("a picture was made"))
    picture = Image(0, 1, 2, 3, "host", BLACK)
    for port in (None, Port(watched=False)):
        made(port=port)[0].show([picture], ["webcam"], lambda p: ({}, ()))


def test_pictures_are_shown_with_what_was_found_in_them_and_not_too_often() -> None:
    port = Port()
    screen, _ = made(port=port)
    for number in range(5):
        screen.show([Image(0, number, 2, 3, "host", BLACK), Image(1, number, 2, 3, "host", BLACK)], ["webcam"], lambda p: ({}, [(1.0, 2.0)]))
    # One of a camera that has no name is nobody's.
    ((frame, _),) = port.published
    assert (frame.camera, frame.number, frame.points_px) == ("webcam", 0, ((1.0, 2.0),))
    assert frame.epoch.startswith("camera-")
    screen.close()
    assert port.closed


@pytest.mark.parametrize("picture_first", [True, False])
def test_a_trackers_pictures_meet_their_sightings(picture_first: bool) -> None:
    rig, tap, port = printed_rig(cameras=(rig_camera("left"),)), PictureTap(), Port()
    screen, _ = made(port=port)
    pose = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(1.0, 2.0, 300.0))
    frame = TrackerFrame("x", 7, 1, 2, (Sighting("body7", "OK", pose),))
    line = msgspec.json.encode(making.shown(Image(0, 7, 1, 2, "host", BLACK), "left", 7, {}))
    screen.show_frame(tap, frame if not picture_first else None, rig)
    assert tap.wanted
    assert tap.hear(line)
    screen.show_frame(tap, frame if picture_first else None, rig)
    screen.show_frame(tap, None, rig)
    ((shown, _),) = port.published
    assert (shown.number, shown.bodies[0].body, shown.bodies[0].pose) == (7, "body7", pose)


# Boards


def seen_by(rng: np.random.Generator) -> tuple[Coverage, int]:
    """A coverage as it might be, from bare to complete."""
    views = int(rng.integers(1, 40))
    normal = rng.uniform(-0.7, 0.7, (views, 2)) * rng.uniform(0.0, 1.0)
    tilt = np.degrees(np.arcsin(np.clip(np.linalg.norm(normal, axis=1), 0.0, 1.0)))
    cells = rng.integers(0, 3, (6, 8)) if rng.random() < 0.5 else np.full((6, 8), 5)
    missing = ("middle",) if rng.random() < 0.2 else ()
    return Coverage(cells, missing, normal, tilt, rng.uniform(300.0, 300.0 + 400.0 * rng.random(), views)), views


def test_the_goals_are_reached_when_the_guidance_asks_for_nothing_more() -> None:
    rng, satisfied = np.random.default_rng(4), 0
    for _ in range(400):
        seen, views = seen_by(rng)
        goals = goals_of(seen, views)
        if next_move(seen, views) is None:
            satisfied += 1
            # A ratio is told to two decimals.
            assert all(goal.reached >= goal.wanted - 0.005 for goal in goals)
        elif not seen.missing:
            assert any(goal.reached <= goal.wanted + 0.05 for goal in goals)
    assert satisfied > 10


def test_tilts_are_told_apart_by_their_way() -> None:
    normal = np.array([[-np.sin(np.radians(30.0)), 0.0], [0.0, np.sin(np.radians(12.0))]])
    reached = tilts_deg(Coverage(np.zeros((6, 8), int), (), normal, np.array([30.0, 12.0]), np.array([1.0, 1.0])))
    assert {way: round(deg) for way, deg in reached.items()} == {"left": 30, "right": 0, "up": 0, "down": 12}


def test_nothing_shown_is_nothing_reached() -> None:
    known = summed([], ["left", "right"])
    assert known["done_share"] == 0.0
    assert [view.camera for view in known["coverage"]] == ["left", "right"]
    assert np.array(known["coverage"][0].cells_share).shape == (6, 8)
    assert len(known["coverage"][0].missing) == 9


def test_a_fit_is_tried_of_enough_views_only_and_views_that_fix_nothing_are_no_error() -> None:
    target = sheet_target()
    # A board that never moves, seen squarely: no lens follows from it.
    flat = BoardView(np.arange(len(target.corners_mm), dtype=np.int32), target.corners_mm, target.corners_mm[:, :2] + 50.0, 640, 480)
    assert quality_so_far([flat] * (FIRST_FIT - 1)) == []
    for figure in quality_so_far([flat] * FIRST_FIT, "left: "):
        assert figure.name.startswith("left: ")
    narrow = BoardView(np.arange(8, dtype=np.int32), target.corners_mm[:8], target.corners_mm[:8, :2] * 0.0 + 5.0, 640, 480)
    assert quality_so_far([narrow] * FIRST_FIT) == []


class Endless:
    """A live camera that shows nothing."""

    name, live, setup_ns, cameras = "camera:test", True, 0, 1

    def __init__(self) -> None:
        self.read_so_far = 0

    def read(self, timeout_s: float) -> tuple[Image, ...] | None:
        self.read_so_far += 1
        if self.read_so_far > 50:
            raise SourceEnded(self.name)
        return None if self.read_so_far % 2 else (Image(0, self.read_so_far, self.read_so_far, 0, "host", BLACK),)

    def close(self) -> None:
        """Nothing is open."""


def test_a_screen_can_end_the_gathering_of_views() -> None:
    source = Endless()
    screen, out = made("", "", "", "finish")
    follows = BoardScreen(screen, ["webcam"], live=True)
    assert gather(source, sheet_target(), lambda line: None, keep_all=False, screen=follows) == []
    assert source.read_so_far < 10
    first = lines_of(out)[0]
    assert "no board in the picture" in first.words
    assert first.coverage[0].camera == "webcam"


# Options


def test_options_that_exclude_each_other_are_refused() -> None:
    ctx = typer.Context(typer.main.get_command(typer_app()))
    with pytest.raises(InputRefused, match="--video-port goes with --progress"):
        screens.screen_of(ctx, "camera", "camera:0", progress=False, video_port=0, as_json=False)
    with pytest.raises(InputRefused, match="both print on standard output"):
        screens.screen_of(ctx, "camera", "camera:0", progress=True, video_port=None, as_json=True)
    with pytest.raises(InputRefused, match="cannot be published from here"):
        screens.screen_of(ctx, "camera", "camera:0", progress=True, video_port=0, as_json=False)
    assert screens.screen_of(ctx, "camera", "camera:0", progress=False, video_port=None, as_json=True) is None


def typer_app() -> typer.Typer:
    app = typer.Typer()
    app.command()(lambda: None)
    return app


# Poses


def test_a_live_pivot_is_told_goal_by_goal_and_ends_when_the_screen_has_enough(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    source = Made(iter(frames(pivot_poses(np.random.default_rng(0), 300, 0.0))), clock)
    monkeypatch.setattr(guided, "opened", lambda wanted: source)
    screen, out = made(*[""] * 120, "finish")
    wanted = [Wanted("camera:0", ("drill",))]
    (gathered,), _ = collect(wanted, lambda g: pivot_advice(g[0].stream("drill")), Line(io.StringIO()), screen=screen)
    assert 100 <= gathered.count() <= 130
    *told, last = lines_of(out)
    assert last.phase == "computing"
    assert {goal.name for goal in told[-1].goals} >= {"poses", "handle left in the picture", "handle right in the picture"}
    assert told[-1].views_wanted == 150
    assert {figure.name for figure in told[-1].figures} == {"tip sd", "tip sd wanted", "residual"}
    shares = [line.done_share for line in told]
    assert 0.0 <= shares[0] < shares[-1] < 1.0


def test_a_live_source_is_let_go_when_its_screen_is_gone(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    source = Made(iter(frames(pivot_poses(np.random.default_rng(0), 300, 0.0))), clock)
    monkeypatch.setattr(guided, "opened", lambda wanted: source)
    screen, out = made("", "", GONE)
    with pytest.raises(typer.Exit):
        collect([Wanted("camera:0", ("drill",))], lambda g: pivot_advice(g[0].stream("drill")), Line(io.StringIO()), screen=screen)
    assert source.closed
    assert isinstance(lines_of(out)[-1], CalibrationEnded)
