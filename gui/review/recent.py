"""The newest sessions, to be chosen from while no log is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from navtwin.record.sessions import Recorded, newest_logs

MOST = 12
WIDTH = 620


class Recent(QWidget):
    """Parameters: `opened` is called with the log that was chosen, `asked` to choose a file elsewhere."""

    def __init__(self, opened: Callable[[Path], None], asked: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._opened = opened
        self.words = QLabel("No log is open. What was seen, known and warned of is shown as it was then.")
        self.words.setObjectName("detail")
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.list = QListWidget()
        self.list.setAccessibleName("the newest sessions")
        self.list.setToolTip("The newest sessions: double click or Return opens one")
        self.list.itemActivated.connect(self._open)
        self.choose = QPushButton("Open a log …")
        self.choose.setProperty("primary", True)
        self.choose.setToolTip("Open a log that lies elsewhere (O)")
        self.choose.clicked.connect(lambda _checked: asked())
        self._column = QWidget()
        column = QVBoxLayout(self._column)
        column.setSpacing(14)
        column.addStretch(1)
        for part, stretch in ((self.words, 0), (self.list, 3)):
            column.addWidget(part, stretch)
        column.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.addStretch()
        row.addWidget(self._column)
        row.addStretch()
        enter = QShortcut(QKeySequence("Return"), self.list)
        enter.setContext(Qt.ShortcutContext.WidgetShortcut)
        enter.activated.connect(lambda: self._open(self.list.currentItem()))

    def look(self) -> None:
        """Look into the session folder again."""
        self.list.clear()
        for log in newest_logs(MOST):
            item = QListWidgetItem(line_of(log))
            item.setData(Qt.ItemDataRole.UserRole, str(log.path))
            self.list.addItem(item)
        self.list.setVisible(self.list.count() > 0)
        self.list.setCurrentRow(0)

    def set_scale(self, scale: float) -> None:
        self._column.setFixedWidth(round(WIDTH * scale))
        self.choose.setMinimumHeight(round(44 * scale))

    def _open(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._opened(Path(item.data(Qt.ItemDataRole.UserRole)))


def line_of(log: Recorded) -> str:
    """A log in one line: when it ended (local time), its size, and whether it was finished."""
    unfinished = "" if log.finished else "    being written, or cut off"
    return f"{log.ended.astimezone():%Y-%m-%d %H:%M:%S}    {log.size_bytes / 1e6:.1f} MB{unfinished}"
