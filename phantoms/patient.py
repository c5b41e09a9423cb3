"""The built-in patient: four vertebrae, canal, vessels and gullet made of shapes whose distances are known exactly.

Axes are those of ct (LPS): x to the patient's left, y to the back, z to the head. Sizes are those of an adult's lower thoracic spine
(Zindrick et al., "Analysis of the morphometric characteristics of the thoracic and lumbar pedicles", Spine 12, 1987).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navtwin.rigid import Vec3
from phantoms.shapes import Array, Cylinder, Shape, Sphere, Tube, Union
from phantoms.volume import Grid, Tissue, rasterise, write_nifti, write_table

CT_FILE, LABELS_FILE, TABLE_FILE = "ct.nii.gz", "labels.nii.gz", "structures.csv"
GRID = Grid(origin_mm=(-82.0, -84.0, -72.0), spacing_mm=(0.75, 0.75, 1.25), shape_ijk=(220, 272, 116))
SPACING_MM = 29.0
PLANNED = "vertebrae_T12"
LEVELS = {"vertebrae_T10": 1.5, "vertebrae_T11": 0.5, "vertebrae_T12": -0.5, "vertebrae_L1": -1.5}

CANAL_CENTRE_Y_MM, CANAL_RADIUS_MM = 20.6, 7.2
PEDICLE_RADIUS_MM = 4.2


@dataclass(frozen=True)
class Level:
    """Where one vertebra sits: a mild kyphosis moves and tilts it about x."""

    centre_mm: Vec3
    tilt_rad: float

    def place(self, x_mm: float, y_mm: float, z_mm: float) -> Vec3:
        """A point of the vertebra's own axes, in ct."""
        c, s = float(np.cos(self.tilt_rad)), float(np.sin(self.tilt_rad))
        return (self.centre_mm[0] + x_mm, self.centre_mm[1] + c * y_mm - s * z_mm, self.centre_mm[2] + s * y_mm + c * z_mm)


def level(name: str) -> Level:
    """The seat of a vertebra: centres on a circle of radius 400 mm, each upright to it."""
    z = LEVELS[name] * SPACING_MM
    angle = z / 400.0
    return Level((0.0, -400.0 * (1.0 - float(np.cos(angle))), 400.0 * float(np.sin(angle))), angle)


@dataclass(frozen=True)
class Build:
    """What differs from level to level, mm in the vertebra's own axes: downwards bodies grow, transverse processes drop, spinous ones straighten.

    Without it nothing in the case could tell one level from the next, which no real spine does to its surgeon.
    """

    body_half_mm: float
    transverse_tip_mm: Vec3
    spinous_reach_mm: float
    spinous_drop_mm: float


BUILDS = {
    "vertebrae_T10": Build(3.6, (32.0, 38.0, 9.5), 51.0, 18.0),
    "vertebrae_T11": Build(4.3, (33.5, 36.5, 7.5), 53.5, 13.5),
    "vertebrae_T12": Build(5.0, (36.0, 35.0, 5.0), 56.0, 9.0),
    "vertebrae_L1": Build(6.2, (40.0, 33.0, 2.5), 58.5, 4.0),
}


def vertebra(name: str, build: str = "") -> Union:
    """Body, pedicles, laminae, spinous, transverse and articular processes of a level; `build` names another one whose build it has instead."""
    seat, its = level(name), BUILDS[build or name]
    p, reach, drop = seat.place, its.spinous_reach_mm, its.spinous_drop_mm
    across, back, rise = its.transverse_tip_mm
    members: list[Shape] = [Cylinder(p(x, 0.0, -11.5), p(x, 0.0, 11.5), 13.0, 3.0) for x in (-its.body_half_mm, its.body_half_mm)]
    for side in (-1.0, 1.0):
        members += [Tube((p(11.0 * side, 6.0, z), p(14.0 * side, 27.0, z)), PEDICLE_RADIUS_MM) for z in (1.0, 6.0)]
        members += [Tube((p(13.5 * side, 28.0, z), p(0.0, 33.0, z - 2.0)), 3.4) for z in (-6.0, 0.0, 5.0)]
        members.append(Tube((p(14.0 * side, 28.0, 3.0), p(across * side, back, rise)), 4.0))
        members.append(Tube((p(14.0 * side, 29.0, 3.0), p(14.5 * side, 31.0, 11.0)), 3.8))
        members.append(Tube((p(12.5 * side, 31.0, -4.0), p(12.0 * side, 34.0, -10.0)), 3.6))
    members += [Tube((p(0.0, 34.0, z), p(0.0, reach, z - drop)), 2.8) for z in (-7.0, -3.0, 1.0)]
    members.append(Sphere(p(0.0, reach + 1.0, -drop - 2.0), 4.2))
    return Union(tuple(members))


def canal_path() -> tuple[Vec3, ...]:
    """The canal's centre line, level by level and one step beyond the scan at both ends."""
    seats = [level(name) for name in reversed(LEVELS)]
    inner = [seat.place(0.0, CANAL_CENTRE_Y_MM, dz) for seat in seats for dz in (-8.0, 8.0)]
    return (seats[0].place(0.0, CANAL_CENTRE_Y_MM, -45.0), *inner, seats[-1].place(0.0, CANAL_CENTRE_Y_MM, 45.0))


