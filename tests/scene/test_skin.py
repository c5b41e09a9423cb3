"""The outline of the body: no table, no lungs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.scene import Volume
from navtwin.scene.skin import extract_skin

T = np.array([[1.5, 0, 0, -90.0], [0, -1.5, 0, 80.0], [0, 0, 2.5, 0.0], [0, 0, 0, 1.0]])


def volume(hu: np.ndarray) -> Volume:
    return Volume(hu.astype(np.int16), T, (1.5, 1.5, 2.5), Path("made-up.nii"))


def test_a_body_on_a_table() -> None:
    k, j, i = np.meshgrid(np.arange(40), np.arange(110), np.arange(120), indexing="ij")
    body = ((i - 60) / 45.0) ** 2 + ((j - 50) / 35.0) ** 2 < 1.0
    lungs = ((np.abs(i - 60) - 20) / 12.0) ** 2 + ((j - 50) / 18.0) ** 2 < 1.0
    table = (np.abs(j - 92) < 2) & (np.abs(i - 60) < 55)
    hu = np.where(body, np.where(lungs, -850, 40), np.where(table, 200, -1000))
    hu[k == 0] = np.where(body, 40, hu)[k == 0]
    found = extract_skin(volume(hu))
    assert found.capped
    assert found.surface.is_watertight
    assert found.surface.normals_are_outward
    assert found.surface.volume_mm3 == pytest.approx(body.sum() * 1.5 * 1.5 * 2.5, rel=0.06)  # coarse on purpose
    assert found.surface.bounds_mm[0, 1] > 80.0 - 1.5 * 88  # the table begins at j = 90


def test_no_body() -> None:
    with pytest.raises(InputRefused, match="shows no body"):
        extract_skin(volume(np.full((20, 40, 40), -1000)))
