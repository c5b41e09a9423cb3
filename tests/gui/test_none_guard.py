"""PySide6 6.12.0 on Python 3.11 uses up None's references: a window has to outlive that."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from gui.none_guard import SPARE, guard_none


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_none_outlives_very_many_calls_of_qt(qtbot: Any):
    label = QLabel()
    qtbot.addWidget(label)
    guard_none()
    before = sys.getrefcount(None)
    for _ in range(100_000):
        label.move(1, 2)
    lost_per_call = (before - sys.getrefcount(None)) / 100_000
    assert lost_per_call < 0.01 or sys.getrefcount(None) > SPARE // 2


def test_guarding_twice_changes_nothing():
    guard_none()
    before = sys.getrefcount(None)
    guard_none()
    assert abs(sys.getrefcount(None) - before) < 100
