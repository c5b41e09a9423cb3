"""What is in front, against rays cast one by one; and which corners can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from phantoms.camera import Lens, Occluder, Placed, Square, render, true_markers

LENS = Lens(np.array([[220.0, 0.0, 79.5], [0.0, 220.0, 59.5], [0.0, 0.0, 1.0]]), np.zeros(5), 160, 120)
BLACK = np.ones((1, 1), dtype=bool)


def cards(rng: np.random.Generator, count: int) -> list[Placed]:
    """Plain cards thrown about, each of its own grey, front and back alike; none cuts through another, for each keeps to a depth of its own."""
    bodies, slots = [], rng.permutation(count)
    for n in range(count):
        half = rng.uniform(12.0, 40.0)
        corners = np.array([(-half, half, 0.0), (half, half, 0.0), (half, -half, 0.0), (-half, -half, 0.0)])
        grey = 20.0 + 10.0 * n
        T = np.eye(4)
        # Tilts small enough for its slice of depth.
        tilt = 0.1 * rng.standard_normal(3) + (0.0, 0.0, rng.uniform(0.0, 6.0))
        T[:3, :3] = Rotation.from_rotvec(tilt).as_matrix() @ np.diag((1.0, -1.0, -1.0) if rng.random() < 0.7 else (1.0, 1.0, 1.0))
        T[:3, 3] = rng.uniform(-50.0, 50.0), rng.uniform(-40.0, 40.0), 200.0 + 40.0 * slots[n]
        bodies.append(Placed(T, [Square.of(corners, np.zeros((1, 1), bool), 0.0, paper_dn=grey, back_dn=grey)]))
    return bodies


def nearest(bodies: list[Placed], x: float, y: float) -> tuple[float, float, float]:
    """Grey and depth of the nearest card on a pixel's ray, and how far the ray is from any card's border, as a share of the card."""
    ray = np.array([(x - 79.5) / 220.0, (y - 59.5) / 220.0, 1.0])
    grey, depth, clear = 120.0, np.inf, np.inf
    for body in bodies:
        T, sheet = np.asarray(body.T_camera_from_body), body.sheets[0]
        a, b, _, d = sheet.corners_mm @ T[:3, :3].T + T[:3, 3]
        u, v, t = np.linalg.solve(np.stack([b - a, d - a, -ray], axis=1), -a)
        clear = min(clear, max(abs(u - 0.5), abs(v - 0.5)) - 0.5, key=abs)
        if 0.0 < u < 1.0 and 0.0 < v < 1.0 and 0.0 < t < depth:
            grey, depth = sheet.paper_dn, t
    return grey, depth, abs(clear)


@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_card_wins_at_every_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bodies = cards(rng, 14)
    grey = render(LENS, bodies)
    checked = 0
    for _ in range(700):
        x, y = int(rng.integers(160)), int(rng.integers(120))
        expected, _, clear = nearest(bodies, x, y)
        if clear > 0.06:  # a pixel that no border crosses
            assert grey[y, x] == round(expected), (x, y)
            checked += 1
    assert checked > 300


def cube(edge: float = 40.0) -> list[Square]:
    half = edge / 2.0
    face = np.array([(-half, half, half), (half, half, half), (half, -half, half), (-half, -half, half)])
    turns = [
        Rotation.from_rotvec(v) for v in ((0, 0, 0), (np.pi / 2, 0, 0), (np.pi, 0, 0), (-np.pi / 2, 0, 0), (0, np.pi / 2, 0), (0, -np.pi / 2, 0))
    ]
    return [Square.of(0.7 * turn.apply(face) + 0.3 * turn.apply((0.0, 0.0, half)), BLACK, 0.2, id=n) for n, turn in enumerate(turns)]


def test_of_a_cube_only_the_near_faces_are_seen() -> None:
    """A face is seen if its normal looks at the camera, and then all of it, for a cube is convex; two cubes hide each other's corners."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        T = np.eye(4)
        T[:3, :3] = Rotation.random(random_state=int(rng.integers(1 << 30))).as_matrix()
        T[:3, 3] = 5.0, -3.0, 300.0
        seen = {m.id: m for m in true_markers(LENS, [(T, cube())])}
        for n, square in enumerate(cube()):
            centre = square.corners_mm.mean(axis=0)
            placed = T[:3, :3] @ centre + T[:3, 3]
            facing = (T[:3, :3] @ centre) @ placed < 0.0
            assert (n in seen) == facing
            assert not facing or seen[n].visible.all()


def test_corners_are_seen_where_no_card_an_occluder_or_the_border_hides_them() -> None:
    rng = np.random.default_rng(11)
    hidden = 0
    for seed in range(6):
        screen = cards(np.random.default_rng(seed), 5)
        T = np.eye(4)
        T[:3, :3] = Rotation.from_rotvec(0.3 * rng.standard_normal(3)).as_matrix() @ np.diag((1.0, -1.0, -1.0))
        T[:3, 3] = *rng.uniform(-120.0, 120.0, 2), 450.0
        marker = Square.of(20.0 * np.array([(-1, 1, 0), (1, 1, 0), (1, -1, 0), (-1, -1, 0.0)]), BLACK, 1.0, id=9)
        occluder = Occluder(np.array([(70.0, -5.0), (90.0, -5.0), (90.0, 130.0), (70.0, 130.0)]))
        (true,) = [m for m in true_markers(LENS, [*screen, Placed(T, [marker])], occluders=[occluder]) if m.id == 9]
        for corner, (x, y), visible in zip(marker.corners_mm, true.corners_px, true.visible, strict=True):
            p = T[:3, :3] @ corner + T[:3, 3]
            assert (x, y) == pytest.approx((220.0 * p[0] / p[2] + 79.5, 220.0 * p[1] / p[2] + 59.5))
            inside = -0.5 <= x < 159.5 and -0.5 <= y < 119.5
            behind = 70.0 < x < 90.0 or nearest(screen, x, y)[1] < p[2]
            assert visible == (inside and not behind)
            hidden += not visible
    assert 4 < hidden < 20


def test_a_far_marker_does_not_shine_through_a_near_body_given_first_or_last() -> None:
    near, far = np.eye(4), np.eye(4)
    near[:3, :3] = far[:3, :3] = np.diag((1.0, -1.0, -1.0))
    near[2, 3], far[2, 3] = 200.0, 400.0
    front = Square.of(30.0 * np.array([(-1, 1, 0), (1, 1, 0), (1, -1, 0), (-1, -1, 0.0)]), BLACK, 0.5, paper_dn=200.0, ink_dn=60.0)
    for scene in ([(near, [front]), (far, [front])], [(far, [front]), (near, [front])]):
        grey = render(LENS, scene)
        assert (grey[40:80, 60:100] == 60).all()
