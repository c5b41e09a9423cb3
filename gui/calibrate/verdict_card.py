"""The verdict of a calibration: accepted or refused and why, what was found, and what would be written into the rig."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.controls import said
from gui.calibrate.figures import figure_rows
from navtwin.bus.words import printable
from navtwin.nouns.calibration import CalibrationVerdict


class VerdictCard(QScrollArea):
    """Words only: the verdict in its tone, the result in sentences, the lines for rig.toml."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verdict = said()
        self.figures, self.lines, self.writes = _text(), _text(), _text()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        for widget in (self.verdict, self.figures, self.lines, self.writes):
            column.addWidget(widget)
        column.addStretch()
        self.setWidget(inside)

    def show_verdict(self, verdict: CalibrationVerdict) -> None:
        """Say all of it."""
        if verdict.accepted:
            theme.say(self.verdict, "<b>✓ Accepted by the gate</b>", "good")
        else:
            theme.say(self.verdict, f"<b>✕ Refused by the gate</b>{listed(verdict.reasons or ('no reason is given',))}", "bad")
        self._put(self.figures, table(figure_rows(verdict.what, verdict.figures)))
        self._put(self.lines, "<br>".join(safe(line.strip()) for line in verdict.lines))
        written = "<br>".join(safe(line) for line in verdict.writes)
        head = "Accepting writes into rig.toml:" if verdict.waits else "Nothing is written into rig.toml."
        self._put(self.writes, f"<b>{head}</b><br><span style='font-family:monospace'>{written}</span>" if verdict.accepted else "")

    def _put(self, label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))


def _text() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values below each other, as rich text; "" for none."""
    made = "".join(f"<tr><td>{safe(name)}&nbsp;&nbsp;</td><td><b>{safe(value)}</b></td></tr>" for name, value in rows)
    return f"<table>{made}</table>" if made else ""


def listed(sentences: Sequence[str]) -> str:
    """Sentences from elsewhere below each other, each with a dot before it, as rich text."""
    rows = "".join(f"<tr><td>•&nbsp;</td><td>{safe(sentence)}</td></tr>" for sentence in sentences)
    return f"<table cellspacing='0' cellpadding='1'>{rows}</table>"


def safe(text: str) -> str:
    """Text from elsewhere, as it may stand in rich text."""
    return html.escape(printable(text))
