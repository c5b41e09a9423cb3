"""The window's line: what long work is at, with its cancel, and words that stay until they are read."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from gui import theme
from gui.desktop.jobs import Job
from gui.desktop.keys import words_of


class Notice(QFrame):
    """Hidden while there is nothing to say. Bad news stands over the progress of the next work, until it is dismissed or replaced."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._jobs: list[Job] = []
        self._told = ""
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.work = QLabel()
        self.work.setProperty("dim", True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip(f"Cancel this work ({words_of('cancel')})")
        self.cancel.clicked.connect(self.cancel_job)
        self.close_words = QPushButton("✕")
        self.close_words.setToolTip("Dismiss these words")
        self.close_words.clicked.connect(lambda: self.say("", bad=False))
        for button in (self.cancel, self.close_words):
            button.setProperty("small", True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.setSpacing(10)
        for button in (self.cancel, self.close_words):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        for widget, stretch in ((self.words, 1), (self.close_words, 0), (self.work, 0), (self.bar, 0), (self.cancel, 0)):
            row.addWidget(widget, stretch)
        row.addStretch()
        self._show()

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return bool(self._jobs)

    def say(self, words: str, *, bad: bool) -> None:
        """Put words into the line, "" to clear it."""
        theme.say(self.words, words, "bad" if bad else "news")
        self._show()

    def follow(self, job: Job) -> None:
        """Show a job until it has ended."""
        self._jobs.append(job)
        job.told.connect(self._hear)
        job.ended.connect(self._ended)
        self._told = ""
        self._show()

    def cancel_job(self) -> None:
        """Cancel the newest of the jobs under way."""
        if self._jobs:
            self._jobs[-1].cancel()

    def set_scale(self, scale: float) -> None:
        self.bar.setFixedWidth(round(150 * scale))
        self.bar.setFixedHeight(round(8 * scale))
        for button in (self.cancel, self.close_words):
            button.setFixedHeight(round(32 * scale))

    def _hear(self, words: str) -> None:
        self._told = words
        self._show()

    def _ended(self) -> None:
        self._jobs = [job for job in self._jobs if job.running]
        self._told = ""
        self._show()

    def _show(self) -> None:
        job = self._jobs[-1] if self._jobs else None
        for widget in (self.work, self.bar, self.cancel):
            widget.setVisible(job is not None)
        if job is not None:
            more = f"  (and {len(self._jobs) - 1} more)" if len(self._jobs) > 1 else ""
            told = f": {self._told}" if self._told else ""
            self.work.setText(self.work.fontMetrics().elidedText(f"{job.title}{told}{more}", Qt.TextElideMode.ElideRight, 520))
        for widget in (self.words, self.close_words):
            widget.setVisible(bool(self.words.text()))
        self.setVisible(job is not None or bool(self.words.text()))
