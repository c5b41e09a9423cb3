"""The choice of a source: its kind, and behind it a device, file, folder or address."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QSizePolicy, QWidget

from gui.calibrate.controls import key_button
from gui.calibrate.sources import CAMERA, PRACTICE, Kind, address, scheme_of
from gui.desktop.desk import Desk
from gui.desktop.jobs import CommandJob
from navtwin.bus.words import printable


class Devices(QObject):
    """The cameras of this machine, as `navtwin calibrate devices` lists them; asked for when somebody wants to choose one.

    Signals
    -------
    listed : the list has come
    """

    listed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._job: CommandJob | None = None
        self._text = ""
        self.found: dict[str, str] | None = None

    def ask(self) -> None:
        """List them anew, beside the window."""
        if self._job is not None and self._job.running:
            return
        self._text = ""
        self._job = self._desk.command("looking for cameras", ["calibrate", "devices", "--json"], self._read)
        self._job.line.connect(self._take)

    def _take(self, line: str) -> None:
        self._text += line + "\n"

    def _read(self, words: str) -> None:
        if words:
            self._desk.say(f"cameras could not be listed: {words}", bad=True)
            return
        self.found = cameras_in(self._text)
        self.listed.emit()


def cameras_in(text: str) -> dict[str, str] | None:
    """Number and name of each camera in the JSON of `navtwin calibrate devices --json`; None where this system lists none, or it cannot be read."""
    try:
        said = json.loads(text)
        return {row["address"].removeprefix("camera:"): row["name"] for row in said["cameras"]} if said["listed"] else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


class SourceField(QWidget):
    """One line: what kind of source, which one, and a file dialog where that helps.

    Parameters
    ----------
    kinds : to choose from
    practice : the address of the rendered camera now
    changed : called when something else is chosen or typed
    """

    def __init__(self, kinds: tuple[Kind, ...], devices: Devices, changed: Callable[[], None], practice: Callable[[], str] = str) -> None:
        super().__init__()
        self._kinds, self._devices, self._changed, self._practice = kinds, devices, changed, practice
        self._typed = dict[str, str]()
        self._dialog: QFileDialog | None = None
        self.kind = QComboBox()
        self.kind.setAccessibleName("kind of source")
        self.kind.setToolTip("What kind of source (Tab goes from field to field)")
        for kind in kinds:
            self.kind.addItem(kind.title)
            self.kind.setItemData(self.kind.count() - 1, kind.hint, Qt.ItemDataRole.ToolTipRole)
        self.text = QComboBox()
        self.text.setEditable(True)
        self.text.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.text.setMinimumContentsLength(12)
        self.browse = key_button("Browse", "W", "Choose one", self._browse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.kind)
        row.addWidget(self.text, 1)
        row.addWidget(self.browse)
        row.addStretch()
        self.kind.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._now = kinds[0]
        self.kind.currentIndexChanged.connect(self._choose)
        self.text.editTextChanged.connect(lambda _text: self._changed())
        self.text.activated.connect(self._take_device)
        devices.listed.connect(self._list_devices)
        self._show_kind()

    def address(self) -> str:
        """`KIND:REST`.

        Raises
        ------
        InputRefused : nothing typed, or nothing that could be such an address
        """
        return self._practice() if self._now is PRACTICE else address(self._now, self.text.currentText())

    def show_address(self, source: str) -> None:
        """Choose what was chosen another time; what is no longer on offer is left alone."""
        if self._practice() and source == self._practice() and PRACTICE in self._kinds:
            self.kind.setCurrentIndex(self._kinds.index(PRACTICE))
            return
        for n, kind in enumerate(self._kinds):
            if kind is not PRACTICE and kind.scheme == scheme_of(source) and not source.startswith("camera:phantom:"):
                self._typed[kind.title] = source.partition(":")[2]
                self.kind.setCurrentIndex(n)
                self._show_kind()

    @property
    def live(self) -> bool:
        """Whether a camera of this machine is chosen."""
        return self._now.scheme == "camera"

    @property
    def is_log(self) -> bool:
        """Whether a recording of poses is chosen."""
        return self._now.scheme == "log"

    def _choose(self, index: int) -> None:
        self._typed[self._now.title] = self.text.currentText()
        self._now = self._kinds[index]
        self._show_kind()
        self._changed()

    def _show_kind(self) -> None:
        now = self._now
        self.text.blockSignals(True)
        self.text.clear()
        self.text.setEditText(self._typed.get(now.title, now.example if now.scheme in ("camera", "phantom") else ""))
        self.text.blockSignals(False)
        line = self.text.lineEdit()
        if line is not None:
            line.setPlaceholderText(f"{now.ask}, for example {now.example}" if now.ask else "")
        self.text.setAccessibleName(now.ask)
        self.text.setToolTip(now.hint)
        self.text.setVisible(bool(now.ask))
        looks = now.scheme == CAMERA.scheme
        self.browse.setVisible(bool(now.file) or looks)
        self.browse.setText("Look for cameras" if looks else "Browse")
        self.browse.setToolTip("List the cameras of this machine (W)" if looks else f"Choose the {now.ask} (W)")
        if looks and self._devices.found:
            self._list_devices()

    def _list_devices(self) -> None:
        found = self._devices.found
        if self._now.scheme != CAMERA.scheme or found is None:
            return
        typed = self.text.currentText()
        self.text.blockSignals(True)
        self.text.clear()
        for number, name in found.items():
            self.text.addItem(f"{number}  {printable(name)}", number)
        self.text.setEditText(typed if found or typed != self._now.example else "")
        self.text.blockSignals(False)
        line = self.text.lineEdit()
        if line is not None and not found:
            line.setPlaceholderText("this machine has no camera: plug one in")
        self._changed()

    def _take_device(self, index: int) -> None:
        number = self.text.itemData(index)
        if number is not None:
            self.text.setEditText(number)

    def _browse(self) -> None:
        if self._now.scheme == CAMERA.scheme:
            self._devices.ask()
            return
        dialog = QFileDialog(self, f"{self._now.title}: choose the {self._now.ask}", self.text.currentText() or str(Path.home()))
        dialog.setFileMode(QFileDialog.FileMode.Directory if self._now.file == "folder" else QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.text.setEditText)
        # Not modal: warnings are answered beside it.
        dialog.setModal(False)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        self._dialog = dialog
