"""What the operator was told at the playhead: the gravest alert, technical alarms, and each structure's card as in the live window."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui.alerts.alert_line import Elided
from gui.alerts.banner import LevelBlock
from gui.link.board import Moment, ordered
from navtwin.bus.words import STATUS_WORDS, alert_words, level_words, subject_words, technical_words
from navtwin.nouns import Alert, AlertSet, State, TechnicalAlarm

#: Of the size of the window's alert banner.
SHARE = 0.6
HEIGHT = 52


def moment_of(state: State | None, alerts: AlertSet | None) -> Moment:
    """A moment of the log as the live window's parts take it. Where no alert set was in force, nothing is known."""
    link = "up" if alerts is not None else "lost"
    t_ns = alerts.t_ns if alerts else 0
    return Moment(link, 0, "", alerts, t_ns, state if alerts else None, None)  # type: ignore[arg-type]


class AlertReadout(QFrame):
    """One line: level, what it is about, and the technical alarms. It never flashes, is smaller than the window's own alerts and says what it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.block, self.headline, self.technical = LevelBlock(self, share=SHARE), Elided(self), Elided(self)
        self.headline.setObjectName("detail")
        self.technical.setProperty("dim", True)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.headline)
        words.addWidget(self.technical)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 10, 0)
        row.setSpacing(14)
        row.addWidget(self.block)
        row.addLayout(words, 1)
        then = QLabel("in the log")
        then.setProperty("dim", True)
        row.addWidget(then)

    def show_moment(self, moment: Moment) -> None:
        rows = ordered(moment.alerts)
        alerts = [row for row in rows if isinstance(row, Alert)]
        alarms = [row for row in rows if isinstance(row, TechnicalAlarm)]
        self.technical.set_text("     ".join(technical_words(alarm, moment.t_ns) for alarm in alarms))
        self.technical.setVisible(bool(alarms))
        if moment.alerts is None:
            self.block.show_level("UNKNOWN", "", "none", known=False, lit=True)
            self.headline.set_text("Nothing is known here: the log has no alerts for this moment")
        elif alerts:
            first = alerts[0]
            self.block.show_level(
                first.level if first.known else "UNKNOWN", "" if first.known else f"was {first.level}", first.priority, known=first.known, lit=True
            )
            others = "".join(f";   {subject_words(a.id)}: {level_words(a)}" for a in alerts[1:])
            self.headline.set_text(alert_words(first, moment.t_ns) + others)
        elif moment.alerts.phase == "setup":
            self.block.show_level("SET-UP", "", "none", known=True, lit=True)
            self.headline.set_text("Not navigating yet")
        else:
            unknown = [pair for pair in moment.alerts.pairs if not pair.known]
            nothing = bool(moment.alerts.pairs) and len(unknown) == len(moment.alerts.pairs)
            why = ", ".join(sorted({STATUS_WORDS[pair.status] for pair in unknown}))
            self.block.show_level("UNKNOWN" if nothing else "NO ALERT", "", "none", known=not nothing, lit=True)
            counted = f"{len(moment.alerts.pairs) - len(unknown)} of {len(moment.alerts.pairs)} distances known"
            self.headline.set_text(f"No distance is known: {why}" if nothing else counted + (f"; the others are {why}" if unknown else ""))

    def set_scale(self, scale: float) -> None:
        self.setFixedHeight(round(HEIGHT * scale))
        self.block.set_scale(scale)
