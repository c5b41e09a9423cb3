"""What is known of the patient, and where the images come from. What is not known is called unknown, and nothing is guessed."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QSettings, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from gui.case.draft import UNKNOWN
from gui.case.editing import AUTHOR, SETTINGS, Editing
from gui.case.parts import add_row, rows, scrolled, words
from navtwin.scene.case import CaseFile, PatientSection
from navtwin.scene.model import Scene

#: Facts that any case may hold, with examples of what is meant; and those that tell who the patient is, shown only where the case has them.
FACTS: Final = {
    "age": "as 54 y", "sex": "as the study states it", "laterality": "side of the operation: left, right, bilateral", "study": "what was scanned",
}  # fmt: skip
WHO: Final = {"name": "Name", "id": "Patient number", "birth_date": "Date of birth"}
TITLES: Final = {"age": "Age", "sex": "Sex", "laterality": "Side", "study": "Study", **WHO}


class FactsPage(QWidget):
    """Fields for the patient, and the provenance of the case."""

    def __init__(self, editing: Editing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self.fields: dict[str, QLineEdit] = {}
        self.labels: dict[str, QLabel] = {}
        self.notes = _Notes()
        self.notes.setPlaceholderText(UNKNOWN)
        self.notes.setAccessibleName("notes on the patient")
        self.notes.setTabChangesFocus(True)
        self.author = QLineEdit()
        self.author.setAccessibleName("who changes the case")
        self.author.setToolTip("Who changes cases here: kept with every structure made or changed by hand")
        self.privacy = words("This case says who the patient is. Do not pass it on without leave.", "warn")
        self.provenance = words()
        self._build()
        self.notes.left.connect(self._noted)
        self.author.editingFinished.connect(lambda: QSettings(*SETTINGS).setValue(AUTHOR, self.author.text().strip()))
        editing.changed.connect(self.refresh)

    def set_scale(self, scale: float) -> None:
        for field in (*self.fields.values(), self.author):
            field.setFixedHeight(round(34 * scale))
        self.notes.setFixedHeight(round(96 * scale))

    def refresh(self) -> None:
        """Show the draft."""
        case, scene = self._editing.case, self._editing.scene
        self.setEnabled(case is not None)
        if case is None:
            return
        for fact, field in self.fields.items():
            if not field.hasFocus():
                field.setText(getattr(case.patient, fact) or "")
            if fact in WHO:
                written = self._editing.draft.written.patient if self._editing.draft is not None else case.patient
                for widget in (field, self.labels[fact]):
                    widget.setVisible(_says(case.patient, fact) or _says(written, fact))
        self.privacy.setVisible(any(_says(case.patient, fact) for fact in WHO))
        if not self.notes.hasFocus() and self.notes.toPlainText() != (case.patient.notes or ""):
            self.notes.setPlainText(case.patient.notes or "")
        if not self.author.hasFocus():
            self.author.setText(self._editing.author)
        self.provenance.setText(provenance(scene, case) if scene is not None else "")

    def _entered(self, fact: str) -> None:
        case = self._editing.case
        text = self.fields[fact].text().strip()
        if case is not None and text != (getattr(case.patient, fact) or ""):
            self._editing.patient(**{fact: text or None})

    def _noted(self) -> None:
        case = self._editing.case
        text = self.notes.toPlainText().strip()
        if case is not None and text != (case.patient.notes or ""):
            self._editing.patient(notes=text or None)

    def _build(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 10, 0)
        column.setSpacing(8)
        table, grid = rows()
        for fact, title in TITLES.items():
            field = QLineEdit()
            field.setPlaceholderText(UNKNOWN)
            field.setAccessibleName(title)
            field.setToolTip(
                f"{title}: {FACTS[fact]}. Leave it empty where it is not known" if fact in FACTS else f"{title}. Empty it to take it out"
            )
            field.editingFinished.connect(partial(self._entered, fact))
            self.fields[fact] = field
            self.labels[fact] = add_row(grid, title, field)
        add_row(grid, "Notes", self.notes)
        column.addWidget(self.privacy)
        column.addWidget(table)
        column.addSpacing(8)
        column.addWidget(QLabel("Where the case comes from"))
        column.addWidget(self.provenance)
        by, grid = rows()
        add_row(grid, "Changed by", self.author)
        column.addWidget(by)
        column.addStretch()
        scrolled(inner, self)


def provenance(scene: Scene, case: CaseFile) -> str:
    """Folder, scan, lock and whom to cite, in sentences."""
    kind = "a label volume, its values are not HU" if case.ct.is_label_volume else "CT"
    return "\n\n".join(
        [
            f"Folder: {scene.folder}",
            f"Scan: {case.ct.file} ({kind})",
            f"Lock: every file is as it was locked. {scene.case_hash[:16]}",
            f"Cite: {scene.citation}" if scene.citation else "Cite: nobody is named",
        ]
    )


class _Notes(QPlainTextEdit):
    """Words of several lines, taken over when the field is left."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


def _says(patient: PatientSection, fact: str) -> bool:
    return bool(getattr(patient, fact))
