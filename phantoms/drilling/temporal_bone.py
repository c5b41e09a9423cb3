"""A left temporal bone made of shapes whose distances are known: cortex, ear canal, air cells, and all that a mastoidectomy has to spare.

Axes are those of ct (LPS): x to the patient's left, which is lateral here, y to the back, z to the head; the origin lies at the spine of Henle.
Sizes and distances are those of an adult:

- facial nerve: tympanic part 8-11 mm, mastoid part 13-15 mm long, 1.2-1.6 mm thick (Proctor, "The anatomy of the facial nerve", Otolaryngol.
  Clin. North Am. 24, 1991)
- semicircular canals: radii of curvature 3.2 mm (anterior), 3.1 mm (posterior), 2.3 mm (lateral), planes about square to one another, the lateral
  one raised by some 25 degrees at its front (Curthoys, Blanks & Markham, "Semicircular canal radii of curvature", J. Morphol. 151, 1977)
- cochlea: two and a half turns, base about 9 mm wide, some 5 mm high (Erixon et al., "Variational anatomy of the human cochlea", Otol. Neurotol. 30,
  2009)
- sigmoid sinus 9-11 mm wide, some 12-14 mm behind the ear canal; antrum 11-15 mm below the cortex; tegmen 1-2 mm over it
  (Donaldson, Duckert, Lambert & Rubel, "Surgical Anatomy of the Temporal Bone", 1992)
"""

from __future__ import annotations

from functools import cache

import numpy as np

from navtwin.rigid import Vec3
from phantoms.drilling.solids import Balls, Blend, Common, Difference, Ring, Tapered, nearest_of, spiral
from phantoms.path import unit
from phantoms.shapes import Array, Box, Shape, Tube, Union

BONE, REMOVAL = "temporal_bone", "planned_mastoidectomy"
NERVE, SINUS, CAROTID, LABYRINTH, DURA = "facial_nerve", "sigmoid_sinus", "internal_carotid", "labyrinth", "dura"
#: How far the planned removal stays from each structure, and from the wall of the ear canal.
KEEP_MM = {NERVE: 1.5, SINUS: 1.2, CAROTID: 1.5, LABYRINTH: 1.5, DURA: 1.2}
KEEP_CANAL_MM = 1.2
NERVE_RADIUS_MM, SINUS_RADIUS_MM, CAROTID_RADIUS_MM = 0.8, 4.8, 2.6

#: Centre line of the ear canal, from outside the bone to the drum.
CANAL_MM: tuple[Vec3, Vec3] = ((12.0, -4.2, -5.0), (-15.5, -8.0, -4.5))
CANAL_RADIUS_MM = 4.4
#: The nerve from its own canal in the petrous bone over the geniculate ganglion, along the drum's cavity, round its second bend, down and out.
NERVE_MM: tuple[Vec3, ...] = (
    (-38.0, -7.0, 4.5), (-31.0, -8.0, 5.0), (-27.6, -9.4, 5.2), (-24.6, -11.2, 4.6), (-22.4, -6.5, 1.8), (-20.9, -2.6, -0.4),
    (-20.2, -0.9, -2.0), (-19.6, 0.2, -4.6), (-18.6, 1.4, -10.0), (-17.6, 2.2, -15.5), (-16.2, 0.8, -19.0),
)  # fmt: skip
SINUS_MM: tuple[Vec3, ...] = (
    (-7.5, 32.0, 13.0), (-8.0, 25.5, 9.5), (-9.0, 20.5, 4.0), (-10.2, 17.4, -3.0), (-12.0, 15.2, -10.0), (-16.0, 12.8, -16.0),
    (-21.5, 9.4, -19.2), (-26.0, 4.0, -18.0),
)  # fmt: skip
CAROTID_MM: tuple[Vec3, ...] = ((-27.5, -13.5, -28.0), (-27.5, -14.5, -13.5), (-29.5, -17.5, -10.0), (-35.0, -22.5, -8.5), (-43.0, -28.5, -7.5))
VESTIBULE_MM: Vec3 = (-25.6, -2.4, 0.6)
CELLS, CELL_SEED = 70, 11


