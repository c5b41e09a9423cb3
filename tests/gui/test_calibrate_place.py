"""The place on no display, with a child that speaks as a calibration does: its picture, advice, verdict, keys and refusals, by their pixels."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt

from gui import theme
from gui.calibrate.place import CalibratePlace
from gui.calibrate.run_page import RunPage
from gui.calibrate.tip_page import TipPage
from gui.desktop.desk import Desk
from navtwin.nouns import Accept, Collect, Setup, read_rig
from navtwin.scene import palette
from tests.gui import room
from tests.gui.calibrate_room import CHILD, RIG, near, pixels
from tests.gui.room import CLEAR_S, MS, said
from tests.gui.test_calibrate_steps import GOOD, SETUP


@pytest.fixture
def link() -> room.Desk:
    return room.Desk()


@pytest.fixture
def desk(qtbot: Any, tmp_path: Path, link: room.Desk) -> Iterator[Desk]:
    made = Desk(link.board, link.orders.append, (5810, 5811), link.clock)
    path = tmp_path / "rig.toml"
    path.write_text(RIG)
    made.open_rig(path)
    yield made
    made.release()


@pytest.fixture
def place(qtbot: Any, desk: Desk) -> Iterator[CalibratePlace]:
    theme.choose("dark")
    made = CalibratePlace(desk)
    qtbot.addWidget(made)
    made.setStyleSheet(theme.style_sheet(1.0))
    made.set_scale(1.0)
    made.resize(1190, 610)
    made.show()
    made.entered()
    yield made
    made.release()


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the place's commands run the child in a mode."""

    def begin(mode: str) -> None:
        script, runner = tmp_path / "child.py", tmp_path / "runner"
        script.write_text(CHILD)
        runner.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
        runner.chmod(0o755)
        monkeypatch.setenv("CHILD", mode)
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        monkeypatch.setattr(sys, "executable", str(runner))

    return begin


def page(place: CalibratePlace) -> RunPage:
    found = place.pages["camera"]
    assert isinstance(found, RunPage)
    return found


def hear(link: room.Desk, setup: Setup) -> None:
    """A session speaks."""
    link.clock.ns += 10 * MS
    link.hear("alerts", said(CLEAR_S)[1])
    link.hear("setup", setup)


def test_it_opens_at_what_is_to_be_done_next_and_every_button_names_its_key(place: CalibratePlace):
    assert place.chosen == "camera/" and place.steps[0].state == "done"
    assert [row.next for row in place.list.rows if row.isVisible()].count(True) == 1
    spelled = {"Return": "Enter", "Escape": "Esc"}
    keys = [(button, button.property("key")) for button in (*page(place).buttons, *place.bar.buttons)]
    assert all(f"({spelled.get(key, key)})" in button.toolTip() for button, key in keys)


def test_the_list_is_drawn_in_both_themes_and_what_waits_is_not_drawn_as_done(place: CalibratePlace):
    for name in ("dark", "light"):
        theme.choose(name)
        place.setStyleSheet(theme.style_sheet(1.0))
        rows = {row.step.key: row for row in place.list.rows if row.step is not None and row.isVisible()}
        assert near(pixels(rows["rig/"]), theme.ink().good) > 0.01
        assert near(pixels(rows["latency/"]), theme.ink().good) == 0.0
        assert near(pixels(rows["camera/"]), theme.ink().accent) > 0.005
    theme.choose("dark")


