"""However fast news comes, and however long a turn takes, the window paints, and shows the newest and not a queue of old ones."""

from __future__ import annotations

import threading
import time

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.desktop.turns import LEAST_NS, Turns

MS = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000 * MS

    def __call__(self) -> int:
        return self.now_ns


def test_the_first_news_is_shown_at_once_and_those_too_soon_after_it_together(qtbot: QtBot) -> None:
    clock, taken, parent = Clock(), list[int](), QObject()
    turns = Turns(lambda: taken.append(clock.now_ns), parent, clock)
    turns._steady.stop()
    turns.hear()
    assert len(taken) == 1
    for _ in range(20):
        turns.hear()
    assert len(taken) == 1
    qtbot.waitUntil(lambda: len(taken) == 2, timeout=2000)
    QTest.qWait(60)
    assert len(taken) == 2, "twenty news in one turn"
    turns.stop()


def test_a_turn_leaves_as_much_time_as_it_took() -> None:
    clock, taken, parent = Clock(), list[int](), QObject()

    def turn() -> None:
        taken.append(clock.now_ns)
        clock.now_ns += 80 * MS

    turns = Turns(turn, parent, clock)
    turns._steady.stop()
    turns.hear()
    clock.now_ns += 79 * MS
    turns.hear()
    assert len(taken) == 1
    turns._soon.stop()
    clock.now_ns += 1 * MS
    turns.hear()
    assert len(taken) == 2
    turns.stop()


def test_a_cheap_turn_is_not_taken_more_often_than_a_screen_shows() -> None:
    clock, taken, parent = Clock(), list[int](), QObject()
    turns = Turns(lambda: taken.append(clock.now_ns), parent, clock)
    turns._steady.stop()
    for _ in range(1000):
        turns.hear()
        turns._soon.stop()
        clock.now_ns += MS
    assert len(taken) == 1000 * MS // LEAST_NS + 1
    turns.stop()


class Painted(QWidget):
    """Asks to be painted at every turn, which takes a while."""

    news = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.turns_taken, self.shown, self.late_ms = 0, 0, list[float]()
        self._newest_ns = 0
        self.turns = Turns(self._turn, self)
        self.news.connect(self.turns.hear, Qt.ConnectionType.QueuedConnection)

    def _turn(self) -> None:
        self.turns_taken += 1
        self._newest_ns = time.monotonic_ns()
        time.sleep(0.008)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        self.shown += 1
        self.late_ms.append((time.monotonic_ns() - self._newest_ns) * 1e-6)


def test_news_that_comes_faster_than_it_can_be_shown_starves_no_painting(qtbot: QtBot) -> None:
    """Four hundred news a second, and turns of 8 ms: one turn for each would take three seconds a second."""
    window, over = Painted(), threading.Event()
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()

    def tell() -> None:
        while not over.wait(0.0025):
            window.news.emit()

    teller = threading.Thread(target=tell)
    teller.start()
    QTest.qWait(1000)
    over.set()
    teller.join()
    taken = window.turns_taken
    QTest.qWait(200)
    assert window.turns_taken - taken < 200 / 33 + 3, "nothing has queued up"
    assert window.shown >= taken / 2, "what is looked at is painted"
    window.turns.stop()
