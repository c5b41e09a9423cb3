"""The top of the window: proximity alerts, and below them technical alarms in a row of their own that nothing can hide."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.alerts.alert_line import LINE_HEIGHT, Acknowledge, Elided, Line
from gui.ink import DARK
from gui.link.board import Moment, ordered
from navtwin.bus.signals import flash_on
from navtwin.bus.words import STATUS_WORDS, distance_words, duration_words, level_words, passing_words, speed_words, subject_words, technical_words
from navtwin.nouns import Alert, Priority, TechnicalAlarm
from navtwin.scene.distances import signed

#: The level's type: capitals of 0.72 x 38 x 0.40 mm = 11 mm on a 24-inch screen, 19 minutes of arc at 2 m (`gui.navigate.card` has the reckoning).
LEVEL_PX = 38.0
#: In design pixels; while no session runs there is no alert to show, and a place has use for the room.
HEIGHT, IDLE_HEIGHT = 112, 56
#: Alerts written out beside the most pressing one; any further are counted.
MOST_OTHERS = 3
LINK_LOST_ID, NO_LINK_ID, ENDED_ID = "LINK_LOST/core", "NO_LINK/core", "SESSION_ENDED/core"


class LevelBlock(QWidget):
    """One word in its alert colour, flashing by its priority; hatched where the level is only the last that was known.

    Parameters
    ----------
    share : of the banner's size, where it stands for an alert that is not one now
    """

    def __init__(self, parent: QWidget | None = None, *, share: float = 1.0) -> None:
        super().__init__(parent)
        self._share = share
        self.word, self.below = "", ""
        self._priority: Priority = "none"
        self._lit, self._known, self._scale = True, True, 1.0

    def show_level(self, word: str, below: str, priority: Priority, *, known: bool, lit: bool) -> None:
        new = (word, below, priority, known, lit)
        if new != (self.word, self.below, self._priority, self._known, self._lit):
            self.word, self.below, self._priority, self._known, self._lit = new
            self.setAccessibleName(f"{word} {below}".strip())
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale * self._share
        self.setFixedWidth(round(224 * self._scale))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, ink = QPainter(self), theme.ink()
        calm, color = self._priority == "none", theme.color(self._priority)
        painter.fillRect(self.rect(), QColor(ink.raised) if calm else color if self._lit else theme.sunk(color))
        if not self._known:
            band = round(12 * self._scale)
            theme.hatch(painter, QRect(0, self.height() - band, self.width(), band), ink=ink if calm else DARK)
        # Dark ink on a lit colour, light ink on a sunk one: the word stands out in both halves of a flash.
        painter.setPen(QColor(ink.dim if calm else ink.on_signal if self._lit else DARK.text))
        size = 22.0 if calm else LEVEL_PX
        box = self.rect().adjusted(0, 0, 0, -round(28 * self._scale) if self.below else 0)
        painter.setFont(theme.font(size * self._scale, weight=QFont.Weight.Bold))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.word)
        if self.below:
            painter.setFont(theme.font(17 * self._scale, weight=QFont.Weight.Bold))
            lower = QRect(0, round(self.height() * 0.56), self.width(), round(24 * self._scale))
            painter.drawText(lower, Qt.AlignmentFlag.AlignCenter, self.below)
        painter.end()


class AlertBanner(QFrame):
    """The most pressing proximity alert in large type, the next ones beside it.

    Its height changes only as a session begins or ends, so that nothing below it jumps while one runs.
    """

    def __init__(self, acknowledge: Acknowledge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.block = LevelBlock(self)
        self.headline, self.detail = Elided(self), Elided(self)
        self.headline.setObjectName("headline")
        self.detail.setObjectName("detail")
        self._others = [Line(acknowledge, self) for _ in range(MOST_OTHERS)]
        self.more = QLabel("", self)
        self.more.setProperty("dim", True)
        self._edge: Priority = "none"
        self._scale, self._idle = 1.0, False
        middle = QVBoxLayout()
        middle.setSpacing(2)
        for stretch in (self.headline, self.detail):
            middle.addWidget(stretch)
        middle.insertStretch(0)
        middle.addStretch()
        side = QVBoxLayout()
        side.setSpacing(2)
        side.addStretch()
        for line in self._others:
            side.addWidget(line)
        side.addWidget(self.more)
        side.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 10, 0)
        layout.setSpacing(18)
        layout.addWidget(self.block)
        layout.addLayout(middle, 5)
        layout.addLayout(side, 4)

    @property
    def other_words(self) -> list[str]:
        """The further alerts, as written."""
        return [line.words.text() for line in self._others if line.isVisibleTo(self)]

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        alerts = [row for row in ordered(moment.alerts) if isinstance(row, Alert)]
        self._set_idle(moment.link in ("waiting", "ended") and not alerts)
        if alerts:
            self._show_first(alerts[0], moment, now_ns)
        else:
            self._show_calm(moment)
        others, rest = alerts[1 : 1 + MOST_OTHERS], alerts[1 + MOST_OTHERS :]
        if rest:
            others, rest = others[:-1], [others[-1], *rest]
        for n, line in enumerate(self._others):
            line.setVisible(n < len(others))
            if n < len(others):
                line.show_row(others[n], _short(others[n], moment), lit=flash_on(others[n].priority, now_ns), can_answer=not moment.link_lost)
        self.more.setVisible(bool(rest))
        self.more.setText(f"and {len(rest)} more" if rest else "")

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedHeight(round((IDLE_HEIGHT if self._idle else HEIGHT) * scale))
        self.block.set_scale(scale)
        for line in self._others:
            line.set_scale(scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, ink = QPainter(self), theme.ink()
        painter.fillRect(self.rect(), QColor(ink.panel))
        edge = ink.edge if self._edge == "none" else ink.priority(self._edge)
        painter.fillRect(QRect(0, self.height() - 2, self.width(), 2), QColor(edge))
        painter.end()

    def _show_first(self, alert: Alert, moment: Moment, now_ns: int) -> None:
        known = alert.known and not moment.link_lost
        lit = flash_on(alert.priority, now_ns) or bool(alert.acked_by)
        self.block.show_level(alert.level if known else "UNKNOWN", "" if known else f"was {alert.level}", alert.priority, known=known, lit=lit)
        self.headline.set_text(subject_words(alert.id))
        since = f"since {duration_words(moment.t_ns - alert.since_ns)}"
        if known:
            bound = f"bound {signed(alert.bound_mm)} mm" if alert.bound_mm is not None else ""
            distance = distance_words(alert.distance_mm, alert.sd_mm)
            pieces = [passing_words(alert.passed_mm), distance, bound, speed_words(alert.speed_mm_s), since]
        else:
            pieces = [level_words(alert, link_lost=moment.link_lost), since]
        answered = f"acknowledged by {alert.acked_by}" if alert.acked_by else "silenced" if alert.silenced else ""
        self.detail.set_text(",  ".join(piece for piece in (*pieces, answered) if piece))
        self._set_edge(alert.priority)

    def _show_calm(self, moment: Moment) -> None:
        self._set_edge("none")
        if self._idle:
            self.block.show_level("NO SESSION", "", "none", known=False, lit=True)
            self.detail.set_text("No session runs: nothing is watched, and nothing can warn you")
            return
        if moment.link_lost or moment.alerts is None:
            self.block.show_level("UNKNOWN", "", "none", known=False, lit=True)
            self.headline.set_text("Nothing is known")
            self.detail.set_text("No alerts can be received until the core is heard")
            return
        pairs = moment.alerts.pairs
        unknown = [pair for pair in pairs if not pair.known]
        if moment.alerts.phase == "setup":
            self.block.show_level("SET-UP", "", "none", known=True, lit=True)
            self.headline.set_text("Not navigating yet")
            self.detail.set_text(moment.setup.message if moment.setup and moment.setup.message else "Calibrate the tools and register the patient")
            return
        if not pairs:
            self.block.show_level("UNWATCHED", "", "none", known=False, lit=True)
            self.headline.set_text("Nothing is being watched")
            self.detail.set_text("The case has no critical structure: no warning can come")
            return
        all_unknown = bool(pairs) and len(unknown) == len(pairs)
        self.block.show_level("UNKNOWN" if all_unknown else "NO ALERT", "", "none", known=not all_unknown, lit=True)
        self.headline.set_text("No distance is known" if all_unknown else "No proximity alert")
        why = ", ".join(sorted({STATUS_WORDS[pair.status] for pair in unknown}))
        known = f"{len(pairs) - len(unknown)} of {len(pairs)} distances known"
        self.detail.set_text(why.capitalize() if all_unknown else f"{known}; the others are {why}" if unknown else known)

    def _set_idle(self, idle: bool) -> None:
        if idle != self._idle:
            self._idle = idle
            self.headline.setVisible(not idle)
            self.set_scale(self._scale)

    def _set_edge(self, priority: Priority) -> None:
        if priority != self._edge:
            self._edge = priority
            self.update()


class TechnicalRow(QFrame):
    """Technical alarms, all of them: two beside each other, as many lines as it takes."""

    def __init__(self, acknowledge: Acknowledge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._acknowledge = acknowledge
        self._lines: list[Line] = []
        self._scale = 1.0
        self._calm = QLabel("No technical alarms", self)
        self._calm.setProperty("dim", True)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(10, 4, 10, 4)
        self._grid.setSpacing(4)
        self._grid.addWidget(self._calm, 0, 0, 1, 2)

    @property
    def shown_words(self) -> list[str]:
        """The alarms, as written."""
        return [line.words.text() for line in self._lines if line.isVisibleTo(self)]

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        alarms = [row for row in ordered(moment.alerts) if isinstance(row, TechnicalAlarm)]
        own = link_alarm(moment)
        shown: list[tuple[TechnicalAlarm, str, bool]] = [] if own is None else [(own, technical_words(own, moment.silence_ns), False)]
        # Over a lost link what the core last said is history: it is not told as if it were so.
        if not moment.link_lost:
            shown += [(alarm, technical_words(alarm, moment.t_ns), True) for alarm in alarms]
        while len(self._lines) < len(shown):
            line = Line(self._acknowledge, self)
            line.set_scale(self._scale)
            self._lines.append(line)
        alone = len(shown) == 1
        for n, line in enumerate(self._lines):
            line.setVisible(n < len(shown))
            if n < len(shown):
                alarm, words, can_answer = shown[n]
                self._grid.addWidget(line, n // 2, n % 2, 1, 2 if alone else 1)
                line.show_row(alarm, words, lit=flash_on(alarm.priority, now_ns), can_answer=can_answer)
        self._calm.setVisible(not shown)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        # As high as one line of alarms: the first one that comes moves nothing below it.
        self._calm.setFixedHeight(round(LINE_HEIGHT * scale))
        for line in self._lines:
            line.set_scale(scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.ink().background))
        painter.end()


def _short(alert: Alert, moment: Moment) -> str:
    known = alert.known and not moment.link_lost
    pieces = [
        level_words(alert, link_lost=moment.link_lost),
        subject_words(alert.id),
        passing_words(alert.passed_mm) if known else "",
        distance_words(alert.distance_mm, alert.sd_mm) if known else "",
    ]
    return "   ".join(piece for piece in pieces if piece)


def link_alarm(moment: Moment) -> TechnicalAlarm | None:
    """The alarm that no core can raise: that it is not heard. `since_ns` is 0 on the clock of its own silence."""
    if moment.link == "up":
        return None
    ident, priority, text, remedy = _LINK_ALARMS[moment.link]
    alarm, subject = ident.split("/")
    return TechnicalAlarm(id=ident, alarm=alarm, subject=subject, priority=priority, since_ns=0, text=text, remedy=remedy)


_LINK_ALARMS: dict[str, tuple[str, Priority, str, str]] = {
    "lost": (LINK_LOST_ID, "high", "nothing is heard from the core, and nothing shown is known", "check that it runs, and the network"),
    "waiting": (NO_LINK_ID, "low", "no core has been heard yet", "start a session in Calibrate, or a core with `navtwin run`"),
    "ended": (ENDED_ID, "low", "the core has ended the session", "its log holds everything"),
}
