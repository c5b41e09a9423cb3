"""The form of what is declared of a structure: what is wrong with a field stands below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from gui import theme
from gui.case.parts import Choice, Swatch, words
from gui.case.tools.sheet import COLORS, SD_HINT, Fault, Field, Sheet
from navtwin.nouns import Role
from navtwin.scene.build import COLORS as USUAL

ROLES: tuple[tuple[Role, str, str], ...] = (
    ("critical", "critical", "Watched: instruments that come near are warned of"),
    ("work", "work", "May be cut: no alarm of its own"),
    ("context", "context", "Only shown"),
)


class SheetForm(QWidget):
    """Name, role, limits, error, colour and author.

    Signals
    -------
    edited : a Sheet, as it stands now
    """

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sheet = Sheet()
        self.name = _line("name", "What warnings call it: spinal canal, carotid …", 60)
        self.role = Choice(ROLES, "small")
        self.caution = _line("caution", "CAUTION begins at this distance, mm", 8, "mm")
        self.danger = _line("danger", "DANGER begins at this distance, mm; inside CAUTION", 8, "mm")
        self.sd = _line("standard deviation", SD_HINT, 8, "mm")
        self.author = _line("author", "Who makes it: the name and the day stay with the structure", 60)
        self.swatches = [Swatch(color, f"number {n}") for n, color in enumerate(COLORS, 1)]
        self.hint = words(SD_HINT, dim=True)
        self._faults: dict[Field, QLabel] = {}
        self._limits = QWidget()
        self._lines()
        for field, line in self._texts().items():
            line.textEdited.connect(lambda text, field=field: self._edit(**{field: text}))
        self.role.chosen.connect(lambda role: self._edit(role=role))
        for swatch in self.swatches:
            swatch.clicked.connect(lambda _checked, color=swatch.color: self._edit(color=color))

    def show_sheet(self, sheet: Sheet, faults: Sequence[Fault], *, own: bool) -> None:
        """Show a form; `own` is False where another structure's form counts, and only the author is asked."""
        self.sheet = sheet
        for field, line in self._texts().items():
            if line.text() != getattr(sheet, field):
                line.setText(getattr(sheet, field))
        self.role.show_chosen(sheet.role)
        for swatch in self.swatches:
            swatch.setChecked(swatch.color == (sheet.color or USUAL[sheet.role]))
        said = {one.field: one.words for one in faults}
        for label in self._faults.values():
            theme.say(label, "")
        for field, text in said.items():
            if field in self._faults:
                theme.say(self._faults[field], text, "bad")
        for widget in self._own:
            widget.setVisible(own)
        self._limits.setVisible(own and sheet.role == "critical")
        self.hint.setVisible(own and sheet.role == "critical")

    def set_scale(self, scale: float) -> None:
        for swatch in self.swatches:
            swatch.set_scale(scale)
        for button in self.role.buttons.values():
            button.setMinimumHeight(round(32 * scale))

    def go_to(self, field: Field) -> QWidget:
        """Put the cursor into a field; returns what is said of it."""
        line = self._texts().get(field, self.name)
        line.setFocus()
        line.selectAll()
        return self._faults.get(field, line)

    def _texts(self) -> dict[Field, QLineEdit]:
        return {"name": self.name, "caution": self.caution, "danger": self.danger, "sd": self.sd, "author": self.author}

    def _edit(self, **changes: object) -> None:
        self.edited.emit(replace(self.sheet, **changes))  # type: ignore[arg-type]

    def _lines(self) -> None:
        colors = QWidget()
        row = QHBoxLayout(colors)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for swatch in self.swatches:
            row.addWidget(swatch)
        row.addStretch(1)
        limits = QGridLayout(self._limits)
        limits.setContentsMargins(0, 0, 0, 0)
        limits.setVerticalSpacing(2)
        for n, (title, line) in enumerate((("Caution", self.caution), ("Danger", self.danger), ("SD", self.sd))):
            limits.addWidget(_title(title, line), 0, n)
            limits.addWidget(line, 1, n)
        named = [(_title(text, widget), widget) for text, widget in (("Name", self.name), ("Role", self.role), ("Colour", colors))]
        author = (_title("Author", self.author), self.author)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        parts: list[QWidget | tuple[QWidget, QWidget]] = [
            named[0], self._fault("name"), named[1], self._limits, self._fault("caution"), self._fault("danger"), self._fault("sd"),
            self.hint, named[2], author, self._fault("author"),
        ]  # fmt: skip
        for n, part in enumerate(parts):
            if isinstance(part, QWidget):
                grid.addWidget(part, n, 0, 1, 2)
            else:
                grid.addWidget(part[0], n, 0)
                grid.addWidget(part[1], n, 1)
        self._own = tuple(widget for line in named for widget in line)

    def _fault(self, field: Field) -> QLabel:
        label = words("", "bad")
        label.hide()
        self._faults[field] = label
        return label


def _line(name: str, tip: str, length: int, hint: str = "") -> QLineEdit:
    line = QLineEdit()
    line.setAccessibleName(name)
    line.setToolTip(tip)
    line.setMaxLength(length)
    line.setPlaceholderText(hint)
    return line


def _title(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setProperty("dim", True)
    label.setBuddy(buddy)
    return label
