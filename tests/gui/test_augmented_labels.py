"""Words of an overlay: each where there is room, none upon another as long as there is."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF, QSizeF

from gui.augmented.labels import TRIES, _place

FREE = QRectF(0.0, 100.0, 800.0, 400.0)
SIZE = QSizeF(150.0, 20.0)


@settings(max_examples=60)
@given(
    x=st.floats(-300.0, 1100.0), y=st.floats(-300.0, 800.0), right=st.floats(-1.0, 1.0), down=st.floats(-1.0, 1.0), count=st.integers(1, TRIES // 2)
)
def test_plates_that_want_one_place_lie_in_the_free_room_and_apart(x: float, y: float, right: float, down: float, count: int) -> None:
    taken: list[QRectF] = []
    for _ in range(count):
        plate = _place(QPointF(x, y), (right, down), SIZE, FREE, taken)
        assert FREE.contains(plate)
        assert not any(plate.intersects(other) for other in taken)
        taken.append(plate)


def test_a_plate_lies_beyond_its_point(qapp: Any) -> None:
    for off, beyond in (
        ((1.0, 0.0), lambda p: p.left() == 400.0),
        ((-1.0, 0.0), lambda p: p.right() == 400.0),
        ((0.0, -1.0), lambda p: p.bottom() == 300.0),
    ):
        assert beyond(_place(QPointF(400.0, 300.0), off, SIZE, FREE, []))
