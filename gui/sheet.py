"""The window's style sheet: calm surfaces, few borders, one accent.

Properties a widget may set: QPushButton `primary` (what to do next: one in a place), `flat`, `small`, `onpicture`; QLabel `dim`, `onpicture`,
`tone` = bad | warn | good | news (a box with words); QFrame `card` (a panel with an edge).
Object names: `headline`, `detail`, `body`, `footer`, `rail`, `strip`, `acknowledge`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gui.ink import DARK, Ink, blend

#: From design pixels to a length of the sheet.
Px = Callable[[float], str]
#: Ticks and arrows, which a style sheet takes from files alone.
SIGNS = Path(__file__).parent / "signs"
FLAT, SMALL, PRIMARY, ON_PICTURE = '[flat="true"]', '[small="true"]', '[primary="true"]', '[onpicture="true"]'
#: Room around a button's words, above and beside them. With the least heights below it makes a target for a finger: 32 design pixels and more.
PADDING = {"": (8, 14), FLAT: (6, 11), SMALL: (3, 10), PRIMARY: (8, 14), ON_PICTURE: (6, 11)}
#: Share of a tone's colour in the surface of its box.
TINT = 0.13
#: Breadth and line of a tone's edge: it is told by these as well as by its colour.
TONES = {"bad": (8, "solid"), "warn": (6, "dashed"), "good": (3, "solid"), "news": (3, "dotted")}


def style_sheet(ink: Ink, scale: float) -> str:
    """The one style sheet, for type of a given scale."""

    def px(size: float) -> str:
        return f"{max(1, round(size * scale))}px"

    return "".join(part(ink, px) for part in (_surfaces, _words, _buttons, _on_picture, _inputs, _choices, _lists, _bars))


def _surfaces(ink: Ink, px: Px) -> str:
    return f"""
    QWidget {{ color: {ink.text}; font-size: {px(14)}; }}
    QMainWindow, QDialog, #body {{ background: {ink.background}; }}
    #footer {{ background: {ink.panel}; border-top: {px(1)} solid {ink.edge}; }}
    #rail {{ background: {ink.panel}; border-right: {px(1)} solid {ink.edge}; }}
    #strip, #strip QScrollArea, #strip #cards {{ background: {ink.panel}; border: none; }}
    #strip {{ border-left: {px(1)} solid {ink.edge}; }}
    QFrame[card="true"] {{ background: {ink.panel}; border: {px(1)} solid {ink.edge}; border-radius: {px(8)}; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QGroupBox {{ border: none; border-top: {px(1)} solid {ink.edge}; margin-top: {px(22)}; padding-top: {px(8)}; font-weight: 600; }}
    QGroupBox::title {{ subcontrol-origin: margin; subcontrol-position: top left; color: {ink.dim}; }}
    QSplitter::handle {{ background: {ink.edge}; }}
    QSplitter::handle:hover {{ background: {ink.accent}; }}
    QSplitter::handle:horizontal {{ width: {px(4)}; }}
    QSplitter::handle:vertical {{ height: {px(4)}; }}
    QToolTip {{ background: {ink.raised}; color: {ink.text}; border: {px(1)} solid {ink.quiet}; padding: {px(4)}; font-size: {px(13)}; }}
    """


def _words(ink: Ink, px: Px) -> str:
    boxes = "".join(
        f"""QLabel[tone="{tone}"] {{
            background: {blend(shade, ink.panel, TINT)}; color: {ink.text}; border: none; border-left: {px(broad)} {line} {shade};
            padding: {px(8)} {px(12)}; font-size: {px(14)};
        }}"""
        for (tone, (broad, line)), shade in zip(TONES.items(), (ink.bad, ink.warn, ink.good, ink.note), strict=True)
    )
    return f"""
    QLabel {{ background: transparent; }}
    QLabel#headline {{ font-size: {px(30)}; font-weight: 700; }}
    QLabel#detail {{ font-size: {px(18)}; }}
    QLabel[dim="true"] {{ color: {ink.dim}; font-size: {px(12)}; }}
    QLabel:disabled {{ color: {ink.disabled}; }}
    {boxes}
    """


def _padding(kind: str, px: Px, border: int) -> str:
    """Padding of a kind of button for a border of so many design pixels: the broader, the less, so that a ring moves nothing."""
    return " ".join(f"{_length(px, room) - _length(px, border) + _length(px, 1)}px" for room in PADDING[kind])


def _length(px: Px, size: float) -> int:
    return int(px(size).removesuffix("px"))


def _ringed(kind: str, ink: Ink, px: Px) -> str:
    return f"""
    QPushButton{kind}:checked {{ background: {ink.selected}; border: {px(2)} solid {ink.accent}; padding: {_padding(kind, px, 2)}; }}
    QPushButton{kind}:focus {{ border: {px(2)} solid {ink.text}; padding: {_padding(kind, px, 2)}; }}
    """


def _buttons(ink: Ink, px: Px) -> str:
    return f"""
    QPushButton, QToolButton {{
        background: {ink.raised}; color: {ink.text}; border: {px(1)} solid {ink.edge}; border-radius: {px(6)};
        padding: {_padding("", px, 1)}; min-height: {px(20)}; font-size: {px(14)};
    }}
    QPushButton:hover, QToolButton:hover {{ background: {ink.hover}; border-color: {ink.quiet}; }}
    QPushButton:pressed, QToolButton:pressed {{ background: {ink.pressed}; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {ink.disabled}; background: {ink.panel}; border: {px(1)} solid {ink.edge}; }}
    {_ringed("", ink, px)}
    QPushButton{FLAT} {{ background: transparent; border-color: transparent; padding: {_padding(FLAT, px, 1)}; }}
    QPushButton{FLAT}:hover {{ background: {ink.hover}; }}
    {_ringed(FLAT, ink, px)}
    QPushButton{SMALL} {{ padding: {_padding(SMALL, px, 1)}; min-height: {px(24)}; font-size: {px(13)}; border-radius: {px(5)}; }}
    {_ringed(SMALL, ink, px)}
    QPushButton{PRIMARY} {{
        background: {ink.accent}; color: {ink.on_accent}; border: {px(2)} solid {ink.accent}; padding: {_padding(PRIMARY, px, 2)}; font-weight: 700;
    }}
    QPushButton{PRIMARY}:hover {{ background: {blend(ink.text, ink.accent, 0.15)}; }}
    QPushButton{PRIMARY}:pressed {{ background: {blend(ink.background, ink.accent, 0.25)}; }}
    QPushButton{PRIMARY}:focus {{ border: {px(3)} solid {ink.text}; padding: {_padding(PRIMARY, px, 3)}; }}
    QPushButton{PRIMARY}:disabled {{
        background: {ink.panel}; color: {ink.disabled}; border: {px(1)} solid {ink.edge}; padding: {_padding(PRIMARY, px, 1)}; font-weight: 400;
    }}
    QPushButton#acknowledge {{
        font-size: {px(15)}; font-weight: 700; padding: 0 {px(8)}; background: {ink.text}; color: {ink.background}; border: none;
    }}
    QPushButton#acknowledge:hover {{ background: {blend(ink.text, ink.raised, 0.88)}; }}
    QPushButton#acknowledge:disabled {{ background: {ink.panel}; color: {ink.disabled}; border: {px(1)} solid {ink.edge}; }}
    """


def _on_picture(_: Ink, px: Px) -> str:
    ink = DARK
    return f"""
    QPushButton{ON_PICTURE} {{
        background: rgba(23, 28, 32, 215); color: {ink.text}; border: {px(1)} solid {ink.edge}; padding: {_padding(ON_PICTURE, px, 1)};
        font-size: {px(13)};
    }}
    QPushButton{ON_PICTURE}:hover {{ background: {ink.hover}; border-color: {ink.quiet}; }}
    QPushButton{ON_PICTURE}:pressed {{ background: {ink.pressed}; }}
    {_ringed(ON_PICTURE, ink, px)}
    QPushButton{ON_PICTURE}:disabled {{ background: rgba(23, 28, 32, 160); color: {ink.disabled}; border: {px(1)} solid {ink.edge}; }}
    QLabel{ON_PICTURE} {{
        background: rgba(23, 28, 32, 225); color: {ink.text}; border: {px(1)} dashed {ink.unknown}; border-radius: {px(5)}; padding: {px(4)} {px(10)};
    }}
    """


def _sign(name: str, ink: Ink) -> str:
    return f'url("{(SIGNS / f"{name}_{ink.name}.svg").as_posix()}")'


def _boxes(state: str = "") -> str:
    return ", ".join(f"{kind}::indicator{state}" for kind in ("QCheckBox", "QListView", "QTreeView", "QTableView", "QGroupBox"))


def _inputs(ink: Ink, px: Px) -> str:
    kinds = ("QLineEdit", "QAbstractSpinBox", "QComboBox", "QPlainTextEdit", "QTextEdit")

    def each(state: str = "") -> str:
        return ", ".join(kind + state for kind in kinds)

    return f"""
    {each()} {{
        background: {ink.raised}; color: {ink.text}; border: {px(1)} solid {ink.quiet}; border-radius: {px(5)}; padding: {px(4)} {px(8)};
        selection-background-color: {ink.accent}; selection-color: {ink.on_accent};
    }}
    QLineEdit, QAbstractSpinBox, QComboBox {{ min-height: {px(24)}; }}
    {each(":focus")} {{ border: {px(2)} solid {ink.accent}; }}
    {each(":disabled")} {{ color: {ink.disabled}; background: {ink.panel}; border: {px(1)} solid {ink.edge}; }}
    QLineEdit:read-only {{ background: {ink.panel}; border-color: {ink.edge}; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ subcontrol-origin: border; width: {px(26)}; border: none; }}
    QAbstractSpinBox::up-button {{ subcontrol-position: top right; }}
    QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; }}
    QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {ink.hover}; }}
    QAbstractSpinBox::up-arrow {{ image: {_sign("up", ink)}; width: {px(12)}; height: {px(12)}; }}
    QAbstractSpinBox::down-arrow {{ image: {_sign("down", ink)}; width: {px(12)}; height: {px(12)}; }}
    /* The text of a spin box takes no padding from a sheet: at its right it stands clear of the border. */
    QAbstractSpinBox {{ qproperty-alignment: 'AlignRight | AlignVCenter'; }}
    QComboBox::down-arrow {{ image: {_sign("down", ink)}; width: {px(14)}; height: {px(14)}; }}
    QComboBox::drop-down {{ subcontrol-origin: border; subcontrol-position: center right; width: {px(28)}; border: none; }}
    QComboBox QAbstractItemView {{ background: {ink.raised}; border: {px(1)} solid {ink.quiet}; outline: none; }}
    QComboBox QAbstractItemView::item {{ min-height: {px(32)}; }}
    """


def _choices(ink: Ink, px: Px) -> str:
    # A radius of more than half the whole box, border counted, is not drawn at all.
    half = (_length(px, 18) + 2 * _length(px, 2)) // 2
    return f"""
    QCheckBox, QRadioButton {{
        spacing: {px(9)}; padding: {px(5)} {px(3)}; border: {px(2)} solid transparent; border-radius: {px(5)}; background: transparent;
    }}
    QCheckBox:focus, QRadioButton:focus {{ border-color: {ink.accent}; }}
    QCheckBox:disabled, QRadioButton:disabled {{ color: {ink.disabled}; }}
    {_boxes()} {{ width: {px(18)}; height: {px(18)}; border: {px(2)} solid {ink.quiet}; border-radius: {px(4)}; background: {ink.raised}; }}
    {_boxes(":checked")} {{ background: {ink.accent}; border-color: {ink.accent}; image: {_sign("tick", ink)}; }}
    {_boxes(":indeterminate")} {{ background: {ink.quiet}; border-color: {ink.quiet}; }}
    {_boxes(":disabled")} {{ background: {ink.panel}; border: {px(1)} solid {ink.edge}; }}
    {_boxes(":checked:disabled")} {{ background: {ink.disabled}; }}
    QRadioButton::indicator {{
        width: {px(18)}; height: {px(18)}; border: {px(2)} solid {ink.quiet}; border-radius: {half}px; background: {ink.raised};
    }}
    QRadioButton::indicator:checked {{
        border-color: {ink.accent};
        background: qradialgradient(cx:0.5, cy:0.5, radius:0.5, fx:0.5, fy:0.5, stop:0 {ink.accent}, stop:0.55 {ink.accent}, stop:0.6 {ink.raised});
    }}
    QRadioButton::indicator:disabled {{ border-color: {ink.edge}; }}
    QSlider {{ min-height: {px(30)}; border: {px(2)} solid transparent; border-radius: {px(5)}; background: transparent; }}
    QSlider:focus {{ border-color: {ink.accent}; }}
    QSlider::groove:horizontal {{ height: {px(5)}; background: {ink.quiet}; border-radius: {px(2)}; }}
    QSlider::sub-page:horizontal {{ background: {ink.accent}; border-radius: {px(2)}; }}
    QSlider::handle:horizontal {{
        background: {ink.text}; border: none; width: {px(20)}; height: {px(20)}; margin: -{px(8)} 0; border-radius: {px(10)};
    }}
    QSlider::groove:vertical {{ width: {px(5)}; background: {ink.quiet}; border-radius: {px(2)}; }}
    QSlider::handle:vertical {{
        background: {ink.text}; border: none; width: {px(20)}; height: {px(20)}; margin: 0 -{px(8)}; border-radius: {px(10)};
    }}
    QSlider::handle:disabled {{ background: {ink.disabled}; }}
    QSlider::sub-page:disabled {{ background: {ink.quiet}; }}
    """


def _lists(ink: Ink, px: Px) -> str:
    return f"""
    QListView, QTreeView, QTableView, QTextBrowser {{
        background: {ink.panel}; alternate-background-color: {ink.raised}; border: {px(1)} solid {ink.edge}; border-radius: {px(5)};
        gridline-color: {ink.edge}; selection-background-color: {ink.selected}; selection-color: {ink.text}; outline: none;
    }}
    QListView:focus, QTreeView:focus, QTableView:focus {{ border: {px(1)} solid {ink.accent}; }}
    QListView::item, QTreeView::item, QTableView::item {{ padding: {px(5)} {px(8)}; }}
    QListView::item, QTreeView::item {{ min-height: {px(24)}; border-left: {px(3)} solid transparent; }}
    QListView::item:hover, QTreeView::item:hover, QTableView::item:hover {{ background: {ink.hover}; }}
    QListView::item:selected, QTreeView::item:selected, QTableView::item:selected {{ background: {ink.selected}; color: {ink.text}; }}
    QListView::item:selected, QTreeView::item:selected {{ border-left: {px(3)} solid {ink.accent}; }}
    QHeaderView {{ background: {ink.panel}; border: none; }}
    QHeaderView::section {{
        background: {ink.panel}; color: {ink.dim}; border: none; border-bottom: {px(1)} solid {ink.edge}; padding: {px(5)} {px(8)};
        font-size: {px(12)};
    }}
    QTableCornerButton::section {{ background: {ink.panel}; border: none; }}
    QMenu {{ background: {ink.raised}; border: {px(1)} solid {ink.quiet}; padding: {px(4)}; }}
    QMenu::item {{ padding: {px(8)} {px(22)}; border-radius: {px(4)}; }}
    QMenu::item:selected {{ background: {ink.selected}; }}
    QMenu::item:disabled {{ color: {ink.disabled}; }}
    QMenu::separator {{ height: 1px; background: {ink.edge}; margin: {px(4)} {px(8)}; }}
    QTabWidget::pane {{ background: {ink.panel}; border: none; border-top: {px(1)} solid {ink.edge}; }}
    QTabBar {{ background: {ink.panel}; border: none; qproperty-drawBase: 0; }}
    QTabBar::tab {{
        background: {ink.panel}; color: {ink.dim}; padding: {px(8)} {px(16)}; border: none; border-bottom: {px(3)} solid transparent;
    }}
    QTabBar::tab:hover {{ background: {ink.hover}; color: {ink.text}; }}
    QTabBar::tab:selected {{ color: {ink.text}; border-bottom-color: {ink.accent}; }}
    QTabBar::tab:focus {{ background: {ink.selected}; }}
    QTabBar::tab:disabled {{ color: {ink.disabled}; }}
    """


def _bars(ink: Ink, px: Px) -> str:
    return f"""
    QProgressBar {{
        background: {ink.raised}; color: {ink.text}; border: {px(1)} solid {ink.edge}; border-radius: {px(4)}; min-height: {px(14)};
        text-align: center; font-size: {px(12)};
    }}
    QProgressBar::chunk {{ background: {blend(ink.accent, ink.raised, 0.45)}; border-radius: {px(3)}; }}
    QScrollBar {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ width: {px(12)}; }}
    QScrollBar:horizontal {{ height: {px(12)}; }}
    QScrollBar::handle {{ background: {ink.quiet}; border-radius: {px(4)}; margin: {px(2)}; }}
    QScrollBar::handle:vertical {{ min-height: {px(36)}; }}
    QScrollBar::handle:horizontal {{ min-width: {px(36)}; }}
    QScrollBar::handle:hover {{ background: {ink.dim}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """
