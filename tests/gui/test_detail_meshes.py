"""Levels of detail: within their budgets, and critical structures within their error, measured here by other means."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pyvista as pv

from navtwin.scene.detail import DETAILS, MOST_ERROR_MM, Detail, draw_level, draw_structure, triangle_shares
from navtwin.scene.surface import Surface
from tests.gui.room import scene

LOSSY: tuple[Detail, ...] = ("first", "light", "fine")


def knobbly() -> pv.PolyData:
    """A vessel-like body with a thin spur, which a coarse mesh would lose."""
    body = pv.ParametricSuperToroid(ringradius=20.0, crosssectionradius=6.0, u_res=70, v_res=70).triangulate().clean()
    spur = pv.Cone(center=(30.0, 0.0, 0.0), direction=(1.0, 0.0, 0.0), height=14.0, radius=1.5, resolution=60).triangulate().subdivide(3)
    return body.merge(spur).extract_surface(algorithm=None).triangulate()


def structure(role: str) -> Any:
    mesh = knobbly()
    surface: Any = SimpleNamespace(vertices_mm=np.asarray(mesh.points), faces=mesh.regular_faces)
    return replace(scene().structure("aorta"), role=role, surface=surface)


def apart_mm(a: pv.PolyData, b: pv.PolyData) -> float:
    """From the corners of `a` to `b`, by the kernels that the core measures with."""
    return float(np.abs(Surface.from_arrays(b.points, b.regular_faces).closest(np.asarray(a.points, dtype=float)).distance_mm).max())


@pytest.mark.parametrize("detail", LOSSY)
def test_a_critical_structure_keeps_its_shape_within_the_stated_error_however_few_triangles_it_was_given(detail: Detail):
    whole = knobbly()
    drawn = draw_structure(structure("critical"), detail, 300)
    assert drawn.error_mm is not None
    assert drawn.error_mm <= MOST_ERROR_MM[detail]
    assert 300 < drawn.mesh.n_cells <= whole.n_cells
    # Samples of one side, corners of the other: what lies between them may be a little farther.
    assert max(apart_mm(whole, drawn.mesh), apart_mm(drawn.mesh, whole)) <= 1.25 * MOST_ERROR_MM[detail]


def test_what_cannot_warn_gets_its_share_and_no_more():
    drawn = draw_structure(structure("context"), "light", 2_000)
    assert drawn.mesh.n_cells <= 2_000
    assert drawn.error_mm is None


def test_the_full_level_is_every_triangle():
    case = scene()
    drawn = draw_level(case, "full")
    for one in case.structures:
        assert drawn[one.name].error_mm == 0.0
        assert np.array_equal(drawn[one.name].mesh.regular_faces, one.surface.faces)
        assert np.array_equal(drawn[one.name].mesh.points, one.surface.vertices_mm)


def test_levels_rise_in_triangles_and_a_job_that_is_over_is_left():
    case = scene()
    big = replace(case, structures=tuple(replace(s, surface=structure("work").surface) for s in case.structures for _ in range(3)))
    totals = [sum(triangle_shares(big, detail).values()) for detail in DETAILS]
    assert totals == sorted(totals)
    assert draw_level(case, "light", over=lambda: True) == {}
