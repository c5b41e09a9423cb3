from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from navtwin import kernels
from navtwin.kernels.jit import query
from navtwin.kernels.screw import on_the_way, screw_between
from navtwin.kernels.segment import capsule
from navtwin.kernels.sweep import MOST_PAIRS, SweptHit, swept_capsule
from tests.kernels import meshes

F64 = np.ndarray
#: What a clearance may fall short of the truth, mm.
TIGHT = 0.01
PLATE = (40.0, 30.0, 0.25)


def pose(rotation: Rotation, translation: F64) -> F64:
    return np.hstack([rotation.as_matrix(), np.asarray(translation, float)[:, None]]).ravel()


def shaft(length: float, radius: float) -> F64:
    """A part along -z from its tip; a ball if it has no length."""
    return np.array([0, 0, 0, 0, 0, -length, radius], float)


def sweep(forest: kernels.Forest, part: F64, before: F64, after: F64, hint: int = -1, within: float = np.inf) -> SweptHit:
    return swept_capsule(forest, 0, part, before, after, hint, within, kernels.workspace())


def walk(part: F64, before: F64, after: F64, steps: int) -> tuple[F64, F64]:
    """Ends a and b at evenly spaced times, each (steps + 1, 3), by matrix exponentials."""
    first, last = (np.vstack([p.reshape(3, 4), [0, 0, 0, 1]]) for p in (before, after))
    relative = last @ np.linalg.inv(first)
    w = Rotation.from_matrix(relative[:3, :3]).as_rotvec()
    K, angle = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]]), np.linalg.norm(w)
    even, odd = (0.5, 1 / 6) if angle < 1e-4 else ((1 - np.cos(angle)) / angle**2, (angle - np.sin(angle)) / angle**3)
    twist = np.zeros((4, 4))
    twist[:3, :3], twist[:3, 3] = K, np.linalg.solve(np.eye(3) + even * K + odd * K @ K, relative[:3, 3])
    step, place = expm(twist / steps), first
    ends = np.array([[*part[:3], 1.0], [*part[3:6], 1.0]]).T
    out = np.empty((2, steps + 1, 3))
    for k in range(steps + 1):
        out[:, k] = (place @ ends)[:3].T
        place = step @ place
    return out[0], out[1]


#: Instruments and their steps, at rest to far.
any_move = given(
    seed=st.integers(0, 100_000),
    degrees=st.sampled_from([0.0, 0.1, 2.0, 10.0, 60.0]),
    mm=st.sampled_from([0.0, 0.02, 0.5, 5.0, 20.0]),
    length=st.sampled_from([0.0, 20.0, 150.0]),
    radius=st.sampled_from([0.0, 1.5]),
)


@query
def clearances(forest: kernels.Forest, a: F64, b: F64, radius: float, out: F64, work: kernels.Workspace) -> None:
    for i in range(len(a)):
        out[i] = capsule(forest, 0, a[i, 0], a[i, 1], a[i, 2], b[i, 0], b[i, 1], b[i, 2], radius, -1, np.inf, work).distance


def sampled(forest: kernels.Forest, part: F64, before: F64, after: F64, steps: int = 200) -> tuple[F64, float]:
    """Clearances at evenly spaced times, and how much less one may be in between."""
    a, b = walk(part, before, after, steps)
    at = np.empty(steps + 1)
    clearances(forest, a, b, part[6], at, kernels.workspace())
    move = max(np.linalg.norm(np.diff(e, axis=0), axis=1).max() for e in (a, b))
    return at, 0.5 * move


def random_move(rng: np.random.Generator, degrees: float, mm: float, reach: float = 60.0) -> tuple[F64, F64]:
    start, turn = Rotation.random(random_state=rng), rng.normal(size=3)
    turn *= np.radians(degrees) / np.linalg.norm(turn)
    at = rng.uniform(-reach, reach, 3)
    return pose(start, at), pose(Rotation.from_rotvec(turn) * start, at + rng.normal(0, mm, 3))


@pytest.mark.parametrize("degrees", [0.0, 1e-7, 1e-3, 2.0, 28.0, 29.0, 90.0, 179.0])
def test_the_way_is_a_screw(degrees: float) -> None:
    rng = np.random.default_rng(int(degrees))
    for _ in range(5):
        part = shaft(150.0, 1.0)
        before, after = random_move(rng, degrees, 20.0)
        is_known, screw = screw_between(part, before, after)
        assert is_known
        a, b = walk(part, before, after, 8)
        for k in range(9):
            np.testing.assert_allclose(on_the_way(screw, k / 8), (a[k], b[k]), rtol=0, atol=1e-10)
        speed = max(np.linalg.norm(np.diff(e, axis=0), axis=1).max() for e in walk(part, before, after, 1000)) * 1000
        assert screw.speed == pytest.approx(speed, rel=1e-5, abs=1e-9)
        assert screw.slip < 1e-10


