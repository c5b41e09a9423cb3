"""What is declared of one structure: its colour, opacity, role, limits and error, and how it was made."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from gui import theme
from gui.case.draft import limits_fault
from gui.case.editing import Editing
from gui.case.parts import Choice, NumberBox, Swatch, button, words
from gui.case.structure_list import ROLE_WORDS
from navtwin.bus.words import ERROR_BAR_SD, name_words
from navtwin.errors import NavtwinError
from navtwin.scene.author.recipe import read_recipe
from navtwin.scene.author.telling import told
from navtwin.scene.case import StructureEntry

#: Told apart by people with any colour vision, on black and beside grey (after Okabe and Ito 2008, lightened for a dark ground), and bone.
SWATCHES: Final = {
    "bone": "#e6dccb", "amber": "#f0b429", "vermilion": "#e2694a", "rose": "#d98bb6", "violet": "#9c8cd9", "sky": "#66bfee",
    "blue": "#2f8fd0", "teal": "#2bb39b", "lemon": "#f2e55c", "grey": "#b1a08f",
}  # fmt: skip
SESSION = "A session runs on this case. It keeps the limits that it started with, also when others are written."


class StructureDetails(QWidget):
    """The fields of the chosen structure; each change is a draft and shown at once."""

    def __init__(self, editing: Editing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self.name = ""
        self._made: dict[str, str] = {}
        self.swatches = {name: Swatch(color, name) for name, color in SWATCHES.items()}
        self.other = button("…", "Choose any colour", self._choose_color, "small")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setAccessibleName("opacity in percent")
        self.opacity.setToolTip("How opaque it is drawn. What is watched is always solid; bone is seen through so that what lies behind it shows")
        self.opacity_words = QLabel()
        self.role = Choice(((role, text.capitalize(), _ROLE_TIPS[role]) for role, text in ROLE_WORDS.items()), "small")
        self.caution = NumberBox("caution limit", 0.0, 100.0, 0.1)
        self.danger = NumberBox("danger limit", 0.0, 100.0, 0.1)
        self.error = NumberBox("declared error, one standard deviation", 0.0, 20.0, 0.1, decimals=2)
        self.caution.setToolTip("Nearer than this, error bar taken off, is CAUTION")
        self.danger.setToolTip("Nearer than this, error bar taken off, is DANGER")
        self.error.setToolTip("How far its surface may be off: one standard deviation. Every distance to it is shown with twice this and more")
        self.fault, self.session_words = words(tone="bad"), words(SESSION, "news")
        self.tell = button("Use these limits in the running session too", "Tell the core now, without writing", editing.tell_session, key="Ctrl+L")
        self.facts, self.error_words = words(dim=True), QLabel()
        self._build()
        editing.changed.connect(self.refresh)

    def show_structure(self, name: str) -> None:
        """Show the fields of another structure; "" for none."""
        self.name = name
        self.refresh()

    def set_scale(self, scale: float) -> None:
        for swatch in self.swatches.values():
            swatch.set_scale(scale)
        for box in (self.caution, self.danger, self.error):
            box.setFixedHeight(round(34 * scale))
        for one in (self.other, self.tell, *self.role.buttons.values()):
            one.setFixedHeight(round(32 * scale))
        self.other.setFixedWidth(round(32 * scale))

    def refresh(self) -> None:
        """Show the draft."""
        entry = self._entry()
        self.setVisible(entry is not None)
        if entry is None:
            return
        for swatch in self.swatches.values():
            swatch.setChecked(swatch.color.lower() == entry.color.lower())
        self.opacity.blockSignals(True)
        self.opacity.setValue(round(100.0 * entry.opacity))
        self.opacity.blockSignals(False)
        self.opacity_words.setText(f"{100.0 * entry.opacity:.0f} %")
        self.role.show_chosen(entry.role)
        watched = entry.role == "critical"
        self._limits.setVisible(watched)
        for box, mm in ((self.caution, entry.caution_mm), (self.danger, entry.danger_mm)):
            box.show_number(mm or 0.0)
        self.error.show_number(entry.sd_mm)
        self.error_words.setText(f"bar ± {ERROR_BAR_SD * entry.sd_mm:.1f} mm")
        theme.say(self.fault, self._fault(entry))
        missing = self._editing.session.missing(self._editing.case) if self._editing.case is not None else ()
        self.session_words.setVisible(self._editing.session.runs and watched)
        self.tell.setVisible(bool(missing))
        self.facts.setText(self._facts(entry))

    def _entry(self) -> StructureEntry | None:
        case = self._editing.case
        return next((one for one in case.structure if one.name == self.name), None) if case is not None else None

    def _fault(self, entry: StructureEntry) -> str:
        if fault := limits_fault(entry):
            return f"{fault}."
        draft = self._editing.draft
        was = next(one for one in draft.written.structure if one.name == entry.name) if draft is not None else entry
        if draft is not None and entry.made and entry.role == "critical" and was.role != "critical" and entry.name not in draft.declared:
            return "It was made by hand. State how far it may be off before it can be watched."
        return ""

    def _facts(self, entry: StructureEntry) -> str:
        said = []
        if entry.name in self._editing.volumes_ml:
            volume_ml = self._editing.volumes_ml[entry.name]
            said.append("Its surface is not closed" if volume_ml is None else f"{volume_ml:.3g} ml")
        if entry.capped:
            said.append("The scan ends inside it: its surface was closed there")
        if entry.labels:
            said.append(f"from label {', '.join(map(str, entry.labels))}")
        if entry.made:
            said.append(self._how_made(entry))
        return "\n".join(said)

    def _how_made(self, entry: StructureEntry) -> str:
        """By whom, when, and the steps; read once, as the recipe is a file."""
        assert self._editing.scene is not None
        if entry.made not in self._made:
            try:
                recipe = read_recipe(self._editing.scene.folder / entry.made)
            except NavtwinError as refusal:
                return f"its recipe cannot be read: {refusal}"
            by = f"made by {recipe.author} on {recipe.made}"
            by += f", changed by {recipe.changed_by} on {recipe.changed}" if recipe.changed_by else ""
            self._made[entry.made] = "\n".join([by, *(told(edit, n) for n, edit in enumerate(recipe.edit, 1))])
        return self._made[entry.made]

    def _choose_color(self) -> None:
        entry = self._entry()
        if entry is None:
            return
        # Not modal: alerts go on being shown, and so does the structure as its colour is tried.
        dialog = QColorDialog(QColor(entry.color), self)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle(f"Colour of {name_words(entry.name)}")
        dialog.currentColorChanged.connect(lambda color: self._editing.structure(entry.name, f"color {entry.name}", color=color.name()))
        dialog.rejected.connect(lambda: self._editing.structure(entry.name, f"color {entry.name}", color=entry.color))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _alter(self, field: str, value: object, gesture: str = "") -> None:
        if self.name:
            self._editing.structure(self.name, gesture, **{field: value})

    def _build(self) -> None:
        for name, swatch in self.swatches.items():
            swatch.clicked.connect(lambda _checked, name=name: self._alter("color", SWATCHES[name]))
        self._limits = _line(QLabel("Caution at"), self.caution, QLabel("danger at"), self.danger)
        self.error_words.setProperty("dim", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 10, 0)
        column.setSpacing(6)
        for part in (
            self.role,
            self._limits,
            self.fault,
            _line(QLabel("May be off by"), self.error, self.error_words),
            self.session_words,
            self.tell,
            _line(*self.swatches.values(), self.other, None),
            _line(QLabel("Opacity"), self.opacity, self.opacity_words),
            self.facts,
        ):
            column.addWidget(part)
        column.addStretch()
        self.opacity.valueChanged.connect(lambda percent: self._alter("opacity", percent / 100.0, f"opacity {self.name}"))
        self.opacity.sliderReleased.connect(self._editing.settle)
        self.role.chosen.connect(partial(self._alter, "role"))
        self.caution.entered.connect(partial(self._alter, "caution_mm"))
        self.danger.entered.connect(partial(self._alter, "danger_mm"))
        self.error.entered.connect(partial(self._alter, "sd_mm"))


def _line(*parts: QWidget | None) -> QWidget:
    """Widgets side by side; None stands for what room is left."""
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(3)
    for part in parts:
        row.addWidget(part, 1 if isinstance(part, NumberBox | QSlider) else 0) if part is not None else row.addStretch(1)
    return made


_ROLE_TIPS: Final = {
    "work": "It may be cut, and raises no alarm of its own",
    "critical": "It is watched: limits act on the distance to it",
    "context": "It is only shown: nothing warns of it",
}
