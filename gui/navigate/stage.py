"""The middle of the window: the picture, and what lies over it: view buttons, what is not known, what became of orders, and the lost link."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QWidget

from gui import theme
from gui.link.board import Moment, Word
from navtwin.bus.signals import SIGNALS
from navtwin.bus.words import STATUS_WORDS, duration_words, name_words
from navtwin.scene import palette
from navtwin.scene.views import VIEW_TITLES, VIEWS, ViewName

#: Short, since the bar shares its width with the picture.
VIEW_WORDS: dict[ViewName, str] = {"posterior": "Back", "left": "Left", "axial": "Head", "tip": "Tip"}
WORD_LASTS_NS = 5_000_000_000
#: A picture further behind than this says so (DESIGN section 4: beyond 250 ms a source is too slow to navigate by).
LATE_NS = 250_000_000


class LinkOverlay(QWidget):
    """Covers the picture while the core is not heard."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.title, self.detail = "", ""
        self._color, self._scale = QColor(palette.TEXT), 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_moment(self, moment: Moment, where: str, trouble: str, other: str) -> None:
        covers = moment.link_lost or bool(other)
        self.setVisible(covers)
        if not covers:
            return
        silence = duration_words(moment.silence_ns)
        title, detail, shade = {
            "lost": ("LINK LOST", f"Nothing heard from the core for {silence}. Nothing is known.", SIGNALS["high"].rgb),
            "ended": ("SESSION ENDED", "The core has ended the session. Nothing is known any more.", palette.TEXT),
            "up": ("ANOTHER CASE", f"{other[:1].upper()}{other[1:]}. Nothing is drawn here.", SIGNALS["medium"].rgb),
        }.get(moment.link, ("WAITING FOR THE CORE", f"Listening at {where} for {silence}", SIGNALS["medium"].rgb))
        self._color = QColor(shade)
        self.title, self.detail = title, trouble or detail
        self.setAccessibleName(f"{self.title}. {self.detail}")
        self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(palette.BACKGROUND)
        veil.setAlpha(215)
        painter.fillRect(self.rect(), veil)
        s, middle = self._scale, self.rect().center()
        box = QRect(middle.x() - round(270 * s), middle.y() - round(70 * s), round(540 * s), round(140 * s))
        theme.fill(painter, box, palette.PANEL, 10 * s)
        painter.fillRect(QRect(box.left(), box.top() + round(10 * s), round(6 * s), box.height() - round(20 * s)), self._color)
        painter.setPen(self._color)
        painter.setFont(theme.font(34 * s, weight=QFont.Weight.Bold))
        painter.drawText(box.adjusted(0, round(14 * s), 0, -round(58 * s)), Qt.AlignmentFlag.AlignCenter, self.title)
        painter.setPen(QColor(palette.TEXT))
        painter.setFont(theme.font(15 * s))
        lower = box.adjusted(round(20 * s), round(74 * s), -round(20 * s), -round(14 * s))
        painter.drawText(lower, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), self.detail)
        painter.end()