def _beside_spine(x_mm: float, y_mm: float, top: str = "vertebrae_T10") -> tuple[Vec3, ...]:
    """A line along the spine's curve at an offset from the bodies' centres, from below the scan up to a level."""
    names = list(LEVELS)[list(LEVELS).index(top) :]
    seats = [level(name) for name in reversed(names)]
    line = [seat.place(x_mm, y_mm, dz) for seat in seats for dz in (-11.0, 11.0)]
    below = seats[0].place(x_mm, y_mm, -45.0)
    return (below, *line, seats[-1].place(x_mm, y_mm, 45.0 if top == "vertebrae_T10" else 14.0))


def shapes() -> dict[str, Shape]:
    """Every structure under the name that it bears in a case."""
    return {
        "skin": Cylinder((0.0, 0.0, -300.0), (0.0, 0.0, 300.0), 76.0),
        "aorta": Tube(_beside_spine(13.0, -25.6), 11.0),
        "vena_cava": Tube(_beside_spine(-16.0, -26.0), 10.0),
        "oesophagus": Tube(_beside_spine(0.0, -47.0, top="vertebrae_T11"), 7.5),
        "spinal_canal": Tube(canal_path(), CANAL_RADIUS_MM),
        **{name: vertebra(name) for name in LEVELS},
    }


#: The label's name in the table (as the public chest CT words them), its number there, its Hounsfield units.
_LABELS: dict[str, tuple[str, int, float]] = {
    "skin": ("skin", 0, 40.0),
    "aorta": ("aorta", 52, 320.0),
    "vena_cava": ("inferior_vena_cava", 63, 160.0),
    "oesophagus": ("esophagus", 15, 20.0),
    "spinal_canal": ("spinal_cord", 79, 30.0),
    "vertebrae_T10": ("vertebrae_T10", 34, 280.0),
    "vertebrae_T11": ("vertebrae_T11", 33, 280.0),
    "vertebrae_T12": ("vertebrae_T12", 32, 280.0),
    "vertebrae_L1": ("vertebrae_L1", 31, 280.0),
}


def tissues() -> list[Tissue]:
    """The structures in the order in which they are drawn: skin first."""
    drawn = []
    for name, shape in shapes().items():
        label_name, label, hu = _LABELS[name]
        bone = name.startswith("vertebrae")
        drawn.append(Tissue(label_name, label, shape, hu, rim_hu=950.0 if bone else 0.0, rim_mm=1.5 if bone else 0.0))
    return drawn


def write_patient(folder: Path) -> tuple[Path, Path, Path]:
    """Write the patient as a scanner's archive would hand it over: CT, label map and table of labels, in `folder`. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = tissues()
    hu, labels = rasterise(drawn, GRID)
    paths = (folder / CT_FILE, folder / LABELS_FILE, folder / TABLE_FILE)
    noisy = hu + np.random.default_rng(1).normal(0.0, 12.0, hu.shape)
    write_nifti(paths[0], np.clip(np.rint(noisy), -1024, 3071).astype(np.int16), GRID)
    write_nifti(paths[1], labels, GRID)
    write_table(paths[2], drawn)
    return paths


def on_bone(name: str, start_mm: Vec3, direction: Array) -> Vec3:
    """Where a ray from outside first meets a vertebra's true surface: sphere tracing, exact to a micrometre."""
    bone = vertebra(name)
    p, step = np.array(start_mm), direction / np.linalg.norm(direction)
    for _ in range(500):
        distance = float(bone.distance_mm(p)[0])
        if distance < 1e-3:
            return (float(p[0]), float(p[1]), float(p[2]))
        p = p + distance * step
    raise ValueError(f"the ray from {start_mm} misses {name}")


def landmarks() -> dict[str, Vec3]:
    """Points that a pointer can find again, on true bone: spinous and transverse processes of three levels, mm."""
    found = {}
    for name in ("vertebrae_T11", "vertebrae_T12", "vertebrae_L1"):
        short, seat = name.removeprefix("vertebrae_"), level(name)
        spots = {f"{short} spinous process": (0.0, -BUILDS[name].spinous_drop_mm - 2.0)}
        if name == PLANNED:
            spots |= {
                f"{short} left transverse process": (34.0, 5.0),
                f"{short} right transverse process": (-34.0, 5.0),
                f"{short} left lamina": (8.0, 0.0),
            }
        for spot, (x, z) in spots.items():
            found[spot] = on_bone(name, seat.place(x, 90.0, z), np.array(seat.place(x, 0.0, z)) - seat.place(x, 90.0, z))
    return found


def plans() -> dict[str, tuple[Vec3, Vec3]]:
    """Entry on true bone and target in the body, mm, for a screw down the middle of each pedicle of T12."""
    seat = level(PLANNED)
    found = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        middle, target = np.array(seat.place(12.7 * sign, 20.5, 3.5)), np.array(seat.place(9.0 * sign, -4.0, 3.5))
        outside = middle + (middle - target) / np.linalg.norm(middle - target) * 45.0
        entry = on_bone(PLANNED, (float(outside[0]), float(outside[1]), float(outside[2])), target - middle)
        found[f"{PLANNED.removeprefix('vertebrae_')} {side} pedicle"] = (entry, (float(target[0]), float(target[1]), float(target[2])))
    return found
