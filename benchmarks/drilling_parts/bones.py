"""Bone to drill, and strokes through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from proximity_parts.meshes import find_anatomy

from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface
from phantoms.drilling.meshed import meshed
from phantoms.drilling.temporal_bone import bone

F64 = npt.NDArray[np.float64]

HEAD_TRIANGLES = 1_000_000
#: Of a 4 mm burr.
RADIUS_MM = 2.0
#: A hand at 30 mm/s, 60 times a second, for 20 mm.
STEP_MM, STEPS = 0.5, 40


def head(data: Path | None) -> Surface:
    """The skull of the head and neck atlas, or what stands for it where there is no data pack."""
    return find_anatomy(data).surfaces(HEAD_TRIANGLES, 1)[0]


def temporal_bone() -> Surface:
    """A block of bone of about 60 mm, with canals and air cells."""
    return meshed(bone(), 0.4)


def moves(carvable: Carvable, strokes: int, seed: int) -> Iterator[tuple[F64, F64]]:
    """Both ends of each move of a burr that sets out from places on the surface, straight on into whatever is there."""
    rng = np.random.default_rng(seed)
    forest = carvable.forest
    places = forest.vertices[np.unique(forest.faces)[1:]]
    for _ in range(strokes):
        start, way = places[rng.integers(len(places))], rng.normal(size=3)
        way *= STEP_MM / np.linalg.norm(way)
        for n in range(STEPS):
            yield start + n * way, start + (n + 1) * way
