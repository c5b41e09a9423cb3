"""Proximity queries on made-up surfaces of 100 k triangles: one at a time against VTK, capsules, and one whole frame.

Point queries are asked from Python one at a time, as VTK's are, both in turns in the same run, and the answers are compared.
The frame is two instruments (burr, neck, handpiece; tip, shaft) against eight structures, in one compiled call.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import common
import numpy as np
import numpy.typing as npt

from navtwin import kernels
from navtwin.scene.surface import Surface, pack_forest

F64 = npt.NDArray[np.float64]

#: Radius (mm) and reach along the instrument (mm from the tip) of each part.
INSTRUMENTS = {"drill": ((1.5, 0.0, 0.0), (1.2, 0.0, 50.0), (6.0, 50.0, 170.0)), "pointer": ((0.5, 0.0, 0.0), (1.5, 8.0, 120.0))}
#: VTK keeps float32 cell normals and a tolerance of its own; farther apart than this (mm), one of the two is wrong.
AGREEMENT_MM = 1e-5


def bumpy_torus(triangles: int, big_mm: float, small_mm: float, centre_mm: F64) -> Surface:
    """A torus with ripples, as irregular as anatomy is, of about so many triangles."""
    nu = int(np.sqrt(triangles))
    nv = nu // 2
    u, v = np.meshgrid(np.arange(nu) * 2 * np.pi / nu, np.arange(nv) * 2 * np.pi / nv, indexing="ij")
    radius = small_mm * (1.0 + 0.1 * np.sin(5 * u) * np.cos(3 * v) + 0.03 * np.sin(23 * u + 11 * v))
    rho = big_mm + radius * np.cos(v)
    points = np.stack([rho * np.cos(u), rho * np.sin(u), radius * np.sin(v)], -1).reshape(-1, 3) + centre_mm
    i, j = np.meshgrid(np.arange(nu), np.arange(nv), indexing="ij")
    corner = [((i + a) % nu) * nv + (j + b) % nv for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
    faces = np.concatenate([np.stack([corner[k] for k in order], -1).reshape(-1, 3) for order in ((0, 1, 2), (0, 2, 3))])
    return Surface.from_arrays(points, faces)


def approach(frames: int) -> F64:
    """(frames, 3) tip positions, mm: slowly along and through the surfaces, as a hand moves at 60 Hz."""
    t = np.linspace(0.0, 2.0 * np.pi, frames)
    return np.stack([42.0 * np.cos(t), 42.0 * np.sin(t), 25.0 * np.sin(3.0 * t) + 8.0], -1)


def timed(calls: list[Callable[[], object]], clock: Callable[[], int]) -> F64:
    """Microseconds of each call."""
    took = np.empty(len(calls))
    for k, call in enumerate(calls):
        begun = clock()
        call()
        took[k] = clock() - begun
    return took / 1e3


def points_against_vtk(surface: Surface, points: F64, clock: Callable[[], int]) -> tuple[dict[str, F64], float, float]:
    """Times of both in three rounds by turns, the largest difference of unsigned distances (mm), and the share of equal signs."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

    places, cells, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    places.SetDataTypeToDouble()
    places.SetData(numpy_to_vtk(surface.vertices_mm, deep=True))
    rows = np.concatenate([np.full((len(surface.faces), 1), 3), surface.faces], axis=1).astype(np.int64)
    cells.ImportLegacyFormat(numpy_to_vtkIdTypeArray(rows.ravel(), deep=True))
    mesh.SetPoints(places)
    mesh.SetPolys(cells)
    peer = vtkImplicitPolyDataDistance()
    peer.SetInput(mesh)
    ours, theirs = np.empty(len(points)), np.empty(len(points))

    def ask_us(k: int) -> None:
        ours[k] = surface.closest(points[k]).distance_mm[0]

    def ask_vtk(k: int) -> None:
        theirs[k] = peer.EvaluateFunction(points[k])

    times: dict[str, list[F64]] = {"navtwin": [], "vtk": []}
    for _ in range(3):
        times["navtwin"].append(timed([partial(ask_us, k) for k in range(len(points))], clock))
        times["vtk"].append(timed([partial(ask_vtk, k) for k in range(len(points))], clock))
    apart = float(np.abs(np.abs(ours) - np.abs(theirs)).max())
    return {name: np.concatenate(rounds) for name, rounds in times.items()}, apart, float((np.sign(ours) == np.sign(theirs)).mean())


