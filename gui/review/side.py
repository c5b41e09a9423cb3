"""The right side: readings at the playhead, what happened as a list, and the comparison."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QListWidget, QListWidgetItem, QTabWidget, QTextBrowser, QVBoxLayout, QWidget

from gui.navigate.strip import Strip
from gui.review.axis import time_words
from gui.review.compare import accounts_html, alignments, comparison_html, events_of
from gui.review.session import Session
from navtwin.scene.distances import StructureRow
from navtwin.scene.model import Scene

WIDTH = 400.0


class Side(QTabWidget):
    """Three leaves.

    Parameters
    ----------
    seek : called with the time of an event that was clicked
    align : called with the session to compare with and by how much it is moved
    """

    def __init__(
        self, session: Session, seek: Callable[[int], None], align: Callable[[Session | None, int], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._align = session, align
        self._other: Session | None = None
        self.strip: Strip | None = None
        self._readings = QWidget()
        self._readings.setLayout(QVBoxLayout())
        self._readings.layout().setContentsMargins(0, 0, 0, 0)  # type: ignore[union-attr]
        self.events = QListWidget()
        self.events.setToolTip("Click to go there")
        self.events.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._times: list[int] = []
        for t_ns, kind, words in events_of(session):
            item = QListWidgetItem(f"{time_words(t_ns)}   {kind}   {words}")
            item.setToolTip(f"{kind}: {words}")
            self.events.addItem(item)
            self._times.append(t_ns)
        self.events.currentRowChanged.connect(lambda row: seek(self._times[row]) if row >= 0 else None)
        self.account = QTextBrowser()
        self.account.setHtml("<h4>While navigating</h4>" + accounts_html((session,), ("this",)))
        self.alignment = QComboBox()
        self.alignment.setToolTip("What the two sessions are aligned at")
        self.alignment.currentIndexChanged.connect(lambda _: self._aligned())
        self.alignment.hide()
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(10, 10, 10, 10)
        self._label = QLabel("Aligned at")
        self._label.setProperty("dim", True)
        self._label.hide()
        for widget in (self._label, self.alignment, self.account):
            column.addWidget(widget)
        for leaf, title in ((self._readings, "Readings"), (self.events, "Events"), (page, "Summary")):
            self.addTab(leaf, title)

    def set_scene(self, scene: Scene, scale: float) -> None:
        """Make a card for each critical structure."""
        self.strip = Strip(tuple(s for s in scene.structures if s.role == "critical"))
        layout = self._readings.layout()
        assert layout is not None
        layout.addWidget(self.strip)
        self.set_scale(scale or 1.0)

    def show_rows(self, rows: tuple[StructureRow, ...]) -> None:
        if self.strip is not None:
            self.strip.show_rows(rows)

    def compare(self, other: Session) -> None:
        """Set another session beside this one."""
        self._other = other
        self.account.setHtml(comparison_html(self._session, other))
        self.alignment.blockSignals(True)
        self.alignment.clear()
        for title, offset_ns in alignments(self._session, other):
            self.alignment.addItem(title, offset_ns)
        self.alignment.blockSignals(False)
        self._label.show()
        self.alignment.show()
        self.setTabText(2, "Comparison")
        self.setCurrentIndex(2)
        self._aligned()

    def set_scale(self, scale: float) -> None:
        self.setFixedWidth(round(WIDTH * scale))
        if self.strip is not None:
            self.strip.set_scale(scale)

    def _aligned(self) -> None:
        if self._other is not None:
            self._align(self._other, int(self.alignment.currentData() or 0))
