"""Blur, motion, noise and light of the rendered camera, against what formulae say of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from navtwin.errors import InputRefused
from phantoms.camera import Backdrop, Glare, Lens, Occluder, Optics, Placed, Square, project, render
from phantoms.camera.background import cluttered
from phantoms.camera.develop import taps
from phantoms.camera.hands import drape, hand
from phantoms.camera.raster import images_of

LENS = Lens(np.array([[500.0, 0.0, 99.5], [0.0, 500.0, 99.5], [0.0, 0.0, 1.0]]), np.zeros(5), 200, 200)
BLACK = np.ones((1, 1), dtype=bool)


def card(left: float, top: float, right: float, bottom: float, depth: float = 500.0, **greys: float) -> Square:
    """A black rectangle facing the camera that covers these px of LENS, on paper that covers the image."""
    x = [(v - 99.5) * depth / 500.0 for v in (left, right)]
    y = [(v - 99.5) * depth / 500.0 for v in (top, bottom)]
    corners = np.array([[x[0], y[0], depth], [x[1], y[0], depth], [x[1], y[1], depth], [x[0], y[1], depth]])
    return Square.of(corners, BLACK, 10.0, **({"paper_dn": 240.0, "ink_dn": 0.0} | greys))


def still(square: Square) -> Placed:
    return Placed(np.eye(4), [square])


def test_defocus_is_the_gaussian_edge() -> None:
    """An edge at any place within a pixel: its place stays exact; its shape is right to 1 % of the step, and on average over places to 0.2 %."""
    x = np.arange(88, 113)
    off = []
    for phase in np.arange(10) / 10.0:
        edge_px = 99.5 + phase
        grey = render(LENS, [still(card(edge_px, 40.0, 160.0, 160.0))], Optics(blur_px=1.7)).astype(float)[100, 88:113]
        # A pixel averages the error function over its width.
        fine = x[:, None] + (np.arange(32) + 0.5) / 32.0 - 0.5
        ideal = np.vectorize(lambda v, at=edge_px: 120.0 * math.erfc((v - at) / (1.7 * math.sqrt(2.0))))(fine).mean(axis=1)
        assert 87.5 + grey.sum() / 240.0 == pytest.approx(edge_px, abs=0.01)
        off.append(grey - ideal)
    assert np.abs(off).max() < 0.5 + 0.01 * 240.0
    assert np.abs(np.mean(off, axis=0)).max() < 0.25 + 0.002 * 240.0
    assert taps(0.7).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("instants", [48, None])
def test_motion_smears_an_edge_evenly_about_mid_exposure(instants: int | None) -> None:
    """12 px during the exposure: a ramp of 12 px, its middle where the edge is at mid-exposure."""
    square = card(100.0, 40.0, 160.0, 160.0)
    moving = Placed(np.eye(4), [square], (0.0, 0.0, 0.0, 600.0, 0.0, 0.0))
    grey = render(LENS, [moving], Optics(exposure_ms=20.0, sub_exposures=instants)).astype(float)
    share = (240.0 - grey[100, 85:116]).sum() / 240.0
    assert 115.5 - share == pytest.approx(100.0, abs=0.02)
    at = np.arange(95, 106)
    assert np.abs(grey[100, 95:106] - (240.0 - 240.0 * (at - 94.0) / 12.0)).max() < 2.0
    assert grey[100, 90] == 240.0 and grey[100, 110] == 0.0


def test_a_turning_point_is_where_its_row_finds_it() -> None:
    """Turned and shifted by the time of the row it is in, and mid-exposure is that of the middle row."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        start, angular, velocity = rng.normal(0.0, 1.0, 3), rng.normal(0.0, 3.0, 3), rng.normal(0.0, 200.0, 3)
        place, point = np.array([*rng.uniform(-20.0, 20.0, 2), 500.0]), rng.uniform(-60.0, 60.0, (1, 3))
        turn = Rotation.from_rotvec(start)
        motion = np.concatenate([turn.as_matrix().ravel(), place, angular, velocity])
        x, y = images_of(LENS.packed, motion, 0.030, 0.004, point)[0]
        t = 0.004 + 0.030 * (min(max(y, -8.0), 208.0) / 199.0 - 0.5)
        moved = (Rotation.from_rotvec(angular * t) * turn).apply(point[0]) + place + velocity * t
        assert project(LENS, moved) == pytest.approx([x, y], abs=1e-5)


def test_rolling_shutter_skews_an_upright_edge() -> None:
    """v mm/s at depth z moves an edge f v / z px/s; from first to last row that is times the readout, and 0 in the middle."""
    square = card(100.0, -50.0, 190.0, 250.0)
    moving = Placed(np.eye(4), [square], (0.0, 0.0, 0.0, 400.0, 0.0, 0.0))
    grey = render(LENS, [moving], Optics(readout_ms=30.0)).astype(float)
    found = 130.5 - (240.0 - grey[:, 70:131]).sum(axis=1) / 240.0
    rows = np.arange(200)
    assert np.abs(found - (100.0 + 400.0 * 0.030 * (rows / 199.0 - 0.5))).max() < 0.01