def test_a_calibration_from_its_live_picture_to_the_stored_camera(qtbot: Any, place: CalibratePlace, desk: Desk, child: Any):
    child("good")
    run = page(place)
    qtbot.keyClick(place, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(run.live.picture.shots) and run.course.phase == "collecting", timeout=20000)
    run.show_now(desk.clock())
    assert run.live.advice.text().startswith("Bring the board to the lower right corner")
    assert run.live.picture.wanted == "lower right corner" and run.live.ring.big == "45 %"
    image = pixels(run.live.picture)
    half = image.shape[1] // 2
    assert near(image[:, half:], "#c03020", 40) > 0.4, "the picture itself"
    height, width = image.shape[:2]
    row, band = round((height - width * 9 / 16) / 2 + 300 / 720 * width * 9 / 16), slice(width // 4 - 10, width // 2 - 10)
    assert near(image[row - 8 : row + 8, band], palette.PLAN, 40) > 0.03, "corners that were found"
    assert near(image[row + 20 : row + 36, band], palette.PLAN, 40) < 0.01
    filled, empty = image[:, half // 2 - 20 : half // 2 + 20], image[:, half + half // 3 : half + half // 2]
    assert filled[..., 1].mean() > empty[..., 1].mean() + 10, "cells that were covered are tinted"
    assert near(pixels(run.live.ring), theme.ink().accent) > 0.02 and run.live.goals.isVisible()
    assert run.finish.isVisible() and run.cancel.isVisible() and not run.accept.isVisible()
    qtbot.keyClick(place, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: run.course.phase == "deciding", timeout=20000)
    assert run.accept.isVisible() and "0.270 px" in run.live.verdict.figures.text() and "held_out_px = 0.27" in run.live.verdict.writes.text()
    qtbot.keyClick(place, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: run.course.phase == "over", timeout=20000)
    assert desk.rig is not None and desk.rig.camera[0].held_out_px == 0.27
    assert next(s for s in place.steps if s.kind == "camera").state == "done"
    assert run.live.advice.text() == "Stored in rig.toml" and run._film is None
    qtbot.keyClick(place, Qt.Key.Key_N)
    assert place.chosen == "markers/ref"


def test_a_refusal_gives_its_reasons_and_nothing_to_accept(qtbot: Any, place: CalibratePlace, desk: Desk, child: Any):
    child("refused")
    run = page(place)
    run.start.click()
    qtbot.waitUntil(lambda: run.course.phase == "collecting", timeout=20000)
    run.finish.click()
    qtbot.waitUntil(lambda: run.course.phase == "over", timeout=20000)
    words = run.live.verdict.verdict.text()
    assert "Refused" in words and "too little tilt" in words and "&lt;b&gt;" in words, "text of a child is shown as it is"
    assert not run.accept.isVisible() and run.start.text() == "Start again" and not desk.rig.camera  # type: ignore[union-attr]
    assert near(pixels(run.live.verdict), theme.ink().bad) > 0.002


def test_a_camera_that_is_unplugged_is_told_and_the_rig_stays(qtbot: Any, place: CalibratePlace, desk: Desk, child: Any):
    child("dies")
    run = page(place)
    run.start.click()
    qtbot.waitUntil(lambda: run.course.phase == "over", timeout=20000)
    assert "gives no picture" in run.live.advice.text() and "rig.toml is as it was" in run.live.advice.text()
    assert run.live.advice.property("tone") == "bad" and read_rig(desk.rig_path).camera == ()  # type: ignore[arg-type]
    qtbot.keyClick(place, Qt.Key.Key_Backspace)
    assert run.stack.currentWidget() is run.prepare and run.start.isEnabled()


def test_a_source_that_cannot_be_opened_is_refused_at_the_form(qtbot: Any, place: CalibratePlace, child: Any):
    child("absent")
    run = page(place)
    run.prepare.source.text.setEditText("0")
    run.start.click()
    qtbot.waitUntil(run.refusal.isVisible, timeout=20000)
    assert run.refusal.text().startswith("There is no camera 0. ") and run.stack.currentWidget() is run.prepare
    assert run.prepare.source.text.currentText() == "0" and run.start.isEnabled()


def test_cancelled_before_it_began_it_is_back_at_the_form_and_no_bad_news(qtbot: Any, place: CalibratePlace, child: Any):
    child("waits")
    run = page(place)
    run.start.click()
    run.cancel.click()
    qtbot.waitUntil(lambda: not run.running, timeout=20000)
    assert run.stack.currentWidget() is run.prepare and run.refusal.property("tone") == "news" and "ancelled" in run.refusal.text()


def test_cancel_ends_the_child_and_stores_nothing(qtbot: Any, place: CalibratePlace, child: Any):
    child("good")
    run = page(place)
    run.start.click()
    qtbot.waitUntil(lambda: run.course.phase == "collecting", timeout=20000)
    qtbot.keyClick(place, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: run.course.phase == "over", timeout=20000)
    assert "ancelled" in run.live.advice.text() and run.live.advice.property("tone") in ("", None)


def test_a_camera_that_falls_silent_is_no_longer_shown_as_live(qtbot: Any, place: CalibratePlace, link: room.Desk, child: Any):
    child("good")
    run = page(place)
    run.start.click()
    qtbot.waitUntil(lambda: bool(run.live.picture.shots) and run.course.phase == "collecting", timeout=20000)
    assert run._film is not None
    run._film.stop()
    link.clock.ns += 3000 * MS
    run.show_now(link.clock())
    assert run.live.picture.late and "no picture for 3 s" in run.live.advice.text().lower()
    assert near(pixels(run.live.picture), "#c03020", 40) < 0.05, "it is darkened"


def test_a_form_that_cannot_be_used_is_refused_where_it_stands_and_nothing_typed_is_lost(place: CalibratePlace):
    run = page(place)
    run.prepare.source.text.setEditText("my webcam")
    run.start.click()
    assert run.refusal.isVisible() and "names no camera" in run.refusal.text() and run.prepare.source.text.currentText() == "my webcam"
    run.prepare.source.text.setEditText("0")
    assert not run.refusal.isVisible()


def test_what_was_filled_in_is_there_the_next_time(qtbot: Any, place: CalibratePlace, desk: Desk, child: Any):
    child("good")
    run = page(place)
    assert run.prepare.board is not None
    run.prepare.source.text.setEditText("2")
    run.prepare.board.kind.setCurrentIndex(1)
    run.prepare.board.square.setValue(30.0)
    run.start.click()
    run.cancel.click()
    qtbot.waitUntil(lambda: not run.running, timeout=20000)
    again = RunPage(desk, "camera", place.devices)
    qtbot.addWidget(again)
    form = again.prepare.form()
    assert (form.source, form.board.kind, form.board.square_mm) == ("camera:2", "charuco", 30.0)


def test_a_session_on_the_camera_keeps_calibrations_off_it_and_only_off_it(qtbot: Any, place: CalibratePlace, link: room.Desk, child: Any):
    child("refused")
    hear(link, replace(SETUP, source="camera:0"))
    place.show_moment(link.board.moment(), link.clock())
    assert place.bar.view is not None and place.bar.view.headline == "Session: Camera: 0"
    run = page(place)
    run.prepare.source.text.setEditText("0")
    run.start.click()
    assert "holds the camera" in run.refusal.text() and not run.running
    run.prepare.source.kind.setCurrentIndex(1)
    run.prepare.source.text.setEditText("board.avi")
    run.start.click()
    assert run.running and place.unsaved
    run.cancel.click()
    qtbot.waitUntil(lambda: not run.running, timeout=20000)
    assert not place.unsaved


def test_a_tip_is_pivoted_in_the_session_and_accepted(qtbot: Any, place: CalibratePlace, link: room.Desk):
    hear(link, replace(SETUP, source="phantom:pedicle"))
    place.choose("pivot/drill")
    tip = place.pages["pivot"]
    assert isinstance(tip, TipPage) and tip.in_session
    place.show_moment(link.board.moment(), link.clock())
    qtbot.keyClick(place, Qt.Key.Key_Return)
    assert tip.session.pivoting.under_way and "Seat the tip" in tip.session.headline.text()
    for _ in range(32):
        link.clock.ns += 90 * MS
        hear(link, replace(SETUP, source="phantom:pedicle"))
        tip.session._turn()
    assert link.orders == [Collect(what="pivot", tool="drill", action="start")]
    hear(link, replace(SETUP, source="phantom:pedicle", pending=("pivot/drill",), pivots=(GOOD,)))
    tip.session.cancel_pivot()
    place.show_moment(link.board.moment(), link.clock())
    assert place.list.rows[place.steps.index(next(s for s in place.steps if s.key == "pivot/drill"))].next
    assert "not how accurate the tip is" in tip.session.figures.text() and "0.13 mm (sd)" in tip.session.figures.text()
    qtbot.keyClick(place, Qt.Key.Key_A)
    assert link.orders[-1] == Accept(result="pivot/drill")


def test_a_tip_is_not_accepted_from_another_place_and_without_a_core_there_is_nothing_to_start(place: CalibratePlace, link: room.Desk):
    place.choose("pivot/drill")
    tip = place.pages["pivot"]
    assert isinstance(tip, TipPage) and not tip.in_session
    tip.by_session.click()
    assert not any(b.isVisible() for b in tip.session.buttons) and "No session" in tip.session.headline.text()


def test_a_session_needs_a_case_and_says_why_it_was_refused(place: CalibratePlace, desk: Desk, link: room.Desk):
    assert not place.bar.start.isVisible() and "open a case" in place.bar.detail.text()
    desk.set_case(room.scene())
    place.show_moment(link.board.moment(), link.clock())
    assert place.bar.start.isVisible()
    place.bar.source.kind.setCurrentIndex(5)
    place.bar.source.text.setEditText("18944")
    place.bar.start.click()
    assert "no host and port" in place.bar.refusal.text() and desk.session is None
    place.bar.source.kind.setCurrentIndex(1)
    place.bar.source.text.setEditText("0")
    assert not place.bar.refusal.isVisible()
    place.bar.start.click()
    assert "no calibrated camera" in place.bar.refusal.text() and desk.session is None


def test_a_rig_that_cannot_be_read_is_refused_and_the_open_one_stays(place: CalibratePlace, desk: Desk, tmp_path: Path):
    place.choose("rig/")
    rig = place.pages["rig"]
    broken = tmp_path / "broken.toml"
    broken.write_text(RIG.replace("rate_hz", "rate"))
    before = desk.rig
    rig.open_rig(str(broken))  # type: ignore[union-attr]
    assert rig.refusal.isVisible() and "rate_hz" in rig.refusal.text() and desk.rig is before  # type: ignore[union-attr]


def test_arrow_keys_go_through_the_steps(qtbot: Any, place: CalibratePlace):
    qtbot.keyClick(place, Qt.Key.Key_Down)
    assert place.chosen == "cameras/"
    qtbot.keyClick(place, Qt.Key.Key_Up)
    qtbot.keyClick(place, Qt.Key.Key_Up)
    qtbot.keyClick(place, Qt.Key.Key_Up)
    assert place.chosen == "rig/"
