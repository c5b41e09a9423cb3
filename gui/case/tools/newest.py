"""Work beside the window of which only the newest counts: previews of what is being drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from navtwin.errors import InputRefused


class Newest(QObject):
    """Does one kind of work in a thread.

    Signals
    -------
    came : (what was asked, what came of it or None, what is wrong with it): emitted from another thread, to be connected queued
    """

    came = Signal(object, object, str)

    def __init__(self, work: Callable[[Any], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._turn = threading.Lock()
        self._wanted: object = None
        self._busy = False
        self._over = False

    def stop(self) -> None:
        """The window closes: what is under way is not told any more."""
        with self._turn:
            self._over, self._wanted = True, None

    def ask(self, question: object) -> None:
        """Work this one out, instead of any that was asked for before and is not begun."""
        with self._turn:
            self._wanted = question
            if self._busy or self._over:
                return
            self._busy = True
        threading.Thread(target=self._run, name="navtwin-preview", daemon=True).start()

    def _run(self) -> None:
        while (question := self._next()) is not None:
            found, words = None, ""
            try:
                found = self._work(question)
            except InputRefused as refused:
                words = str(refused)
            except MemoryError:
                words = "it does not fit into memory"
            with self._turn:
                if self._over:
                    return
            self.came.emit(question, found, words)

    def _next(self) -> object:
        with self._turn:
            question, self._wanted = self._wanted, None
            self._busy = question is not None
            return question
