"""The augmented view by its pixels: the live picture, what lies over it, and that nothing lies over it which does not belong there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui.augmented.drawing import Wanted
from gui.augmented.model import FADE_NS
from navtwin.nouns import Setup
from navtwin.nouns.video import VideoMarker
from navtwin.scene import palette
from navtwin.scene.lens import Lens
from tests.gui.augmented_room import AORTA, CANAL, CORNERS, GREY, HEAD, Room, drawn, near, on_screen, opened
from tests.gui.room import MS
from tests.gui.test_augmented_model import CAMERA, SCENE, T_CAMERA_FROM_CT, drill_body, setup


@pytest.fixture
def room(qtbot: Any) -> Iterator[Room]:
    yield from opened(qtbot)


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
