"""The live picture with what was found in it, and over it the cells of the picture that the board has been seen in."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.calibrate.film import Shot
from gui.calibrate.regions import region_box
from navtwin.bus.words import name_words
from navtwin.nouns.calibration import ViewCoverage
from navtwin.nouns.video import VideoFrame
from navtwin.scene import palette

#: A board's corners and markers' outlines are drawn in this; a dark line below keeps them on white paper.
FOUND, GROUND = palette.PLAN, "#0c1013"
#: Width over height of a picture that is yet to come. A corner's ring has its full size in a picture of so many pixels' width.
USUAL_SHAPE, FULL_WIDTH = 16.0 / 9.0, 560.0


class LivePicture(QWidget):
    """One camera's picture, or those of several side by side. What lies over it keeps the dark palette in both themes.

    Attributes
    ----------
    words : what to say in place of a picture, or over one that is too old to be shown as live
    late : the picture is too old
    wanted : a region of the picture, in words, that the board is to be brought to
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words, self.late, self.wanted = "", False, ""
        self.shots = dict[str, Shot]()
        self.evidence: QImage | None = None
        self._coverage = dict[str, ViewCoverage]()
        self._scale = 1.0
        self.setMinimumSize(240, 160)
        self.setAccessibleName("live picture")

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.update()

    def clear(self, words: str = "") -> None:
        """Forget every picture."""
        self.shots, self._coverage, self.evidence = {}, {}, None
        self.words, self.late, self.wanted = words, False, ""
        self.update()

    def show_shots(self, shots: list[Shot]) -> None:
        """Take newer pictures."""
        for shot in shots:
            self.shots[shot.frame.camera] = shot
        self.update()

    def show_coverage(self, coverage: tuple[ViewCoverage, ...]) -> None:
        """Take newer shares of the picture's cells."""
        if coverage != tuple(self._coverage.values()):
            self._coverage = {c.camera: c for c in coverage}
            self.update()

    def show_state(self, words: str, *, late: bool, wanted: str = "") -> None:
        """Whether the picture may be shown as live, and what to say instead."""
        if (words, late, wanted) != (self.words, self.late, self.wanted):
            self.words, self.late, self.wanted = words, late, wanted
            self.update()

    def show_evidence(self, image: QImage | None) -> None:
        """Show a result's own picture in place of the live one."""
        self.evidence = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(GROUND if self.evidence is None else theme.ink().panel))
        if self.evidence is not None:
            painter.drawImage(_fitted(self.evidence.width(), self.evidence.height(), QRectF(self.rect())), self.evidence)
        else:
            cameras = sorted({*self.shots, *self._coverage})
            for box, camera in zip(_side_by_side(QRectF(self.rect()), len(cameras)), cameras, strict=True):
                self._paint_camera(painter, camera, box, named=len(cameras) > 1)
            if self.words:
                self._paint_words(painter)
        painter.end()

    def _paint_camera(self, painter: QPainter, camera: str, box: QRectF, *, named: bool) -> None:
        shot, coverage = self.shots.get(camera), self._coverage.get(camera)
        picture = _fitted(shot.frame.full_width_px, shot.frame.full_height_px, box) if shot else _fitted(1000.0 * USUAL_SHAPE, 1000.0, box)
        if shot is not None:
            painter.drawImage(picture, shot.image)
            if self.late:
                painter.fillRect(picture, QColor(12, 16, 19, 190))
        else:
            painter.fillRect(picture, QColor(palette.RAISED))
        if coverage is not None:
            self._paint_cells(painter, coverage, picture)
        if shot is not None and not self.late:
            _paint_found(painter, shot.frame, picture, self._scale)
        if self.wanted and not self.late:
            self._paint_wanted(painter, picture)
        if named:
            self._write(painter, picture.adjusted(8, 6, -8, 0), name_words(camera), 13.0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)

    def _paint_cells(self, painter: QPainter, coverage: ViewCoverage, picture: QRectF) -> None:
        """Each cell fills from below with its share; a full one is bright and has a line round it, so that it is told without its colour."""
        rows = coverage.cells_share
        for r, shares in enumerate(rows):
            for c, share in enumerate(shares):
                cell = _cell(picture, r, c, len(rows), len(shares)).adjusted(1.5, 1.5, -1.5, -1.5)
                painter.setPen(QPen(QColor(255, 255, 255, 40), 1.0))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(cell)
                if share <= 0.0:
                    continue
                filled = QRectF(cell)
                filled.setTop(cell.bottom() - min(1.0, share) * cell.height())
                full = share >= 1.0
                painter.fillRect(filled, QColor(95, 227, 192, 44 if full else 34))
                if full:
                    painter.setPen(QPen(QColor(95, 227, 192, 150), 1.4))
                    painter.drawRect(cell)

    def _paint_wanted(self, painter: QPainter, picture: QRectF) -> None:
        """Where the board is to be brought next."""
        share = region_box(self.wanted)
        if share is None:
            return
        x, y, w, h = share
        box = QRectF(picture.left() + x * picture.width(), picture.top() + y * picture.height(), w * picture.width(), h * picture.height())
        box = box.adjusted(3, 3, -3, -3)
        painter.setBrush(QColor(255, 255, 255, 26))
        painter.setPen(QPen(QColor("#000000"), 4.0 * self._scale))
        painter.drawRoundedRect(box, 8, 8)
        painter.setPen(QPen(QColor("#ffffff"), 2.2 * self._scale, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(box, 8, 8)
        self._write(painter, box, "bring it here", 15.0, Qt.AlignmentFlag.AlignCenter)

    def _paint_words(self, painter: QPainter) -> None:
        height = round(64 * self._scale)
        band = QRect(0, (self.height() - height) // 2, self.width(), height)
        theme.hatch(painter, band, 11.0)
        self._write(painter, QRectF(band), self.words, 18.0, Qt.AlignmentFlag.AlignCenter)

    def _write(self, painter: QPainter, box: QRectF, text: str, size: float, align: Qt.AlignmentFlag) -> None:
        painter.setFont(theme.font(size * self._scale, weight=QFont.Weight.DemiBold))
        painter.setPen(QColor(0, 0, 0, 200))
        painter.drawText(box.translated(1.2, 1.2), align, text)
        painter.setPen(QColor(palette.TEXT))
        painter.drawText(box, align, text)


def _paint_found(painter: QPainter, frame: VideoFrame, picture: QRectF, scale: float) -> None:
    """Corners of the board as rings, markers as outlines with their numbers."""

    def at(x: float, y: float) -> QPointF:
        return QPointF(
            picture.left() + (x + 0.5) / frame.full_width_px * picture.width(), picture.top() + (y + 0.5) / frame.full_height_px * picture.height()
        )

    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = 4.2 * scale * min(1.0, picture.width() / (FULL_WIDTH * scale))
    outlines = [QPolygonF([at(x, y) for x, y in marker.corners_px]) for marker in frame.markers]
    points = [at(x, y) for x, y in frame.points_px]
    for shade, extra in ((QColor(0, 0, 0, 170), 2.0), (QColor(FOUND), 0.0)):
        painter.setPen(QPen(shade, (1.8 + extra) * scale))
        for outline in outlines:
            painter.drawPolygon(outline)
        for point in points:
            painter.drawEllipse(point, radius, radius)
    painter.setFont(theme.font(12.0 * scale, weight=QFont.Weight.DemiBold))
    for marker, outline in zip(frame.markers, outlines, strict=True):
        painter.setPen(QColor(palette.TEXT))
        painter.drawText(outline.boundingRect(), Qt.AlignmentFlag.AlignCenter, str(marker.id))


def _fitted(width: float, height: float, box: QRectF) -> QRectF:
    """The largest place for a picture of that shape in a box."""
    scale = min(box.width() / max(1.0, width), box.height() / max(1.0, height))
    made = QRectF(0.0, 0.0, width * scale, height * scale)
    made.moveCenter(box.center())
    return made


def _side_by_side(box: QRectF, count: int) -> list[QRectF]:
    """Places for so many pictures, in as many columns as make them largest."""
    if count <= 1:
        return [box] * count

    def breadth(columns: int) -> float:
        return min(box.width() / columns, box.height() / -(-count // columns) * USUAL_SHAPE)

    columns = max(range(1, count + 1), key=breadth)
    rows = -(-count // columns)
    return [_cell(box, n // columns, n % columns, rows, columns).adjusted(2, 2, -2, -2) for n in range(count)]


def _cell(box: QRectF, row: int, column: int, rows: int, columns: int) -> QRectF:
    return QRectF(box.left() + column * box.width() / columns, box.top() + row * box.height() / rows, box.width() / columns, box.height() / rows)
