"""Points to ask of a shape: at random, close by, exactly on it, far off, and where two features are equally near to the last bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.oracles.brute import Features, segment_triangle
from tests.oracles.shapes import Shape

F64 = npt.NDArray[np.float64]


def _extent(shape: Shape) -> tuple[F64, F64, float]:
    used = shape.vertices[shape.faces].reshape(-1, 3)
    low, high = used.min(axis=0), used.max(axis=0)
    return low, high, float(np.linalg.norm(high - low))


def around(shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """In a box half as large again."""
    low, high, size = _extent(shape)
    return rng.uniform(low - 0.25 * size, high + 0.25 * size, (n, 3))


def on_faces(shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """On the faces but for the rounding of the coordinates."""
    weights = rng.dirichlet((1.0, 1.0, 1.0), n)
    return np.asarray((weights[:, :, None] * shape.vertices[shape.faces[rng.integers(0, len(shape.faces), n)]]).sum(axis=1))


def close_by(shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """1e-14 to 1e-1 of the shape's size off its faces: the tool's path."""
    _, _, size = _extent(shape)
    return on_faces(shape, n, rng) + size * 10.0 ** rng.uniform(-14, -1, (n, 1)) * rng.normal(0, 1, (n, 3))


def exactly_on(shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """Vertices, middles of edges and of faces."""
    corners = shape.vertices[shape.faces]
    middles = (corners + np.roll(corners, 1, axis=1)).reshape(-1, 3) / 2
    every = np.concatenate([corners.reshape(-1, 3), middles, corners.mean(axis=1)])
    return every[rng.integers(0, len(every), n)]


def far_off(shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """10 to 1e6 times its size away."""
    low, high, size = _extent(shape)
    way = rng.normal(0, 1, (n, 3))
    return (low + high) / 2 + size * 10.0 ** rng.uniform(1, 6, (n, 1)) * way / np.linalg.norm(way, axis=1, keepdims=True)


def even(shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """Coarse fractions of its size, about its middle: where shapes with mirror planes have exact ties."""
    low, high, _ = _extent(shape)
    return (low + high) / 2 + (high - low) * rng.integers(-4, 5, (n, 3)) / 4


def torn(features: Features, shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """Between two features: the line from one point to another, nearest to other features, is halved until its ends are neighbours in float64; then
    pushed 1e-16 to 1e-5 of its size off in any direction. There the least slack of a filter shows."""
    _, _, size = _extent(shape)
    seeds = max(1, n // 25)
    near, far = around(shape, seeds, rng), around(shape, seeds, rng)
    mine = features.distances(near).argmin(axis=1)
    other = features.distances(far).argmin(axis=1)
    near, far, mine = near[mine != other], far[mine != other], mine[mine != other]
    if len(near) == 0:
        return around(shape, n, rng)
    for _ in range(60):
        middle = (near + far) / 2
        still = (features.distances(middle).argmin(axis=1) == mine)[:, None]
        near, far = np.where(still, middle, near), np.where(still, far, middle)
    chosen = near[rng.integers(0, len(near), n)]
    return chosen + size * 10.0 ** rng.uniform(-17, -5, (n, 1)) * rng.normal(0, 1, (n, 3))


def mixed(features: Features, shape: Shape, n: int, rng: np.random.Generator) -> F64:
    """n points of all kinds."""
    part = n // 8
    kinds = [
        close_by(shape, 2 * part, rng),
        on_faces(shape, part // 2, rng),
        exactly_on(shape, part, rng),
        far_off(shape, part // 2, rng),
        even(shape, part, rng),
        torn(features, shape, part, rng),
    ]
    kinds.append(around(shape, n - sum(map(len, kinds)), rng))
    return np.concatenate(kinds)


def axes(shape: Shape, n: int, rng: np.random.Generator) -> tuple[F64, F64, F64]:
    """n capsules: long and short, balls, from points on the surface and close to it, and with radii down to 0."""
    _, _, size = _extent(shape)
    a, b, part = around(shape, n, rng), around(shape, n, rng), n // 5
    b[:part] = a[:part]
    b[part : 2 * part] = a[part : 2 * part] + rng.normal(0, 0.02, (part, 3)) * size
    a[2 * part : 3 * part] = exactly_on(shape, part, rng)
    a[3 * part : 4 * part] = close_by(shape, part, rng)
    b[3 * part : 4 * part] = a[3 * part : 4 * part] + rng.normal(0, 1, (part, 3)) * size * 10.0 ** rng.uniform(-6, 0.5, (part, 1))
    return a, b, rng.choice([0.0, 1e-3, 0.02, 0.1], n) * size * rng.random(n)


def torn_axes(features: Features, shape: Shape, n: int, rng: np.random.Generator) -> tuple[F64, F64, F64]:
    """n capsules as near to one face as to another but for 1e-16 to 1e-6 of the shape's size: an axis is shifted as `torn` moves a point."""
    _, _, size = _extent(shape)
    seeds = max(1, n // 12)
    a, way = around(shape, seeds, rng), rng.normal(0, 0.2, (seeds, 3)) * size
    near, far = np.zeros((seeds, 3)), rng.normal(0, 0.3, (seeds, 3)) * size
    corners = features.triangles.swapaxes(0, 1)

    def nearest_face(shift: F64) -> npt.NDArray[np.int64]:
        return segment_triangle((a + shift)[:, None], (a + way + shift)[:, None], *corners).argmin(axis=1)

    mine = nearest_face(near)
    for _ in range(50):
        middle = (near + far) / 2
        still = (nearest_face(middle) == mine)[:, None]
        near, far = np.where(still, middle, near), np.where(still, far, middle)
    chosen = rng.integers(0, seeds, n)
    shift = near[chosen] + size * 10.0 ** rng.uniform(-17, -6, (n, 1)) * rng.normal(0, 1, (n, 3))
    return a[chosen] + shift, a[chosen] + way[chosen] + shift, np.zeros(n)


def rays(shape: Shape, n: int, rng: np.random.Generator) -> tuple[F64, F64]:
    """n rays from around it: at random, at the faces, at vertices and middles of edges; of any length, some along an axis."""
    origins, targets, part = around(shape, n, rng), around(shape, n, rng), n // 4
    targets[:part], targets[part : 2 * part] = on_faces(shape, part, rng), exactly_on(shape, part, rng)
    ways = targets - origins
    ways[2 * part : 2 * part + part // 2, rng.integers(0, 3)] = 0.0
    ways[2 * part + part // 2 : 3 * part] = np.eye(3)[rng.integers(0, 3, part - part // 2)] * rng.choice([-1.0, 1.0], (part - part // 2, 1))
    return origins, ways * 10.0 ** rng.uniform(-3, 3, (n, 1))