def test_noise_is_as_stated() -> None:
    optics = Optics(noise_dn=2.0, shot_dn=5.0)
    for level in (40.0, 120.0, 200.0):
        grey = render(LENS, [], optics, np.random.default_rng(5), np.full((200, 200), level)).astype(float)
        sd = math.sqrt(4.0 + 25.0 * level / 255.0 + 1.0 / 12.0)
        assert grey.mean() == pytest.approx(level, abs=5.0 * sd / 200.0)
        assert grey.std() == pytest.approx(sd, rel=0.02)
        # White: neighbours have nothing to do with each other; normal: as many beyond two and three sds as there should be.
        off = grey - level
        assert abs((off[:, 1:] * off[:, :-1]).mean()) / sd**2 < 0.02 and abs((off[1:] * off[:-1]).mean()) / sd**2 < 0.02
        for sds in (2.0, 3.0):
            beyond = math.floor(sds * sd) + 0.5
            expected = math.erfc(beyond / (math.sqrt(sd**2 - 1.0 / 12.0) * math.sqrt(2.0)))
            assert (np.abs(off) > sds * sd).mean() == pytest.approx(expected, abs=5.0 * math.sqrt(expected / 40_000.0))


def test_equal_seeds_give_equal_pictures_and_others_do_not() -> None:
    optics = Optics(noise_dn=2.0, blur_px=0.8, exposure_ms=5.0, motion=(0.0, 0.0, 1.0, 50.0, 0.0, 0.0))
    once, again, other = (render(LENS, [still(card(60.0, 60.0, 120.0, 120.0))], optics, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert (once == again).all()
    assert (once != other).mean() > 0.5


def test_light_is_uneven_as_asked() -> None:
    flat = np.full((200, 200), 200.0)
    vignetted = render(LENS, [], Optics(vignette=0.4), background=flat)
    assert vignetted[0, 0] == 120 and vignetted[100, 100] in (199, 200)
    sloped = render(LENS, [], Optics(slope=(0.1, -0.2)), background=np.full((200, 200), 100.0))
    assert sloped[0, 199] == 130 and sloped[199, 0] == 70
    glaring = render(LENS, [], Optics(glare=(Glare(50.0, 60.0, 8.0, 400.0),)), background=flat)
    assert (glaring[55:66, 45:56] == 255).all() and glaring[150, 150] == 200
    assert render(LENS, [], Optics(gain=0.5), background=flat)[3, 3] == 100
    assert render(LENS, [], Optics(gamma=2.2), background=flat)[3, 3] == round(255.0 * (200.0 / 255.0) ** (1.0 / 2.2))


def test_a_lamp_lights_faces_by_their_angle() -> None:
    """Lambert: a card tilted by 60 deg from the lamp gets half of the lamp's part of the light."""
    lamp = (0.0, -math.sin(math.radians(60.0)), -math.cos(math.radians(60.0)))
    grey = render(LENS, [still(card(60.0, 60.0, 120.0, 120.0, paper_dn=200.0))], Optics(light=lamp, ambient=0.2))
    assert grey[30, 30] == round(200.0 * (0.2 + 0.8 * 0.5))


def test_a_backdrop_is_as_blurred_as_what_stands_before_it() -> None:
    picture = np.zeros((200, 200))
    picture[:, 100:] = 200.0
    backdrop = Backdrop(picture)
    alone = render(LENS, [], Optics(blur_px=2.0), background=backdrop)
    beside = render(LENS, [still(card(96.0, 20.0, 103.0, 30.0, paper_dn=0.0))], Optics(blur_px=2.0), background=backdrop)
    assert 60 < alone[150, 99] < 100 and 100 < alone[150, 100] < 140
    far = np.ones_like(alone, dtype=bool)
    far[:145] = False
    assert (alone[far] == beside[far]).all()


def test_an_occluder_covers_everything() -> None:
    polygon = np.array([(49.5, 49.5), (149.5, 49.5), (149.5, 149.5), (49.5, 149.5)])
    for way in (polygon, polygon[::-1].copy()):
        grey = render(LENS, [still(card(60.0, 60.0, 120.0, 120.0))], occluders=[Occluder(way, 77.0)])
        assert (grey[50:150, 50:150] == 77).all() and (grey[:49] == 240).all()


def test_what_cannot_be_rendered_is_refused() -> None:
    with pytest.raises(InputRefused, match="noise"):
        render(LENS, [], Optics(noise_dn=1.0))
    with pytest.raises(InputRefused, match="background"):
        render(LENS, [], background=np.zeros((3, 4)))
    with pytest.raises(InputRefused, match="pose"):
        render(LENS, [Placed(np.full((4, 4), np.nan), [])])
    with pytest.raises(InputRefused, match="blur_px"):
        Optics(blur_px=-1.0)
    with pytest.raises(InputRefused, match="sub-exposure"):
        Optics(sub_exposures=0)


def test_hands_and_cloths_cover_what_they_are_laid_over() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform((60.0, 50.0), (120.0, 140.0), (40, 2))
    grey = render(LENS, [], occluders=[drape(points, rng, grey_dn=70.0)])
    assert all(grey[round(y), round(x)] == 70 for x, y in points)
    # A hand that points up: palm at its centre, fingers above with light between them, a wrist below.
    up = render(LENS, [], occluders=[hand((100.0, 120.0), 150.0, -math.pi / 2.0, 33.0)]) == 33
    assert up[120, 100] and up[165, 100] and not up[120, 180]
    strips = np.diff(up[60].astype(np.int8))
    assert (strips == 1).sum() == 4 and (strips == -1).sum() == 4


def test_clutter_fills_the_picture_and_is_the_same_for_a_seed() -> None:
    first, second = (cluttered(LENS, np.random.default_rng(3)).sharp for _ in range(2))
    assert (first == second).all() and (first != cluttered(LENS, np.random.default_rng(4)).sharp).any()
    assert first.shape == (200, 200) and first.min() >= 0.0 and first.max() <= 255.0 and np.ptp(first) > 60.0
