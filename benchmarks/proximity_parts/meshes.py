"""Anatomy at any number of triangles, and a drill to hold against it.

A structure is kept as a smooth field on voxels; resampling the field finer or coarser by cubic splines and contouring it gives a closed surface of
about as many triangles as asked. The anatomy is the head and neck atlas of the data pack (15 structures round the skull base, from a patient's CT),
or the demonstration's procedural spine where there is no pack. What was made is kept in the user's cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from navtwin.scene.data import cache_folder
from navtwin.scene.extract import contour
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]

ATLAS = Path("anatomy/head_neck_atlas/HN-Atlas-labels.nrrd")
#: Label numbers of the atlas; the first is the one that is asked alone.
ATLAS_STRUCTURES = {
    "skull": 10, "atlas": 11, "axis": 12, "cervical 3": 13, "cervical 4": 14, "mandible": 25, "left temporal muscle": 51, "right temporal muscle": 52,
    "right common carotid": 101, "left common carotid": 102, "right vertebral artery": 105, "right internal carotid": 107,
    "left internal carotid": 108, "right jugular vein": 109, "left jugular vein": 110,
}  # fmt: skip
#: A label's steps are rounded off over this many voxels.
SMOOTHING_VOXELS = 0.7
#: The field is kept this far from its level: a vertex that all but falls on a voxel's centre makes needles, which touch each other once rounded.
CLEARANCE = 0.01
#: Counts within this share of what was asked for are near enough.
NEAR_ENOUGH = 0.03
#: Part of the names in the cache: another recipe makes other files.
RECIPE = "2"


@dataclass(frozen=True)
class Field:
    """A structure on voxels: inside where `values` (nk, nj, ni) is above 0.5. `corner_mm` is the first voxel's centre (x, y, z)."""

    name: str
    values: F32
    spacing_mm: F64
    corner_mm: F64


@dataclass(frozen=True)
class Anatomy:
    """Where the meshes are from, and the fields that they are cut from; the first is the largest structure."""

    source: str
    fields: Callable[[], list[Field]]

    def surfaces(self, triangles: int, count: int) -> list[Surface]:
        """The first `count` structures with about `triangles` triangles each, made or from the cache."""
        folder = cache_folder("benchmarks") / f"{self.source}-{RECIPE}"
        files = [folder / f"{k:02d}-{triangles}.npz" for k in range(count)]
        if not all(file.is_file() for file in files):
            folder.mkdir(parents=True, exist_ok=True)
            for file, field in zip(files, self.fields(), strict=False):
                _keep(file, *mesh_of(field, triangles))
        return [_kept(file) for file in files]

    def said(self, triangles: int) -> str:
        """That size in words: what was asked for, which is the same wherever the meshes are from."""
        return f"{triangles // 1_000_000} M triangles" if triangles >= 1_000_000 else f"{triangles // 1000} k triangles"


@dataclass(frozen=True)
class Given:
    """A mesh that somebody brought, which stands for every structure at every size."""

    surface: Surface
    source: str = "a given mesh"

    def surfaces(self, triangles: int, count: int) -> list[Surface]:
        return [self.surface] * count

    def said(self, triangles: int) -> str:
        """Its own size."""
        return f"{len(self.surface.faces)} triangles"


def find_anatomy(data: Path | None) -> Anatomy:
    """The atlas of the data pack in `data` (default: the folder `shared/data` beside the checkout), else the demonstration's spine."""
    atlas = (data or Path(__file__).resolve().parents[2].parent / "shared" / "data") / ATLAS
    return Anatomy("atlas", lambda: atlas_fields(atlas)) if atlas.is_file() else Anatomy("spine", spine_fields)


