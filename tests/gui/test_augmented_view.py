"""The augmented view by its pixels: the live picture, what lies over it, and that nothing lies over it which does not belong there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from gui.augmented.drawing import Prepared, Wanted
from gui.augmented.model import FADE_NS
from gui.augmented.reader import Look, fitted, show
from gui.augmented.view import AugmentedView
from gui.desktop.desk import Desk as GuiDesk
from navtwin.bus.video import VideoPicture
from navtwin.errors import BusRefused
from navtwin.nouns import Setup
from navtwin.nouns.video import VideoFrame, VideoMarker
from navtwin.scene import palette
from navtwin.scene.lens import Lens
from tests.gui.room import DANGER_S, MS, Desk, said, with_health
from tests.gui.test_augmented_model import CAMERA, RIG, SCENE, T_CAMERA_FROM_CT, context, drill_body, frame, ref_body, setup

GREY = 96
#: Rows of the widget that switches and words take.
HEAD = 138
CANAL, AORTA = "#f2c14e", "#d8654f"
CORNERS = ((200.0, 500.0), (300.0, 500.0), (300.0, 600.0), (200.0, 600.0))


def jpeg(width: int = 640, height: int = 360) -> bytes:
    image = QImage(width, height, QImage.Format.Format_Grayscale8)
    image.fill(QColor(GREY, GREY, GREY))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPG", 95)
    return bytes(buffer.data().data())


JPEG: list[bytes] = []


def picture(**changes: Any) -> VideoPicture:
    JPEG[:] = JPEG or [jpeg()]
    return VideoPicture(frame(**changes), JPEG[0])


class Video:
    """Pictures given by hand; counts how many were taken."""

    def __init__(self) -> None:
        self.waiting: list[VideoPicture] = []
        self.taken, self.closed = 0, False
        self._news = threading.Event()

    def give(self, given: VideoPicture) -> None:
        self.waiting.append(given)
        self._news.set()

    def newest(self, timeout_ms: int) -> VideoPicture | None:
        self._news.wait(timeout_ms * 1e-3)
        self._news.clear()
        if not self.waiting:
            return None
        self.taken += 1
        newest = self.waiting[-1]
        self.waiting.clear()
        return newest

    def close(self) -> None:
        self.closed = True


class Room:
    """A view on its desk, with pictures and moments given by hand on one clock."""

    def __init__(self, qtbot: Any, opened: Callable[[str], Video] | None = None, rig: Any = RIG) -> None:
        self.qtbot, self.desk, self.videos = qtbot, Desk(), dict[str, Video]()
        self.desk.clock.ns = 10_000 * MS
        self.gui = GuiDesk(self.desk.board, self.desk.orders.append, (5810, 5811), self.desk.clock)
        self.gui.scene, self.gui.rig = SCENE, rig
        self.view = AugmentedView(self.gui, opened or self.open)
        qtbot.addWidget(self.view)
        self.view.resize(800, 500)
        self.view.show()

    def open(self, camera: str) -> Video:
        self.videos[camera] = Video()
        return self.videos[camera]

    def enter(self) -> None:
        self.view.entered()
        self.qtbot.waitUntil(lambda: self.view._prepared is not None, timeout=20_000)

    def hear(self, told: Setup | None = None, epoch: str = "e1") -> None:
        state, alerts = said(DANGER_S)
        self.desk.hear("setup", told or setup(), epoch)
        self.desk.hear("state", state, epoch)
        healthy = with_health(alerts, registration="ok", selected=("drill",), frame_age_ms=30.0)
        self.desk.hear("alerts", msgspec.structs.replace(healthy, t_ns=self.desk.clock.ns), epoch)

    def moment(self) -> None:
        self.view.show_moment(self.desk.board.moment(), self.desk.clock.ns)

    def pass_ms(self, ms: int) -> None:
        """Time passes in turns of the screen, the core speaking all the while."""
        for _ in range(0, ms, 20):
            self.desk.clock.ns += 20 * MS
            self.hear()
            self.moment()

    def play(self, ms: int) -> None:
        """The same, with a new picture every 40 ms, and one at the end."""
        for _ in range(0, ms, 40):
            self.pass_ms(40)
            self.give()

    def give(self, **changes: Any) -> None:
        """A picture comes now, and is on the screen."""
        now = self.desk.clock.ns
        given = picture(t_capture_ns=now - 40 * MS, t_publish_ns=now, **changes)
        self.moment()
        before = self.view._shown
        (video,) = (self.videos[name] for name in list(self.videos)[-1:])
        video.give(given)
        self.qtbot.waitUntil(lambda: self.view._shown is not before, timeout=10_000)
        self.moment()

    def pixels(self) -> np.ndarray:
        return rgb(self.view)


@pytest.fixture
def room(qtbot: Any) -> Iterator[Room]:
    made = Room(qtbot)
    made.enter()
    made.hear()
    yield made
    made.view.release()
    assert all(video.closed for video in made.videos.values())


def rgb(widget: QWidget) -> np.ndarray:
    made = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(made.constBits(), dtype=np.uint8).reshape(made.height(), made.bytesPerLine())
    return rows[:, : 3 * made.width()].reshape(made.height(), made.width(), 3).copy()


def near(pixels: np.ndarray, color: str, tolerance: int = 36) -> np.ndarray:
    return np.asarray(np.abs(pixels.astype(int) - QColor(color).getRgb()[:3]).max(axis=-1) < tolerance)


def drawn(pixels: np.ndarray, color: str) -> int:
    """How many pixels of a colour there are below the switches and the words."""
    return int(near(pixels, color)[HEAD:].sum())


def on_screen(points_px: Any, width: int = 800, height: int = 500) -> np.ndarray:
    """Where pixels of the full picture are in the widget."""
    size = fitted((1280, 720), (width, height))
    corner = np.array(((width - size[0]) // 2, (height - size[1]) // 2))
    return np.asarray(corner + (np.asarray(points_px) + 0.5) * size[0] / 1280.0 - 0.5)


def test_the_picture_fills_what_it_can_and_the_patient_lies_over_it_where_the_lens_has_him(room: Room) -> None:
    room.play(FADE_NS // MS + 20)
    assert room.view.why == "" and room.view.fade.opacity == 1.0
    pixels = room.pixels()
    # Letterbox above and below, the picture's grey in its corners.
    assert near(pixels, palette.BACKGROUND, 8)[490, 400] and near(pixels, f"#{GREY:02x}{GREY:02x}{GREY:02x}", 12)[470, 790]
    assert min(drawn(pixels, CANAL), drawn(pixels, AORTA), drawn(pixels, palette.PLAN)) > 20
    # The canal ends where pinhole, distortion and the picture's own pose have its lower end; its outline is two pixels wide and has a dark casing.
    canal = SCENE.structure("spinal_canal").surface.vertices_mm
    _, lowest = on_screen(Lens.of(CAMERA).project(T_CAMERA_FROM_CT.apply(canal))).max(axis=0)
    rows = np.nonzero(near(pixels, CANAL, 60)[HEAD:].any(axis=1))[0] + HEAD
    assert abs(rows.max() - lowest) < 2.5


def test_found_markers_are_ticked_at_their_corners_when_asked_for(room: Room) -> None:
    marker = VideoMarker(id=3, dictionary="APRILTAG_36h11", corners_px=CORNERS)
    room.give(markers=(marker,))
    assert drawn(room.pixels(), palette.GOOD) == 0
    # Without the plan, whose green is a like one.
    for key in (Qt.Key.Key_M, Qt.Key.Key_P):
        QTest.keyClick(room.view, key, Qt.KeyboardModifier.ShiftModifier)
    room.give(markers=(marker,))
    ticks = near(room.pixels(), palette.GOOD)
    ticks[:HEAD] = False
    for x, y in on_screen(CORNERS).round().astype(int):
        assert ticks[y - 1 : y + 2, x - 1 : x + 2].any()
    rows, columns = np.nonzero(ticks)
    left, top = on_screen(CORNERS[0]) - 3.0
    right, bottom = on_screen(CORNERS[2]) + 3.0
    assert columns.min() > left and columns.max() < right and rows.min() > top and rows.max() < bottom


def test_with_the_reference_hidden_the_overlay_fades_and_is_gone_within_a_fifth_of_a_second(room: Room) -> None:
    room.play(200)
    full = drawn(room.pixels(), CANAL)
    room.give(bodies=(drill_body(),))
    room.pass_ms(60)
    assert room.view.why == "reference hidden" and 0.2 < room.view.fade.opacity < 0.8
    assert drawn(room.pixels(), CANAL) < full / 2
    room.pass_ms(140)
    room.give(bodies=(drill_body(),))
    pixels = room.pixels()
    assert room.view.words == "overlay off: reference hidden"
    assert drawn(pixels, CANAL) == drawn(pixels, AORTA) == drawn(pixels, palette.PLAN) == 0
    # The instrument hangs on no reference, and stays.
    assert drawn(pixels, palette.METAL) > 20
    room.play(200)
    assert drawn(room.pixels(), CANAL) == pytest.approx(full, rel=0.1)


@pytest.mark.parametrize(
    ("changes", "told", "words"),
    [
        ({"epoch": "e0"}, None, "overlay off: the picture is of another session"),
        ({}, setup(case_hash="another"), "overlay off: the session runs on another case"),
        ({}, setup(pending=("registration",)), "overlay off: a registration waits to be accepted"),
    ],
)
def test_what_would_be_wrong_is_gone_with_the_next_moment(room: Room, changes: dict[str, Any], told: Setup | None, words: str) -> None:
    room.play(200)
    assert drawn(room.pixels(), CANAL) > 60
    room.desk.clock.ns += 10 * MS
    room.hear(told)
    if changes:
        room.give(**changes)
    room.moment()
    pixels = room.pixels()
    assert room.view.words.startswith(words)
    assert drawn(pixels, CANAL) == drawn(pixels, AORTA) == drawn(pixels, palette.PLAN) == 0


def test_without_a_new_picture_it_says_so_and_draws_nothing_over_the_old_one(room: Room) -> None:
    room.play(200)
    before = room.pixels()
    room.pass_ms(1300)
    pixels = room.pixels()
    assert drawn(pixels, CANAL) == drawn(pixels, palette.PLAN) == drawn(pixels, palette.LEVEL_COLORS["DANGER"]) == 0
    assert room.view._gap_ns == 1300 * MS and "old" in room.view.why
    # Hatched all over, and the words on their plate in the middle.
    assert (np.abs(pixels[100:450, 50:750].astype(int) - before[100:450, 50:750]).max(axis=-1) > 8).mean() > 0.5
    assert near(pixels[235:265, 280:520], palette.TEXT).sum() > 80
    room.give()
    assert room.view._gap_ns == 0


def test_a_lost_core_takes_the_overlay_with_it(room: Room) -> None:
    room.play(200)
    room.desk.clock.ns += 400 * MS
    room.give()
    room.moment()
    assert room.view.why == "the core is not heard"
    room.desk.clock.ns += 160 * MS
    room.give()
    assert drawn(room.pixels(), CANAL) == drawn(room.pixels(), palette.METAL) == 0


def test_switches_and_their_keys_take_away_what_they_name_but_never_the_distance(room: Room) -> None:
    room.play(200)
    assert drawn(room.pixels(), palette.LEVEL_COLORS["DANGER"]) > 20
    for key in (Qt.Key.Key_S, Qt.Key.Key_P, Qt.Key.Key_I):
        QTest.keyClick(room.view, key, Qt.KeyboardModifier.ShiftModifier)
    assert room.view.controls.wanted == Wanted(structures=False, plan=False, instrument=False)
    room.give()
    pixels = room.pixels()
    assert drawn(pixels, CANAL) == drawn(pixels, palette.PLAN) == 0
    assert drawn(pixels, palette.LEVEL_COLORS["DANGER"]) > 20


def test_the_overlay_is_as_opaque_as_is_asked_for_and_remembers_it(room: Room, qtbot: Any) -> None:
    room.play(200)
    full = room.pixels().astype(int)
    for _ in range(20):
        QTest.keyClick(room.view, Qt.Key.Key_BracketLeft)
    faint = room.pixels().astype(int)
    canal = near(full.astype(np.uint8), CANAL)
    canal[:HEAD] = False
    assert np.abs(faint[canal] - GREY).mean() < 0.5 * np.abs(full[canal] - GREY).mean()
    other = Room(qtbot)
    assert other.view.controls.opacity.value() == 20


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
    shown = show(picture(), Look(context(), None, Wanted(), (800, 500), 1.0))
    assert shown is not None and shown.patient is None and shown.top is None
    assert shown.verdict.why == "the outlines are being made ready"
    assert (shown.picture.width(), shown.picture.height()) == (800, 450)
    prepared = Prepared.of(SCENE, RIG)
    ready = show(picture(), Look(context(), prepared, Wanted(), (800, 500), 1.0))
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