class GoneCover(QWidget):
    """Hatches the picture for as long as it still shows an instrument that is no longer known."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = ""
        self._scale = 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_instruments(self, gone: frozenset[str]) -> None:
        self.setVisible(bool(gone))
        words = ", ".join(f"{name_words(name)} UNKNOWN" for name in sorted(gone))
        if words != self.words:
            self.words = words
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme.hatch(painter, self.rect(), 24.0 * self._scale)
        painter.setFont(theme.font(30 * self._scale, weight=QFont.Weight.Bold))
        painter.setPen(QColor(palette.TEXT))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.words)
        painter.end()


class Stage(QWidget):
    """Holds the picture's widget and its overlays in place.

    Parameters
    ----------
    chosen : called with the view that was chosen
    skin : called with whether faint structures are to be shown
    freeze : called to stop or resume the picture
    slices : called with whether slices are to be shown
    camera : called with whether the live picture is to be shown
    go : called with the place to be led to: `calibrate`, where a session is started, or `review`
    """

    def __init__(
        self,
        chosen: Callable[[ViewName], None],
        skin: Callable[[bool], None],
        freeze: Callable[[], None],
        slices: Callable[[bool], None],
        camera: Callable[[bool], None],
        go: Callable[[str], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._picture: QWidget | None = None
        self._corner: QWidget | None = None
        self._foot: QWidget | None = None
        self._legend: QWidget | None = None
        self.slices = self._switch("Slices", "S", "slices through the tip", lambda: slices(self.slices.isChecked()))
        self.skin = self._switch("Skin", "N", "structures that are so faint that they hide what lies within", lambda: skin(self.skin.isChecked()))
        self.freeze = self._switch("Freeze", "F", "stop this picture; values and alerts go on", freeze)
        self.camera = self._switch("Camera", "V", "the live picture with the case projected into it", lambda: camera(self.camera.isChecked()))
        self._bar, self._buttons = self._view_bar(chosen)
        self.frozen = _tag(self, "background: rgba(255, 214, 10, 230); color: #11161a; font-weight: 700;")
        self.late = _tag(self, "background: rgba(255, 214, 10, 230); color: #11161a; font-weight: 700;")
        self.bone = _tag(self, f"background: rgba(23, 28, 32, 235); border: 2px dashed {palette.UNKNOWN}; font-weight: 700;")
        self.gone = GoneCover(self)
        self.unknown = _tag(self, f"background: rgba(23, 28, 32, 225); border: 1px dashed {palette.UNKNOWN};")
        self.word = _tag(self, "background: rgba(32, 39, 44, 235);")
        self.overlay = LinkOverlay(self)
        self.start = self._flat("Start a session …", partial(go, "calibrate"))
        self.start.setToolTip("Choose where poses come from, in Calibrate (2)")
        self.review = self._flat("Look back at it", partial(go, "review"))
        self.review.setToolTip("Open the log of this session, in Review (5)")
        for button in (self.start, self.review):
            button.hide()
        self._scale = 1.0

    def set_picture(self, widget: QWidget) -> None:
        """Put the picture under everything else."""
        self._picture = widget
        widget.setParent(self)
        widget.lower()
        self._place()

    def set_corner(self, widget: QWidget) -> None:
        """Put a widget into the lower right corner, over the picture and what covers it, below the word of a lost link."""
        self._corner = widget
        widget.setParent(self)
        self.overlay.raise_()
        self.start.raise_()
        self.review.raise_()
        self._place()

    def set_drilling(self, panel: QWidget, legend: QWidget) -> None:
        """Put the drill's card into the lower left corner, and the legend of drilled bone into the upper right one."""
        self._foot, self._legend = panel, legend
        for widget in (panel, legend):
            widget.setParent(self)
        self.overlay.raise_()
        panel.raise_()
        self.start.raise_()
        self.review.raise_()
        self._place()

    def show_bone(self, words: str) -> None:
        """What of the drilled bone is not known, "" where all is."""
        _say(self.bone, words[:1].upper() + words[1:])

    def allow_camera(self, films: bool) -> None:
        """Whether the session's source has live pictures."""
        self.camera.setEnabled(films or self.camera.isChecked())

    def choose(self, view: ViewName) -> None:
        """Mark the button of `view`."""
        self._buttons[view].setChecked(True)

    def show_moment(self, moment: Moment, frozen_ns: int | None, word: Word | None, now_ns: int, where: str, trouble: str, other: str) -> None:
        self.overlay.show_moment(moment, where, trouble, other)
        self.start.setVisible(moment.link in ("waiting", "ended"))
        self.review.setVisible(moment.link == "ended")
        self.freeze.setChecked(frozen_ns is not None)
        _say(self.frozen, "" if frozen_ns is None else f"PICTURE FROZEN  {duration_words(now_ns - frozen_ns)}    values and alerts go on")
        _say(self.unknown, "" if moment.link_lost or other else unknown_words(moment))
        fresh = word is not None and now_ns - word.at_ns < WORD_LASTS_NS
        _say(self.word, ("✓  " if word.good else "✕  ") + word.text if word and fresh else "")
        self._place()

    def show_lateness(self, gone: frozenset[str], lag_ns: int) -> None:
        """Cover a picture that still shows what is no longer known, until it is painted anew; say so where it only lags."""
        self.gone.show_instruments(gone)
        _say(self.late, f"PICTURE LATE  {duration_words(lag_ns)}" if lag_ns > LATE_NS else "")

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.overlay.set_scale(scale)
        self.gone.set_scale(scale)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        gap, w, h = round(12 * self._scale), self.width(), self.height()
        if self._picture is not None and self._picture.geometry() != self.rect():
            self._picture.setGeometry(self.rect())
        self.overlay.setGeometry(self.rect())
        self.gone.setGeometry(self.rect())
        beside = self._corner.width() + gap if self._corner is not None and self._corner.isVisibleTo(self) else 0
        for tag in (self.unknown, self.word, self.frozen, self.late, self.bone):
            tag.setFixedWidth(max(120, min(_words_width(tag), w - 2 * gap - (beside if tag in (self.unknown, self.word) else 0))))
        for widget in (self._bar, self.start, self.review, self.frozen, self.late, self.bone, self.unknown, self.word):
            widget.adjustSize()
        self._bar.move(gap, gap)
        shown = [button for button in (self.start, self.review) if button.isVisibleTo(self)]
        x = (w - sum(button.width() for button in shown) - gap * (len(shown) - 1)) // 2
        for button in shown:
            button.move(x, h // 2 + round(84 * self._scale))
            x += button.width() + gap
        self.frozen.move((w - self.frozen.width()) // 2, gap + self._bar.height() + gap)
        self.late.move((w - self.late.width()) // 2, gap + self._bar.height() + gap)
        if self._corner is not None:
            self._corner.move(w - self._corner.width() - gap, h - self._corner.height() - gap)
        below = gap
        foot = [self._foot] if self._foot is not None else []
        for widget in (*foot, self.unknown, self.word):
            widget.move(gap, h - widget.height() - below)
            below += widget.height() + gap if widget.isVisibleTo(self) else 0
        top = self._bar.height() + 2 * gap
        if self._legend is not None:
            self._legend.move(w - self._legend.width() - gap, top)
        late = self.late.height() + gap if self.late.isVisibleTo(self) or self.frozen.isVisibleTo(self) else 0
        self.bone.move(gap, top + late)

    def _view_bar(self, chosen: Callable[[ViewName], None]) -> tuple[QWidget, dict[ViewName, QPushButton]]:
        bar = QWidget(self)
        layout = QHBoxLayout(bar)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        group = QButtonGroup(bar)
        buttons: dict[ViewName, QPushButton] = {}
        for n, view in enumerate(VIEWS, start=1):
            # A view that is pressed again is taken again: the way back after turning the picture by hand.
            button = self._switch(VIEW_WORDS[view], f"Ctrl+{n}", f"stand here: {VIEW_TITLES[view].lower()}", partial(chosen, view))
            group.addButton(button)
            layout.addWidget(button)
            buttons[view] = button
        layout.addSpacing(10)
        for switch in (self.camera, self.skin, self.slices, self.freeze):
            layout.addWidget(switch)
        return bar, buttons

    def _switch(self, text: str, key: str, does: str, act: Callable[[], None]) -> QPushButton:
        button = self._flat(text, act)
        button.setCheckable(True)
        button.setShortcut(key)
        button.setToolTip(f"{does[0].upper()}{does[1:]} ({key})")
        return button

    def _flat(self, text: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("flat", True)
        button.setProperty("onpicture", True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _checked: act())
        return button


def unknown_words(moment: Moment) -> str:
    """Which instruments are not in the picture, and why; those in use first."""
    if moment.state is None:
        return "no instrument is shown: UNKNOWN (too old)"
    in_use = moment.alerts.health.selected if moment.alerts else ()
    gone = [i for i in moment.state.instruments if i.status != "OK"]
    gone.sort(key=lambda i: i.instrument not in in_use)
    return "     ".join(f"{name_words(i.instrument)}: UNKNOWN ({STATUS_WORDS[i.status]})" for i in gone)


def _tag(parent: QWidget, style: str) -> QLabel:
    label = QLabel(parent)
    # Over a picture, and so on dark in either theme; a later colour in `style` wins.
    label.setStyleSheet(f"QLabel {{ color: {palette.TEXT}; {style} border-radius: 5px; padding: 5px 11px; }}")
    label.setWordWrap(True)
    label.hide()
    return label


def _words_width(tag: QLabel) -> int:
    """What the words of a tag take in one line, with its padding and border."""
    return tag.fontMetrics().horizontalAdvance(tag.text()) + 28


def _say(label: QLabel, text: str) -> None:
    if text != label.text():
        label.setText(text)
    label.setVisible(bool(text))
