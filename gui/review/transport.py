"""The bar under the picture: to the last and next alert, a frame back and on, play, speed, bookmark, and where the playhead stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from gui.review.axis import time_words
from gui.review.player import Player
from gui.review.session import Session

#: Name, what the button shows, what it does in words, its keys.
ACTIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("last_alert", "⇤ Alert", "to the last alert", ("Shift+Left",)),
    ("back", "◂", "one frame back", ("Left",)),
    ("play", "▶  Play", "play or pause", ("L",)),
    ("on", "▸", "one frame on", ("Right",)),
    ("next_alert", "Alert ⇥", "to the next alert", ("Shift+Right",)),
    ("slower", "−", "slower", ("-",)),
    ("faster", "+", "faster", ("+", "=")),
    ("note", "Bookmark", "a bookmark of your own, kept beside the log", ("B",)),
    ("whole", "All", "show the whole session", ("0",)),
    ("navigation", "Navigation", "show the navigation only", ("9",)),
)
#: Keys without a button.
KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (("first", ("Home",)), ("last", ("End",)))


class Transport(QFrame):
    """The buttons and their keys, which hold wherever the focus is in `scope`.

    Parameters
    ----------
    act : called with an action's name
    write : called with the text of a new bookmark
    """

    def __init__(self, act: Callable[[str], None], write: Callable[[str], None], scope: QWidget) -> None:
        super().__init__(scope)
        self.setObjectName("footer")
        self._write = write
        self.buttons: dict[str, QPushButton] = {}
        self.where = QLabel("0:00.0")
        self.where.setObjectName("detail")
        self.speed = QLabel("1×")
        self.text = QLineEdit(self)
        self.text.setPlaceholderText("Bookmark: what is to be seen here? Enter keeps it, Escape does not")
        self.text.setAccessibleName("text of the bookmark")
        self.text.hide()
        self.text.returnPressed.connect(self._keep)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(6)
        for name, label, words, keys in ACTIONS:
            button = QPushButton(label, self)
            button.setToolTip(f"{words[0].upper()}{words[1:]} ({' or '.join(keys)})")
            button.setAccessibleName(words)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked, name=name: act(name))
            self.buttons[name] = button
            row.addWidget(button)
            if name == "slower":
                row.addWidget(self.speed)
            if name in ("next_alert", "faster", "note"):
                row.addSpacing(8)
        row.addWidget(self.text, 1)
        row.addStretch()
        row.addWidget(self.where)
        for name, keys in (*((name, keys) for name, _, _, keys in ACTIONS), *KEYS):
            for key in keys:
                self._key(scope, key, lambda name=name: act(name))  # type: ignore[misc]
        self._key(self.text, "Escape", self.text.hide)

    def ask_note(self) -> None:
        """Open the line for a bookmark's text."""
        self.text.clear()
        self.text.show()
        self.text.setFocus()

    def show_player(self, player: Player, session: Session) -> None:
        playing = "❚❚  Pause" if player.playing else "▶  Play"
        if self.buttons["play"].text() != playing:
            self.buttons["play"].setText(playing)
        self.speed.setText(f"{player.speed:g}×")
        phase = "navigation" if session.navigation_ns <= player.at_ns and session.navigating.any() else "set-up"
        self.where.setText(f"{time_words(player.at_ns)} / {time_words(session.end_ns)}   {phase}")

    def set_scale(self, scale: float) -> None:
        self.setFixedHeight(round(52 * scale))

    def _keep(self) -> None:
        text = self.text.text().strip()
        self.text.hide()
        if text:
            self._write(text)

    def _key(self, scope: QWidget, key: str, act: Callable[[], None]) -> None:
        shortcut = QShortcut(QKeySequence(key), scope)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)