def atlas_fields(path: Path) -> list[Field]:
    """The structures of the atlas. Its axes are turned by half a turn about z: for a benchmark that is the same head."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOImage import vtkNrrdReader

    reader = vtkNrrdReader()
    reader.SetFileName(str(path))
    reader.Update()
    image = reader.GetOutput()
    labels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    spacing = np.array(image.GetSpacing())
    return [_field_of(name, labels == label, spacing, np.zeros(3)) for name, label in ATLAS_STRUCTURES.items()]


def spine_fields() -> list[Field]:
    """The structures of the procedural patient on 1 mm voxels, and the same again beside it until there are 15."""
    from rich.console import Console

    from navtwin.scene.case import load_scene
    from phantoms.cases import phantom_patient

    scene = load_scene(phantom_patient(Console(stderr=True)))
    surfaces = sorted((s.surface for s in scene.structures), key=lambda surface: -len(surface.faces))
    beside = np.array([surfaces[0].bounds_mm[1, 0] - surfaces[0].bounds_mm[0, 0], 0.0, 0.0])
    fields = []
    for k in range(len(ATLAS_STRUCTURES)):
        surface = surfaces[k % len(surfaces)]
        low, high = surface.bounds_mm
        axes = [np.arange(low[a] - 1.0, high[a] + 1.0) for a in range(3)]
        z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
        inside = surface.closest(np.stack([x, y, z], -1).reshape(-1, 3)).distance_mm.reshape(x.shape) < 0.0
        fields.append(_field_of(f"structure {k}", inside, np.ones(3), low - 1.0 + beside * (k // len(surfaces))))
    return fields


def _field_of(name: str, inside: npt.NDArray[np.bool_], spacing_mm: F64, corner_mm: F64) -> Field:
    """The field round a mask, cut to its box and smoothed."""
    margin = 4
    used = np.argwhere(inside)
    low, high = used.min(axis=0), used.max(axis=0) + 1
    box = np.pad(inside[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], margin).astype(np.float32)
    return Field(name, ndimage.gaussian_filter(box, SMOOTHING_VOXELS), spacing_mm, corner_mm + (low - margin)[::-1] * spacing_mm)


def mesh_of(field: Field, triangles: int) -> tuple[F64, npt.NDArray[np.int32]]:
    """Vertices (V, 3), mm, and faces (F, 3) of about `triangles` triangles: their number goes with the inverse square of the voxel's edge."""
    edge_mm = 1.0
    for _ in range(6):
        vertices, faces = _contoured(field, edge_mm)
        if abs(len(faces) / triangles - 1.0) < NEAR_ENOUGH:
            break
        edge_mm *= float(np.sqrt(len(faces) / triangles))
    return vertices, faces


def _contoured(field: Field, edge_mm: float) -> tuple[F64, npt.NDArray[np.int32]]:
    factors = field.spacing_mm[::-1] / edge_mm
    fine = ndimage.zoom(field.values, factors, order=3, mode="nearest")
    fine = np.where(fine >= 0.5, np.maximum(fine, 0.5 + CLEARANCE), np.minimum(fine, 0.5 - CLEARANCE))
    # `zoom` maps the first and last voxel centres onto each other, whatever the rounding of the shape.
    steps = field.spacing_mm * (np.array(field.values.shape[::-1]) - 1.0) / (np.array(fine.shape[::-1]) - 1.0)
    vertices, faces = contour(np.pad(fine, 1), 0.5)
    return vertices * steps + field.corner_mm, faces


def _keep(file: Path, vertices: F64, faces: npt.NDArray[np.int32]) -> None:
    fresh = file.with_name(f".{file.name}.{os.getpid()}.npz")
    np.savez(fresh, vertices=vertices, faces=faces)
    os.replace(fresh, file)  # noqa: PTH105


def _kept(file: Path) -> Surface:
    with np.load(file) as arrays:
        return Surface.from_arrays(arrays["vertices"], arrays["faces"])


def drill(triangles: int) -> Surface:
    """A closed drill of about so many triangles: burr 1.5 mm in radius at the origin, neck, handpiece up to z = -160 mm, with flutes."""
    around = int(np.sqrt(triangles / 2))
    along = triangles // (2 * around) + 1
    outline = np.array([(1.5, 0.0), (0.0, 1.5), (-1.0, 1.2), (-45.0, 1.2), (-50.0, 6.0), (-158.0, 6.0), (-160.0, 0.0)])
    ball = [(1.5 * np.cos(t), 1.5 * np.sin(t)) for t in np.linspace(0.0, np.pi / 2, 9)]
    outline = np.concatenate([ball, outline[2:]])
    # Rings stand closer where the outline bends: half of them are on the burr and neck.
    length = np.concatenate([[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(outline, axis=0), axis=1)))])
    z, radius = (np.interp(np.linspace(0.0, length[-1], along + 1), length, outline[:, a]) for a in range(2))
    turn = 2.0 * np.pi * np.arange(around) / around
    rings = radius[1:-1, None] * (1.0 + 0.08 * np.sin(4.0 * turn + 0.4 * z[1:-1, None]))
    middle = np.stack([rings * np.cos(turn), rings * np.sin(turn), np.broadcast_to(z[1:-1, None], rings.shape)], -1).reshape(-1, 3)
    vertices = np.concatenate([[(0.0, 0.0, z[0])], middle, [(0.0, 0.0, z[-1])]])
    ring, place = np.meshgrid(np.arange(along - 2), np.arange(around), indexing="ij")
    a, b = 1 + ring * around + place, 1 + ring * around + (place + 1) % around
    sides = np.concatenate([np.stack([a, a + around, b], -1), np.stack([b, a + around, b + around], -1)]).reshape(-1, 3)
    here, following, last = np.arange(around), (np.arange(around) + 1) % around, len(vertices) - 1
    first_of_last = last - around
    tip = np.stack([np.zeros_like(here), 1 + here, 1 + following], -1)
    end = np.stack([np.full_like(here, last), first_of_last + following, first_of_last + here], -1)
    return Surface.from_arrays(vertices, np.concatenate([tip, sides, end]))
