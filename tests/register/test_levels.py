"""Registered one level off: every residual is small, so the fit is tried one level on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from navtwin.register.levels import OtherLevel, rival_levels
from navtwin.rigid import Rigid
from navtwin.scene.extract import extract_surface
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume
from phantoms.patient import level, on_bone, vertebra
from phantoms.shapes import Union
from phantoms.touch import rest_ball
from tests.register.points import pose

BALL_MM = 0.5
SEEDS = range(20)
Array = npt.NDArray[np.float64]


def meshed(shape: Union, around_mm: tuple[float, float, float], side_mm: float = 1.5) -> Surface:
    """A shape as a scan at `side_mm` would show it."""
    low, count = np.array(around_mm) - (45.0, 20.0, 28.0), (61, 58, 38)
    k, j, i = np.meshgrid(*(np.arange(n) for n in reversed(count)), indexing="ij")
    depth = -shape.distance_mm(low + side_mm * np.stack([i, j, k], axis=-1).reshape(-1, 3)).reshape(k.shape)
    T = np.diag((side_mm, side_mm, side_mm, 1.0))
    T[:3, 3] = low
    return extract_surface(Volume(np.clip(depth, -3.0, 3.0), T, (side_mm,) * 3, Path("made")), threshold_hu=0.0)


@cache
def spine(*, odd: bool) -> tuple[tuple[str, Surface], ...]:
    """T11, T12 and L1, alike but for their tilt; `odd`: each larger than the one above it, as real neighbours are."""
    bones = []
    for name, sides in (("vertebrae_T11", (0.85, 0.9, 0.85)), ("vertebrae_T12", (1.0, 1.0, 1.0)), ("vertebrae_L1", (1.15, 1.1, 1.15))):
        seat = level(name)
        bone = meshed(vertebra(name, build="vertebrae_T12"), seat.centre_mm)
        if odd:
            middle = np.array(seat.centre_mm)
            bone = Surface.from_arrays(middle + (bone.vertices_mm - middle) * sides, bone.faces)
        bones.append((name, bone))
    return tuple(bones)


def touches(bones: tuple[tuple[str, Surface], ...], on: str, seed: int) -> Array:
    """Ball centres of a sweep over the back of one bone, with the noise of a hand-held pointer."""
    rng = np.random.default_rng(seed)
    bone, seat = dict(bones)[on], level(on)
    back = bone.vertices_mm[bone.vertices_mm[:, 1] > seat.centre_mm[1] + 26.0]
    chosen = back[rng.choice(len(back), 220, replace=False)]
    away = chosen - np.array(seat.place(0.0, 20.0, 0.0))
    rested = np.array([rest_ball([bone], p, BALL_MM) for p in chosen + away / np.linalg.norm(away, axis=1)[:, None]])
    return rested + rng.normal(0.0, 0.15, rested.shape)


def look(bones: tuple[tuple[str, Surface], ...], ct_mm: Array, found: Rigid) -> tuple[str, tuple[OtherLevel, ...]]:
    ref = found.inverse().apply(ct_mm)
    return rival_levels(bones, ref, ref[:4], found, tip_radius_mm=BALL_MM, sd_mm=0.3, correlation_mm=15.0)


def stepped(rigid: Rigid, from_level: str, to_level: str) -> Rigid:
    """The registration of one who touched `from_level` and took it for `to_level`."""
    a, b = level(from_level), level(to_level)
    turn, c, s = b.tilt_rad - a.tilt_rad, np.cos(b.tilt_rad - a.tilt_rad), np.sin(b.tilt_rad - a.tilt_rad)
    assert abs(turn) < 0.1
    matrix = np.eye(4)
    matrix[1:3, 1:3] = ((c, -s), (s, c))
    matrix[:3, 3] = np.array(b.centre_mm) - matrix[:3, :3] @ np.array(a.centre_mm)
    return Rigid.from_matrix(matrix @ rigid.matrix(), target="ct", source="ref")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_level_off_on_bones_alike_is_always_told(seed: int) -> None:
    bones, true = spine(odd=False), pose(seed)
    ref = true.inverse().apply(touches(bones, "vertebrae_T12", seed))
    off = stepped(true, "vertebrae_T12", "vertebrae_T11")
    name, rivals = rival_levels(bones, ref, ref[:4], off, tip_radius_mm=BALL_MM, sd_mm=0.3, correlation_mm=15.0)
    assert name == "vertebrae_T11"
    best = next(r for r in rivals if r.level == "vertebrae_T12")
    error = best.T_ct_from_ref.apply(ref) - true.apply(ref)
    assert np.sqrt(np.square(error).sum(axis=1).mean()) < 0.5, "its rival is the truth"


@pytest.mark.parametrize("seed", SEEDS)
def test_bones_of_another_build_are_no_rivals(seed: int) -> None:
    bones = spine(odd=True)
    name, rivals = look(bones, touches(bones, "vertebrae_T12", seed), pose(seed))
    assert (name, rivals) == ("vertebrae_T12", ())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_level_off_on_bones_of_another_build_is_told_too(seed: int) -> None:
    """There the fit itself is poor, and the truth is found beside it."""
    bones, true = spine(odd=True), pose(seed)
    ref = true.inverse().apply(touches(bones, "vertebrae_L1", seed))
    _, rivals = rival_levels(
        bones, ref, ref[:4], stepped(true, "vertebrae_L1", "vertebrae_T12"), tip_radius_mm=BALL_MM, sd_mm=0.3, correlation_mm=15.0
    )
    assert rivals
    assert rivals[0].level == "vertebrae_L1"
    assert rivals[0].misfit_mm < 0.7 * rivals[0].found_misfit_mm


def test_landmarks_alone_on_bones_alike_are_asked_about_as_well() -> None:
    bones, found = spine(odd=False), pose(3)
    spots = ((0.0, -11.0), (34.0, 5.0), (-34.0, 5.0), (8.0, 0.0))
    seat, inwards = level("vertebrae_T12"), np.array((0.0, -1.0, 0.0))
    marks = np.array([on_bone("vertebrae_T12", seat.place(x, 90.0, z), inwards) for x, z in spots])
    ref = found.inverse().apply(marks)
    _, rivals = rival_levels(bones, np.zeros((0, 3)), ref, found, tip_radius_mm=0.0, sd_mm=0.3, correlation_mm=15.0)
    assert {r.level for r in rivals} == {"vertebrae_T11", "vertebrae_L1"}


def test_levels_in_one_mesh_are_told_by_the_shift() -> None:
    """A spine that is one structure: the neighbour has no name, so it is told where it lies."""
    three = spine(odd=False)
    vertices = np.concatenate([s.vertices_mm for _, s in three])
    starts = np.cumsum([0, *(len(s.vertices_mm) for _, s in three)])
    faces = np.concatenate([s.faces + n for (_, s), n in zip(three, starts, strict=False)])
    one = (("spine", Surface.from_arrays(vertices, faces)),)
    name, rivals = look(one, touches(three, "vertebrae_T12", 1), pose(1))
    assert name == "spine"
    told = sorted(r.level for r in rivals)
    assert len(told) == 2 and "to the feet" in told[0] and "to the head" in told[1]


def test_touches_in_the_air_say_nothing_of_bone() -> None:
    bones, found = spine(odd=False), pose(2)
    far = found.inverse().apply(np.array([(0.0, 150.0, 0.0), (20.0, 150.0, 0.0), (0.0, 150.0, 20.0)]))
    assert rival_levels(bones, np.zeros((0, 3)), far, found, tip_radius_mm=0.0, sd_mm=0.3, correlation_mm=15.0) == ("", ())


def test_what_is_found_does_not_hang_on_the_order_of_the_bones() -> None:
    bones = spine(odd=False)
    swept = touches(bones, "vertebrae_T12", 5)
    one, other = look(bones, swept, pose(5)), look(tuple(reversed(bones)), swept, pose(5))
    assert one[0] == other[0]
    assert {r.level for r in one[1]} == {r.level for r in other[1]}
