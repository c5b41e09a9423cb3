"""The desktop driven by keys and mouse through its five places: collected by `test_desktop.py`, which gives it a display and a case.

Not named `test_*`: it needs an environment of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from gui import theme
from gui.desktop.desk import Desk
from gui.desktop.places import makers
from gui.desktop.window import Window
from gui.link.board import Board
from gui.link.feed import Feed
from navtwin.bus.client import Client
from navtwin.bus.signals import SIGNALS
from navtwin.record.sessions import newest_logs
from navtwin.scene import palette
from navtwin.scene.case import load_scene
from tests.end_to_end.conftest import two_ports

CASE, SCAN, OUT = (Path(os.environ[f"NAVTWIN_DRIVE_{name}"]) for name in ("CASE", "SCAN", "OUT"))
#: The scripted rehearsal takes 75 s from its first frame; a cold machine compiles and registers before that.
PATIENCE_MS = 240_000
BACKGROUND = np.array([int(palette.BACKGROUND[i : i + 2], 16) for i in (1, 3, 5)])


@pytest.fixture
def window(qtbot: Any) -> Iterator[Window]:
    theme.prepare(QApplication.instance())
    ports = two_ports()
    client = Client("127.0.0.1", ports, None, "driver")
    board = Board(client.link, time.monotonic_ns)
    feed = Feed(client, board)
    feed.start()
    made = Window(Desk(board, feed.order, ports, where="here"), makers("posterior"))
    feed.news = made.news.emit
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    # Keys are for the active window alone, and no window manager makes it so.
    qtbot.waitUntil(made.isActiveWindow, timeout=10_000)
    yield made
    if made.desk.session is not None and made.desk.session.running:
        made.desk.end_session()
        made.desk.session.wait()
    made.leave()
    feed.stop()
    theme.choose("dark")


def pixels(widget: QWidget) -> np.ndarray[Any, Any]:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def filled(widget: QWidget) -> float:
    """Share of the middle of a view that is not its background: 0 for one that shows nothing, words on it or not."""
    seen = pixels(widget)
    height, width = seen.shape[:2]
    middle = seen[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return float((np.abs(middle - BACKGROUND).max(axis=-1) > 24).mean())


def share(widget: QWidget, color: str) -> float:
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return float((np.abs(pixels(widget) - rgb).max(axis=-1) < 10).mean())


def keep(window: Window, name: str) -> None:
    """A picture for who wants to see what was driven."""
    window.grab().save(str(OUT / f"{name}.png"))


def press(window: Window, key: Qt.Key) -> None:
    QTest.keyClick(window.places[window.place], key)


@pytest.mark.timeout(600)
def test_from_a_ct_to_a_report(qtbot: Any, window: Window) -> None:
    _a_case_from_a_ct(qtbot, window)
    _the_demo_case(qtbot, window)
    _calibrate(qtbot, window)
    _register(qtbot, window)
    _navigate(qtbot, window)
    _review(qtbot, window)


def _a_case_from_a_ct(qtbot: Any, window: Window) -> None:
    """A scan without labels becomes a case, and bone in it a structure; nothing is watched, and the window says so."""
    window.go("case")
    place: Any = window.places["case"]
    assert place.cover.isVisible()
    made = OUT / "from_ct"
    window.desk.command("new case", ["import", str(SCAN), "--to", str(made)])
    qtbot.waitUntil(lambda: (made / "case.toml").is_file() and not window.notice.busy, timeout=PATIENCE_MS)
    window.desk.open_case(made)
    qtbot.waitUntil(lambda: window.desk.scene is not None, timeout=PATIENCE_MS)
    assert window.desk.scene is not None
    assert window.desk.scene.structures == ()
    assert place.page == "tools"
    qtbot.waitUntil(lambda: place.slices.volume is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: all(filled(pane) > 0.4 for pane in place.slices.panes.values()), timeout=PATIENCE_MS)
    keep(window, "1_tools")
    window.refresh()
    assert "nothing is being watched" in window.standings["case"].words


def _the_demo_case(qtbot: Any, window: Window) -> None:
    window.desk.open_case(CASE)
    qtbot.waitUntil(lambda: window.desk.scene is not None and window.desk.scene.folder == CASE, timeout=PATIENCE_MS)
    place: Any = window.places["case"]
    qtbot.waitUntil(lambda: filled(place.scene3d) > 0.2, timeout=PATIENCE_MS)
    window.refresh()
    assert window.standings["case"].standing == "done"
    middle = place.slices.panes["axial"].rect().center()
    before = place.slices.cursor_mm
    QTest.mouseClick(place.slices.panes["axial"], Qt.MouseButton.LeftButton, pos=middle + QPoint(-90, -60))
    assert place.slices.cursor_mm != before
    keep(window, "2_case")


def _calibrate(qtbot: Any, window: Window) -> None:
    press(window, Qt.Key.Key_2)
    assert window.place == "calibrate"
    keep(window, "3_calibrate")
    window.desk.start_session("phantom:pedicle:1")
    qtbot.waitUntil(lambda: window.desk.board.moment().link == "up", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: window.standings["calibrate"].standing == "done", timeout=PATIENCE_MS)


def _register(qtbot: Any, window: Window) -> None:
    press(window, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: window.standings["register"].standing == "done", timeout=PATIENCE_MS)
    place: Any = window.places["register"]
    qtbot.waitUntil(lambda: filled(place.columns.scene3d) > 0.1, timeout=PATIENCE_MS)
    keep(window, "4_register")


def _navigate(qtbot: Any, window: Window) -> None:
    press(window, Qt.Key.Key_4)
    place: Any = window.places["navigate"]
    qtbot.waitUntil(lambda: window.banner.block.word in ("DANGER", "CONTACT"), timeout=PATIENCE_MS)
    red = SIGNALS["high"].rgb
    qtbot.waitUntil(lambda: window.banner.block.word not in ("DANGER", "CONTACT") or share(window.banner.block, red) > 0.5, timeout=PATIENCE_MS)
    assert filled(place.scenery.view.widget) > 0.2
    assert all(filled(pane) > 0.2 for pane in place.scenery.slices.panes.values())
    keep(window, "5_navigate")

    def answered() -> bool:
        # An alert may have gone, or risen, since it was read: then the answer is refused, and the next alert gets one.
        if window.footer.acknowledge.isEnabled():
            press(window, Qt.Key.Key_Space)
        return any(word.good and "acknowledge" in word.text for word in window.desk.board.words)

    qtbot.waitUntil(answered, timeout=PATIENCE_MS)
    press(window, Qt.Key.Key_T)
    assert theme.ink().name == "light"
    assert filled(place.scenery.view.widget) > 0.2
    press(window, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: window.desk.board.moment().link == "ended", timeout=PATIENCE_MS)
    keep(window, "6_ended")


def _review(qtbot: Any, window: Window) -> None:
    qtbot.waitUntil(lambda: window.desk.session is not None and not window.desk.session.running, timeout=PATIENCE_MS)
    press(window, Qt.Key.Key_5)
    place: Any = window.places["review"]
    log = newest_logs(1)[0]
    assert log.finished
    assert place.recent.list.count() == 1
    QTest.keyClick(place.recent.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: place.place is not None and place.place.scene is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: filled(place.place.stage) > 0.2, timeout=PATIENCE_MS)
    press(window, Qt.Key.Key_0)
    place.place.act("next_alert")
    keep(window, "7_review")
    assert share(place.place.timeline, SIGNALS["high"].rgb) > 0.0
    place.write_html(OUT / "report.html")
    qtbot.waitUntil((OUT / "report.html").is_file, timeout=PATIENCE_MS)
    assert "missed" in (OUT / "report.html").read_text().lower()
    place.write_pdf(OUT / "report.pdf")
    assert (OUT / "report.pdf").read_bytes().startswith(b"%PDF")
    assert load_scene(CASE).case_hash
