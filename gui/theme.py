"""Type and colour of the window: one dark style sheet, and fonts that are there on every machine."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontDatabase, QPainter, QPen
from PySide6.QtWidgets import QApplication, QLayout, QWidget

from gui.ink import DARK, INKS, Ink
from navtwin.bus.signals import SIGNALS
from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Priority
from navtwin.scene import palette
from navtwin.scene.caption import font_file

FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "Liberation Sans", "DejaVu Sans"]
#: The window is drawn for this size and grows its type with larger ones.
DESIGN_WIDTH, DESIGN_HEIGHT = 1280, 800
MOST_SCALE = 1.6

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
    return INKS[name]


def prepare(app: QApplication) -> None:
    """Give the application its fonts and base style."""
    for bold in (False, True):
        QFontDatabase.addApplicationFont(str(font_file(bold=bold)))
    app.setStyle("Fusion")
    app.setFont(font(14))


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
    """Fill a small screen; on a large one take what the type is made for and leave the rest."""
    free = window.screen().availableGeometry()
    size = free.size().boundedTo(QSize(round(DESIGN_WIDTH * MOST_SCALE), round(DESIGN_HEIGHT * MOST_SCALE)))
    window.setGeometry(QRect(free.topLeft(), size))


def color(priority: Priority) -> QColor:
    """The indicator colour of a priority."""
    return QColor(SIGNALS[priority].rgb)


def hatch(painter: QPainter, box: QRect, spacing_px: float = 9.0) -> None:
    """Fill a box with the mark of the unknown."""
    painter.save()
    painter.setClipRect(box)
    painter.fillRect(box, QColor(palette.RAISED))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(palette.UNKNOWN), 1.4))
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


def empty(layout: QLayout) -> None:
    """Take every widget out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if isinstance(widget, QWidget):
            widget.setParent(None)
            widget.deleteLater()


def style_sheet(scale: float) -> str:
    """The one style sheet, for type of a given scale."""

    def px(size: float) -> str:
        return f"{round(size * scale)}px"

    return f"""
    QWidget {{ color: {palette.TEXT}; font-size: {px(14)}; }}
    QLabel#headline {{ font-size: {px(25)}; font-weight: 700; }}
    QLabel#detail {{ font-size: {px(17)}; }}
    QMainWindow, QDialog, #body {{ background: {palette.BACKGROUND}; }}
    #footer {{ background: {palette.PANEL}; border-top: 1px solid {palette.EDGE}; }}
    #strip, #strip QScrollArea, #strip #cards {{ background: {palette.PANEL}; border: none; }}
    #strip {{ border-left: 1px solid {palette.EDGE}; }}
    QLabel {{ background: transparent; }}
    QLabel[dim="true"] {{ color: {palette.DIM}; font-size: {px(12)}; }}
    QPushButton {{
        background: {palette.RAISED}; border: 1px solid {palette.EDGE}; border-radius: {px(6)};
        padding: {px(7)} {px(13)}; font-size: {px(14)};
    }}
    QPushButton:hover {{ background: #2a333a; border-color: #4a5660; }}
    QPushButton:pressed {{ background: #1a2025; }}
    QPushButton:focus {{ border-color: {palette.TEXT}; }}
    QPushButton:disabled {{ color: #5d6870; background: {palette.PANEL}; border-color: #283037; }}
    QPushButton:checked {{ background: #33414b; border-color: #7f909c; }}
    QPushButton#acknowledge {{
        font-size: {px(15)}; font-weight: 700; padding: 0 {px(8)}; background: {palette.TEXT}; color: {palette.BACKGROUND}; border: none;
    }}
    QPushButton#acknowledge:hover {{ background: #ffffff; }}
    QPushButton#acknowledge:disabled {{ background: {palette.RAISED}; color: #66717a; }}
    QPushButton[small="true"] {{
        padding: {px(2)} {px(9)}; font-size: {px(12)}; border-radius: {px(4)};
        background: rgba(10, 13, 15, 150); border-color: rgba(255, 255, 255, 70);
    }}
    QPushButton[flat="true"] {{ background: rgba(23, 28, 32, 215); border-color: {palette.EDGE}; padding: {px(5)} {px(11)}; font-size: {px(13)}; }}
    QPushButton[flat="true"]:checked {{ background: #3a4853; border-color: #8fa0ac; }}
    QToolTip {{ background: {palette.RAISED}; color: {palette.TEXT}; border: 1px solid {palette.EDGE}; }}
    QScrollBar:vertical {{ background: transparent; width: {px(8)}; }}
    QScrollBar::handle:vertical {{ background: {palette.EDGE}; border-radius: {px(4)}; min-height: {px(30)}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
    """
