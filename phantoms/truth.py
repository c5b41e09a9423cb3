"""The true patient: the segmented surfaces moved by the error that their segmentation admits to, and the true distances to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import Part
from phantoms.motion import Poses
from phantoms.shapes import Array

if TYPE_CHECKING:
    from navtwin.scene.model import Scene, Structure
    from navtwin.scene.surface import Surface

CANAL, AORTA = "spinal_canal", "aorta"
WAVES = 96
#: Reach of the averaging of normals, and the cells it is done in.
BLUR_MM = 2.5
CELL_MM = 1.5

Faces = npt.NDArray[np.int32]


@dataclass(frozen=True)
class SmoothField:
    """A smooth random function of position: a sum of plane waves whose covariance is exp(-d^2 / (2 correlation^2)).

    Rahimi & Recht, "Random features for large-scale kernel machines", NIPS 2007, with few enough waves to stay quick.
    """

    wave_per_mm: Array
    phase_rad: Array

    @classmethod
    def draw(cls, correlation_mm: float, rng: np.random.Generator) -> SmoothField:
        return cls(rng.standard_normal((WAVES, 3)) / correlation_mm, rng.uniform(0.0, 2.0 * np.pi, WAVES))

    def at(self, points_mm: Array) -> Array:
        """Values (N,), of unit variance over the draw."""
        total = np.zeros(len(points_mm))
        for wave, phase in zip(self.wave_per_mm, self.phase_rad, strict=True):
            total += np.cos(points_mm @ wave + phase)
        return np.asarray(total * np.sqrt(2.0 / WAVES))


@dataclass(frozen=True)
class TruePatient:
    """The true surfaces of the structures that may be cut (`work`) and that must not be touched (`critical`), by name, in ct."""

    work: Mapping[str, Surface]
    critical: Mapping[str, Surface]


def true_patient(scene: Scene, seed: int) -> TruePatient:
    """Draw the patient that the scan might have been of. Structures err independently of one another."""
    names = [s.name for s in scene.structures]
    for name in (CANAL, AORTA):
        if name not in names or scene.structure(name).role != "critical":
            raise InputRefused(f"the rehearsal needs a critical structure '{name}' in case '{scene.name}'", "add it to case.toml with its limits")
    moved = {s.name: (s.role, displaced(s, np.random.default_rng([seed, 1, n]))) for n, s in enumerate(scene.structures) if s.role != "context"}
    return TruePatient(
        work={name: surface for name, (role, surface) in moved.items() if role == "work"},
        critical={name: surface for name, (role, surface) in moved.items() if role == "critical"},
    )


def displaced(structure: Structure, rng: np.random.Generator) -> Surface:
    """A structure's surface, moved along its normals by a smooth field whose RMS over the surface is the structure's `sd_mm`.

    The field is a Gaussian one, bent so that it stays within 1.6 times that: 0.3 mm of RMS is 0.5 mm at most, as a checked segmentation errs.
    """
    from navtwin.scene.surface import Surface

    vertices, faces = structure.surface.vertices_mm, structure.surface.faces
    normals = vertex_normals(vertices, faces)
    field = np.tanh(SmoothField.draw(structure.correlation_mm, rng).at(vertices))
    moves = field[:, None] * blurred_normals(vertices, normals)
    outward = np.einsum("vi,vi->v", moves, normals)
    return Surface.from_arrays(vertices + moves * (structure.sd_mm / np.sqrt(np.mean(outward**2))), faces)


def vertex_normals(vertices_mm: Array, faces: Faces) -> Array:
    """Unit normals (V, 3), outward where the faces are: the sum of each vertex's face normals, weighted by area."""
    a, b, c = (vertices_mm[faces[:, n]] for n in range(3))
    area = np.repeat(np.cross(b - a, c - a), 3, axis=0)
    total = np.stack([np.bincount(faces.ravel(), area[:, d], len(vertices_mm)) for d in range(3)], axis=1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def blurred_normals(vertices_mm: Array, normals: Array) -> Array:
    """Normals averaged in space over some `BLUR_MM`: shorter than 1 where they disagree, and so smooth that moving along them cannot fold a crease.

    The blur is of space and not of the mesh, for triangles may be as thin as slivers.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    index = ((vertices_mm - vertices_mm.min(axis=0)) / CELL_MM + 4.0).T
    shape = tuple(int(n) + 6 for n in index.max(axis=1))
    cells = np.ravel_multi_index(tuple(np.rint(index).astype(int)), shape)
    weight, *sums = (
        map_coordinates(gaussian_filter(np.bincount(cells, w, int(np.prod(shape))).reshape(shape), BLUR_MM / CELL_MM), index, order=1)
        for w in (np.ones(len(normals)), *normals.T)
    )
    return np.stack(sums, axis=1) / weight[:, None]


def part_distances(surface: Surface, part: Part, T_ct_from_tip: Poses) -> Array:
    """True distance (N,), mm, from a part's skin to a surface, for N poses of its tool."""
    starts, ends = T_ct_from_tip.points(part.from_mm), T_ct_from_tip.points(part.to_mm)
    if part.from_mm == part.to_mm:
        return np.asarray(surface.closest(starts).distance_mm - part.radius_mm)
    return np.array([surface.closest_to_capsule(a, b, part.radius_mm).distance_mm for a, b in zip(starts, ends, strict=True)])


class Closest(Protocol):
    """Answers to N points: signed distance (N,), mm, and the closest point (N, 3), mm."""

    @property
    def distance_mm(self) -> Array: ...

    @property
    def point_mm(self) -> Array: ...


class Bone(Protocol):
    """What a pointer can rest on: a `Surface`, or a shape that answers like one."""

    @property
    def vertices_mm(self) -> Array: ...

    def closest(self, points_mm: npt.ArrayLike) -> Closest: ...


def nearest_distance(surfaces: Sequence[Bone], points_mm: Array) -> Array:
    """Signed distance (N,), mm, to the nearest of several surfaces."""
    return np.asarray(np.min([s.closest(points_mm).distance_mm for s in surfaces], axis=0))
