"""The review in a window of its own, for who has a log and no core."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow

from gui import theme
from gui.picture.live import open_live
from gui.review.desk import ReviewPlace
from gui.review.place import OpenPicture


class ReviewWindow(QMainWindow):
    """A window around one log.

    Parameters
    ----------
    other : a second log to compare with
    case, rig : in place of those that the log names
    """

    def __init__(
        self, log: Path | None, other: Path | None = None, case: Path | None = None, rig: Path | None = None, open_picture: OpenPicture = open_live
    ) -> None:
        super().__init__()
        self.setWindowTitle("navtwin review")
        self.setMinimumSize(1100, 680)
        self._scale = 0.0
        self.review = ReviewPlace(open_picture=open_picture)
        self.review.setObjectName("body")
        self.setCentralWidget(self.review)
        if log is not None:
            self.review.open(log, other, case, rig)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.review.release()
        super().closeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        scale = theme.scale_for(self.width(), self.height())
        if scale != self._scale:
            self._scale = scale
            self.setStyleSheet(theme.style_sheet(scale))
            self.review.set_scale(scale)
