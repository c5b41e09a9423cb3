"""The shape between painted slices, worked out beside the window: only the newest that was asked for."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from navtwin.errors import InputRefused
from navtwin.scene.author.painted import slices_of
from navtwin.scene.author.recipe import Painted


class Between(QObject):
    """Interpolates.

    Signals
    -------
    came : (Painted, Slices or None, what is wrong with it): emitted from another thread, to be connected queued
    """

    came = Signal(object, object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turn = threading.Lock()
        self._wanted: Painted | None = None
        self._busy = False

    def ask(self, edit: Painted) -> None:
        """Work this one out, instead of any that was asked for before and is not begun."""
        with self._turn:
            self._wanted = edit
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, name="navtwin-between", daemon=True).start()

    def _run(self) -> None:
        while (edit := self._next()) is not None:
            found, words = None, ""
            try:
                found = slices_of(edit)
            except InputRefused as refused:
                words = str(refused)
            self.came.emit(edit, found, words)

    def _next(self) -> Painted | None:
        with self._turn:
            edit, self._wanted = self._wanted, None
            self._busy = edit is not None
            return edit
