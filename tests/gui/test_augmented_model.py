"""What may be drawn over a picture and why not, without Qt: every missing link, poses of the picture itself, fading, ages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from gui.augmented.crop import WHOLE, Sight, crop_of
from gui.augmented.drawing import Prepared, draw
from gui.augmented.model import FADE_NS, Context, Fade, Verdict, differs, hidden_words, judge, tip_frame
from gui.link.board import MS, Moment
from navtwin.nouns import PivotResult, Pose, RegistrationResult, Rig, RigCamera, Setup
from navtwin.nouns.video import VideoBody, VideoFrame
from navtwin.rigid import Rigid
from navtwin.scene.lens import Lens
from navtwin.twin.memory import tip_of
from tests.gui.room import DANGER_S, rig, said, scene, with_health

CAMERA = RigCamera(name="cam", width_px=1280, height_px=720, focal_px=(900.0, 905.0), centre_px=(644.0, 351.0), distortion=(-0.2, 0.08, 1e-3, -7e-4))
RIG: Rig = msgspec.structs.replace(rig(), camera=(CAMERA,))
SCENE = scene()
TIP_MM = (4.0, -140.0, -12.0)
#: The camera looks at the patient's back from 450 mm; his reference lies beside.
T_CAMERA_FROM_CT = Rigid.from_matrix([[-1, 0, 0, 5], [0, 0, -1, 10], [0, -1, 0, 450], [0, 0, 0, 1]], target="camera", source="ct")
T_CT_FROM_REF = Rigid.from_matrix([[0, -1, 0, 70], [1, 0, 0, 20], [0, 0, 1, -40], [0, 0, 0, 1]], target="ct", source="ref")
T_CAMERA_FROM_DRILL = Rigid.from_matrix([[1, 0, 0, -60], [0, -1, 0, 30], [0, 0, -1, 380], [0, 0, 0, 1]], target="camera", source="marker/drill")


def registration(**changes: Any) -> RegistrationResult:
    made = RegistrationResult(
        request="r", accepted=True, reasons=(), pose=Pose.from_rigid(T_CT_FROM_REF), fre_mm=0.3, landmarks=(), residual_mm=(),
        covariance=tuple((np.diag((0.004, 0.004, 0.004, 0.3, 0.3, 0.3)) ** 2)[np.triu_indices(6)].tolist()), centroid_mm=(0.0, 0.0, 0.0),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def pivot(tip_mm: tuple[float, float, float] = TIP_MM, **changes: Any) -> PivotResult:
    made = PivotResult(
        request="p", tool="drill", accepted=True, reasons=(), tip_mm=tip_mm, covariance=(0.01, 0.0, 0.0, 0.01, 0.0, 0.01), rms_mm=0.1, samples=100
    )
    return msgspec.structs.replace(made, **changes)


def setup(**changes: Any) -> Setup:
    made = Setup(
        collecting="", samples=0, calibrated=("drill",), landmarks=(), spread_mm=(), sweep_points=0, pending=(), pivots=(pivot(),),
        registration=registration(), case_hash=SCENE.case_hash,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def moment(**changes: Any) -> Moment:
    state, alerts = said(DANGER_S)
    return replace(Moment("up", 0, "e1", with_health(alerts, registration="ok", selected=("drill",)), 1_040 * MS, state, setup()), **changes)


def context(**changes: Any) -> Context:
    return replace(Context(moment(), SCENE, RIG), **changes)


def ref_body(pose: Rigid | None = None) -> VideoBody:
    return VideoBody(body="ref", status="OK", pose=Pose.from_rigid(pose or T_CAMERA_FROM_CT @ T_CT_FROM_REF))


def drill_body() -> VideoBody:
    return VideoBody(body="drill", status="OK", pose=Pose.from_rigid(T_CAMERA_FROM_DRILL))


def frame(**changes: Any) -> VideoFrame:
    made = VideoFrame(
        epoch="e1", camera="cam", number=7, t_capture_ns=1_000 * MS, t_arrival_ns=1_030 * MS, t_publish_ns=1_040 * MS,
        width_px=640, height_px=360, full_width_px=1280, full_height_px=720, bodies=(ref_body(), drill_body()),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def changed(**changes: Any) -> Context:
    return context(moment=moment(**changes))


def close(T: Rigid, other: Rigid) -> None:
    assert T.matrix() == pytest.approx(other.matrix(), abs=1e-9)
    assert (T.target, T.source) == (other.target, other.source)


def test_all_links_there_and_the_chain_is_the_pictures_own() -> None:
    verdict = judge(frame(), context())
    assert verdict.why == "" and verdict.camera is CAMERA
    assert verdict.T_camera_from_ct is not None and verdict.T_camera_from_ref is not None
    close(verdict.T_camera_from_ct, T_CAMERA_FROM_CT)
    close(verdict.T_camera_from_ref, T_CAMERA_FROM_CT @ T_CT_FROM_REF)
    # A picture in which the patient lies elsewhere, with the same newest state: it goes with the picture.
    shift = Rigid.from_matrix([[1, 0, 0, 25], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], target="camera", source="camera")
    other = judge(frame(bodies=(ref_body(shift @ T_CAMERA_FROM_CT @ T_CT_FROM_REF),)), context())
    assert other.T_camera_from_ct is not None
    close(other.T_camera_from_ct, shift @ T_CAMERA_FROM_CT)


@pytest.mark.parametrize(
    ("words", "wrong", "picture", "around"),
    [
        ("reference hidden", False, frame(bodies=(drill_body(),)), context()),
        ("reference out of view", False, frame(bodies=(VideoBody(body="ref", status="OUT_OF_VIEW"),)), context()),
        ("reference no valid pose (ambiguous)", False, frame(bodies=(VideoBody(body="ref", status="INVALID", reason="ambiguous"),)), context()),
        ("the picture is 0.1 s old", False, frame(), changed(t_ns=1_116 * MS)),
        ("the picture's time is not the session's", False, frame(), changed(t_ns=700 * MS)),
        ("the core is not heard", False, frame(), changed(link="lost")),
        ("the session has ended", False, frame(), changed(link="ended")),
        ("the picture is of another session", True, frame(epoch="e0"), context()),
        ("no case is open", True, frame(), context(scene=None)),
        ("nothing is known of the registration yet", True, frame(), changed(setup=None)),
        ("the session runs on another case", True, frame(), changed(setup=setup(case_hash="another"))),
        ("not registered", True, frame(), changed(setup=setup(registration=None))),
        ("a registration waits to be accepted", True, frame(), changed(setup=setup(pending=("registration",)))),
        ("not registered", True, frame(), changed(setup=setup(registration=registration(accepted=False)))),
        ("not registered", True, frame(), changed(alerts=None)),
        ("the registration is in doubt", True, frame(), changed(alerts=with_health(said(DANGER_S)[1], registration="bad"))),
        ("the session runs with another rig", True, frame(), context(other_rig=True)),
        ("no rig is open", False, frame(), context(rig=None)),
        ("camera side is not calibrated in this rig", False, frame(camera="side"), context()),
        ("the picture is 1920 x 1080 px, the calibration for 1280 x 720", False, frame(full_width_px=1920, full_height_px=1080), context()),
    ],
)
def test_each_missing_link_is_named_and_nothing_of_the_patient_is_drawn(words: str, wrong: bool, picture: VideoFrame, around: Context) -> None:
    verdict = judge(picture, around)
    assert words in verdict.why
    assert verdict.wrong == wrong
    assert verdict.T_camera_from_ct is None and verdict.T_camera_from_ref is None
    prepared = Prepared(SCENE, RIG, None, {"cam": Lens.of(CAMERA)}, {"drill": ((), ())})  # type: ignore[arg-type]
    drawing = draw(prepared, picture, verdict, around, crop_of(picture, WHOLE, (1280, 720)))
    assert not drawing.scene.structures and not drawing.scene.plans and not drawing.scene.bones and not drawing.distances


def test_a_late_picture_shows_no_instrument_either() -> None:
    # max_age 100 ms and a latency of 15 ms: 115 is on time.
    assert judge(frame(), changed(t_ns=1_115 * MS)).tips
    late = judge(frame(), changed(t_ns=1_116 * MS))
    assert not late.tips and late.T_camera_from_ct is None


def test_an_instrument_needs_no_registration_but_a_calibration_in_use() -> None:
    tool = RIG.tool[0]
    for picture, around in ((frame(), changed(setup=setup(registration=None))), (frame(bodies=(drill_body(),)), context())):
        verdict = judge(picture, around)
        assert verdict.T_camera_from_ct is None
        close(verdict.tips["drill"], T_CAMERA_FROM_DRILL @ tip_frame(tool, TIP_MM))
    for around in (changed(link="lost"), changed(epoch="e2")):
        assert not judge(frame(), around).tips
    for around in (
        changed(setup=setup(pivots=())),
        changed(setup=setup(pending=("pivot/drill",))),
        changed(setup=setup(pivots=(pivot(accepted=False),))),
    ):
        verdict = judge(frame(), around)
        assert not verdict.tips and verdict.hidden == {"drill": "not calibrated"}
    unseen = judge(frame(bodies=(ref_body(),)), context())
    assert unseen.hidden == {"drill": "hidden"} and unseen.T_camera_from_ct is not None
    assert hidden_words(unseen, ("drill",)) == "drill: hidden" and hidden_words(unseen, ("pointer",)) == ""


def test_a_calibration_that_the_rig_stores_is_used_where_the_session_has_none() -> None:
    tool = msgspec.structs.replace(RIG.tool[0], tip_mm=(1.0, -100.0, 0.0), tip_covariance=(0.01, 0.0, 0.0, 0.01, 0.0, 0.01))
    stored = msgspec.structs.replace(RIG, tool=(tool,))
    ours = judge(frame(), context(rig=stored))
    close(ours.tips["drill"], T_CAMERA_FROM_DRILL @ tip_frame(tool, TIP_MM))
    rigs = judge(frame(), context(rig=stored, moment=moment(setup=setup(pivots=()))))
    close(rigs.tips["drill"], T_CAMERA_FROM_DRILL @ tip_frame(tool, (1.0, -100.0, 0.0)))


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (0.6, 0.0, -0.8), (-1.0, 0.0, 0.0)])
def test_the_tips_frame_is_the_cores(axis: tuple[float, float, float]) -> None:
    tool = msgspec.structs.replace(RIG.tool[0], axis_in_marker=axis)
    core = tip_of(msgspec.structs.replace(RIG, tool=(tool,)), "drill", TIP_MM, (0.01, 0.0, 0.0, 0.01, 0.0, 0.01))
    close(tip_frame(tool, TIP_MM), core.T_marker_from_tip)


def test_it_comes_and_goes_in_less_than_a_fifth_of_a_second_and_at_once_where_it_would_be_wrong() -> None:
    fade, now = Fade(), 5_000 * MS
    assert fade.step(now, wanted=True) == 0.0
    assert fade.step(now + FADE_NS // 3, wanted=True) == pytest.approx(1.0 / 3.0)
    assert fade.step(now + FADE_NS, wanted=True) == pytest.approx(1.0)
    assert 0.0 < fade.step(now + FADE_NS + 60 * MS, wanted=False) < 1.0
    assert fade.step(now + FADE_NS + 200 * MS, wanted=False) == 0.0
    # A display that stood still for long has nothing left to fade when it goes on.
    fade.step(now + 1_000 * MS, wanted=True)
    assert fade.step(now + 9_000 * MS, wanted=True) == 1.0
    assert fade.step(now + 9_033 * MS, wanted=False, at_once=True) == 0.0


def test_a_verdict_without_hidden_instruments_says_nothing_of_them() -> None:
    assert hidden_words(Verdict(""), ()) == ""


@pytest.mark.parametrize("sight", [WHOLE, Sight(2.0), Sight(3.0, (100.0, 700.0)), Sight(2.5, (1279.0, -30.0)), Sight(40.0, (640.0, 360.0))])
def test_the_part_that_is_shown_lies_in_the_picture_and_begins_at_a_whole_pixel(sight: Sight) -> None:
    crop = crop_of(frame(), sight, (960, 540))
    left, top, width, height = crop.jpeg
    assert 0 <= left <= left + width <= 640 and 0 <= top <= top + height <= 360
    assert (crop.left_px, crop.top_px, crop.width_px, crop.height_px) == (2.0 * left, 2.0 * top, 2.0 * width, 2.0 * height)
    assert width == pytest.approx(640.0 / min(6.0, sight.zoom), abs=0.6)
    if sight.at_px is not None and 200 < sight.at_px[0] < 1000:
        assert crop.left_px + crop.width_px / 2.0 == pytest.approx(sight.at_px[0], abs=2.0)


def test_a_rig_is_another_one_only_where_both_files_can_be_looked_at(tmp_path: Path) -> None:
    for name in ("ours.toml", "theirs.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / "link.toml").symlink_to(tmp_path / "ours.toml")
    ours = tmp_path / "ours.toml"
    assert differs(str(tmp_path / "theirs.toml"), ours)
    assert not differs(str(tmp_path / "link.toml"), ours)
    assert not differs(str(tmp_path / "on another machine.toml"), ours)
    assert not differs("", ours) and not differs(str(ours), None)


def test_larger_than_whole_the_picture_fills_a_room_of_another_shape() -> None:
    whole, larger = (crop_of(frame(), Sight(zoom), (500, 600)) for zoom in (1.0, 2.0))
    assert whole.jpeg == (0, 0, 640, 360)
    assert larger.width_px == pytest.approx(640.0, abs=2.0) and larger.height_px == 720.0
    assert crop_of(frame(), Sight(4.0), (500, 600)).jpeg == (240, 84, 160, 192)
