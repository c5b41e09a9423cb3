"""The desktop as a program: Qt, the receiving thread, and a clean end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.desktop.desk import Desk
from gui.desktop.keys import PlaceName
from gui.desktop.places import makers
from gui.desktop.window import SETTINGS, Window
from gui.link.board import Board
from gui.link.feed import Feed, Port
from gui.picture.graphics import load_graphics
from navtwin.bus.bone import BoneClient
from navtwin.bus.video import VideoClient
from navtwin.nouns import Rig
from navtwin.scene.views import ViewName


@dataclass(frozen=True)
class Opening:
    """What the desktop opens with.

    Attributes
    ----------
    case : its folder; None opens with an empty desk
    rig, rig_path : in place of the case's own
    source : a core is started on it; "" starts none
    place : which place is in front
    theme : `dark` or `light`; "" takes the one of last time
    pedal : a further key that acknowledges
    log, other : opened in Review
    """

    case: Path | None = None
    rig: Rig | None = None
    rig_path: Path | None = None
    source: str = ""
    place: PlaceName = "case"
    view: ViewName = "posterior"
    theme: str = ""
    pedal: str = ""
    until_end: bool = False
    log: Path | None = None
    other: Path | None = None


def show(
    opening: Opening,
    client: Port,
    board: Board,
    ports: tuple[int, int],
    where: str,
    silence_link: Callable[[], None],
    open_video: Callable[[str], VideoClient] = lambda camera: VideoClient(camera=camera),
    open_bone: Callable[[], BoneClient] = BoneClient,
) -> tuple[int, Desk]:
    """Open the window and run it until it is closed, or until the session ends. Returns the exit code, and the desk as it was left.

    Parameters
    ----------
    client, board, ports, where, open_video, open_bone : the core's, as for `Feed` and `Desk`
    silence_link : silences the alarm of a lost link, which no core can be asked to do
    """
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([])
    theme.prepare(app)
    theme.choose(opening.theme or str(QSettings(*SETTINGS).value("theme", "dark")))
    feed = Feed(client, board)
    # Before the window: a client that does not read what it is sent stalls its sockets.
    feed.start()
    try:
        desk = Desk(board, feed.order, ports, where=where, trouble=lambda: feed.trouble, open_video=open_video, open_bone=open_bone)
        window = Window(desk, makers(opening.view), silence_link=silence_link, pedal=opening.pedal, until_end=opening.until_end)

        def leave(number: int, frame: FrameType | None) -> None:
            # Python calls this between any two of its steps, perhaps in the midst of a painting: the window is closed in a turn of its own.
            QTimer.singleShot(0, window.leave)

        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, leave)
        feed.news = window.news.emit
        geometry = QSettings(*SETTINGS).value("geometry")
        if geometry is None or not window.restoreGeometry(geometry):
            theme.place(window)
        window.show()
        # What pictures need takes seconds to load: it begins while the case is still read.
        QTimer.singleShot(0, window, threading.Thread(target=load_graphics, kwargs={"qt": False}, daemon=True).start)
        # The first turn of the loop: the window is up by then.
        QTimer.singleShot(0, window, lambda: _begin(window, opening))
        return app.exec(), desk
    finally:
        feed.stop()


def _begin(window: Window, opening: Opening) -> None:
    """What is asked for on the command line, once the window is up."""
    desk = window.desk
    desk.set_rig(opening.rig, opening.rig_path)
    window.go(opening.place)
    if opening.case is not None:
        desk.open_case(opening.case)
        if opening.source:
            desk.start_session(opening.source)
    if opening.log is not None:
        window.places["review"].open(opening.log, opening.other, opening.case, opening.rig_path)
