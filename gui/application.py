"""The window as a program: Qt, the receiving thread, and a clean end."""

from __future__ import annotations

import signal
from types import FrameType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.link.board import Board
from gui.link.feed import Feed, Port
from gui.window import Window
from navtwin.nouns import Rig
from navtwin.scene.model import Scene
from navtwin.scene.views import ViewName
from navtwin.sound.beside import Beside


def show(
    scene: Scene, rig: Rig | None, client: Port, board: Board, where: str, view: ViewName, *, until_end: bool = False, sound: Beside | None = None
) -> int:
    """Open the window and run it until it is closed, or until the session ends. Returns the exit code.

    `sound` is the listener that plays this window's alarms, already running.
    """
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([])
    theme.prepare(app)

    def leave(number: int, frame: FrameType | None) -> None:
        # Python calls this between any two of its steps, perhaps in the midst of a painting: the window is closed in a turn of its own.
        QTimer.singleShot(0, app.closeAllWindows)

    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, leave)
    feed = Feed(client, board)
    # Before the window, which takes seconds to build: a client that does not read what it is sent stalls its sockets.
    feed.start()
    try:
        window = Window(
            scene,
            rig,
            board,
            feed.order,
            where,
            view,
            until_end=until_end,
            trouble=lambda: feed.trouble,
            silence_link=sound.silence_link if sound else lambda: None,
        )
        feed.news = window.news.emit
        theme.place(window)
        window.show()
        return app.exec()
    finally:
        feed.stop()