@settings(max_examples=40, deadline=None)
@any_move
def test_never_above_and_hardly_below_the_truth(seed: int, degrees: float, mm: float, length: float, radius: float) -> None:
    forest = kernels.plant(*meshes.torus(nu=48, nv=24))[0]
    part, (before, after) = shaft(length, radius), random_move(np.random.default_rng(seed), degrees, mm)
    at, between = sampled(forest, part, before, after)
    hit = sweep(forest, part, before, after)
    assert hit.is_known
    if hit.depth_is_bound:
        assert hit.clearance <= min(at[0], at[-1], max(at.min(), -radius)) + 1e-9
        assert at.min() <= -radius + between + TIGHT
        return
    assert hit.clearance <= at.min() + 1e-9
    if not hit.is_loose:
        assert hit.clearance >= at.min() - TIGHT - between
    if hit.clearance > 0.0:
        now = np.subtract(hit[8:11], hit[11:14])
        assert np.linalg.norm(now) - radius <= at.min() + TIGHT
        assert np.linalg.norm(now) - radius >= hit.clearance - 1e-9


@pytest.mark.parametrize("length", [0.0, 120.0])
@pytest.mark.parametrize("radius", [0.0, 0.1, 2.0])
@pytest.mark.parametrize("fine", [False, True])
def test_a_plate_between_the_end_poses_is_always_seen(length: float, radius: float, fine: bool) -> None:
    """Half a millimetre thick, crossed in one step; for a shaft that swings through it sideways as well."""
    plate = split(meshes.box(PLATE), 4) if fine else meshes.box(PLATE)
    forest, rng, crossed = kernels.plant(*plate)[0], np.random.default_rng(int(length + 10 * radius)), 0
    while crossed < 25:
        part = shaft(length, radius)
        tip = np.array([*rng.uniform(-25, 25, 2), rng.uniform(2.5, 30.0)])
        side = Rotation.from_rotvec(rng.normal(0, 0.5, 3)) * Rotation.from_euler("x", rng.choice([90.0, 180.0]), degrees=True)
        before = pose(side, tip)
        after = pose(Rotation.from_rotvec(rng.normal(0, 0.15, 3)) * side, tip + np.array([*rng.normal(0, 3, 2), -rng.uniform(5, 60)]))
        at, _ = sampled(forest, part, before, after, 300)
        if min(at[0], at[-1]) <= 0.0 or not crosses(np.array(walk(part, before, after, 300))):
            continue
        crossed += 1
        hit = sweep(forest, part, before, after)
        assert hit.clearance <= -radius
        assert hit.depth_is_bound
        assert 0.0 < hit.when < 1.0
        assert not hit.is_loose
        # Contact begins then, within what is promised, and not before.
        a, b = on_the_way(screw_between(part, before, after)[1], hit.when)
        assert capsule(forest, 0, *a, *b, radius, -1, np.inf, kernels.workspace()).distance <= 0.02
        assert at[: int(hit.when * 300) + 1].min() > 0.0


def crosses(axis: F64) -> bool:
    """Whether a point of the axis (2, N, 3) passes straight through the plate, well within its rim."""
    t = np.linspace(0, 1, 25)[:, None, None]
    points = axis[0] + t * (axis[1] - axis[0])
    within = (np.abs(points[..., 0]) < PLATE[0] - 1) & (np.abs(points[..., 1]) < PLATE[1] - 1)
    z = points[..., 2]
    return bool(((z[:, 0] > PLATE[2]) & (z[:, -1] < -PLATE[2]) & within.all(axis=1)).any())


def split(mesh: meshes.Mesh, times: int) -> meshes.Mesh:
    """Each triangle in four, over and over; vertices repeated."""
    corners = mesh[0][mesh[1]]
    for _ in range(times):
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        corners = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    vertices, index = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    return vertices, index.reshape(-1, 3).astype(np.int32)


def test_the_moment_of_contact() -> None:
    forest = kernels.plant(*meshes.box((10.0, 10.0, 10.0)))[0]
    for part, tip, way, gap in ((shaft(0, 2.0), [0.3, 0.2, 30.0], [0, 0, -40.0], 18.0), (shaft(50, 1.0), [-25.0, 0.1, 0], [50.0, 0, 0], 14.0)):
        before = pose(Rotation.identity(), np.array(tip))
        hit = sweep(forest, part, before, pose(Rotation.identity(), np.add(tip, way)))
        assert hit.when == pytest.approx(gap / np.linalg.norm(way), abs=0.001)
        assert hit.when <= gap / np.linalg.norm(way)
        assert hit.clearance <= -part[6]


def test_straight_past_a_box_is_exact() -> None:
    forest = kernels.plant(*meshes.box((10.0, 10.0, 10.0)))[0]
    for part in (shaft(0.0, 1.0), shaft(120.0, 1.0)):
        past = sweep(forest, part, pose(Rotation.identity(), [-30.0, 14, 5]), pose(Rotation.identity(), [30.0, 14, 5]))
        assert past.clearance == pytest.approx(3.0, abs=TIGHT)
        assert past.clearance <= 3.0
        along = sweep(forest, part, pose(Rotation.identity(), [3.0, 14, 5]), pose(Rotation.identity(), [3.0, 14, 45]))
        assert along.clearance == pytest.approx(3.0, abs=TIGHT)
        assert not along.is_loose


