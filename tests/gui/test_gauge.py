"""The scale of one distance: its figures can be read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QFontMetricsF, QImage, QPainter

from gui import theme
from gui.navigate.gauge import FIGURES, apart, paint_gauge
from navtwin.nouns import Reading


@given(st.lists(st.tuples(st.floats(0.0, 300.0), st.floats(5.0, 30.0)), min_size=1, max_size=4))
def test_figures_never_touch(places: list[tuple[float, float]]) -> None:
    places.sort()
    centres, widths = [at for at, _ in places], [width for _, width in places]
    lefts = apart(centres, widths, 7.0, 300.0)
    assert all(b - (a + width) >= 7.0 - 1e-9 for (a, b), width in zip(pairwise(lefts), widths, strict=False))


def test_figures_that_have_room_stand_at_their_places() -> None:
    assert apart([20.0, 60.0, 100.0, 300.0], [6.0, 18.0, 18.0, 12.0], 7.0, 300.0) == [17.0, 51.0, 91.0, 288.0]


@pytest.mark.parametrize("limits_mm", [(1.8, 1.2), (3.0, 2.9), (0.4, 0.2)])
def test_limits_that_lie_close_are_written_apart(qapp: object, monkeypatch: pytest.MonkeyPatch, limits_mm: tuple[float, float]) -> None:
    """1.2 and 1.8 that touch would read as 1.21.8."""
    written: list[tuple[float, str]] = []
    monkeypatch.setattr(QPainter, "drawText", lambda self, box, flags, text: written.append((QRectF(box).center().x(), text)))
    picture = QImage(400, 60, QImage.Format.Format_ARGB32)
    painter = QPainter(picture)
    reading = Reading("canal", "drill", "burr", "critical", "OK", 1.1, 0.2, 0.3, 6.0, (0.0, 0.0, 0.0), (1.1, 0.0, 0.0))
    paint_gauge(painter, QRect(0, 0, 300, 40), limits_mm, reading, 1.0)
    painter.end()
    assert [text for _, text in written] == ["0", *(f"{mm:g}" for mm in reversed(limits_mm)), "12" if limits_mm[0] == 3.0 else "10"]
    wide = QFontMetricsF(theme.font(FIGURES)).horizontalAdvance
    for (a, left), (b, right) in pairwise(written):
        assert b - wide(right) / 2 - (a + wide(left) / 2) >= 4.0