def batch(surface: Surface, points: F64, clock: Callable[[], int]) -> F64:
    """Microseconds a point when all are asked at once, three rounds."""
    return np.array([timed([partial(surface.closest, points)], clock)[0] / len(points) for _ in range(3)])


def capsules_at(tip: F64, t: float) -> F64:
    """(parts, 7) capsules of both instruments, the second 20 mm beside the first."""
    way = np.array([np.sin(t), 0.4, np.cos(t)])
    way /= np.linalg.norm(way)
    rows = []
    for k, parts in enumerate(INSTRUMENTS.values()):
        at = tip + np.array([20.0, 0.0, 5.0]) * k
        rows += [[*(at + way * low), *(at + way * high), radius] for radius, low, high in parts]
    return np.array(rows)


def whole_frames(surfaces: list[Surface], frames: int, clock: Callable[[], int]) -> F64:
    """Microseconds of each frame, hints kept from one to the next."""
    forest, work = pack_forest(surfaces), kernels.workspace()
    capsules = [capsules_at(tip, t) for tip, t in zip(approach(frames), np.linspace(0.0, 2.0 * np.pi, frames), strict=True)]
    shape = (len(capsules[0]), len(surfaces))
    hints, face, flags = np.full(shape, -1, np.int32), np.empty(shape, np.int32), np.empty(shape, np.uint8)
    distance, on_structure, on_axis = np.empty(shape), np.empty((*shape, 3)), np.empty((*shape, 3))
    kernels.frame_distances(forest, capsules[0], hints, distance, on_structure, on_axis, face, flags, work)
    out = (hints, distance, on_structure, on_axis, face, flags, work)
    return timed([partial(kernels.frame_distances, forest, c, *out) for c in capsules], clock)


def main() -> int:
    options = common.parser(__doc__)
    options.add_argument("--triangles", type=int, default=100_000, help="triangles of each structure")
    options.add_argument("--frames", type=int, default=2000, help="frames, and points of each kind")
    options.add_argument("--cpu-time", action="store_true", help="time this thread's processor time: steadier on a machine that others use")
    arguments = options.parse_args()
    clock = time.thread_time_ns if arguments.cpu_time else time.perf_counter_ns
    kernels.warm_up()
    grid = [np.array([x, y, z]) for x in (-60.0, 60.0) for y in (-60.0, 60.0) for z in (-45.0, 45.0)]
    surfaces = [bumpy_torus(arguments.triangles, 28.0, 12.0, centre) for centre in grid]
    build = timed([partial(getattr, s, "forest") for s in surfaces], clock)
    near = bumpy_torus(arguments.triangles, 42.0, 15.0, np.zeros(3))
    near.closest(np.zeros(3))
    path, anywhere = approach(arguments.frames), np.random.default_rng(1).uniform(-80.0, 80.0, (arguments.frames, 3))
    gc.collect()
    gc.freeze()
    rows, apart, signs = {"plant a tree": build}, 0.0, 1.0
    for name, points in (("path", path), ("anywhere", anywhere)):
        times, difference, equal = points_against_vtk(near, points, clock)
        rows |= {f"point, {name}: {who}": values for who, values in times.items()}
        rows[f"point, {name}, batch: navtwin"] = batch(near, points, clock)
        apart, signs = max(apart, difference), min(signs, equal)
    capsules = [capsules_at(tip, t)[1] for tip, t in zip(path, np.linspace(0.0, 2.0 * np.pi, len(path)), strict=True)]
    rows["capsule, path"] = timed([partial(near.closest_to_capsule, c[:3], c[3:6], c[6]) for c in capsules], clock)
    parts = sum(len(p) for p in INSTRUMENTS.values())
    rows[f"frame: {parts} parts x {len(surfaces)} structures"] = whole_frames(surfaces, arguments.frames, clock)
    figures = {name: common.percentiles(values) for name, values in rows.items()}
    common.print_rows(f"kernels: {len(near.faces)} triangles a structure", "us", figures)
    agrees = apart <= AGREEMENT_MM
    print(f"against VTK: distances differ by {apart:.2g} mm at most ({'agrees' if agrees else 'DISAGREES'}), {signs:.2%} of the signs are equal")
    common.write_json(
        arguments.json,
        {"benchmark": Path(__file__).stem, "unit": "us", "clock": "thread" if arguments.cpu_time else "wall", "rows": figures}
        | {"triangles": len(near.faces), "apart_mm": apart, "equal_signs": signs},
    )
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
