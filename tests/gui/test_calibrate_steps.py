"""The steps of a rig: how each stands and why, what is read beside the rig, and the commands that the forms make. No Qt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gui.calibrate.forms import Board, Form, arguments
from gui.calibrate.regions import REGIONS, region_box, wanted_region
from gui.calibrate.results import Result, read_results
from gui.calibrate.session_words import other_rig, recording_of, session_view
from gui.calibrate.source_field import cameras_in
from gui.calibrate.sources import CAMERA, CAMERAS, FILM, IGTL, NDI, address, is_device, needs_camera, practice_address
from gui.calibrate.steps import OLD_DAYS, OWN_CALIBRATION, Known, Step, next_step, steps_of
from gui.calibrate.words import sd_mm, worst_sd_mm
from gui.link.board import Moment
from navtwin.errors import InputRefused
from navtwin.nouns import Body, Part, PivotResult, Pose, Rig, RigCamera, Setup, SquareMarker, Tool, Tracker

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SQUARE = SquareMarker(id=0, corners_mm=((0, 0, 0), (20, 0, 0), (20, 20, 0), (0, 20, 0)))
SETUP = Setup(collecting="", samples=0, calibrated=(), landmarks=(), spread_mm=(), sweep_points=0, pending=())
GOOD = PivotResult(
    request="pivot/drill/1", tool="drill", accepted=True, reasons=(), tip_mm=(0, -150, 0),
    covariance=(0.04, 0, 0, 0.01, 0, 0.0025), rms_mm=0.2, samples=300,
)  # fmt: skip


def tool(**changes: Any) -> Tool:
    burr = Part(name="burr", from_mm=(0, 0, 0), to_mm=(0, 0, 0), radius_mm=1.5)
    return replace(Tool(name="drill", body="drill", axis_in_marker=(0, -1, 0), axis_sd_rad=0.02, part=(burr,)), **changes)


def camera(**changes: Any) -> RigCamera:
    plain = RigCamera(name="left", width_px=1280, height_px=720, focal_px=(900, 900), centre_px=(640, 360), held_out_px=0.21, calibrated="2026-11-20")
    return replace(plain, **changes)


def printed_rig(*cameras: RigCamera, of: Tool | None = None) -> Rig:
    bodies = (
        Body(name="ref", sd_mm=0.3, sd_rad=0.005, dictionary="4X4_50", marker=(SQUARE,)),
        Body(name="drill", sd_mm=0.3, sd_rad=0.005, dictionary="4X4_50", marker=(replace(SQUARE, id=1),)),
    )
    return Rig(reference="ref", tracker=Tracker(name="camera", rate_hz=30, latency_ms=60), body=bodies, tool=(of or tool(),), camera=cameras)


def sphere_rig() -> Rig:
    bodies = tuple(Body(name=name, sd_mm=0.02, sd_rad=0.001, markers_mm=((0, 0, 0), (50, 0, 0), (0, 60, 0))) for name in ("ref", "drill"))
    return Rig(reference="ref", tracker=Tracker(name="polaris", rate_hz=60, latency_ms=15), body=bodies, tool=(tool(),))


def step(known: Known, key: str) -> Step:
    return next(s for s in steps_of(known) if s.key == key)


def test_without_a_rig_everything_waits_for_one():
    steps = steps_of(Known(None))
    assert steps[0].state == "todo" and next_step(steps) is steps[0]
    assert {s.state for s in steps[1:]} == {"waiting"} and all("rig" in s.why for s in steps[1:])


def test_a_printed_rig_begins_with_the_camera_and_all_that_needs_it_says_so():
    steps = steps_of(Known(printed_rig(), now=NOW))
    first = next_step(steps)
    assert first is not None and first.key == "camera/"
    waiting = {s.key: s.why for s in steps if s.state == "waiting"}
    assert {"cameras/", "markers/ref", "markers/drill", "pivot/drill", "latency/"} <= waiting.keys()
    assert all("camera" in waiting[key] for key in ("markers/ref", "pivot/drill", "latency/"))


def test_a_tracker_of_its_own_needs_no_camera_and_says_so():
    steps = steps_of(Known(sphere_rig(), now=NOW))
    assert {s.kind: s.state for s in steps if s.kind in ("camera", "markers", "latency")} == dict.fromkeys(
        ("camera", "markers", "latency"), "needless"
    )
    assert step(Known(sphere_rig()), "camera/").why == OWN_CALIBRATION
    assert (next_step(steps) or steps[0]).key == "pivot/drill"


def test_the_running_source_says_whether_a_camera_is_needed():
    for source, state in (
        ("phantom:pedicle", "needless"),
        ("igtl:h:1", "needless"),
        ("log:x.mcap", "needless"),
        ("camera:0", "todo"),
        ("video:a", "todo"),
    ):
        assert step(Known(printed_rig(), source=source, now=NOW), "camera/").state == state, source


@pytest.mark.parametrize(
    ("changes", "state", "word"),
    [
        ({}, "done", "2 days ago"),
        ({"held_out_px": None}, "doubtful", "not measured"),
        ({"held_out_px": 1.4}, "doubtful", "1.40 px"),
        ({"calibrated": ""}, "doubtful", "not stated"),
        ({"calibrated": "2026-05-01"}, "doubtful", "205 days ago"),
        ({"calibrated": "2026-11-22T09:00:00+00:00"}, "done", "today"),
        ({"calibrated": "2027-01-01"}, "doubtful", "in the future"),
    ],
)
def test_a_camera_is_believed_by_its_held_out_error_and_its_age(changes: dict[str, Any], state: str, word: str):
    found = step(Known(printed_rig(camera(**changes)), now=NOW), "camera/")
    assert (found.state, word in found.why) == (state, True), found.why


@given(st.integers(0, 2000))
def test_a_camera_only_gets_older(days: int):
    then = (NOW - timedelta(days=days)).date().isoformat()
    found = step(Known(printed_rig(camera(calibrated=then)), now=NOW), "camera/")
    assert found.state == ("done" if days <= OLD_DAYS else "doubtful")


def test_further_cameras_tell_how_far_they_stand_from_the_first():
    right = camera(name="right", T_tracker_from_camera=Pose(q_wxyz=(1, 0, 0, 0), t_mm=(300, 40, 0)))
    assert step(Known(printed_rig(camera()), now=NOW), "cameras/").state == "optional"
    found = step(Known(printed_rig(camera(), right), now=NOW), "cameras/")
    assert found.state == "done" and "right 302.7 mm from left" in found.why


def test_a_tool_without_markers_cannot_be_pivoted_before_a_camera():
    rig = printed_rig(camera())
    bare = replace(rig, body=(rig.body[0], replace(rig.body[1], dictionary="", marker=())))
    assert step(Known(bare, now=NOW), "pivot/drill").state == "waiting"
    assert "no printed markers" in step(Known(bare, now=NOW), "pivot/drill").why
    assert step(Known(bare, source="igtl:h:1", now=NOW), "pivot/drill").state == "todo"


def test_a_pending_pivot_asks_before_all_else_and_its_residual_is_not_called_accuracy():
    pending = replace(SETUP, pending=("pivot/drill",), pivots=(GOOD,))
    known = Known(sphere_rig(), setup=pending, now=NOW)
    found = step(known, "pivot/drill")
    assert found.state == "ask" and next_step(steps_of(known)) == found
    figures = dict(found.figures)
    assert figures["tip known to"] == "0.13 mm (sd)" and "not how accurate" in figures["poses agree within"]
    assert figures["in its worst direction"] == "0.20 mm (sd)"


def test_a_pivot_in_use_is_done_for_the_session_and_one_in_the_rig_for_good():
    used = Known(sphere_rig(), setup=replace(SETUP, calibrated=("drill",), pivots=(GOOD,)), now=NOW)
    assert step(used, "pivot/drill").state == "done" and "this session" in step(used, "pivot/drill").why
    stored = replace(sphere_rig(), tool=(tool(tip_mm=(0, -150, 0), tip_covariance=(0.01, 0, 0, 0.01, 0, 0.01)),))
    assert "stored in the rig, 0.10 mm" in step(Known(stored, now=NOW), "pivot/drill").why
    unsure = replace(stored, tool=(tool(tip_mm=(0, -150, 0)),))
    assert step(Known(unsure, now=NOW), "pivot/drill").state == "doubtful"


def test_an_axis_waits_for_the_stored_tip():
    assert step(Known(sphere_rig(), now=NOW), "axis/drill").state == "waiting"
    stored = replace(sphere_rig(), tool=(tool(tip_mm=(0, -150, 0)),))
    assert step(Known(stored, now=NOW), "axis/drill").state == "optional"
    measured = Result("axis", "drill", NOW - timedelta(days=3), True, (), Path("x"), {"axis_sd_rad": 0.0200004})
    found = step(Known(stored, results={("axis", "drill"): measured}, now=NOW), "axis/drill")
    assert (found.state, found.why) == ("done", "known to 1.15° (sd), 3 days ago")


@pytest.mark.parametrize(
    ("key", "figure", "value"), [("markers/drill", "sd_mm", 0.3), ("latency/", "latency_ms", 60.04), ("axis/drill", "axis_sd_rad", 0.02)]
)
def test_a_result_that_nobody_stored_does_not_count(key: str, figure: str, value: float):
    what, _, name = key.partition("/")
    rig = printed_rig(camera(), of=tool(tip_mm=(0, -150, 0)))
    for number, done in ((value, True), (value * 1.1, False)):
        result = Result(what, name, NOW, True, (), Path("x"), {figure: number})
        found = step(Known(rig, results={(what, name): result}, now=NOW), key)
        assert (found.state == "done") == done, found
        assert done or "does not hold that result" in found.why


def test_a_refused_result_leaves_its_step_to_do_with_the_reason():
    refused = {("markers", "drill"): Result("markers", "drill", NOW, False, ("marker 1 is bent",), Path("x"))}
    found = step(Known(printed_rig(camera()), results=refused, now=NOW), "markers/drill")
    assert found.state == "todo" and "marker 1 is bent" in found.why


@given(st.tuples(*[st.floats(0.0, 4.0)] * 3), st.tuples(*[st.floats(-0.5, 0.5)] * 3))
def test_the_worst_direction_is_at_least_the_mean_one(variances: tuple[float, ...], cosines: tuple[float, ...]):
    x, y, z = variances
    xy, xz, yz = (c * (a * b) ** 0.5 for c, (a, b) in zip(cosines, ((x, y), (x, z), (y, z)), strict=True))
    covariance = (x, xy, xz, y, yz, z)
    assert worst_sd_mm(covariance) >= sd_mm(covariance) - 1e-9


HEAD = """calibration = "{what}"
name = "{name}"
date = "{date}"
accepted = {ok}
reasons = [{why}]

