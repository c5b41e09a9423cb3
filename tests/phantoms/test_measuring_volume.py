"""The tracker over its volume: as biased and as noisy as published, worse with distance, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.assess.plan import Design, touches
from phantoms.assessed import HALF_MM, block, stands, touching
from phantoms.assessed_tracker import PLACES_MM, TILT_DEG
from phantoms.measuring_volume import MeasuringVolume
from phantoms.motion import Poses, turns
from phantoms.rig import MARKERS
from phantoms.tracker import MarkerNoise, observe

VOLUME = MeasuringVolume()


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_the_bias_over_the_volume_is_what_was_published(seed: int) -> None:
    volume = MeasuringVolume(seed=seed)
    bias = volume.bias_mm(volume.places_mm(5000, seed=99))
    assert np.sqrt(np.square(bias).sum(axis=1).mean()) == pytest.approx(0.25, rel=0.06)


def test_devices_differ_and_each_is_the_same_every_time() -> None:
    at = VOLUME.places_mm(50)
    assert (VOLUME.bias_mm(at) == MeasuringVolume().bias_mm(at)).all()
    assert np.abs(VOLUME.bias_mm(at) - MeasuringVolume(seed=2).bias_mm(at)).max() > 0.05


def test_bias_is_worst_along_the_line_of_sight_and_far_away() -> None:
    """Depth is a difference of two views: its error grows with the square of the distance over the baseline, the rest with the distance."""
    along, near, far = [], [], []
    for seed in range(30):
        volume = MeasuringVolume(seed=seed)
        at = volume.places_mm(300, seed)
        bias = volume.bias_mm(at)
        sight = at / np.linalg.norm(at, axis=1, keepdims=True)
        share = np.square((bias * sight).sum(axis=1)).sum() / np.square(bias).sum()
        along.append(share)
        size = np.linalg.norm(bias, axis=1)
        near.append(size[at[:, 2] < 1400.0].mean())
        far.append(size[at[:, 2] > 2000.0].mean())
    assert np.mean(along) > 0.8 and np.mean(far) > 1.5 * np.mean(near)


def test_noise_grows_across_with_distance_and_along_with_its_square() -> None:
    once, twice = VOLUME.noise_at(1000.0), VOLUME.noise_at(2000.0)
    assert twice.across_mm == pytest.approx(2.0 * once.across_mm) and twice.along_mm == pytest.approx(4.0 * once.along_mm)
    assert VOLUME.noise_at(1300.0).rms_mm == pytest.approx(0.045, rel=0.03)


def test_an_even_bias_moves_a_body_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    true = Poses(turns(rng.normal(size=(5, 3))), rng.normal(size=(5, 3)) * 50.0 + np.array((0.0, 0.0, 1500.0)))
    still = MarkerNoise(1e-12, 1e-12)
    fits = observe(true, MARKERS["pointer"], still, rng, lambda p: np.broadcast_to((0.3, -0.1, 0.2), p.shape))
    assert fits.poses.t_mm - true.t_mm == pytest.approx(np.tile((0.3, -0.1, 0.2), (5, 1)), abs=1e-6)
    assert fits.poses.rotation == pytest.approx(true.rotation, abs=1e-8)


@pytest.mark.parametrize("place", PLACES_MM)
def test_all_that_is_touched_lies_in_the_volume(place: str) -> None:
    """Block and pointer, at the extremes too, turned as far as they may come."""
    corners = np.array([(x, y, z) for x in (-140.0, HALF_MM) for y in (-HALF_MM, HALF_MM) for z in (0.0, 2.0 * HALF_MM + 170.0)])
    for seed in range(20):
        stood = stands(place, PLACES_MM, TILT_DEG, np.random.default_rng(seed))
        assert VOLUME.inside(corners @ stood.rotation[0].T + stood.t_mm[0])


def test_the_hand_holds_the_tip_on_every_point_and_leans_as_asked() -> None:
    design = Design(places=("middle",), repeats=2, points=4)
    asked = touches(block(), design)
    hand = touching(block(), asked, 60.0, 1.0, np.array((0.0, -1.0, 0.0)), np.random.default_rng(1), seat_mm=0.0)
    tips, handle = hand.T_artefact_from_tip.t_mm, -hand.T_artefact_from_tip.rotation[:, :, 2]
    still = np.linalg.norm(np.diff(tips, axis=0), axis=1) < 1e-9
    begins = np.flatnonzero(np.convolve(still, np.ones(55), "valid") == 55)
    begins = begins[np.insert(np.diff(begins) > 20, 0, True)]
    assert len(begins) == len(asked)
    for touch, n in zip(asked, begins + 20, strict=True):
        assert tips[n] == pytest.approx(block().positions_mm((touch.point,))[0], abs=1e-9)
        lean = np.degrees(np.arctan2(handle[n, :2], handle[n, 2]))
        assert lean == pytest.approx([touch.angle_deg * (touch.axis == axis) for axis in ("east", "north")], abs=0.6)
