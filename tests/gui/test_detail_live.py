"""The picture that is painted by a thread of its own: real pixels, never while hidden, finer by and by, nothing left of it at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.picture.live import LivePane
from gui.picture.renderer import front_pixels
from gui.picture.view3d import BlitView
from gui.picture.wishes import MOST_MOVES, Wishes
from navtwin.nouns import State
from navtwin.scene import palette
from navtwin.scene.picture import Picture, open_plotter, render_window
from tests.gui.room import DANGER_S, HIDDEN_S, rig, said, scene

Pixels = np.ndarray[Any, Any]
THREADS = ("navtwin-picture", "navtwin-meshes")


def pixels(widget: QWidget) -> Pixels:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def drawn_mask(image: Pixels) -> Pixels:
    """Which pixels are not background."""
    return np.asarray(np.abs(image - np.array(QColor(palette.BACKGROUND).getRgb()[:3])).max(axis=-1) > 20)


def drawn_share(image: Pixels) -> float:
    return float(drawn_mask(image).mean())


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name in THREADS]


@pytest.fixture
def pane(qtbot: Any) -> Iterator[LivePane]:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(420, 320)
    made = LivePane(scene(), rig(), window)
    made.resize(420, 320)
    made.picture.look("left", None)
    window.show()
    yield made
    made.release()
    assert running() == []


def drag(pane: LivePane, button: Qt.MouseButton, begin: QPointF, end: QPointF) -> None:
    nothing = Qt.KeyboardModifier.NoModifier
    pane.mousePressEvent(QMouseEvent(QEvent.Type.MouseButtonPress, begin, begin, button, button, nothing))
    pane.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, end, end, Qt.MouseButton.NoButton, button, nothing))


def painted(qtbot: Any, pane: LivePane) -> Pixels:
    pane.paint(still=True)
    qtbot.waitUntil(lambda: pane.settled, timeout=20_000)
    return pixels(pane)


def test_what_was_asked_before_there_was_a_picture_is_in_it(qtbot: Any, pane: LivePane):
    told: list[State] = []
    pane.on_painted = told.append
    state, alerts = said(DANGER_S)
    pane.picture.show(state, alerts)
    pane.picture.set_visible("vertebra", False)
    assert pane.cost_s() is None
    with_drill = painted(qtbot, pane)
    assert drawn_share(with_drill) > 0.05
    assert told == [state]
    assert pane.frame is not None
    assert pane.frame.detail == "light"
    pane.picture.show(*said(HIDDEN_S))
    without = painted(qtbot, pane)
    pane.picture.set_visible("vertebra", True)
    with_bone = painted(qtbot, pane)
    assert (np.abs(with_drill - without).max(axis=-1) > 40).sum() > 100
    assert (np.abs(with_bone - without).max(axis=-1) > 20).sum() > 1000


def test_a_hidden_picture_is_not_painted_and_is_up_to_date_when_it_is_shown_again(qtbot: Any, pane: LivePane):
    painted(qtbot, pane)
    before = pane.frame
    pane.hide()
    pane.picture.show(*said(DANGER_S))
    pane.paint()
    assert not pane._renderer.busy
    assert pane.frame is before
    pane.show()
    qtbot.waitUntil(lambda: pane.settled and pane.frame is not before, timeout=20_000)
    assert (np.abs(pixels(pane) - _of(before)).max(axis=-1) > 40).sum() > 100


def test_the_wheel_and_dragging_change_what_is_seen(qtbot: Any, pane: LivePane):
    first = painted(qtbot, pane)
    where = QPointF(200.0, 150.0)
    wheel = QWheelEvent(
        where, where, QPoint(), QPoint(0, 480), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False
    )
    pane.wheelEvent(wheel)
    nearer = painted(qtbot, pane)
    assert drawn_share(nearer) > 1.1 * drawn_share(first)
    for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
        before = painted(qtbot, pane)
        drag(pane, button, QPointF(200.0, 150.0), QPointF(150.0, 110.0))
        assert (np.abs(painted(qtbot, pane) - before).max(axis=-1) > 20).sum() > 500


def test_it_says_that_it_prepares_and_can_be_released_while_it_does(qtbot: Any):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(300, 200)
    pane = LivePane(scene(), rig(), window)
    pane.resize(300, 200)
    window.show()
    words = pixels(pane)
    assert 0.0 < drawn_share(words) < 0.2
    pane.release()
    pane.release()
    pane.paint()
    assert running() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_picture_that_fails_says_so_in_place_of_what_it_showed_last(qtbot: Any, pane: LivePane, monkeypatch: pytest.MonkeyPatch):
    shown = painted(qtbot, pane)

    def fail(*_: Any) -> None:
        raise RuntimeError("out of graphics memory")

    monkeypatch.setattr(Picture, "show", fail)
    pane.picture.show(*said(DANGER_S))
    pane.paint()
    qtbot.waitUntil(lambda: "out of graphics memory" in pane.accessibleName(), timeout=20_000)
    words = pixels(pane)
    assert 0.0 < drawn_share(words) < 0.5 * drawn_share(shown)
    assert pane.cost_s() is None


class Recorder:
    """Notes what is asked of a picture."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def show(self, *what: Any) -> None:
        self.asked.append(("show", *what))

    def look(self, *what: Any) -> None:
        self.asked.append(("look", *what))

    def set_visible(self, *what: Any) -> None:
        self.asked.append(("visible", *what))


