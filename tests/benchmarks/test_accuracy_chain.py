"""The chain's geometry and the observed budget: against constructions whose answers are known."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

# Benchmarks are scripts, run from their own folder.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from benchmarks.accuracy_parts.budget import SOURCES, Compared, Pair, _tips, budget_rows
from benchmarks.accuracy_parts.chain import _across, _between_axes, _on_path
from navtwin.rigid import Rigid
from navtwin.scene.model import Plan
from phantoms.motion import Poses
from phantoms.rig import demo_rig

PLAN = Plan("left", (0.0, 0.0, 0.0), (0.0, 0.0, -40.0), 5.0, 1.0)


def test_a_tool_shifted_aside_is_as_far_off_at_entry_and_at_target() -> None:
    true_tip, down = np.array([[0.0, 0.0, -10.0], [0.0, 0.0, -30.0]]), np.tile((0.0, 0.0, -1.0), (2, 1))
    shifted = true_tip + np.array((0.3, -0.4, 0.0))
    for point in (PLAN.entry_mm, PLAN.target_mm):
        np.testing.assert_allclose(_between_axes(point, shifted, down, true_tip, down), 0.5)
    np.testing.assert_allclose(_across(shifted - true_tip, down), 0.5)
    np.testing.assert_allclose(_across(np.array([[0.0, 0.0, 2.0]]), down[:1]), 0.0)


@given(st.floats(-0.2, 0.2), st.floats(1.0, 39.0))
@settings(max_examples=40, deadline=None)
def test_a_tool_tilted_about_its_tip_errs_by_the_lever(tilt_rad: float, depth_mm: float) -> None:
    tip, down = np.array([[0.0, 0.0, -depth_mm]]), np.array([[0.0, 0.0, -1.0]])
    axis = np.array([[np.sin(tilt_rad), 0.0, -np.cos(tilt_rad)]])
    for point in (PLAN.entry_mm, PLAN.target_mm):
        lever = abs(-depth_mm - point[2])
        np.testing.assert_allclose(_between_axes(point, tip, axis, tip, down), lever * abs(np.tan(tilt_rad)), atol=1e-9)


def test_only_what_is_in_the_planned_hole_is_on_its_path() -> None:
    tips = np.array([(0.0, 0.0, -5.0), (5.0, 0.0, -5.0), (7.0, 0.0, -5.0), (0.0, 0.0, 2.0), (0.0, 0.0, -41.0)])
    assert _on_path(PLAN, tips).tolist() == [True, True, False, False, False]


def a_session(seed: int) -> SimpleNamespace:
    """Three exposures of a chain in which everything was measured without error."""
    rng, count = np.random.default_rng(seed), 3

    def poses() -> Poses:
        return Poses(Rotation.random(count, random_state=rng).as_matrix(), rng.normal(size=(count, 3)) * 100.0)

    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.random(random_state=rng).as_matrix(), rng.normal(size=3) * 50.0
    ref, T_tracker_from_ct, T_ct_from_tip, tip_mm = Rigid.from_matrix(matrix, target="ct", source="ref"), poses(), poses(), rng.normal(size=3) * 100.0
    T_marker_from_tip = Poses(np.tile(Rotation.random(random_state=rng).as_matrix(), (count, 1, 1)), np.tile(tip_mm, (count, 1)))
    seen_ref = T_tracker_from_ct.then(Poses(np.tile(np.array(ref.rotation), (count, 1, 1)), np.tile(np.array(ref.t_mm), (count, 1))))
    seen_marker = T_tracker_from_ct.then(T_ct_from_tip).then(T_marker_from_tip.inverse())
    played = SimpleNamespace(
        stage=SimpleNamespace(T_ct_from_ref=ref),
        made={"drill": SimpleNamespace(tip_mm=tip_mm)},
        motion={"drill": SimpleNamespace(T_ct_from_tip=T_ct_from_tip)},
        fits={"ref": SimpleNamespace(poses=seen_ref), "drill": SimpleNamespace(poses=seen_marker)},
    )
    return SimpleNamespace(
        played=played,
        rig=demo_rig(),
        T_ct_from_ref=ref,
        T_tracker_from_ct=T_tracker_from_ct,
        T_marker_from_tip=T_marker_from_tip,
        session=SimpleNamespace(pivots={"drill": SimpleNamespace(tip_mm=tuple(tip_mm))}),
    )


def test_a_perfect_chain_puts_the_burr_where_it_is() -> None:
    done = a_session(3)
    for where in _tips(done, np.arange(3)).values():  # type: ignore[arg-type]
        np.testing.assert_allclose(where, done.played.motion["drill"].T_ct_from_tip.t_mm, atol=1e-9)


@pytest.mark.parametrize("wrong", ["marker", "reference", "pivot", "registration"])
def test_a_link_that_is_wrong_shows_in_its_own_row_alone(wrong: str) -> None:
    done, shift = a_session(4), np.array((0.2, -0.1, 0.3))
    if wrong == "pivot":
        done.session.pivots["drill"].tip_mm = tuple(done.played.made["drill"].tip_mm + shift)
    elif wrong == "registration":
        done.T_ct_from_ref = Rigid.from_matrix(done.T_ct_from_ref.matrix() + np.pad(shift[:, None], ((0, 1), (3, 0))), target="ct", source="ref")
    else:
        body = {"marker": "drill", "reference": "ref"}[wrong]
        seen = done.played.fits[body].poses
        done.played.fits[body].poses = Poses(seen.rotation, seen.t_mm + shift)
    found = _tips(done, np.arange(3))  # type: ignore[arg-type]
    for name in ("marker", "reference", "pivot", "registration"):
        off = np.linalg.norm(found[name] - found["true"], axis=1)
        np.testing.assert_allclose(off, np.linalg.norm(shift) if name == wrong else 0.0, atol=1e-9)


def test_shares_are_those_of_the_errors_that_were_put_in() -> None:
    """Normal errors of known size, alone and together: a right prediction comes out at 1, and shares by variance."""
    rng, count = np.random.default_rng(5), 20_000
    sizes = dict(zip(SOURCES, (0.1, 0.2, 0.05, 0.15, 0.3), strict=True))
    alone = {name: rng.normal(size=count) * sd for name, sd in sizes.items()}
    pair = Pair(
        predicted_mm2={name: np.full(count, sd**2) for name, sd in sizes.items()},
        error_mm=alone | {"all": sum(alone.values(), np.zeros(count))},
        latency_mm=np.full(count, 0.4),
        approached_mm=np.where(np.arange(count) % 2, 0.2, -0.2),
    )
    figures, (table,), _ = budget_rows([Compared(1, {"canal": pair}), Compared(2, {})])
    value = {f.name: f.value for f in figures}
    whole = sum(sd**2 for sd in sizes.values())
    for name, sd in sizes.items():
        assert value[f"budget: canal, {name}, share predicted"] == pytest.approx(100.0 * sd**2 / whole)
        assert value[f"budget: canal, {name}, share observed"] == pytest.approx(100.0 * sd**2 / whole, rel=0.05)
    assert value["budget: canal, all sources, RMS predicted over observed"] == pytest.approx(1.0, abs=0.02)
    assert table.rows[-1][2:4] == ("0.400", "0.200")
