"""Meshes of every nasty kind, the same on every machine: no random numbers but those of a seeded generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Shape:
    """A mesh.

    Attributes
    ----------
    solid : the boundary of a volume, outward, that does not cross itself: winds round a point once or not at all
    closed : winds round every point a whole number of times
    """

    name: str
    vertices: F64
    faces: I32
    solid: bool = False
    closed: bool = False

    def __post_init__(self) -> None:
        if self.solid:
            object.__setattr__(self, "closed", True)

    def moved(self, scale: float = 1.0, shift: tuple[float, float, float] = (0.0, 0.0, 0.0), turn: int | None = None) -> Shape:
        """Turned (by a seed), scaled, then shifted."""
        R = np.eye(3) if turn is None else Rotation.random(random_state=turn).as_matrix()
        return replace(self, name=f"{self.name} x{scale:g} at {shift[0]:g}", vertices=(self.vertices @ R.T) * scale + np.asarray(shift))

    def inverted(self) -> Shape:
        return replace(self, name=f"inverted {self.name}", faces=np.ascontiguousarray(self.faces[:, ::-1]), solid=False)

    def shuffled(self, seed: int) -> Shape:
        """The same faces in another order, each from another corner on."""
        rng = np.random.default_rng(seed)
        faces = np.stack([np.roll(row, k) for row, k in zip(self.faces, rng.integers(0, 3, len(self.faces)), strict=True)])
        return replace(self, faces=np.ascontiguousarray(faces[rng.permutation(len(faces))]))


def together(name: str, *shapes: Shape, solid: bool = False) -> Shape:
    """All of them as one mesh."""
    starts = np.cumsum([0, *(len(s.vertices) for s in shapes)])
    faces = np.concatenate([s.faces + k for s, k in zip(shapes, starts[:-1], strict=True)])
    return Shape(name, np.concatenate([s.vertices for s in shapes]), faces.astype(np.int32), solid, all(s.closed for s in shapes))


def triangle() -> Shape:
    return Shape("triangle", np.array([[0.0, 0, 0], [7, 1, 0], [2, 5, 3]]), np.array([[0, 1, 2]], np.int32))


def tetrahedron() -> Shape:
    """A spike: the face normals disagree about its tip."""
    vertices = np.array([[0, 0, 10.0], [1, 0, 0], [-0.5, 0.8, 0], [-0.5, -0.8, 0]])
    return Shape("spike", vertices, np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], np.int32), solid=True)


def box(half: tuple[float, float, float] = (1.0, 2.0, 3.0), cuts: int = 1, name: str = "box") -> Shape:
    """Around the origin, each side `cuts` x `cuts` squares of two triangles; corners stay exact for halves that are."""
    steps = np.linspace(-1.0, 1.0, cuts + 1)
    u, v = (m.ravel() for m in np.meshgrid(steps, steps, indexing="ij"))
    vertices, faces = [], []
    i, j = (m.ravel() for m in np.meshgrid(np.arange(cuts), np.arange(cuts), indexing="ij"))
    a, b, c, d = i * (cuts + 1) + j, (i + 1) * (cuts + 1) + j, (i + 1) * (cuts + 1) + j + 1, i * (cuts + 1) + j + 1
    quads = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    for axis in range(3):
        for side in (-1.0, 1.0):
            sheet = np.empty((len(u), 3))
            sheet[:, axis], sheet[:, (axis + 1) % 3], sheet[:, (axis + 2) % 3] = side, u, v
            faces.append((quads if side > 0 else quads[:, ::-1]) + sum(map(len, vertices)))
            vertices.append(sheet)
    places, corner = np.unique(np.concatenate(vertices) * half, axis=0, return_inverse=True)
    return Shape(name, places, corner.reshape(-1)[np.concatenate(faces)].astype(np.int32), solid=True)


def sphere(radius: float = 20.0, depth: int = 2) -> Shape:
    """An octahedron whose faces are split in four `depth` times and pushed out: 8 x 4^depth faces."""
    vertices = [np.array(v, float) for v in ((1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))]
    faces = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4), (1, 0, 5), (2, 1, 5), (3, 2, 5), (0, 3, 5)]
    for _ in range(depth):
        middles: dict[tuple[int, int], int] = {}
        finer = []
        for a, b, c in faces:
            ids = []
            for pair in ((a, b), (b, c), (c, a)):
                key = (min(pair), max(pair))
                if key not in middles:
                    middle = vertices[pair[0]] + vertices[pair[1]]
                    middles[key] = len(vertices)
                    vertices.append(middle / np.linalg.norm(middle))
                ids.append(middles[key])
            ab, bc, ca = ids
            finer += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = finer
    return Shape(f"sphere of {len(faces)}", np.array(vertices) * radius, np.array(faces, np.int32), solid=True)


def globe(radius: float = 20.0, rows: int = 12, columns: int = 40) -> Shape:
    """Parallels and meridians: slivers around the poles."""
    polar, turn = np.linspace(0, np.pi, rows + 1)[1:-1], np.arange(columns) * 2 * np.pi / columns
    ring = np.stack([np.outer(np.sin(polar), np.cos(turn)), np.outer(np.sin(polar), np.sin(turn)), np.outer(np.cos(polar), np.ones(columns))], -1)
    vertices = np.concatenate([ring.reshape(-1, 3), [[0, 0, 1.0], [0, 0, -1.0]]]) * radius
    north, south = len(vertices) - 2, len(vertices) - 1
    faces = []
    for j in range(columns):
        k = (j + 1) % columns
        faces += [(north, j, k), (south, (rows - 2) * columns + k, (rows - 2) * columns + j)]
        for i in range(rows - 2):
            a, b, c, d = i * columns + j, (i + 1) * columns + j, (i + 1) * columns + k, i * columns + k
            faces += [(a, b, c), (a, c, d)]
    return Shape("globe", vertices, np.array(faces, np.int32), solid=True)


def torus(big: float = 30.0, small: float = 10.0, nu: int = 16, nv: int = 10) -> Shape:
    """Around z."""
    u, v = (m.ravel() for m in np.meshgrid(np.arange(nu), np.arange(nv), indexing="ij"))
    rho = big + small * np.cos(2 * np.pi * v / nv)
    vertices = np.stack([rho * np.cos(2 * np.pi * u / nu), rho * np.sin(2 * np.pi * u / nu), small * np.sin(2 * np.pi * v / nv)], -1)
    a, b, c, d = u * nv + v, ((u + 1) % nu) * nv + v, ((u + 1) % nu) * nv + (v + 1) % nv, u * nv + (v + 1) % nv
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    return Shape(f"torus of {2 * nu * nv}", vertices, faces.astype(np.int32), solid=True)


def plate() -> Shape:
    """0.5 mm thick, 100 mm wide: bone that a drill goes through."""
    return box((50.0, 50.0, 0.25), 4, "plate")


def rod(thick: float = 0.02) -> Shape:
    """100 mm long."""
    return box((50.0, thick / 2, thick / 2), 1, "rod")


def soup(n: int, seed: int, size: float = 8.0) -> Shape:
    """Triangles at random, which cross."""
    rng = np.random.default_rng(seed)
    vertices = (rng.uniform(-20, 20, (n, 1, 3)) + rng.normal(0, size, (n, 3, 3))).reshape(-1, 3)
    return Shape(f"soup of {n}", vertices, np.arange(3 * n, dtype=np.int32).reshape(n, 3))


def needles(n: int, seed: int, thinnest: float = 1e-4) -> Shape:
    """Triangles of one long and one short side, down to `thinnest` of the long one."""
    rng = np.random.default_rng(seed)
    a, along = rng.uniform(-20, 20, (n, 3)), rng.normal(0, 15, (n, 3))
    width = np.exp(rng.uniform(np.log(thinnest), 0, (n, 1))) * rng.normal(0, 15, (n, 3))
    vertices = np.stack([a, a + along, a + rng.uniform(0, 1, (n, 1)) * along + width], 1).reshape(-1, 3)
    return Shape(f"needles of {n} to {thinnest:g}", vertices, np.arange(3 * n, dtype=np.int32).reshape(n, 3))


def lattice(n: int, seed: int) -> Shape:
    """Whole corners from 0 to 6: exact ties between faces that share nothing, flat faces, faces that are points, repeated faces."""
    rng = np.random.default_rng(seed)
    vertices = np.array([[x, y, z] for x in range(7) for y in range(7) for z in range(7)], float)
    return Shape(f"lattice of {n}", vertices, rng.integers(0, len(vertices), (n, 3)).astype(np.int32))


def repeated() -> Shape:
    """A box with every face also turned round, inverted or repeated, and with faces that are lines and points."""
    whole = box((4.0, 5.0, 6.0), 2)
    rng = np.random.default_rng(1)
    extra = np.concatenate([whole.faces, np.roll(whole.faces, 1, axis=1), whole.faces[:, ::-1], whole.faces[:, [0, 0, 1]], whole.faces[:, [2, 2, 2]]])
    return replace(whole, name="repeated", faces=np.ascontiguousarray(rng.permutation(extra)), solid=False, closed=False)


def flat() -> Shape:
    """A sheet that is a line in places: three corners in a row, and corners that coincide without being the same vertex."""
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 5, 5], [5, 5, 5], [0, 3, 0], [0.1, 0.1, 0.1], [0.3, 0.3, 0.3], [0.7, 0.7, 0.7]])
    return Shape("flat", vertices, np.array([[0, 1, 2], [3, 4, 3], [0, 5, 2], [0, 0, 1], [6, 7, 8], [3, 4, 0]], np.int32))


def sizes() -> Shape:
    """Triangles of 1e-6 to 1e3 mm in one mesh."""
    rng = np.random.default_rng(2)
    n = 60
    size = 10.0 ** rng.uniform(-6, 3, (n, 1, 1))
    vertices = (rng.uniform(-20, 20, (n, 1, 3)) + size * rng.normal(0, 1, (n, 3, 3))).reshape(-1, 3)
    return Shape("sizes", vertices, np.arange(3 * n, dtype=np.int32).reshape(n, 3))


def layers(gap: float, count: int = 4, depth: int = 1) -> Shape:
    """Spheres within each other, `gap` of their radius apart: float32 cannot tell them apart where it is small."""
    shells = [sphere(20.0 * (1.0 + k * gap), depth) for k in range(count)]
    return together(f"layers {gap:g} apart", *shells)


def hollow() -> Shape:
    """A ball with a hole in it."""
    inner = sphere(12.0, 2).inverted()
    return together("hollow", sphere(20.0, 2), inner, solid=True)


def nested() -> Shape:
    """A ball within a ball, both outward: the surface winds twice round the inner one's points."""
    return together("nested", sphere(20.0, 2), sphere(12.0, 2))


