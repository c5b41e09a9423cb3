"""The row of switches over the live picture: what is drawn on it, how opaque, and through which camera."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSlider, QWidget

from gui.augmented.drawing import Wanted
from navtwin.scene import palette

SETTINGS = ("navtwin", "augmented")
#: Name in `Wanted`, words, key, tooltip. Shift, because Navigate's plain letters are taken.
SWITCHES = (
    ("structures", "Structures", "Shift+S", "Outlines of critical structures and of the bone"),
    ("plan", "Plan", "Shift+P", "Planned paths"),
    ("drilling", "Drilling", "Shift+D", "The hole as the twin has it, and what is still to be removed"),
    ("instrument", "Instrument", "Shift+I", "Instruments as calibrated; the distance lines stay"),
    ("markers", "Markers", "Shift+M", "Corners of the markers that were found"),
)
LEAST_OPACITY, STEP = 20, 10


class Controls(QWidget):
    """The switches.

    Signals
    -------
    changed : something else is to be drawn
    camera_wanted : another camera's pictures are asked for
    zoom_wanted : the next magnification is asked for
    """

    changed = Signal()
    camera_wanted = Signal()
    zoom_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = parent
        self._kept = QSettings(*SETTINGS)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self.camera = self._button("", self.camera_wanted.emit)
        self.camera.setToolTip("Another camera (Shift+C)")
        self._key("Shift+C", self.camera.click)
        self.camera.hide()
        self.switches = {name: self._switch(*told) for name, *told in SWITCHES}
        self.zoom = self._button("Zoom", self.zoom_wanted.emit)
        self.zoom.setToolTip("Larger about the planned path, and back (Z); the wheel, about the pointer")
        self._key("Z", self.zoom.click)
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity.setRange(LEAST_OPACITY, 100)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.opacity.setToolTip("How opaque outlines and plan are ([ less, ] more)")
        self.opacity.setAccessibleName("Opacity of the overlay")
        self.opacity.setValue(int(str(self._kept.value("opacity", 100))))
        self.opacity.valueChanged.connect(self._changed)
        for key, step in (("[", -STEP), ("]", STEP)):
            self._key(key, partial(self._turn_opacity, step))
        self._row.addWidget(self.opacity)
        self.set_scale(1.0)

    @property
    def wanted(self) -> Wanted:
        return Wanted(**{name: switch.isChecked() for name, switch in self.switches.items()})

    def set_drilling(self, possible: bool) -> None:
        """Whether the open case has bone that can be drilled."""
        self.switches["drilling"].setVisible(possible)

    def set_camera(self, name: str, count: int) -> None:
        """The camera that is shown, of so many."""
        self.camera.setText(f"Camera: {name}")
        self.camera.setVisible(count > 1)

    def set_scale(self, scale: float) -> None:
        self._row.setSpacing(round(6 * scale))
        for button in (self.camera, *self.switches.values(), self.zoom):
            button.setMinimumHeight(round(32 * scale))
        self.opacity.setFixedWidth(round(110 * scale))
        self.opacity.setMinimumHeight(round(32 * scale))
        # Over a picture of the patient the picture's dark colours hold in both themes.
        groove, handle = round(4 * scale), round(16 * scale)
        self.opacity.setStyleSheet(
            f"QSlider::groove:horizontal {{ height: {groove}px; background: {palette.EDGE}; border-radius: {groove // 2}px; }}"
            f"QSlider::sub-page:horizontal {{ background: {palette.PLAN}; border-radius: {groove // 2}px; }}"
            f"QSlider::handle:horizontal {{ width: {handle}px; margin: -{(handle - groove) // 2}px 0;"
            f" background: {palette.TEXT}; border-radius: {handle // 2}px; }}"
        )

    def fit(self, width_px: int) -> None:
        """Take no more than this width: where there is little, the slider goes, whose keys stay."""
        self.opacity.show()
        self.adjustSize()
        if self.width() > width_px:
            self.opacity.hide()
            self.adjustSize()

    def _switch(self, words: str, key: str, tip: str) -> QPushButton:
        button = self._button(words, self._changed)
        button.setCheckable(True)
        name = next(n for n, w, *_ in SWITCHES if w == words)
        button.setChecked(self._kept.value(name, getattr(Wanted(), name), type=bool) is True)
        button.setToolTip(f"{tip} ({key})")
        self._key(key, button.click)
        return button

    def _button(self, words: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(words, self)
        button.setProperty("onpicture", True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _checked: act())
        self._row.addWidget(button)
        return button

    def _key(self, key: str, act: Callable[[], object]) -> None:
        # They hold for as long as the view is in front, wherever the focus is.
        QShortcut(QKeySequence(key), self._view).activated.connect(act)

    def _turn_opacity(self, step: int) -> None:
        self.opacity.setValue(self.opacity.value() + step)

    def _changed(self) -> None:
        for name, switch in self.switches.items():
            self._kept.setValue(name, switch.isChecked())
        self._kept.setValue("opacity", self.opacity.value())
        self.changed.emit()