def test_wishes_keep_the_newest_and_the_order_of_movements():
    wishes, picture = Wishes(), Recorder()
    old, new = said(HIDDEN_S), said(DANGER_S)
    wishes.set_visible("skin", True)
    wishes.set_visible("skin", False)
    wishes.show(*old)
    wishes.show(*new)
    wishes.move(lambda p: p.asked.append(("turned",)))  # type: ignore[attr-defined]
    wishes.look("left", None)
    wishes.look("tip", new[0], 0.2)
    assert wishes.alerted
    assert wishes.carry_out(picture) is new[0]  # type: ignore[arg-type]
    # A view that is chosen outright undoes what was turned by hand before.
    assert picture.asked == [("visible", "skin", False), ("look", "left", None, 1.0), ("look", "tip", new[0], 0.2), ("show", *new)]
    assert wishes.carry_out(picture) is None  # type: ignore[arg-type]
    assert len(picture.asked) == 4
    for _ in range(3 * MOST_MOVES):
        wishes.look("tip", None, 0.2)
    wishes.carry_out(picture)  # type: ignore[arg-type]
    assert len(picture.asked) == 4 + MOST_MOVES


def _of(frame: Any) -> Pixels:
    return np.asarray(frame.pixels).astype(int)


def test_see_through_bone_has_no_holes_however_many_samples_a_pixel_has():
    drawn = []
    for samples in (0, 4):
        plotter = open_plotter((300, 240))
        window = render_window(plotter)
        window.SetMultiSamples(samples)
        Picture(plotter, scene(), rig(), "full").look("left", None)
        window.Render()
        drawn.append(drawn_mask(front_pixels(window).astype(int)))
        plotter.close()
    assert drawn[0].mean() > 0.1
    # But for the rims, which are smoothed.
    assert (drawn[0] != drawn[1]).sum() < 0.05 * drawn[0].sum()


def test_a_picture_in_the_windows_own_thread_is_painted_while_it_is_seen_and_only_then(qtbot: Any):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(300, 240)
    view = BlitView(scene(), rig(), "light", window)
    view.resize(300, 240)
    view.picture.look("left", None)
    view.paint()
    assert view._image is None
    window.show()
    assert drawn_share(pixels(view)) > 0.05
    for _ in range(3):
        view._quality.painted(0.2, 0, calm=True, ready=())
    view.paint()
    assert view._image is not None
    assert view._image.width() < 300
    assert pixels(view).shape == (240, 300, 3)
    view.release()
    view.paint()
