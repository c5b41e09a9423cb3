"""What is asked before the window closes: about a session that runs, and about what is not written yet."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QMessageBox, QWidget

from gui.desktop.desk import Desk
from gui.desktop.place import Place


class Farewell:
    """Asks once, and only where there is something to lose or to leave running."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self.answered = False
        self.box: QMessageBox | None = None

    def may_close(self, desk: Desk, places: Iterable[Place]) -> bool:
        """Whether the window may close now; if not, the question stands on the screen, and its answer closes it."""
        runs = desk.session is not None and desk.session.running
        unsaved = [words for place in places if (words := place.unsaved)]
        if self.answered or not (runs or unsaved):
            return True
        if self.box is None:
            self._ask(desk, runs, unsaved)
        return False

    def _ask(self, desk: Desk, runs: bool, unsaved: list[str]) -> None:
        box = QMessageBox(self._window)
        box.setWindowTitle("Close navtwin?")
        words = list(unsaved)
        if runs and desk.session is not None:
            words.insert(
                0, f"A session on {desk.session.source} is running. It can go on without this window, and so can its warnings at other screens."
            )
            end = box.addButton("End the session and close", QMessageBox.ButtonRole.DestructiveRole)
            end.clicked.connect(desk.end_session)
        box.setText("\n\n".join(words))
        box.addButton("Close, the session goes on" if runs else "Close", QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.finished.connect(lambda: self._closed(box.clickedButton() is stay))
        self.box = box
        # Not modal to the loop: alerts go on being shown behind it.
        box.open()

    def _closed(self, stay: bool) -> None:
        self.box = None
        if not stay:
            self.answered = True
            self._window.close()
