"""A new case from a person's own CT: what it is made from, where it goes, how far it is, and what to state where the files do not say it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from platformdirs import user_data_path
from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from gui import theme
from gui.case.parts import add_row, button, rows, words
from gui.case.ways_out import refusal_words, ways_out
from gui.desktop.desk import Desk
from gui.desktop.jobs import CommandJob

SETTINGS = ("navtwin", "gui")
CT_FILES = "CT (*.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd *.dcm *.zip *.tar *.tar.gz *.tar.xz);;All files (*)"
LABEL_FILES = "Segmentation (*.nii *.nii.gz *.nrrd *.mha *.mhd *.dcm);;All files (*)"


def cases_folder() -> Path:
    """Where new cases go unless somebody says otherwise: where the last one went."""
    kept = QSettings(*SETTINGS).value("case/home", "")
    return Path(str(kept)) if kept else user_data_path("navtwin", appauthor=False) / "cases"


class NewCase(QFrame):
    """The form.

    Signals
    -------
    made : the folder of a case that has been made
    closed : somebody goes back
    """

    made = Signal(object)
    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self._desk = desk
        self._job: CommandJob | None = None
        self._target = Path()
        self._stated: tuple[str, ...] = ()
        self._scale = 1.0
        self.source, self.labels, self.name, self.home = QLineEdit(), QLineEdit(), QLineEdit(), QLineEdit()
        self.identify = QCheckBox("Keep the patient's name, number and date of birth")
        self.make = button("Make the case", "Read the CT and make a case of it", self.start, "primary", "Ctrl+Return")
        self.stop = button("Cancel", "Stop making it; nothing is left behind", self._cancel)
        self.back = button("Back", "Back, without a new case", self.closed.emit)
        self.refusal, self.progress = words(tone="bad"), words(dim=True)
        self._ways = QVBoxLayout()
        self._build()
        self._show()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for field in (self.source, self.labels, self.name, self.home, *self._pickers):
            field.setFixedHeight(round(36 * scale))
        for line in self._lines:
            # Else a row gives way where words below it wrap.
            line.setFixedHeight(round(36 * scale))
        for one in (self.make, self.stop, self.back):
            one.setFixedHeight(round(40 * scale))

    def begin(self, source: Path | None = None) -> None:
        """A new form, for this CT if one is given."""
        self._stated = ()
        self.home.setText(self.home.text() or str(cases_folder()))
        self.labels.clear()
        if source is not None:
            self.source.setText(str(source))
            self.name.setText(name_for(source))
        theme.say(self.refusal, "")
        theme.empty(self._ways)
        self._show()
        (self.source if source is None else self.name).setFocus()

    def start(self) -> None:
        """Make the case, beside the window."""
        if self.busy:
            return
        source, name = self.source.text().strip(), self.name.text().strip()
        missing = "Name the CT first: a DICOM folder or a file." if not source else "Give the case a name." if not name else ""
        theme.empty(self._ways)
        theme.say(self.refusal, missing)
        if missing:
            return
        home = Path(self.home.text().strip() or cases_folder()).expanduser()
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            theme.say(self.refusal, f"{home} cannot be made: {error.strerror}. Choose another folder.")
            return
        QSettings(*SETTINGS).setValue("case/home", str(home))
        self._target = home / folder_name(name)
        labels = self.labels.text().strip()
        arguments = ["case", "new", str(self._target), "--ct", source, "--name", name, *self._stated]
        arguments += ["--labels", labels] if labels else []
        arguments += ["--identify"] if self.identify.isChecked() else []
        self._job = self._desk.command(f"making {name}", arguments, self._ended)
        self._job.told.connect(self.progress.setText)
        self._show()

    @property
    def busy(self) -> bool:
        """Whether a case is being made."""
        return self._job is not None and self._job.running

    def _ended(self, text: str) -> None:
        self._show()
        if not text:
            self.made.emit(self._target)
        elif text != "cancelled":
            refusal = refusal_words(text)
            ways = ways_out(refusal)
            # What stands on the buttons need not stand above them too.
            listed = bool(ways) and ways[0].arguments[0] == "--series"
            theme.say(self.refusal, f"{refusal.split(' Choose with ')[0]} Choose one:" if listed else refusal)
            for way in ways:
                choice = button(way.words, f"Make the case again with {' '.join(way.arguments)}", partial(self._again, way.arguments))
                choice.setFixedHeight(round(40 * self._scale))
                self._ways.addWidget(choice)

    def _again(self, arguments: tuple[str, ...]) -> None:
        # What was stated of the same thing before no longer holds.
        kept = [n for n, word in enumerate(self._stated) if word == arguments[0]]
        stated = self._stated if not kept else (*self._stated[: kept[0]], *self._stated[kept[0] + len(arguments) :])
        self._stated = (*stated, *arguments)
        self.start()

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _show(self) -> None:
        theme.say(self.progress, "" if not self.busy else self.progress.text() or "starting …")
        self.make.setVisible(not self.busy)
        self.stop.setVisible(self.busy)
        for widget in (self.source, self.labels, self.name, self.home, self.identify, self.back, *self._pickers):
            widget.setEnabled(not self.busy)

    def _source_changed(self, text: str) -> None:
        self._stated = ()
        theme.empty(self._ways)
        theme.say(self.refusal, "")
        if text.strip() and not self.name.isModified():
            self.name.setText(name_for(Path(text.strip())))

    def _pick_folder(self, field: QLineEdit, title: str) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, title, field.text() or str(Path.home())):
            field.setText(chosen)

    def _pick_file(self, field: QLineEdit, title: str, kinds: str) -> None:
        if chosen := QFileDialog.getOpenFileName(self, title, field.text() or str(Path.home()), kinds)[0]:
            field.setText(chosen)

    def _build(self) -> None:
        folder = button("Folder …", "A folder of DICOM files", lambda: self._pick_folder(self.source, "A folder of DICOM files"))
        file = button("File …", "A CT in one file, or an archive of DICOM files", lambda: self._pick_file(self.source, "A CT", CT_FILES))
        labels = button("File …", "A segmentation of this CT", lambda: self._pick_file(self.labels, "A segmentation", LABEL_FILES))
        home = button("Folder …", "Where the case's folder goes", lambda: self._pick_folder(self.home, "Where the case goes"))
        self._pickers = (folder, file, labels, home)
        self._lines: list[QWidget] = []
        table, grid = rows()
        for title, field, tip, buttons in (
            ("CT", self.source, "A DICOM folder or archive, NIfTI, NRRD or MetaImage", (folder, file)),
            ("Labels", self.labels, "A segmentation of this CT, if there is one: its structures come in, none of them watched yet", (labels,)),
            ("Name", self.name, "What to call the case", ()),
            ("Into", self.home, "The folder that the case's own folder goes into", (home,)),
        ):
            line = QWidget()
            across = QHBoxLayout(line)
            across.setContentsMargins(0, 0, 0, 0)
            across.addWidget(field, 1)
            for one in buttons:
                across.addWidget(one)
            field.setAccessibleName(title)
            field.setToolTip(tip)
            add_row(grid, title, line).setBuddy(field)
            self._lines.append(line)
        self.labels.setPlaceholderText("none: structures are made by hand")
        heading = QLabel("New case from a CT")
        heading.setObjectName("detail")
        across = QHBoxLayout()
        across.addWidget(self.back)
        across.addStretch()
        across.addWidget(self.stop)
        across.addWidget(self.make)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        for part in (heading, table, self.identify, self.refusal, self._ways, self.progress, across):
            column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
        self.source.textChanged.connect(self._source_changed)


def name_for(source: Path) -> str:
    """What to call a case made from a file or folder, until somebody names it."""
    return re.sub(r"\.(nii|nrrd|nhdr|mha|mhd|dcm|zip|tar)?(\.(gz|xz|bz2))?$", "", source.name, flags=re.IGNORECASE) or "case"


def folder_name(name: str) -> str:
    """A folder's name that any file system takes."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._")[:80] or "case"
