"""Trajectory error: the angle between the axis that the twin had and the true one, and the budget's place on the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import made_rig, made_scene
from scipy.spatial.transform import Rotation

from navtwin.nouns import Pose
from navtwin.report.accuracy import angle_deg, tip_accuracy
from navtwin.report.gather import _places
from navtwin.report.html import render_page
from navtwin.report.session import Session, TipSeries
from navtwin.report.summary import summarise
from navtwin.rigid import Rigid
from navtwin.scene.error_budget import budget_of


@given(st.integers(0, 10_000), st.floats(1e-7, 3.1))
@settings(max_examples=60, deadline=None)
def test_the_angle_between_axes_is_that_of_the_turn(seed: int, angle_rad: float) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=3)
    a /= np.linalg.norm(a)
    about = np.cross(a, rng.normal(size=3))
    b = Rotation.from_rotvec(angle_rad * about / np.linalg.norm(about)).apply(a)
    assert angle_deg(a[None], b[None])[0] == pytest.approx(np.degrees(angle_rad), rel=1e-6)


def test_the_axis_of_a_pose_is_its_third_column() -> None:
    turns = Rotation.random(20, random_state=4)
    poses = []
    for n, turn in enumerate(turns):
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn.as_matrix(), (n, 0.0, -n)
        poses.append(Pose.from_rigid(Rigid.from_matrix(matrix, target="ct", source="tip")))
    position, axis = _places(poses)
    np.testing.assert_allclose(axis, turns.as_matrix()[:, :, 2], atol=1e-12)
    np.testing.assert_array_equal(position[:, 0], np.arange(20.0))


def test_a_tilted_axis_is_told_and_does_not_move_the_tip(good: Session) -> None:
    count = 30
    frame, t_ns = np.arange(count), np.arange(count) * 16_000_000
    straight, tilted = np.tile((0.0, 0.0, 1.0), (count, 1)), np.tile((0.0, np.sin(0.01), np.cos(0.01)), (count, 1))
    made = [TipSeries(frame, t_ns, t_ns + 15_000_000, np.zeros((count, 3)), axis) for axis in (tilted, straight)]
    (found,) = tip_accuracy(replace(good, tips={"drill": made[0]}, true_tips={"drill": made[1]}), 5.0)
    assert found.mean_mm == 0.0
    assert found.angle_mean_deg == pytest.approx(np.degrees(0.01)) == found.angle_max_deg


def test_the_page_has_the_budget_or_says_why_not(good: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navtwin.report.html.closest_pictures", lambda *asked: ([], "not asked for"))
    scene, rig = made_scene(), made_rig()
    summary = summarise(good, scene, rig)
    row = budget_of("spinal_canal", "closest <approach>", "drill burr", None, {"registration": 0.09, "CT": 0.16}, 0.4, 2.0)
    page = render_page(good, scene, rig, summary, budgets=(row,))
    assert "Error budget" in page and "36 %" in page and "64 %" in page and "1.40" in page
    assert "closest &lt;approach&gt;" in page
    assert "Not reckoned" in render_page(good, scene, rig, summary)
