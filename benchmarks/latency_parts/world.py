"""A made-up case of as many structures, triangles and instruments as a load asks for: closed bodies around a path, all critical, all with limits.

The shapes are bodies of revolution with waves on their skin, half of them balls and half of them long: a tree over them is neither flat nor a
row of equal boxes. They are placed on a golden-angle spiral, so that some are near the instrument and some far, as anatomy is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from navtwin.scene.build import write_case
from navtwin.scene.case import CaseFile, CaseSection, CtSection, PlanEntry, StructureEntry, surface_file
from navtwin.scene.surface import Surface

#: The scan: 8 x 8 x 8 voxels of 50 mm around the origin.
SCAN_MM = 50.0
CAUTION_MM, DANGER_MM = 4.0, 2.0
GOLDEN_RAD = math.pi * (3.0 - math.sqrt(5.0))


def body(triangles: int, centre_mm: Vec3, radius_mm: float, length_mm: float) -> Surface:
    """A closed body of revolution about z, `length_mm` longer than a ball, its skin waved by 4 %.

    Parameters
    ----------
    triangles : wanted number; the body has as many within 2 % (at least 60)
    """
    around = max(6, round(math.sqrt(triangles / 2.0)))
    rings = max(4, round(triangles / (2.0 * around)))
    polar, turn = np.linspace(0.0, math.pi, rings + 2)[1:-1], np.linspace(0.0, 2.0 * math.pi, around, endpoint=False)
    p, t = np.meshgrid(polar, turn, indexing="ij")
    reach = radius_mm * (1.0 + 0.04 * np.sin(3.0 * t) * np.sin(4.0 * p))
    z = reach * np.cos(p)
    skin = np.stack((reach * np.sin(p) * np.cos(t), reach * np.sin(p) * np.sin(t), z + 0.5 * length_mm * np.cos(p)), axis=-1).reshape(-1, 3)
    end = radius_mm + 0.5 * length_mm
    vertices = np.vstack((skin, ((0.0, 0.0, end), (0.0, 0.0, -end)))) + np.array(centre_mm)
    return Surface.from_arrays(vertices, _faces(rings, around))


def _faces(rings: int, around: int) -> npt.NDArray[np.int64]:
    """Triangles between the rings, and to the two poles, which are the last two vertices; seen from outside they run counter-clockwise."""
    here = np.arange(around)
    beside, top, bottom = (here + 1) % around, rings * around, rings * around + 1
    first = np.arange(rings - 1)[:, None] * around
    a, b, c, d = first + here, first + beside, first + around + here, first + around + beside
    bands = np.stack((np.stack((a, c, b), -1), np.stack((b, c, d), -1)), 2).reshape(-1, 3)
    last = (rings - 1) * around
    caps = [np.stack((np.full(around, top), here, beside), 1), np.stack((np.full(around, bottom), last + beside, last + here), 1)]
    return np.vstack((bands, *caps)).astype(np.int64)


def places(count: int) -> Iterator[tuple[Vec3, float, float]]:
    """Centre, radius and extra length of each body: the first at the origin, the others on a spiral around it, none touching it."""
    yield (0.0, 0.0, 0.0), 8.0, 40.0
    for n in range(1, count):
        away, angle = 32.0 + 4.0 * n, GOLDEN_RAD * n
        yield (away * math.cos(angle), away * math.sin(angle), 25.0 * math.sin(0.7 * n)), 7.0, 30.0 if n % 2 else 0.0


def rig_text(instruments: int, *, parts: int = 2, rate_hz: float, latency_ms: float = 4.0) -> str:
    """rig.toml: so many instruments of burr and shaft (or of the burr alone) on a tracker of that rate."""
    lines = ['reference = "ref"', "[tracker]", 'name = "benchmark"', f"rate_hz = {rate_hz:g}", f"latency_ms = {latency_ms:g}", "max_age_ms = 100.0"]
    lines += ["[[body]]", 'name = "ref"', "sd_mm = 0.02", "sd_rad = 0.0003"]
    for n in range(instruments):
        lines += ["[[body]]", f'name = "drill{n}"', "sd_mm = 0.05", "sd_rad = 0.0005"]
    for n in range(instruments):
        lines += ["[[tool]]", f'name = "drill{n}"', f'body = "drill{n}"', "axis_in_marker = [0.0, 0.0, 1.0]", "axis_sd_rad = 0.001"]
        for name, end_mm, radius_mm in (("burr", 0.0, 1.5), ("shaft", -80.0, 1.2))[:parts]:
            lines += [
                "[[tool.part]]",
                f'name = "{name}"',
                "from_mm = [0.0, 0.0, 0.0]",
                f"to_mm = [0.0, 0.0, {end_mm:g}]",
                f"radius_mm = {radius_mm:g}",
            ]
    return "\n".join(lines) + "\n"


def make_case(folder: Path, *, instruments: int, structures: int, triangles: int, rate_hz: float) -> Path:
    """Write the case with its rig.toml to a folder that is not there yet."""
    scan = folder.with_name(f"{folder.name}-scan.nii")
    affine = np.diag((-SCAN_MM, -SCAN_MM, SCAN_MM, 1.0))
    affine[:3, 3] = (3.5 * SCAN_MM, 3.5 * SCAN_MM, -3.5 * SCAN_MM)
    nib.save(nib.Nifti1Image(np.zeros((8, 8, 8), dtype=np.int16), affine), scan)
    surfaces = {f"structure{n}": body(triangles, *place) for n, place in enumerate(places(structures))}
    case = CaseFile(
        case=CaseSection(name=f"made up: {structures} structures of {triangles} triangles"),
        ct=CtSection(file=scan.name),
        structure=tuple(
            StructureEntry(name=name, file=surface_file(name), role="critical", sd_mm=0.1, caution_mm=CAUTION_MM, danger_mm=DANGER_MM)
            for name in surfaces
        ),
        plan=(PlanEntry(name="path", entry_mm=(40.0, 0.0, 0.0), target_mm=(10.0, 0.0, 0.0), diameter_mm=3.0, tolerance_mm=1.0),),
    )
    folder.mkdir()
    try:
        write_case(folder, case, surfaces, scan)
    finally:
        scan.unlink()
    (folder / "rig.toml").write_text(rig_text(instruments, rate_hz=rate_hz), encoding="utf-8", newline="\n")
    return folder


@contextmanager
def made_case(*, instruments: int, structures: int, triangles: int, rate_hz: float) -> Iterator[Path]:
    """The case in a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="navtwin-load-") as folder:
        yield make_case(Path(folder) / "case", instruments=instruments, structures=structures, triangles=triangles, rate_hz=rate_hz)