def outer_form() -> Blend:
    """The bone from outside, as if nothing ran through it: mastoid with its tip, squama, zygomatic root, tympanic ring, petrous pyramid, styloid."""
    return Blend(
        (
            Tapered((-14.0, 9.0, 0.0), (-9.5, 6.5, -23.0), 14.5, 6.0),
            Tapered((-13.0, 20.0, 6.0), (-12.0, 14.0, -8.0), 13.0, 12.0),
            Tapered((-17.0, -2.0, -2.0), (-43.0, -22.0, 0.0), 15.5, 8.5),
            Tapered((-26.0, 6.0, -2.0), (-26.0, -6.0, -8.0), 13.0, 13.0),
            Box((-22.0, 0.5, 7.5), (23.5, 30.0, 16.0), 11.0),
            Tube((CANAL_MM[1], (-1.5, -6.1, -4.8)), 6.8),
            Tapered((-3.0, -15.0, 4.0), (-0.5, -34.0, 1.0), 4.2, 2.6),
            Tapered((-1.6, -10.0, 5.5), (-1.8, 24.0, 14.0), 2.6, 2.0),
            Tapered((-17.0, -4.0, -17.0), (-14.5, -9.0, -34.0), 3.0, 1.1),
            Tapered((-1.2, 0.4, -0.6), (0.3, 0.2, -1.4), 1.7, 0.8),
        ),
        3.0,
    )


def cavities() -> dict[str, Shape]:
    """What is air: the ear canal, the cavity of the drum with its attic, the antrum behind it, and the cells of the mastoid."""
    return {
        "ear_canal": Tube(CANAL_MM, CANAL_RADIUS_MM),
        "tympanum": Union((
            Tube(((-18.4, -8.6, -8.0), (-18.4, -8.4, 0.5)), 2.5),
            Tapered((-18.0, -8.0, 2.5), (-17.6, -5.0, 4.4), 3.1, 2.4),
        )),
        "antrum": Union((Tube(((-17.6, -5.0, 4.4), (-15.8, 1.6, 5.0)), 2.1), Tapered((-15.4, 2.6, 4.8), (-13.8, 7.6, 4.8), 3.7, 3.3))),
        "cells": air_cells(),
    }  # fmt: skip


@cache
def air_cells() -> Balls:
    """Cells strewn through the mastoid, crowding towards the antrum; none reaches the cortex or comes within 1 mm of what is critical."""
    rng = np.random.default_rng(CELL_SEED)
    outer, spared = outer_form(), (*critical().values(), Tube(CANAL_MM, CANAL_RADIUS_MM))
    centres: list[Vec3] = []
    radii: list[float] = []
    while len(centres) < CELLS:
        p = rng.uniform((-20.0, -2.0, -24.0), (-3.0, 22.0, 10.0))
        radius = float(rng.uniform(0.8, 2.0))
        crowded = np.exp(-float(np.linalg.norm(p - (-12.0, 6.0, 0.0))) / 12.0)
        apart = min((float(np.linalg.norm(p - c)) - r - radius for c, r in zip(centres, radii, strict=True)), default=np.inf)
        if rng.random() < crowded and apart > 0.5 and outer.distance_mm(p)[0] < -radius - 2.0 and nearest_of(spared, p)[0] > radius + 1.0:
            centres.append((float(p[0]), float(p[1]), float(p[2])))
            radii.append(radius)
    return Balls(tuple(centres), tuple(radii))


@cache
def critical() -> dict[str, Shape]:
    """What must not be touched."""
    lateral = unit(np.array((0.05, 0.42, 0.91)))
    canals = (
        Ring((-22.9, 0.0, 1.8), (float(lateral[0]), float(lateral[1]), float(lateral[2])), 2.3, 0.6),
        Ring((-26.4, -2.8, 4.6), (0.71, 0.71, 0.0), 3.2, 0.6),
        Ring((-27.0, 1.6, -0.4), (0.71, -0.71, 0.0), 3.1, 0.6),
        Tube((VESTIBULE_MM, (-28.6, -0.4, 1.9)), 0.8),
    )
    vestibule = Tapered((-25.4, -1.7, -0.5), (-25.8, -3.1, 1.8), 2.1, 1.9)
    turns = spiral((-27.6, -9.8, -2.2), (0.55, -0.80, -0.2), (1.0, 0.8, 0.3), turns=2.5, radii_mm=(3.5, 0.9), height_mm=3.8, steps=56)
    return {
        NERVE: Tube(NERVE_MM, NERVE_RADIUS_MM),
        SINUS: Tube(SINUS_MM, SINUS_RADIUS_MM),
        CAROTID: Tube(CAROTID_MM, CAROTID_RADIUS_MM),
        LABYRINTH: Union((*canals, vestibule, Tube((VESTIBULE_MM, turns[0]), 0.9), Tube(turns, 0.85))),
        # The middle fossa lies on the tegmen; the posterior one behind the pyramid, medial of the sinus.
        DURA: Union((Box((-25.0, -4.0, 18.0), (20.0, 21.0, 7.6), 7.0), Tapered((-39.0, 21.5, -7.0), (-41.0, 20.0, 6.0), 14.0, 12.5))),
    }


