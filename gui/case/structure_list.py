"""The structures of a case as a list: shown or hidden, colour, name, role in a sign and words, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gui import theme
from gui.case.cutting import Look
from navtwin.bus.words import name_words
from navtwin.nouns import Role
from navtwin.scene.case import StructureEntry

ROW_PX, EYE_PX = 48, 36
ROLE_WORDS: Final[dict[Role, str]] = {"work": "may be cut", "critical": "watched", "context": "only shown"}
Index = QModelIndex | QPersistentModelIndex
_ENTRY = Qt.ItemDataRole.UserRole


class StructureModel(QAbstractListModel):
    """The entries of a case, as a draft has them."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.entries: tuple[StructureEntry, ...] = ()
        self.looks: dict[str, Look] = {}
        self.unwritten: frozenset[str] = frozenset()

    def show(self, entries: Sequence[StructureEntry], looks: Mapping[str, Look], unwritten: frozenset[str]) -> None:
        """Show these; what is chosen stays so where the same structures are listed."""
        same = [one.name for one in entries] == [one.name for one in self.entries]
        if not same:
            self.beginResetModel()
        self.entries, self.looks, self.unwritten = tuple(entries), dict(looks), unwritten
        if same:
            self.dataChanged.emit(self.index(0), self.index(len(self.entries) - 1))
        else:
            self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entries[index.row()]
        if role == _ENTRY:
            return entry
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{name_words(entry.name)}, {role_words(entry)}, {'shown' if self.looks[entry.name].visible else 'hidden'}"
        if role == Qt.ItemDataRole.ToolTipRole:
            unwritten = " Changed, not written yet." if entry.name in self.unwritten else ""
            return f"{name_words(entry.name)}: {role_words(entry)}.{unwritten} The eye, or H, shows or hides it; double click goes there"
        return None


class StructureList(QListView):
    """The list.

    Signals
    -------
    chosen : the name of the structure that is chosen now
    turned : the name of one that is to be shown or hidden
    sought : the name of one to go to
    """

    chosen = Signal(str)
    turned = Signal(str)
    sought = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.structures = StructureModel(self)
        self.setModel(self.structures)
        self.rows = _Rows(self)
        self.setItemDelegate(self.rows)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("structures of the case")
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.doubleClicked.connect(lambda index: self.sought.emit(self.structures.entries[index.row()].name))
        self.selectionModel().currentChanged.connect(self._moved)

    def choose(self, name: str) -> None:
        """Choose a structure by name."""
        names = [one.name for one in self.structures.entries]
        if name in names and self.current != name:
            self.setCurrentIndex(self.structures.index(names.index(name)))

    @property
    def current(self) -> str:
        """The name of the chosen one, "" if none is."""
        index = self.currentIndex()
        return self.structures.entries[index.row()].name if index.isValid() else ""

    def set_scale(self, scale: float) -> None:
        self.rows.scale = scale
        self.scheduleDelayedItemsLayout()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # What is chosen, and told of below, stays in sight.
        self.scrollTo(self.currentIndex())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton and event.position().x() < EYE_PX * self.rows.scale:
            self.turned.emit(self.structures.entries[index.row()].name)
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.position().x() < EYE_PX * self.rows.scale:
            self.mousePressEvent(event)
        else:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_H and not event.modifiers() and self.current:
            self.turned.emit(self.current)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current:
            self.sought.emit(self.current)
        elif event.text() and event.text().isprintable():
            # Letters are the place's keys, not a search.
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(self.structures.entries[now.row()].name)