def crossing() -> Shape:
    """Two balls that overlap."""
    return together("crossing", sphere(20.0, 2), sphere(15.0, 2).moved(shift=(17.0, 3.0, 1.0)))


def spindle() -> Shape:
    """A torus that reaches through itself."""
    return replace(torus(6.0, 10.0, 24, 16), name="spindle", solid=False, closed=True)


def hemisphere() -> Shape:
    """Open below."""
    whole = sphere(20.0, 2)
    return replace(
        whole, name="hemisphere", faces=whole.faces[(whole.vertices[whole.faces][:, :, 2] >= -1e-9).all(axis=1)], solid=False, closed=False
    )


def accordion() -> Shape:
    """A strip in narrow folds: most points near it are almost as near to the next fold."""
    k = np.arange(25)
    zigzag = np.stack([k * 0.125, np.zeros(25), np.where(k % 2, 5.0, 0.0)], -1)
    vertices = np.concatenate([zigzag, zigzag + np.array([0.0, 20.0, 0.0])])
    faces = [t for i in range(24) for t in ((i, i + 1, i + 26), (i, i + 26, i + 25))]
    return Shape("accordion", vertices, np.array(faces, np.int32))


def mobius() -> Shape:
    """One side only."""
    n = 30
    t = np.arange(n) * 2 * np.pi / n
    out = np.stack([np.cos(t), np.sin(t), np.zeros(n)], -1)
    across = np.stack([np.cos(t / 2) * np.cos(t), np.cos(t / 2) * np.sin(t), np.sin(t / 2)], -1)
    vertices = np.concatenate([20 * out - 5 * across, 20 * out + 5 * across])
    faces = []
    for i in range(n):
        j, low, high = (i + 1) % n, i + n, (i + 1) % n + n
        if j == 0:
            j, high = high, j
        faces += [(i, j, high), (i, high, low)]
    return Shape("mobius", vertices, np.array(faces, np.int32))


