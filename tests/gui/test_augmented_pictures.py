"""What the augmented view receives: pictures late, wrong, of another camera or case, and none at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui.augmented.bone import BoneSight
from gui.augmented.drawing import Prepared, Wanted
from gui.augmented.reader import Look, fitted, show
from navtwin.bus.video import VideoPicture
from navtwin.errors import BusRefused
from navtwin.nouns.video import VideoFrame
from navtwin.scene import palette
from navtwin.scene.lens import Lens
from tests.gui.augmented_room import CANAL, GREY, HEAD, Room, Video, drawn, jpeg, near, opened, picture
from tests.gui.room import MS
from tests.gui.test_augmented_model import CAMERA, RIG, SCENE, T_CAMERA_FROM_CT, context, drill_body, frame, ref_body


@pytest.fixture
def room(qtbot: Any) -> Iterator[Room]:
    yield from opened(qtbot)


def test_pictures_wait_for_the_screen_and_only_the_newest_is_shown(room: Room) -> None:
    room.give(number=1)
    video = room.videos["cam"]
    taken = video.taken
    # The screen stands still: one more picture may be made ready, no more.
    for number in range(2, 12):
        video.give(picture(number=number, t_publish_ns=room.desk.clock.ns))
        threading.Event().wait(0.01)
    assert video.taken <= taken + 1
    room.qtbot.waitUntil(lambda: room.view._shown is not None and room.view._shown.frame.number == 11, timeout=5_000)


def test_a_picture_that_is_not_what_its_header_says_is_told_and_not_shown(room: Room) -> None:
    room.moment()
    room.videos["cam"].give(VideoPicture(frame(width_px=320, height_px=180), jpeg()))
    room.qtbot.waitUntil(lambda: room.view.trouble == "a picture came that cannot be read", timeout=5_000)
    assert room.view._shown is None
    # Of 290 000 pixels that the picture would fill, only those at the edges of letters have its grey.
    assert drawn(room.pixels(), f"#{GREY:02x}{GREY:02x}{GREY:02x}") < 2000


def test_pictures_that_cannot_be_had_are_told_where_they_would_be(qtbot: Any) -> None:
    def refused(camera: str) -> Video:
        raise BusRefused("cannot connect to tcp://or:5812: no such host", "check the host's name and the port")

    made = Room(qtbot, refused)
    made.enter()
    qtbot.waitUntil(lambda: "cannot connect" in made.view.trouble, timeout=5_000)
    made.hear()
    made.pass_ms(400)
    assert near(made.pixels()[230:270, 250:550], palette.TEXT).sum() > 80
    made.view.release()


def test_when_it_leaves_nothing_is_received_and_nothing_old_is_kept(room: Room) -> None:
    room.play(200)
    first = room.videos["cam"]
    room.view.left()
    room.qtbot.waitUntil(lambda: first.closed, timeout=5_000)
    room.moment()
    assert room.view._shown is None and room.view.why == "no picture yet" and drawn(room.pixels(), CANAL) == 0
    room.enter()
    room.pass_ms(20)
    room.give()
    assert room.view._shown is not None and room.videos["cam"] is not first


def test_another_camera_is_one_key_away_where_there_is_one(qtbot: Any) -> None:
    side = msgspec.structs.replace(CAMERA, name="side", T_tracker_from_camera=ref_body().pose)
    made = Room(qtbot, rig=msgspec.structs.replace(RIG, camera=(CAMERA, side)))
    made.enter()
    qtbot.waitUntil(lambda: "cam" in made.videos, timeout=5_000)
    assert made.view.controls.camera.isVisibleTo(made.view)
    QTest.keyClick(made.view, Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: "side" in made.videos, timeout=5_000)
    assert made.view.controls.camera.text() == "Camera: side"
    made.view.release()


def test_another_case_takes_what_was_drawn_for_the_last_one(room: Room) -> None:
    room.play(200)
    from dataclasses import replace

    room.gui.scene = replace(SCENE, case_hash="another")
    room.gui.case_changed.emit()
    room.moment()
    assert drawn(room.pixels(), CANAL) == 0
    room.qtbot.waitUntil(lambda: room.view._prepared is not None, timeout=20_000)


def test_a_picture_waits_for_the_outlines_without_them(qtbot: Any) -> None:
    shown = show(picture(), Look(context(), None, Wanted(), (800, 500), 1.0), BoneSight())
    assert shown is not None and shown.patient is None and shown.top is None
    assert shown.verdict.why == "the outlines are being made ready"
    assert (shown.picture.width(), shown.picture.height()) == (800, 450)
    prepared = Prepared.of(SCENE, RIG)
    ready = show(picture(), Look(context(), prepared, Wanted(), (800, 500), 1.0), BoneSight())
    assert ready is not None and ready.patient is not None and ready.top is not None
    assert {label.words.split("  ")[0] for label in ready.patient_labels} == {"spinal canal", "aorta", "left pedicle"}
    assert any(label.strong and "spinal canal" in label.words for label in ready.top_labels)


def test_a_frozen_picture_says_so_and_its_overlay_goes_as_it_gets_old(room: Room) -> None:
    room.play(160)
    assert isinstance(room.view._shown.frame if room.view._shown else None, VideoFrame)
    for _ in range(15):
        room.desk.clock.ns += 20 * MS
        room.hear()
        room.view.show_moment(room.desk.board.moment(), room.desk.clock.ns, frozen=True)
    assert room.view.why and drawn(room.pixels(), CANAL) == 0


def test_zoomed_the_overlay_stays_on_the_picture(room: Room) -> None:
    """Twice as large about the plan's target; what is drawn at a pixel of the picture moves with it."""
    room.play(200)
    QTest.keyClick(room.view, Qt.Key.Key_Z)
    assert room.view.sight.zoom == 2.0
    room.give()
    assert room.view._shown is not None
    crop = room.view._shown.crop
    canal = Lens.of(CAMERA).project(T_CAMERA_FROM_CT.apply(SCENE.structure("spinal_canal").surface.vertices_mm))
    size = fitted((crop.width_px, crop.height_px), (800, 500))
    expected = (500 - size[1]) / 2.0 + (canal - (crop.left_px, crop.top_px) + 0.5) * size[1] / crop.height_px - 0.5
    rows = np.nonzero(near(room.pixels(), CANAL, 60)[HEAD:].any(axis=1))[0] + HEAD
    assert abs(rows.max() - expected[:, 1].max()) < 3.0
    middle = (crop.left_px + crop.width_px / 2.0, crop.top_px + crop.height_px / 2.0)
    assert middle == pytest.approx(Lens.of(CAMERA).project(T_CAMERA_FROM_CT.apply(SCENE.plans[0].target_mm)), abs=3.0)
    for _ in range(2):
        QTest.keyClick(room.view, Qt.Key.Key_Z)
    assert room.view.sight.zoom == 1.0


def test_outlines_that_cannot_be_made_are_told_for_as_long_as_that_is_so(room: Room) -> None:
    room.view._made_ready(None, "camera 'cam' of the rig has 7 distortion coefficients")
    room.give()
    assert room.view.words == "overlay off: it could not be made ready: camera 'cam' of the rig has 7 distortion coefficients"
    assert room.view.accessibleName().endswith(room.view.words)
    room.play(80)
    assert room.view.why and drawn(room.pixels(), CANAL) == 0


def test_what_fades_is_not_laid_over_another_part_of_the_picture(room: Room) -> None:
    room.play(200)
    QTest.keyClick(room.view, Qt.Key.Key_Z)
    room.give(bodies=(drill_body(),))
    room.pass_ms(40)
    assert room.view.why == "reference hidden" and room.view.fade.opacity > 0.5
    assert drawn(room.pixels(), CANAL) == 0


def test_nothing_is_painted_anew_where_nothing_has_changed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.play(200)
    painted = []
    monkeypatch.setattr(room.view, "update", lambda: painted.append(1))
    room.moment()
    room.moment()
    assert not painted
    room.pass_ms(20)
    assert painted
