"""A split error bar: its parts sum to the fold's own, and each is what a simulation of that source alone gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.kernels.errorbar import ErrorSources, distance_sd
from navtwin.nouns import RigCamera
from navtwin.scene.error_budget import LATENCY, at_points, budget_of, camera_variance, focal_share, only, split
from tests.register.points import pose
from tests.twin.world import small_rig

Array = np.ndarray
SUMMED = ("marker", "reference", "pivot", "axis", "registration", "CT")


def covariance(rng: np.random.Generator, size: int, scale: float) -> Array:
    root = rng.normal(size=(size, size)) * scale
    return root @ root.T


def a_frame(seed: int, tools: int = 2, structures: int = 3) -> ErrorSources:
    """Everything uncertain at once, with orders of size as they occur."""
    rng = np.random.default_rng(seed)
    pose6 = np.diag((0.002,) * 3 + (0.2,) * 3)
    return ErrorSources(
        R_ct_from_tracker=np.array(pose(seed).rotation),
        body_origin=rng.normal(size=(tools, 3)) * 150.0,
        body_cov=np.array([pose6 @ covariance(rng, 6, 0.5) @ pose6 for _ in range(tools)]),
        ref_origin=rng.normal(size=3) * 100.0,
        ref_cov=pose6 @ covariance(rng, 6, 0.5) @ pose6,
        R_ct_from_marker=np.array([pose(seed + t).rotation for t in range(1, tools + 1)]),
        tip=rng.normal(size=(tools, 3)) * 20.0,
        tip_cov=np.array([covariance(rng, 3, 0.1) for _ in range(tools)]),
        axis_sd=rng.uniform(0.0, 0.005, tools),
        registration_origin=rng.normal(size=3) * 20.0,
        registration_cov=pose6 @ covariance(rng, 6, 0.6) @ pose6,
        structure_sd=rng.uniform(0.1, 0.5, structures),
    )


@given(st.integers(0, 100_000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_parts_sum_to_the_fold_s_error_bar(seed: int, touching: bool) -> None:
    sources, rng = a_frame(seed), np.random.default_rng(seed)
    on_axis, on_structure = (rng.normal(size=(4, 3, 3)) * 30.0 for _ in range(2))
    if touching:
        on_axis[1, 2] = on_structure[1, 2]
    on_axis[3, 0] = np.nan
    tools, sd = np.array([0, 1, 1, 0]), np.empty((4, 3))
    distance_sd(on_axis, on_structure, tools, sources, np.full((4, 3), True), sd)
    found = split(on_axis, on_structure, tools, sources)
    assert set(found) == set(SUMMED)
    assert np.isnan(found["marker"][3, 0])
    np.testing.assert_allclose(sum(found.values()), sd**2, rtol=1e-12)


def test_a_source_alone_is_that_source() -> None:
    sources = a_frame(5)
    on_axis, on_structure = np.full((1, 3, 3), 7.0), np.zeros((1, 3, 3))
    for name in SUMMED:
        found = split(on_axis, on_structure, np.array([0]), only(sources, name))
        assert found[name].min() > 0.0
        assert all((found[other] == 0.0).all() for other in SUMMED if other != name)


@pytest.mark.parametrize("name", ["marker", "reference", "registration"])
def test_a_pose_s_part_is_that_of_simulated_poses(name: str) -> None:
    """Small motions drawn from the covariance, applied to the tip (or the anatomy), measured along the normal."""
    sources, draws = a_frame(11), 40_000
    point, normal = np.array([[12.0, -30.0, 8.0]]), np.array([[0.6, 0.0, 0.8]])
    told = float(at_points(point, normal, 0.3, 1, sources)[name][0])
    origin, cov, turn = {
        "marker": (sources.body_origin[1], sources.body_cov[1], sources.R_ct_from_tracker),
        "reference": (sources.ref_origin, sources.ref_cov, sources.R_ct_from_tracker),
        "registration": (sources.registration_origin, sources.registration_cov, np.eye(3)),
    }[name]
    # The instrument keeps its own arm wherever its tip is brought; the others' arms are those of the point.
    arm = (sources.tip[1] if name == "marker" else point[0]) - origin
    motions = np.random.default_rng(3).multivariate_normal(np.zeros(6), cov, draws)
    moved = motions[:, 3:] @ turn.T + np.cross(motions[:, :3] @ turn.T, arm)
    assert told == pytest.approx(float((moved @ normal[0]).var()), rel=0.04)


def test_registration_s_part_over_three_directions_is_the_squared_tre() -> None:
    from navtwin.register.model import PoseError

    sources, point = a_frame(2), np.array((30.0, 5.0, -12.0))
    found = at_points(np.tile(point, (3, 1)), np.eye(3), 0.0, 0, sources)["registration"]
    tre = PoseError(sources.registration_cov, sources.registration_origin).tre_mm(point)[0]
    assert float(found.sum()) == pytest.approx(tre**2, rel=1e-12)


def test_a_wrong_focal_length_errs_by_the_difference_of_depths() -> None:
    """A pinhole camera that knows the markers' size tells depth in proportion to its focal length; the lateral place stays."""
    sources, rng = a_frame(8), np.random.default_rng(1)
    camera = np.array((40.0, -20.0, -900.0)) @ sources.R_ct_from_tracker.T
    point, along = np.array((25.0, 60.0, 10.0)), np.array((0.0, 0.6, 0.8))
    errors = []
    for share in rng.normal(size=20_000) * 0.004:
        tip, ref = ((p - camera) @ sources.R_ct_from_tracker * (1.0, 1.0, 1.0 + share) for p in (point, sources.ref_origin))
        errors.append(((tip - ref) @ sources.R_ct_from_tracker.T - (point - sources.ref_origin)) @ along)
    assert float(camera_variance(point, along, 0.004, sources)) == pytest.approx(np.var(errors), rel=0.05)


def test_what_a_camera_does_not_state_is_not_zero() -> None:
    from msgspec.structs import replace

    camera = RigCamera(name="c", width_px=640, height_px=480, focal_px=(800.0, 800.0), centre_px=(320.0, 240.0))
    assert focal_share(small_rig()) is None
    assert focal_share(replace(small_rig(), camera=(camera,))) is None
    stated = replace(small_rig(), camera=(replace(camera, intrinsics_sd=(1.6, 1.6, 1.0, 1.0)),))
    assert focal_share(stated) == pytest.approx(0.002)


@given(st.lists(st.floats(0.0, 4.0), min_size=6, max_size=6), st.floats(0.0, 3.0))
def test_the_parts_of_an_allowance_add_up(values: list[float], latency_mm: float) -> None:
    row = budget_of("canal", "here", "drill", None, dict(zip(SUMMED, values, strict=True)), latency_mm, 2.0)
    assert sum(s.allowance_mm for s in row.shares) == pytest.approx(row.allowance_mm, abs=1e-12)
    assert row.allowance_mm == pytest.approx(2.0 * np.sqrt(sum(values)) + latency_mm, abs=1e-12)
    assert sum(s.variance_share for s in row.shares) == pytest.approx(1.0 if sum(values) > 0.0 else 0.0)
    assert row.shares[-1].source == LATENCY and row.shares[-1].variance_share == 0.0
