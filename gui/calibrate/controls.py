"""Buttons with their keys, labelled rows, and words in a coloured box: the same in every step."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

#: How Qt spells the keys that people call otherwise.
SPELLED = {"Return": "Enter", "Escape": "Esc"}


def key_button(text: str, key: str, does: str, act: Callable[[], None], *, primary: bool = False, small: bool = False) -> QPushButton:
    """A button that the place's key `key` presses too; its tooltip says what it does and names the key."""
    button = QPushButton(text)
    button.setToolTip(f"{does} ({SPELLED.get(key, key)})")
    button.setAccessibleName(does)
    button.setProperty("key", key)
    button.setProperty("primary", primary)
    button.setProperty("small", small)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(lambda _checked: act())
    return button


def press(key: str, buttons: list[QPushButton]) -> bool:
    """Press the button of a key, where it is shown and may be pressed."""
    for button in buttons:
        if button.property("key") == key and button.isVisible() and button.isEnabled():
            button.click()
            return True
    return False


def said(tone: str = "") -> QLabel:
    """A box for words that are not always there; hidden while it has none."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if tone:
        label.setProperty("tone", tone)
    label.hide()
    return label


def dim(text: str = "", *, wrap: bool = True) -> QLabel:
    """Words of less weight."""
    label = QLabel(text)
    label.setProperty("dim", True)
    label.setWordWrap(wrap)
    return label


def row(grid: QGridLayout, title: str, field: QWidget, hint: str = "") -> tuple[QLabel, QWidget]:
    """A labelled field in the next row of a form; label and field are returned, to be hidden together."""
    at = grid.rowCount()
    label = QLabel(title)
    label.setBuddy(field)
    field.setAccessibleName(title)
    if hint:
        field.setToolTip(hint)
    grid.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop if field.sizeHint().height() > 80 else Qt.AlignmentFlag.AlignVCenter)
    grid.addWidget(field, at, 1)
    return label, field


def size(label: QLabel, size_px: float, weight: int = 600) -> None:
    """Type of its own size: the window's style sheet has a word for every widget, which a font set on one would not overrule."""
    label.setStyleSheet(f"font-size: {round(size_px)}px; font-weight: {weight};")


def show_if(widget: QWidget, *, visible: bool) -> None:
    """Show or hide; what is so already is left alone, for each change lays everything around it out anew."""
    if widget.isHidden() == visible:
        widget.setVisible(visible)