def test_at_rest_it_is_the_capsule() -> None:
    forest = kernels.plant(*meshes.torus())[0]
    rng = np.random.default_rng(0)
    for _ in range(20):
        before, _ = random_move(rng, 0.0, 0.0)
        hit, (a, b) = sweep(forest, shaft(90.0, 1.5), before, before), walk(shaft(90.0, 1.5), before, before, 1)
        still = capsule(forest, 0, *a[0], *b[0], 1.5, -1, np.inf, kernels.workspace())
        assert hit.clearance == pytest.approx(still.distance, abs=1e-9)
        assert hit.depth_is_bound >= still.depth_is_bound


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), hint=st.integers(-3, 3000), within=st.floats(0.0, 40.0), length=st.sampled_from([0.0, 100.0]))
def test_hint_and_cap_never_change_a_bit(seed: int, hint: int, within: float, length: float) -> None:
    forest = kernels.plant(*meshes.torus(nu=48, nv=24))[0]
    rng = np.random.default_rng(seed)
    before, after = random_move(rng, rng.choice([0.1, 3.0, 20.0]), rng.choice([0.1, 2.0, 15.0]))
    exact, capped = sweep(forest, shaft(length, 1.5), before, after), sweep(forest, shaft(length, 1.5), before, after, hint, within)
    assert capped.farther == (exact.clearance > within)
    if capped.farther:
        assert (capped.clearance, capped.face) == (within, -1)
        assert np.isnan(capped[8:]).all()
    else:
        assert capped[:7] == exact[:7]
        assert capped[8:] == exact[8:]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), length=st.sampled_from([0.0, 100.0]))
def test_backwards_and_the_other_way_round(seed: int, length: float) -> None:
    forest = kernels.plant(*meshes.torus(nu=48, nv=24))[0]
    rng = np.random.default_rng(seed)
    before, after = random_move(rng, rng.choice([0.1, 3.0, 20.0]), rng.choice([0.1, 2.0, 15.0]))
    part = shaft(length, 1.5)
    turned = np.concatenate([part[3:6], part[:3], part[6:]])
    hit, back, swapped = sweep(forest, part, before, after), sweep(forest, part, after, before), sweep(forest, turned, before, after)
    for other in (back, swapped):
        assert other.is_loose or hit.is_loose or other.clearance == pytest.approx(hit.clearance, abs=TIGHT)


def test_where_there_is_no_way_nothing_is_claimed() -> None:
    forest, part = kernels.plant(*meshes.torus())[0], shaft(100.0, 1.5)
    here = pose(Rotation.identity(), np.array([0.0, 0, 60]))
    lost, sheared, mirrored, turned = here.copy(), here.copy(), here.copy(), pose(Rotation.from_euler("x", 180.0, degrees=True), np.zeros(3))
    lost[3], sheared[1] = np.nan, 0.01
    mirrored[0] = -1.0
    for before, after in ((here, lost), (lost, here), (here, sheared), (mirrored, mirrored), (here, turned), (here, 2.0 * here)):
        hit = sweep(forest, part, before, after, -1, 10.0)
        assert not hit.is_known
        assert not hit.farther
        assert np.isnan(hit.clearance)
        assert np.isnan(hit.when)
    for bad in (shaft(100.0, -1.0), shaft(np.nan, 1.0)):
        assert np.isnan(sweep(forest, bad, here, here).clearance)
    assert np.isnan(sweep(forest, part, here, here, -1, np.nan).clearance)


def test_a_search_cut_short_is_loose_and_still_below_the_truth() -> None:
    """A shaft that rolls around a sphere, everywhere as near, by far more than a body moves in a frame."""
    forest = kernels.plant(*meshes.sphere(30.0, 5))[0]
    part = np.array([60.0, -55, -60, 60, 55, 60, 1.0])
    turn = Rotation.from_euler("z", 170.0, degrees=True)
    before, after = pose(Rotation.identity(), np.zeros(3)), pose(turn, np.zeros(3))
    at, between = sampled(forest, part, before, after)
    hit = sweep(forest, part, before, after)
    assert hit.clearance <= at.min() + 1e-9
    assert hit.is_loose or hit.clearance >= at.min() - TIGHT - between
    assert MOST_PAIRS >= 1000


def test_inside_stays_inside() -> None:
    forest = kernels.plant(*meshes.box((50.0, 50.0, 50.0)))[0]
    for part in (shaft(0.0, 1.0), shaft(20.0, 1.0)):
        hit = sweep(forest, part, pose(Rotation.identity(), np.zeros(3)), pose(Rotation.identity(), np.array([5.0, 3, 1])), -1, 2.0)
        assert hit.clearance <= -40.0
        assert hit.when == 0.0
        assert not hit.farther
