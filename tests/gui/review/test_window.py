"""The review's window on no display, with the golden log: pixels, playing, notes, comparison, reports, and what it says when it cannot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from gui.review import command
from gui.review.desk import ReviewPlace
from gui.review.load import load
from gui.review.notes import notes_file
from gui.review.timeline import BAND
from gui.review.window import ReviewWindow
from navtwin.errors import InputRefused
from navtwin.nouns import State
from navtwin.record.sessions import sessions_folder
from navtwin.scene import palette

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
MS = 1_000_000


class NoPicture:
    """A view that only remembers what it was asked to show."""

    def __init__(self, *_: Any) -> None:
        self.widget, self.picture = QWidget(), self
        self.shown: list[State | None] = []

    def paint(self, *, still: bool = False) -> None: ...

    def cost_s(self) -> float | None:
        return 0.0

    def release(self) -> None: ...

    def show(self, state: State | None, _alerts: object) -> None:
        self.shown.append(state)

    def look(self, *_: Any) -> None: ...


def opened(qtbot: Any, log: Path, **options: Any) -> ReviewWindow:
    window = ReviewWindow(log, open_picture=NoPicture, **options)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    qtbot.waitUntil(lambda: window.review.place is not None or window.review.line.text().split(" ")[0] not in ("", "reading"), timeout=20_000)
    return window


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN / "session.mcap", tmp_path))


@pytest.fixture
def window(qtbot: Any, log: Path) -> Iterator[ReviewWindow]:
    made = opened(qtbot, log, case=GOLDEN / "case")
    qtbot.waitUntil(lambda: made.review.place is not None and made.review.place.scene is not None, timeout=30_000)
    yield made
    made.close()


def pixels(widget: QWidget) -> np.ndarray[Any, Any]:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def count(image: np.ndarray[Any, Any], color: str) -> int:
    return int((np.abs(image.astype(int) - np.array(QColor(color).getRgb()[:3])).max(axis=-1) < 10).sum())


def place(window: ReviewWindow) -> Any:
    assert window.review.place is not None
    return window.review.place


def test_bands_have_the_colour_and_the_height_of_their_level(window: ReviewWindow):
    here = place(window)
    image = pixels(here.timeline)
    danger = next(b for b in here.session.bands("canal") if b.level == "DANGER" and b.knowledge == 0 and b.end_ns - b.start_ns > 200 * MS)
    clear = next(b for b in here.session.bands("canal") if b.level == "CLEAR" and b.knowledge == 0 and b.end_ns - b.start_ns > 100 * MS)
    tall, low = (image[:, round(here.axis.x((b.start_ns + b.end_ns) / 2) - 9)] for b in (danger, clear))
    red = np.array(QColor(palette.LEVEL_COLORS["DANGER"]).getRgb()[:3])
    assert (np.abs(tall.astype(int) - red).max(axis=-1) < 10).sum() > 15
    assert (np.abs(low.astype(int) - red).max(axis=-1) < 10).sum() == 0


def test_unknown_is_hatched_and_never_filled(window: ReviewWindow):
    here = place(window)
    lost = next(b for b in here.session.bands("canal") if b.knowledge == 2 and b.level == "DANGER" and b.end_ns - b.start_ns > 60 * MS)
    here.axis.show(lost.start_ns, lost.end_ns)
    here.seek(0)
    here.axis.show(lost.start_ns, lost.end_ns)
    image = pixels(here.timeline)
    top = round(here.timeline.height() - 2 * BAND - 8)
    band = image[top + 3 : top + round(BAND) - 3, round(here.axis.x(lost.start_ns)) + 4 : round(here.axis.x(lost.end_ns)) - 4]
    assert count(band, palette.LEVEL_COLORS["DANGER"]) < 0.12 * band.shape[0] * band.shape[1]
    assert count(band, palette.UNKNOWN) > 0.05 * band.shape[0] * band.shape[1]


def test_the_scene_shows_the_instant_under_the_playhead(qtbot: Any, window: ReviewWindow):
    here = place(window)
    t_ns = here.session.rises[0]
    here.seek(t_ns)
    qtbot.waitUntil(lambda: here.view.shown and here.view.shown[-1] == here.session.state_at(t_ns), timeout=3000)
    assert here.alert.block.word == "CAUTION"
    assert here.side.strip.cards["canal"].card.known


def test_where_nothing_was_known_no_number_is_shown(window: ReviewWindow):
    here = place(window)
    lost = next(b for b in here.session.bands("canal") if b.knowledge == 2 and b.level == "DANGER" and b.end_ns - b.start_ns > 60 * MS)
    here.seek((lost.start_ns + lost.end_ns) // 2)
    assert here.alert.block.word == "UNKNOWN"
    assert here.side.strip.cards["canal"].card.value == "UNKNOWN"
    assert "UNKNOWN" in here.unknown.text()
    assert all("UNKNOWN" in line for line in here.plot.words_at(here.player.at_ns)[1:])


def test_clicking_and_dragging_seek(window: ReviewWindow):
    here = place(window)
    for part in (here.timeline, here.plot):
        x = round((here.axis.left_px + here.axis.right_px) / 2)
        QTest.mouseClick(part, Qt.MouseButton.LeftButton, pos=QPoint(x, 10))
        assert abs(here.axis.x(here.player.at_ns) - x) < 1.0
        QTest.mousePress(part, Qt.MouseButton.LeftButton, pos=QPoint(x, 10))
        QTest.mouseMove(part, QPoint(x + 60, 10))
        QTest.mouseRelease(part, Qt.MouseButton.LeftButton, pos=QPoint(x + 60, 10))
        here.seek(0)


def test_actions_move_the_playhead(window: ReviewWindow):
    here = place(window)
    here.act("first")
    assert here.player.at_ns == 0
    here.act("next_alert")
    assert here.player.at_ns == here.session.rises[0]
    here.act("on")
    after = int(here.session.t_ns[here.session.t_ns > here.session.rises[0]][0])
    assert here.player.at_ns == after
    here.act("back")
    assert here.player.at_ns < after
    here.act("last")
    assert here.player.at_ns == here.session.end_ns
    here.act("last_alert")
    assert here.player.at_ns == here.session.rises[-1]
    here.act("faster")
    assert here.transport.speed.text() == "2×"


def test_playing_moves_on_and_stops_at_the_end(window: ReviewWindow):
    here = place(window)
    now = [0]
    here._clock = lambda: now[0]
    here._timer.stop()
    here.seek(0)
    here.act("play")
    now[0] = 1000 * MS
    here.turn()
    assert here.player.at_ns == 1000 * MS
    now[0] = 60_000 * MS
    here.turn()
    assert here.player.at_ns == here.session.end_ns
    assert not here.player.playing


def test_a_bookmark_goes_beside_the_log_and_onto_the_timeline(window: ReviewWindow, log: Path):
    here, before = place(window), log.read_bytes()
    here.seek(1500 * MS)
    here.act("note")
    here.transport.text.setText("here it slipped")
    QTest.keyClick(here.transport.text, Qt.Key.Key_Return)
    assert [note.text for note in here.notes] == ["here it slipped"]
    assert "here it slipped" in notes_file(log).read_text(encoding="utf-8")
    assert log.read_bytes() == before
    assert count(pixels(here.timeline), palette.PLAN) > 20


def test_the_plot_draws_the_chosen_structure(window: ReviewWindow):
    here = place(window)
    assert count(pixels(here.plot), palette.TEXT) > 200
    here.timeline.chosen.emit("aorta")
    assert here.plot.structure == "aorta"
    assert here.plot.series[0].title == "drill burr"


def test_two_sessions_are_set_under_each_other(qtbot: Any, window: ReviewWindow, log: Path):
    here = place(window)
    before = here.timeline.height()
    window.review.compare(log)
    qtbot.waitUntil(lambda: here.timeline.other is not None, timeout=20_000)
    assert here.timeline.height() > before
    assert here.side.alignment.count() >= 2
    assert "only in this" in here.side.account.toPlainText()
    assert here.timeline.offset_ns == 0


def test_the_pdf_has_the_words_and_pictures(window: ReviewWindow, tmp_path: Path):
    out = tmp_path / "r.pdf"
    window.review.write_pdf(out)
    assert "report written" in window.review.line.text()
    data = out.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Subtype /Image") + data.count(b"/Subtype/Image") >= 2
    window.review.write_pdf(tmp_path / "absent" / "r.pdf")
    assert "cannot write" in window.review.line.text()


def test_a_report_that_fails_says_why_and_one_that_is_cancelled_says_so(qtbot: Any, window: ReviewWindow, tmp_path: Path):
    window.review._case = tmp_path / "no_case"
    window.review.write_html(tmp_path / "r.html")
    assert window.review.html.running
    window.review.html.cancel()
    assert "cancelled" in window.review.line.text()
    window.review.write_html(tmp_path / "r.html")
    qtbot.waitUntil(lambda: not window.review.html.running, timeout=60_000)
    assert "no report" in window.review.line.text()
    assert "no_case" in window.review.line.text()


def test_a_case_that_is_not_there_is_asked_for(qtbot: Any, log: Path, tmp_path: Path):
    window = opened(qtbot, log, case=tmp_path / "gone")
    qtbot.waitUntil(lambda: "--case" in window.review.line.text(), timeout=10_000)
    assert "--case" in place(window).missing.text()
    assert count(pixels(place(window).timeline), palette.LEVEL_COLORS["DANGER"]) > 50
    window.review.find_case(GOLDEN / "case")
    qtbot.waitUntil(lambda: place(window).scene is not None, timeout=30_000)
    window.close()


def test_damage_is_said_in_the_window(qtbot: Any, log: Path):
    log.write_bytes(log.read_bytes()[:-4000])
    window = opened(qtbot, log, case=GOLDEN / "case")
    assert "What can be read is shown" in window.review.damage.text()
    assert window.review.damage.isVisible()
    window.close()


def test_a_session_without_bookmark_or_navigation_is_shown(qtbot: Any, log: Path):
    log.write_bytes(log.read_bytes()[: load(log).chunks[0].end])
    window = opened(qtbot, log, case=GOLDEN / "case")
    here = place(window)
    assert not here.session.marks
    assert len(np.unique(pixels(here.timeline).reshape(-1, 3), axis=0)) > 3
    assert pixels(here.plot).any()
    window.close()


def test_what_is_no_log_is_said_in_the_window(qtbot: Any, tmp_path: Path):
    path = tmp_path / "x.mcap"
    path.write_bytes(b"nothing of ours")
    window = opened(qtbot, path)
    assert "is not a navtwin log" in window.review.line.text()
    assert window.review.place is None
    window.close()


def test_the_command_refuses_what_is_not_there(tmp_path: Path):
    with pytest.raises(InputRefused, match="there is no log"):
        command.review(tmp_path / "x.mcap")


def test_without_a_log_the_newest_sessions_are_offered(qtbot: Any, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    shutil.copy(log, sessions_folder() / "one.mcap")
    review = ReviewPlace(open_picture=NoPicture)
    qtbot.addWidget(review)
    review.resize(1280, 700)
    review.show()
    review.entered()
    assert review.recent.list.count() == 1
    review.recent.list.itemActivated.emit(review.recent.list.item(0))
    qtbot.waitUntil(lambda: review.place is not None, timeout=20_000)
    assert not review.recent.isVisible()
    review.release()
