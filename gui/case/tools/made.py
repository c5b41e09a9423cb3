"""The structures of the case that were made by hand: choose one to change it, or take it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QMenu, QVBoxLayout, QWidget

from gui import theme
from gui.case.parts import button, words
from navtwin.bus.words import name_words
from navtwin.scene.author.into_case import Listed


class MadeList(QWidget):
    """The list, with what can be done to the chosen one.

    Signals
    -------
    changed : (name, step from 0 on): it is to be changed
    removed : name: it is to be taken out, and was asked about
    """

    changed = Signal(str, int)
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listed: tuple[Listed, ...] = ()
        self._scale = 1.0
        self.title = QLabel("Made here")
        self.title.setProperty("dim", True)
        self.rows = QListWidget()
        self.rows.setAccessibleName("structures made by hand")
        self.rows.setWordWrap(True)
        self.how = words("", dim=True)
        self.change = button("Change", "Take it back into its tool", self._change, "small", "double click")
        self.remove = button("Remove …", "Take it out of the case", self._ask, "small")
        self.question = words("", "warn")
        self.yes = button("Take it out", "It leaves the case; its recipe is shown, and can be kept", self._remove, "small")
        self.no = button("Keep it", "Leave it in the case", lambda: self._show_question(""), "small")
        row = QHBoxLayout()
        row.addWidget(self.change)
        row.addWidget(self.remove)
        row.addStretch(1)
        answers = QHBoxLayout()
        answers.addWidget(self.yes)
        answers.addWidget(self.no)
        answers.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.title, self.rows, self.how):
            column.addWidget(widget)
        column.addLayout(row)
        column.addWidget(self.question)
        column.addLayout(answers)
        self.rows.currentRowChanged.connect(lambda _row: self._show_one())
        self.rows.itemDoubleClicked.connect(lambda _item: self._change())
        self._show_question("")

    @property
    def current(self) -> Listed | None:
        """The chosen one."""
        row = self.rows.currentRow()
        return self._listed[row] if 0 <= row < len(self._listed) else None

    def show_made(self, made: Sequence[Listed], colors: Mapping[str, str]) -> None:
        """Show these, the chosen one stays."""
        before = self.current
        self._listed = tuple(made)
        self.rows.clear()
        for one in made:
            limits = "" if one.caution_mm is None else f", {one.caution_mm:g} / {one.danger_mm:g} mm"
            item = QListWidgetItem(_dot(colors.get(one.name, "#000000")), f"{name_words(one.name)} ({one.role}{limits})")
            self.rows.addItem(item)
        names = [one.name for one in made]
        self.rows.setCurrentRow(names.index(before.name) if before is not None and before.name in names else 0 if names else -1)
        self.setVisible(bool(made))
        self._fit()
        self._show_one()

    def choose(self, name: str) -> None:
        """Choose one by name."""
        for row, one in enumerate(self._listed):
            if one.name == name:
                self.rows.setCurrentRow(row)

    def set_busy(self, busy: bool) -> None:
        for one in (self.change, self.remove, self.yes):
            one.setEnabled(not busy and self.current is not None)

    def set_scale(self, scale: float) -> None:
        self.rows.setIconSize(QSize(round(12 * scale), round(12 * scale)))
        self._scale = scale
        self._fit()
        for one in (self.change, self.remove, self.yes, self.no):
            one.setMinimumHeight(round(32 * scale))

    def _fit(self) -> None:
        """As high as its rows, up to four."""
        self.rows.setFixedHeight(round((34 * min(4, max(1, len(self._listed))) + 4) * self._scale))

    def _show_one(self) -> None:
        one = self.current
        self._show_question("")
        for widget in (self.change, self.remove):
            widget.setEnabled(one is not None)
        if one is None or one.recipe is None:
            theme.say(self.how, "")
            return
        later = f", changed by {one.recipe.changed_by} on {one.recipe.changed}" if one.recipe.changed else ""
        size = f"{one.volume_mm3 / 1000.0:.3g} ml, SD {one.sd_mm:g} mm"
        theme.say(self.how, "\n".join((f"{size}. By {one.recipe.author} on {one.recipe.made}{later}.", *one.steps)))

    def _change(self) -> None:
        one = self.current
        if one is None or one.recipe is None:
            return
        if len(one.steps) == 1:
            self.changed.emit(one.name, 0)
            return
        menu = QMenu(self)
        for n, step in enumerate(one.steps):
            menu.addAction(step, partial(self.changed.emit, one.name, n))
        menu.popup(self.change.mapToGlobal(self.change.rect().bottomLeft()))

    def _ask(self) -> None:
        one = self.current
        if one is not None:
            watched = " It is watched: without it nobody is warned of it." if one.role == "critical" else ""
            self._show_question(f"Take '{name_words(one.name)}' out of the case?{watched}")

    def _remove(self) -> None:
        one = self.current
        self._show_question("")
        if one is not None:
            self.removed.emit(one.name)

    def _show_question(self, text: str) -> None:
        theme.say(self.question, text, "warn")
        for widget in (self.yes, self.no):
            widget.setVisible(bool(text))


def _dot(color: str) -> QIcon:
    image = QPixmap(24, 24)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawEllipse(2, 2, 20, 20)
    painter.end()
    icon = QIcon(image)
    # As it is in a chosen row too: styles tint what is chosen.
    icon.addPixmap(image, QIcon.Mode.Selected)
    return icon