class _Rows(QStyledItemDelegate):
    """Paints a row."""

    scale = 1.0

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, round(ROW_PX * self.scale))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        ink, s = theme.ink(), self.scale
        model = index.model()
        assert isinstance(model, StructureModel)
        entry: StructureEntry = index.data(_ENTRY)
        visible = model.looks[entry.name].visible
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor(ink.selected))
            painter.fillRect(QRect(box.left(), box.top(), round(3 * s), box.height()), QColor(ink.accent))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, QColor(ink.hover))
        middle = box.center().y() + 0.5
        paint_eye(painter, QPointF(box.left() + EYE_PX * s / 2.0 + 2, middle), s, QColor(ink.text if visible else ink.unknown), shut=not visible)
        swatch = QRectF(box.left() + EYE_PX * s + 2, middle - 10 * s, 20 * s, 20 * s)
        painter.setPen(QPen(QColor(ink.quiet), 1.0))
        painter.setBrush(QColor(entry.color) if visible else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(swatch, 4 * s, 4 * s)
        left = round(swatch.right() + 10 * s)
        words = QRect(left, box.top() + round(4 * s), box.right() - left - round(8 * s), round(22 * s))
        painter.setFont(theme.font(14 * s, weight=QFont.Weight.DemiBold if entry.role == "critical" else QFont.Weight.Normal))
        painter.setPen(QColor(ink.text if visible else ink.dim))
        unwritten = "  •" if entry.name in model.unwritten else ""
        name = painter.fontMetrics().elidedText(name_words(entry.name) + unwritten, Qt.TextElideMode.ElideMiddle, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        below = words.translated(0, round(20 * s))
        paint_role(painter, entry.role, QPointF(below.left() + 5 * s, below.center().y() + 0.5), s, QColor(ink.dim))
        painter.setFont(theme.font(12 * s))
        painter.setPen(QColor(ink.dim))
        below.setLeft(below.left() + round(15 * s))
        said = painter.fontMetrics().elidedText(role_words(entry), Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, said)
        painter.restore()

    def helpEvent(self, event: Any, view: Any, option: QStyleOptionViewItem, index: Index) -> bool:
        return super().helpEvent(event, view, option, index) if event.type() == QEvent.Type.ToolTip else False


def role_words(entry: StructureEntry) -> str:
    """`watched: caution 3, danger 1.8 mm`."""
    words = ROLE_WORDS[entry.role]
    if entry.role != "critical":
        return words
    caution, danger = ("—" if mm is None else f"{mm:g}" for mm in (entry.caution_mm, entry.danger_mm))
    return f"{words}: caution {caution}, danger {danger} mm"


def paint_eye(painter: QPainter, middle: QPointF, s: float, color: QColor, *, shut: bool) -> None:
    """An eye; struck through where the structure is hidden."""
    x, y, w, h = middle.x(), middle.y(), 9.0 * s, 6.0 * s
    lid = QPainterPath(QPointF(x - w, y))
    lid.quadTo(QPointF(x, y - 1.6 * h), QPointF(x + w, y))
    lid.quadTo(QPointF(x, y + 1.6 * h), QPointF(x - w, y))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 1.5 * s))
    painter.drawPath(lid)
    if shut:
        painter.drawLine(QPointF(x - w, y + h), QPointF(x + w, y - h))
    else:
        painter.setBrush(color)
        painter.drawEllipse(middle, 2.6 * s, 2.6 * s)


def paint_role(painter: QPainter, role: Role, middle: QPointF, s: float, color: QColor) -> None:
    """A sign for a role, told by its form: a full diamond is watched, a ring may be cut, a square is only shown."""
    painter.setPen(QPen(color, 1.3 * s))
    painter.setBrush(color if role == "critical" else Qt.BrushStyle.NoBrush)
    r = 4.4 * s
    if role == "critical":
        painter.drawPolygon(QPolygonF([middle + QPointF(0, -r), middle + QPointF(r, 0), middle + QPointF(0, r), middle + QPointF(-r, 0)]))
    elif role == "work":
        painter.drawEllipse(middle, r * 0.9, r * 0.9)
    else:
        painter.drawRect(QRectF(middle.x() - r * 0.8, middle.y() - r * 0.8, 1.6 * r, 1.6 * r))
