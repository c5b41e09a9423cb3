from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.nouns import read_rig
from phantoms.motion import Poses, quaternions, rotations, turns
from phantoms.path import Stance, Track, frames, minimum_jerk, tremor
from phantoms.rig import DRAWN_TIP, MARKERS, NOISE, demo_rig, make_tools, write_rig
from phantoms.tracker import MarkerNoise, Timing, arrival_times, capture_times, observe


def random_poses(count: int, seed: int) -> Poses:
    rng = np.random.default_rng(seed)
    q = rng.standard_normal((count, 4))
    return Poses(rotations(q / np.linalg.norm(q, axis=1, keepdims=True)), rng.normal((0.0, 0.0, 1300.0), 150.0, (count, 3)))


def pose_error(seen: Poses, true: Poses) -> np.ndarray:
    """(rotation vector about the body's origin, translation) from true to seen, tracker axes."""
    d = seen.rotation @ np.swapaxes(true.rotation, 1, 2)
    turn = np.stack([d[:, 2, 1] - d[:, 1, 2], d[:, 0, 2] - d[:, 2, 0], d[:, 1, 0] - d[:, 0, 1]], axis=1) / 2.0
    return np.concatenate([turn, seen.t_mm - true.t_mm], axis=1)


@pytest.mark.parametrize("body", MARKERS)
def test_stated_covariance_is_the_error_that_is_made(body: str) -> None:
    true = random_poses(4000, 1)
    fits = observe(true, MARKERS[body], NOISE, np.random.default_rng(2))
    error = pose_error(fits.poses, true)
    nees = np.einsum("ni,nij,nj->n", error, np.linalg.inv(fits.covariance), error)
    assert 0.9 < nees.mean() / 6.0 < 1.1
    for block in (slice(0, 3), slice(3, 6)):
        part = np.einsum("ni,nij,nj->n", error[:, block], np.linalg.inv(fits.covariance[:, block, block]), error[:, block])
        assert 0.9 < part.mean() / 3.0 < 1.1


@pytest.mark.parametrize("body", MARKERS)
def test_declared_noise_is_truthful(body: str) -> None:
    declared = next(b for b in demo_rig().body if b.name == body)
    true = random_poses(4000, 3)
    error = pose_error(observe(true, MARKERS[body], NOISE, np.random.default_rng(4)).poses, true)
    assert 0.8 < (error[:, :3] ** 2).mean() / declared.sd_rad**2 < 1.25
    assert 0.8 < (error[:, 3:] ** 2).mean() / declared.sd_mm**2 < 1.25


def test_pose_without_noise_is_exact() -> None:
    true = random_poses(50, 5)
    fits = observe(true, MARKERS["drill"], MarkerNoise(1e-12, 1e-12), np.random.default_rng(0))
    assert np.abs(fits.poses.rotation - true.rotation).max() < 1e-9
    assert np.abs(fits.poses.t_mm - true.t_mm).max() < 1e-9
    assert fits.rms_mm.max() < 1e-9


def test_marker_noise_is_worse_along_the_line_of_sight() -> None:
    assert 0.06 <= NOISE.rms_mm <= 0.1
    true = Poses(np.tile(np.eye(3), (4000, 1, 1)), np.tile((0.0, 0.0, 1000.0), (4000, 1)))
    error = observe(true, MARKERS["ref"], NOISE, np.random.default_rng(6)).poses.t_mm - true.t_mm
    spread = error.std(axis=0) * np.sqrt(len(MARKERS["ref"]))
    assert spread == pytest.approx((NOISE.across_mm, NOISE.across_mm, NOISE.along_mm), rel=0.05)


def test_timing() -> None:
    tracker, timing = demo_rig().tracker, Timing()
    capture = capture_times(200.0, tracker, timing, np.random.default_rng(0))
    arrival = arrival_times(capture, tracker, timing, np.random.default_rng(1))
    assert (np.diff(capture) > 0).all() and (np.diff(arrival) > 0).all()
    delay_ms = (arrival - capture) / 1e6
    assert np.median(delay_ms) == pytest.approx(tracker.latency_ms, abs=0.2)
    assert 5 < (delay_ms > 25.0).sum() < 80  # late ones, and those held up behind them
    assert delay_ms.max() < tracker.max_age_ms


def test_rotation_conversions_agree() -> None:
    r = random_poses(300, 7).rotation
    assert np.abs(rotations(quaternions(r)) - r).max() < 1e-12
    small = np.random.default_rng(8).normal(0.0, 1.0, (100, 3))
    about = np.einsum("nij,nj->ni", turns(small), small)
    assert np.abs(about - small).max() < 1e-12  # an axis keeps still
    angle = np.arccos((np.trace(turns(small), axis1=1, axis2=2) - 1.0) / 2.0)
    length = np.linalg.norm(small, axis=1)
    assert np.cos(angle) == pytest.approx(np.cos(length), abs=1e-12)
    assert turns(np.zeros((1, 3)))[0] == pytest.approx(np.eye(3))


def test_rig_file_says_what_the_rig_is(tmp_path: Path) -> None:
    assert read_rig(write_rig(tmp_path)) == demo_rig()
    assert [p.name for p in tmp_path.iterdir()] == ["rig.toml"]


def test_made_tools_differ_as_declared() -> None:
    rig = demo_rig()
    turned = []
    for seed in range(300):
        for name, made in make_tools(rig, np.random.default_rng(seed)).items():
            tool = next(t for t in rig.tool if t.name == name)
            assert tool.tip_mm is None
            assert 0.0 < np.linalg.norm(made.tip_mm - DRAWN_TIP[name]) < 3.0
            turned.append(np.linalg.norm(np.cross(made.axis, tool.axis_in_marker)) / tool.axis_sd_rad)
    assert 0.8 < np.sqrt(np.mean(np.square(turned)) / 2.0) < 1.05


def test_track_is_smooth_and_keeps_to_its_pivot() -> None:
    start, aim = Stance(np.zeros(3), np.array((0.0, 0.0, 1.0))), np.array((0.0, 0.6, 0.8))
    pivot = np.array((0.0, 0.0, -20.0))
    track = Track(1.0, start)
    track.go(Stance(pivot + 20.0 * aim, aim), duration_s=0.8, pivot_mm=pivot)
    end = track.go(track.stance.back(30.0), peak_mm_s=15.0)
    times = np.arange(0.5, end + 0.5, 0.002)
    tips, axes = track.sample(times)
    turning = (times > 1.0) & (times < 1.8)
    assert np.abs(np.cross(tips[turning] - pivot, axes[turning])).max() < 1e-9
    speed = np.linalg.norm(np.diff(tips, axis=0), axis=1) / 0.002
    assert speed[times[1:] > 1.81].max() == pytest.approx(15.0, rel=0.01)
    assert np.abs(np.diff(speed)).max() < 0.5
    assert minimum_jerk(np.array((-1.0, 0.0, 0.5, 1.0, 2.0))).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_tremor_and_frames() -> None:
    times = np.arange(0.0, 60.0, 1.0 / 60.0)
    shake = tremor(times, 0.1, np.random.default_rng(0))
    assert np.sqrt((shake**2).sum(axis=1).mean()) == pytest.approx(0.1, rel=0.15)
    axes = np.random.default_rng(1).standard_normal((50, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    r = frames(axes, np.array((0.0, 0.0, 1.0)))
    assert np.abs(np.swapaxes(r, 1, 2) @ r - np.eye(3)).max() < 1e-12
    assert np.linalg.det(r) == pytest.approx(np.ones(50))
    assert np.abs(r[:, :, 2] - axes).max() < 1e-12
