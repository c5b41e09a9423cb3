"""A planned path measured: against a ball, whose distance from a capsule is known."""

from __future__ import annotations

import math

import pytest
import pyvista as pv

from navtwin.rigid import Vec3
from navtwin.scene.model import Plan, Structure
from navtwin.scene.plan_facts import plan_facts
from navtwin.scene.surface import Surface

RADIUS_MM = 5.0


def ball(at: Vec3 = (0.0, 0.0, 0.0), caution: float | None = 3.0, danger: float | None = 1.0, sd: float = 0.0, name: str = "ball") -> Structure:
    mesh = pv.Sphere(radius=RADIUS_MM, center=at, theta_resolution=200, phi_resolution=200)
    surface = Surface.from_arrays(mesh.points, mesh.regular_faces)
    return Structure(name, "critical", "ref", surface, caution, danger, sd, 15.0, "#ffffff", 1.0, False)


def passing(mm: float, diameter: float = 2.0) -> Plan:
    """A path along y whose axis passes the ball's middle at `mm`."""
    return Plan("path", (mm, -40.0, 0.0), (mm, 30.0, 0.0), diameter, 1.0)


@pytest.mark.parametrize(("clear", "sd", "level"), [(4.0, 0.0, "CLEAR"), (2.5, 0.0, "CAUTION"), (0.5, 0.0, "DANGER"), (-1.0, 0.0, "CONTACT"),
                                                   (4.0, 0.6, "CAUTION"), (2.5, 0.8, "DANGER"), (0.2, 2.0, "DANGER")])  # fmt: skip
def test_the_bound_decides_and_the_path_s_own_width_counts(clear: float, sd: float, level: str) -> None:
    """As the alerts do it: limits act on the distance less twice its error, contact on the distance itself."""
    facts = plan_facts(passing(RADIUS_MM + 1.0 + clear), [ball(sd=sd)])
    found = facts.clearances[0]
    assert found.level == level
    assert found.bound_mm == pytest.approx(found.clearance_mm - 2.0 * sd)
    if clear > 0.0:
        assert found.clearance_mm == pytest.approx(clear, abs=0.01)
        assert found.at_mm == pytest.approx((RADIUS_MM, 0.0, 0.0), abs=0.2)
        assert found.path_mm == pytest.approx((RADIUS_MM + 1.0 + clear, 0.0, 0.0), abs=0.2)
    else:
        assert found.clearance_mm <= clear + 0.01 or found.depth_is_bound


def test_each_is_judged_by_its_own_limits_and_the_most_pressing_comes_first() -> None:
    near, far = ball((8.0, 0.0, 0.0), 1.0, 0.5, name="near"), ball((-14.0, 0.0, 0.0), 9.0, 8.5, name="far")
    facts = plan_facts(passing(0.0), [near, far])
    assert [(c.structure, c.level) for c in facts.clearances] == [("far", "DANGER"), ("near", "CLEAR")]


def test_what_has_no_limits_and_what_is_not_watched_says_nothing() -> None:
    context = Structure("c", "context", "ref", ball().surface, None, None, 0.3, 15.0, "#ffffff", 1.0, False)
    assert plan_facts(passing(10.0), [ball(caution=None, danger=None), context]).clearances == ()


@pytest.mark.parametrize(("run", "sagittal", "axial"), [((0.0, 10.0, 0.0), 0.0, 0.0), ((5.0, 5.0, 0.0), 45.0, 0.0), ((-3.0, 0.0, 3.0), -45.0, 45.0),
                                                        ((0.0, 0.0, -7.0), 0.0, -90.0)])  # fmt: skip
def test_angles_to_the_patient_s_planes(run: Vec3, sagittal: float, axial: float) -> None:
    facts = plan_facts(Plan("p", (1.0, 2.0, 3.0), (1.0 + run[0], 2.0 + run[1], 3.0 + run[2]), 1.0, 1.0), [])
    assert facts.length_mm == pytest.approx(math.hypot(*run))
    assert facts.to_sagittal_deg == pytest.approx(sagittal, abs=1e-6)
    assert facts.to_axial_deg == pytest.approx(axial, abs=1e-6)


def test_a_path_without_length_has_no_angles() -> None:
    facts = plan_facts(Plan("p", (1.0, 2.0, 3.0), (1.0, 2.0, 3.0), 2.0, 1.0), [ball((20.0, 2.0, 3.0))])
    assert (facts.length_mm, facts.to_sagittal_deg, facts.to_axial_deg) == (0.0, None, None)
    assert facts.clearances[0].clearance_mm == pytest.approx(13.0, abs=0.02)
