"""The error budget on the case: what is painted is what is reckoned, and the picture names its sources and what was assumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace as with_fields

from navtwin.nouns import RigCamera
from navtwin.report.error_budget_expected import Assumed, expected
from navtwin.scene import error_budget_picture
from navtwin.scene.error_budget import SOURCES, at_points
from navtwin.scene.error_budget_picture import BAR_SD, budget_png, paint
from navtwin.scene.model import Landmark, Scene
from tests.twin.world import small_rig, small_scene

CAMERA = RigCamera(name="c", width_px=640, height_px=480, focal_px=(800.0, 800.0), centre_px=(320.0, 240.0), intrinsics_sd=(4.0, 4.0, 1.0, 1.0))


def scene() -> Scene:
    marks = (("a", (20.0, 3.0, 0.0)), ("b", (-15.0, 10.0, 4.0)), ("c", (2.0, -12.0, 18.0)), ("d", (0.0, 5.0, -25.0)))
    return replace(small_scene(), landmarks=tuple(Landmark(n, p) for n, p in marks))


def test_every_vertex_of_bone_and_of_what_is_critical_has_its_own_error() -> None:
    found = expected(scene(), small_rig(), Assumed())
    painted = paint(scene(), found.sources, found.tool, None)
    assert sorted(p.role for p in painted) == ["critical", "critical", "work"]
    canal = painted[0]
    points, normals = np.asarray(canal.mesh.points, dtype=np.float64), np.asarray(canal.mesh.point_normals, dtype=np.float64)
    again = at_points(points[:50], normals[:50], 0.1, found.tool, found.sources)
    for name, values in again.items():
        np.testing.assert_allclose(canal.variances[name][:50], values)
    assert np.ptp(canal.variances["registration"]) > 0.0


def test_a_camera_that_states_its_error_has_a_panel_and_a_row() -> None:
    rig = with_fields(small_rig(), camera=(CAMERA,))
    found = expected(scene(), rig, Assumed(reference_mm=(0.0, 0.0, 100.0)))
    camera = next(s for s in found.budgets[0].shares if s.source == "camera")
    assert 0.0 < camera.sd_mm <= 0.005 * 150.0
    assert all("camera" in p.variances for p in paint(scene(), found.sources, found.tool, 0.005))
    assert not any("focal length" in words for words in found.assumed)


def test_the_picture_is_written_with_a_panel_for_each_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def pixels(painted: object, scene: Scene, named: list[str], size: tuple[int, int]) -> np.ndarray:
        asked.append(list(named))
        return np.zeros((size[1], size[0], 3), dtype=np.uint8)

    monkeypatch.setattr(error_budget_picture, "_pixels", pixels)
    found = expected(scene(), small_rig(), Assumed())
    path = tmp_path / "budget.png"
    budget_png(scene(), found.sources, found.tool, 0.005, found.budgets, "foretold", found.assumed, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert asked[:2] == [list(SOURCES)] * 2 and asked[2:] == [[name] for name in SOURCES]
    assert BAR_SD == 2.0, "the legend says two standard deviations"