@cache
def bone() -> Difference:
    """The bone itself: its outer form without its cavities and without all that runs through it."""
    return Difference(outer_form(), (*cavities().values(), *critical().values()))


@cache
def removal_room() -> Difference:
    """Where a cortical mastoidectomy with facial recess takes the burr: a funnel from over the cortex to the antrum, down to the tip and round to the
    recess between nerve and ear canal. It is rounded, keeps `KEEP_MM` from what is critical, and leaves the canal a wall."""
    kept: Shape = Blend(
        (
            Tapered((5.0, 10.5, -1.0), (-12.5, 5.5, 4.0), 14.0, 5.5),
            Tapered((2.0, 8.5, -15.0), (-12.0, 6.5, -8.0), 8.0, 4.5),
            Tapered((-13.0, 0.5, 1.0), (-17.4, -2.8, -1.4), 3.2, 1.6),
        ),
        3.0,
    )
    for name, shape in critical().items():
        kept = Difference(kept, (shape,), KEEP_MM[name], 1.0)
    return Difference(kept, (Tube(CANAL_MM, CANAL_RADIUS_MM),), KEEP_CANAL_MM, 1.0)


@cache
def planned_removal() -> Common:
    """The part of that room which lies in the bone; it looks out by so little that nothing of the cortex is left standing."""
    return Common(removal_room(), outer_form(), 0.8, 1.0)


def ossicles() -> Union:
    """Malleus and incus, whose short process points at the aditus."""
    return Union((
        Tapered((-17.4, -8.6, 1.4), (-16.6, -8.4, -4.0), 1.2, 0.4),
        Tapered((-17.8, -6.6, 2.0), (-17.2, -3.6, 3.6), 1.3, 0.5),
        Tapered((-17.8, -6.6, 2.0), (-19.4, -6.0, -2.4), 1.0, 0.4),
    ))  # fmt: skip


#: From where a ray towards where meets the bone at each landmark.
_SPOTS: dict[str, tuple[Vec3, Vec3]] = {
    "spine of Henle": ((30.0, 0.4, -1.1), (-1.0, 0.0, 0.0)),
    "mastoid tip": ((10.0, 7.0, -60.0), (-0.42, 0.0, 1.0)),
    "zygomatic root": ((30.0, -24.0, 2.6), (-1.0, 0.0, 0.0)),
    "supramastoid crest": ((30.0, 12.0, 11.0), (-1.0, 0.0, 0.0)),
    "asterion": ((30.0, 27.0, 6.0), (-1.0, 0.0, 0.0)),
    "tympanic rim": ((30.0, -8.0, -11.0), (-1.0, 0.0, 0.0)),
    "squama": ((30.0, -10.0, 17.0), (-1.0, 0.0, 0.0)),
    "digastric ridge": ((30.0, 17.0, -16.0), (-1.0, 0.0, 0.0)),
}


def first_hit(shape: Shape, start_mm: Vec3 | Array, way: Vec3 | Array) -> Array:
    """Where a ray from outside first meets a shape, (3,), mm, to a micrometre: sphere tracing.

    Raises
    ------
    ValueError : it misses
    """
    p, step = np.array(start_mm), unit(np.array(way))
    for _ in range(500):
        distance = float(shape.distance_mm(p)[0])
        if distance < 1e-3:
            return p
        p = p + distance * step
        if not np.abs(p).max() < 1e3:
            break
    raise ValueError(f"the ray from {start_mm} misses the shape")


def landmarks() -> dict[str, Vec3]:
    """Points that a pointer can find again, on true bone, mm."""
    found = {}
    for name, (start, way) in _SPOTS.items():
        x, y, z = first_hit(bone(), start, way)
        found[name] = (float(x), float(y), float(z))
    return found