[figures]
rms = [[1.0, 2.0]]
tip_sd_mm = 0.012
angle = 6.1e1
wrong = 1.2.3
"""


def write(folder: Path, what: str, name: str, date: str, *, ok: bool) -> None:
    stamp = date.replace("-", "").replace(":", "").replace("+0000", "Z")
    text = HEAD.format(what=what, name=name, date=date, ok="true" if ok else "false", why="" if ok else '"too little tilt"')
    (folder / f"{what}-{name}-{stamp}.toml").write_text(text)


def test_the_newest_accepted_result_counts_and_a_later_refusal_does_not_hide_it(tmp_path: Path):
    write(tmp_path, "pivot", "drill", "2026-11-01T10:00:00+00:00", ok=True)
    write(tmp_path, "pivot", "drill", "2026-11-09T10:00:00+00:00", ok=True)
    write(tmp_path, "pivot", "drill", "2026-11-20T10:00:00+00:00", ok=False)
    write(tmp_path, "axis", "drill", "2026-11-20T10:00:00+00:00", ok=False)
    found = read_results(tmp_path)
    assert found["pivot", "drill"].date == datetime(2026, 11, 9, 10, tzinfo=UTC)
    assert found["pivot", "drill"].numbers == {"tip_sd_mm": 0.012, "angle": 6.1e1}
    assert not found["axis", "drill"].accepted and found["axis", "drill"].reasons == ("too little tilt",)


def test_what_is_no_result_is_passed_over(tmp_path: Path):
    (tmp_path / "camera-a-1.toml").write_text("[camera")
    (tmp_path / "camera-b-1.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "camera-c-1.toml").write_text('calibration = "camera"\nname = 3\naccepted = true\n')
    (tmp_path / "camera-d-1.toml").mkdir()
    (tmp_path / "markers-pointer-1.toml").write_text(
        'what = "markers"\nbody = "pointer"\ndate = "2026-01-01T00:00:00Z"\naccepted = true\nreasons = []\n'
    )
    assert list(read_results(tmp_path)) == [("markers", "pointer")]


RIG = printed_rig(camera())
PATH = Path("rig.toml")


def test_each_form_makes_its_command_and_asks_before_it_writes():
    for kind, subject, form, wanted in (
        ("camera", "", Form(source="camera:0"), ["camera", "camera:0", "--name", "left", "--target", "sheet", "--size", "1280x720"]),
        ("markers", "drill", Form(source="video:a.avi", check_mm=99.5), ["markers", "video:a.avi", "--body", "drill", "--check-mm", "99.5"]),
        ("markers", "drill", Form(source="video:a.avi", check_mm=0.0), ["markers", "video:a.avi", "--body", "drill"]),
        ("pivot", "drill", Form(source="log:a.mcap", whole=True), ["tool", "log:a.mcap", "--tool", "drill", "--whole"]),
        ("axis", "drill", Form(source="camera:0", against="ref"), ["axis", "camera:0", "--tool", "drill", "--against", "ref"]),
        ("axis", "drill", Form(source="camera:0", seconds=30), ["axis", "camera:0", "--tool", "drill", "--seconds", "30"]),
        ("latency", "", Form(source="camera:0"), ["latency", "camera:0", "--screen-hz", "60", "--display-ms", "0"]),
    ):  # fmt: skip
        given_ = arguments(kind, subject, form, RIG, PATH)  # type: ignore[arg-type]
        assert given_[1 : 1 + len(wanted)] == wanted
        assert given_[1 + len(wanted) :] == ["--rig", "rig.toml", "--write", "--progress", "--video-port", "0"]


@pytest.mark.parametrize(
    ("kind", "form", "word"),
    [
        ("camera", Form(), "no source"),
        ("camera", Form(source="camera:0", size="1280*720"), "no size"),
        ("camera", Form(source="camera:0", board=Board("charuco", 8, 6, 20.0, 25.0)), "do not fit"),
        ("camera", Form(source="camera:0", board=Board("chessboard", 2, 6, 20.0)), "2 × 6"),
        ("cameras", Form(source="camera:0,2", names="left"), "two different"),
        ("cameras", Form(source="camera:0,2", names="right,left"), "first camera"),
        ("cameras", Form(source="camera:0,2", names="left,right", board=Board("chessboard", 8, 6, 20.0)), "half a turn"),
        ("markers", Form(source="camera:0", check_mm=float("nan")), "check square"),
        ("latency", Form(source="camera:0", screen_hz=0.0), "0 Hz"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_by_its_name(kind: Any, form: Form, word: str):
    with pytest.raises(InputRefused, match=word):
        arguments(kind, "drill", form, RIG, PATH)


def test_a_camera_of_a_new_rig_is_called_as_it_was_typed():
    assert "webcam" in arguments("camera", "", Form(source="camera:0", name=" webcam "), printed_rig(), PATH)
    with pytest.raises(InputRefused, match="name"):
        arguments("camera", "", Form(source="camera:0", name="a/b"), printed_rig(), PATH)


def test_sources_are_named_as_commands_take_them():
    assert address(CAMERA, " 0 ") == "camera:0" and address(CAMERAS, "0,2?exposure=80") == "camera:0,2?exposure=80"
    assert address(FILM, "a b.avi") == "video:a b.avi" and address(IGTL, "127.0.0.1:18944") == "igtl:127.0.0.1:18944"
    for kind, text in ((CAMERA, ""), (CAMERA, "Webcam HD"), (IGTL, "18944"), (IGTL, "host:0"), (IGTL, "host:99999"), (NDI, "  ")):
        with pytest.raises(InputRefused):
            address(kind, text)


def test_a_rendered_camera_films_what_the_step_needs_and_counts_as_a_camera():
    assert practice_address("pivot", "drill") == "camera:phantom:pivot:drill" and practice_address("cameras", "").endswith("?cameras=2")
    assert needs_camera(practice_address("camera", "")) and not needs_camera("phantom:pedicle")
    assert is_device("camera:0,2") and not is_device(practice_address("camera", "")) and not is_device("video:0")


def test_cameras_are_read_out_of_what_the_command_lists():
    assert cameras_in('{"listed": true, "cameras": [{"address": "camera:0", "name": "HD Webcam"}, {"address": "camera:2", "name": "Scope"}]}') == {
        "0": "HD Webcam",
        "2": "Scope",
    }
    assert cameras_in('{"listed": true, "cameras": []}') == {}
    assert cameras_in('{"listed": false, "cameras": []}') is None is cameras_in("not json")


def test_the_region_that_advice_speaks_of_is_the_one_marked_in_the_picture():
    missing = ("upper left corner", "lower edge")
    assert wanted_region("bring the board to the upper left corner of the image", missing) == "upper left corner"
    assert wanted_region("bring the board to the lower edge of the image", missing) == "lower edge"
    assert wanted_region("turn the board's left edge away from the camera", ("left edge",)) == ""
    assert wanted_region("hold still", missing) == ""


def test_regions_tile_the_picture():
    boxes = [region_box(name) for name in REGIONS]
    assert len(set(boxes)) == 9 and sum(b[2] * b[3] for b in boxes if b) == pytest.approx(1.0)


def moment(link: Any, setup: Setup | None = None) -> Moment:
    return Moment(link, 0, "e", None, 0, None, setup)


def test_the_session_says_what_runs_and_who_may_end_it():
    mine = session_view(moment("up", replace(SETUP, source="phantom:pedicle")), "phantom:pedicle", True, (), "", "spine")
    assert mine.may_end and not mine.may_start and "own calibration" in mine.detail
    others = session_view(moment("up", replace(SETUP, source="camera:0")), "", False, (), "", "spine")
    assert not others.may_end and not others.may_start and "elsewhere" in others.detail
    starting = session_view(moment("waiting"), "camera:0", True, ("compiling kernels",), "", "spine")
    assert "compiling kernels" in starting.detail and starting.may_end
    failed = session_view(moment("waiting"), "camera:0", False, (), "there is no camera 0", "spine")
    assert failed.bad and "no camera 0" in failed.detail and failed.may_start
    assert not session_view(moment("waiting"), "", False, (), "", "").may_start
    lost = session_view(moment("lost"), "camera:0", True, (), "", "spine")
    assert lost.bad and lost.lamp == "bad"


def test_a_core_tells_where_its_log_is():
    assert recording_of(["loading the case", "log: old.mcap", "log: sessions/new one.mcap"]) == "sessions/new one.mcap"
    assert recording_of(["log is full", ""]) == ""


def test_a_session_with_another_rig_is_told(tmp_path: Path):
    mine, others = tmp_path / "rig.toml", tmp_path / "other" / "rig.toml"
    running = moment("up", replace(SETUP, source="igtl:h:1", rig_path=str(others)))
    assert other_rig(running, mine) == str(others) and other_rig(running, None) == "" and other_rig(moment("lost", running.setup), mine) == ""
    assert other_rig(moment("up", replace(SETUP, rig_path=str(mine.resolve()))), mine) == ""
    told = session_view(running, "", False, (), "", "spine", other_rig(running, mine))
    assert told.bad and str(others) in told.detail and told.lamp == "warn"
