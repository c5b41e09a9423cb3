"""The help at the right of the window: the place in front, every key, what alarms mean, and what this program is and is not."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTextBrowser, QWidget

from gui import theme
from gui.desktop.help_text import ABOUT, PLACE_HELP, PLACE_KEYS, WARNINGS
from gui.desktop.keys import EVERYWHERE, TITLES, PlaceName
from gui.desktop.readiness import Ready
from navtwin import __version__

WIDTH = 400


class Help(QTextBrowser):
    """Help for the place in front; it stays open while one goes on working."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("help")
        self.setOpenExternalLinks(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._shown: tuple[object, ...] = ()

    def show_place(self, place: PlaceName, ready: Ready, citation: str) -> None:
        if not self.isVisible() or (place, ready, citation, theme.ink()) == self._shown:
            return
        turned = place != (self._shown[0] if self._shown else "")
        self._shown = (place, ready, citation, theme.ink())
        at = self.verticalScrollBar().value()
        self.setHtml(help_html(place, ready, citation))
        self.verticalScrollBar().setValue(0 if turned else at)

    def set_scale(self, scale: float) -> None:
        self.setFixedWidth(round(WIDTH * scale))
        self.document().setDefaultFont(theme.font(14 * scale))
        self._shown = ()


def help_html(place: PlaceName, ready: Ready, citation: str) -> str:
    """The help as HTML: of `place` first, then what holds everywhere."""
    keys = "".join(_row(", ".join(key.keys), key.does) for key in EVERYWHERE)
    here = "".join(_row(key, does) for key, does in PLACE_KEYS[place])
    told = "".join(f"<p>{escape(words)}</p>" for words in PLACE_HELP[place])
    warnings = "".join(f"<p>{escape(words)}</p>" for words in WARNINGS)
    about = "".join(f"<p>{escape(words)}</p>" for words in ABOUT)
    return f"""<h2>{TITLES[place]}</h2><p><b>Now: {escape(ready.words)}</b></p>{told}
    <h3>Keys here</h3><table cellspacing="4">{here}</table>
    <h3>Keys everywhere</h3><table cellspacing="4">{keys}</table>
    <h3>Warnings</h3>{warnings}
    <h3>About navtwin {escape(__version__)}</h3>{about}<p>{escape(citation)}</p>"""


def _row(keys: str, does: str) -> str:
    return f"<tr><td><b>{escape(keys)}</b>&nbsp;&nbsp;</td><td>{escape(does)}</td></tr>"
