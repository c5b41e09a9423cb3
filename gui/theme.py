"""Type and colour of the window: the theme that holds, and fonts that are there on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontDatabase, QPainter, QPalette, QPen
from PySide6.QtWidgets import QApplication, QLabel, QLayout, QPushButton, QWidget

from gui import sheet
from gui.ink import DARK, INKS, Ink, blend
from navtwin.bus.signals import SIGNALS
from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Level, Priority
from navtwin.scene.caption import font_file

FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "Liberation Sans", "DejaVu Sans"]
#: The window is drawn for this size and grows its type with larger ones.
DESIGN_WIDTH, DESIGN_HEIGHT = 1280, 800
MOST_SCALE = 3.0
#: Between flashes a colour sinks to this share of itself: lit or not, it can be told which colour it is.
UNLIT = 0.38

_chosen = {"now": DARK}


def ink() -> Ink:
    """The colours now; asked for at each painting, so that a change of theme shows at the next."""
    return _chosen["now"]


def choose(name: str) -> Ink:
    """Take the theme `dark` or `light` for what is painted from now on.

    Raises
    ------
    InputRefused : no theme has that name
    """
    if name not in INKS:
        raise InputRefused(f"there is no theme '{name}'", nearest(name, INKS))
    _chosen["now"] = INKS[name]
    app = QApplication.instance()
    if isinstance(app, QApplication):
        app.setPalette(_native(INKS[name]))
    return INKS[name]


@contextmanager
def painted_in(name: str) -> Iterator[None]:
    """What is painted within is in this theme, whatever the window is in: a picture for paper is light."""
    before = _chosen["now"]
    _chosen["now"] = INKS[name]
    try:
        yield
    finally:
        _chosen["now"] = before


def prepare(app: QApplication) -> None:
    """Give the application its fonts and base style."""
    for bold in (False, True):
        QFontDatabase.addApplicationFont(str(font_file(bold=bold)))
    app.setStyle("Fusion")
    app.setFont(font(14))
    app.setPalette(_native(ink()))


def _native(ink: Ink) -> QPalette:
    """The colours for what the base style draws by itself: ticks, arrows, what the style sheet does not name."""
    made = QPalette()
    roles = {
        "Window": ink.background, "WindowText": ink.text, "Base": ink.raised, "AlternateBase": ink.panel, "Text": ink.text, "Button": ink.raised,
        "ButtonText": ink.text, "BrightText": ink.bad, "Highlight": ink.accent, "HighlightedText": ink.on_accent, "ToolTipBase": ink.raised,
        "ToolTipText": ink.text, "PlaceholderText": ink.dim, "Link": ink.accent, "LinkVisited": ink.accent, "Accent": ink.accent, "Light": ink.hover,
        "Midlight": ink.hover, "Mid": ink.edge, "Dark": ink.quiet, "Shadow": ink.edge,
    }  # fmt: skip
    for role, shade in roles.items():
        made.setColor(QPalette.ColorRole[role], QColor(shade))
    for role in ("WindowText", "Text", "ButtonText"):
        made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole[role], QColor(ink.disabled))
    return made


def font(size_px: float, *, weight: int = QFont.Weight.Normal) -> QFont:
    """A font of the house, in pixels."""
    made = QFont()
    made.setFamilies(FAMILIES)
    made.setPixelSize(max(8, round(size_px)))
    made.setWeight(QFont.Weight(weight))
    return made


def scale_for(width: int, height: int) -> float:
    """How much larger than designed everything is drawn, in steps, so that dragging an edge does not restyle at each pixel."""
    exact = min(width / DESIGN_WIDTH, height / DESIGN_HEIGHT)
    return min(MOST_SCALE, max(0.85, round(exact * 10.0) / 10.0))


def place(window: QWidget) -> None:
    """Fill the screen: type grows with it, so that a larger one is read from further away."""
    window.setGeometry(window.screen().availableGeometry())
    window.setWindowState(Qt.WindowState.WindowMaximized)


def color(priority: Priority) -> QColor:
    """The indicator colour of a priority, as a fill: the same in both themes."""
    return QColor(SIGNALS[priority].rgb)


def level_color(level: Level) -> QColor:
    """A level's colour as a fill."""
    return QColor(ink().quiet) if level == "CLEAR" else color("medium" if level == "CAUTION" else "high")


def sunk(color: QColor) -> QColor:
    """An indicator colour between its flashes: dark in both themes, so that it flashes as plainly on a light surface. Light type stands on it."""
    return QColor(blend(color.name(), DARK.panel, UNLIT))


def hatch(painter: QPainter, box: QRect, spacing_px: float = 9.0, ink: Ink = DARK) -> None:
    """Fill a box with the mark of the unknown; a surface of the window gives its ink, a picture of the patient none."""
    painter.save()
    painter.setClipRect(box)
    painter.fillRect(box, QColor(ink.raised))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(ink.unknown), 1.4))
    x = float(box.left() - box.height())
    while x < box.right():
        painter.drawLine(round(x), box.bottom() + 1, round(x) + box.height(), box.top())
        x += spacing_px
    painter.restore()


def fill(painter: QPainter, box: QRect, shade: str | QColor, radius_px: float = 0.0) -> None:
    """Fill a box, with round corners if asked."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(QColor(shade)))
    painter.drawRoundedRect(box, radius_px, radius_px)


def restyle(widget: QWidget) -> None:
    """Show a changed property: a style sheet looks at properties when it polishes, a frame at its margins when told of a new style."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    QApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))


def set_tone(label: QLabel, tone: str) -> None:
    """Change the tone of a label's box, "" for no box."""
    if (label.property("tone") or "") != tone:
        label.setProperty("tone", tone or None)
        restyle(label)


def say(label: QLabel, words: str, tone: str | None = None) -> None:
    """Put words into a label, which is hidden while there are none; without a tone it keeps its own."""
    if tone is not None:
        set_tone(label, tone)
    label.setText(words)
    label.setVisible(bool(words))


def set_primary(button: QPushButton, *, primary: bool) -> None:
    """Give a button the accent of what to press next, or take it."""
    if bool(button.property("primary")) != primary:
        button.setProperty("primary", primary)
        restyle(button)


def empty(layout: QLayout) -> None:
    """Take every widget out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if isinstance(widget, QWidget):
            widget.setParent(None)
            widget.deleteLater()


def style_sheet(scale: float) -> str:
    """The one style sheet, in the colours now, for type of a given scale."""
    return sheet.style_sheet(ink(), scale)