#: Every kind, by name; small enough to ask of every face.
KINDS: dict[str, Callable[[], Shape]] = {
    "triangle": triangle,
    "spike": tetrahedron,
    "box": box,
    "cut box": lambda: box((4.0, 5.0, 6.0), 4, "cut box"),
    "octahedron": lambda: sphere(20.0, 0),
    "sphere": sphere,
    "turned sphere": lambda: sphere(20.0, 1).moved(turn=1).shuffled(1),
    "globe": globe,
    "torus": torus,
    "turned torus": lambda: torus().moved(turn=2).shuffled(2),
    "plate": plate,
    "turned plate": lambda: plate().moved(turn=3).shuffled(3),
    "rod": rod,
    "soup": lambda: soup(80, 4),
    "few": lambda: soup(7, 5),
    "needles": lambda: needles(60, 6),
    "lattice": lambda: lattice(60, 8),
    "repeated": repeated,
    "flat": flat,
    "sizes": sizes,
    "layers 1e-5": lambda: layers(1e-5),
    "layers 1e-8": lambda: layers(1e-8).moved(turn=9).shuffled(9),
    "layers 1e-12": lambda: layers(1e-12).moved(turn=10),
    "hollow": hollow,
    "nested": nested,
    "crossing": crossing,
    "spindle": spindle,
    "inverted": lambda: sphere().inverted(),
    "hemisphere": hemisphere,
    "accordion": accordion,
    "mobius": mobius,
}
