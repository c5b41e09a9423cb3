"""The frame: three instruments, each a burr and a shaft, against every structure in one compiled call; its growth; and the same at a tracker's pace.

Each instrument follows a hand of its own along the first structure, 1 mm a frame, its shaft pointing away from the bone.
"""

from __future__ import annotations

import gc
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from results.model import percentile_figures

from navtwin import kernels
from navtwin.scene.surface import Surface, pack_forest
from proximity_parts.contest import OURS, ROUNDS, Clock
from proximity_parts.meshes import Anatomy, Given
from proximity_parts.rows import Row, figure, percentile_figure
from proximity_parts.streams import SHAFT_MM, SHAFT_RADIUS_MM, pose_of, tool_path

F64 = npt.NDArray[np.float64]

INSTRUMENTS = 3
BURR_RADIUS_MM = 2.0
PACE_HZ = 400.0
GROWTH_TRIANGLES = (10_000, 30_000, 100_000, 300_000, 1_000_000)


#: Radius of the burr, and then of the shaft: ax ay az bx by bz radius in the instrument's own axes, mm.
PARTS = np.array([(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, BURR_RADIUS_MM), (0.0, 0.0, -BURR_RADIUS_MM, 0.0, 0.0, -SHAFT_MM, SHAFT_RADIUS_MM)] * INSTRUMENTS)
#: A structure farther than this from every limit: its ways are not followed, or it is not measured exactly, where a row says so.
NEAR_MM = 10.0


def poses_of(surface: Surface, frames: int) -> F64:
    """(frames, 6, 12): the pose of each part's instrument, each along its own tool path, as rows r00 r01 r02 t0 r10 .. t2."""
    rows = np.empty((frames, 2 * INSTRUMENTS, 3, 4))
    for k in range(INSTRUMENTS):
        for tip, outward, row in zip(*tool_path(surface, frames, 20 + k), rows, strict=True):
            pose = pose_of(tip, outward, 0.0)
            row[2 * k : 2 * k + 2, :, :3], row[2 * k : 2 * k + 2, :, 3] = pose.rotation, pose.tip_mm
    return rows.reshape(frames, 2 * INSTRUMENTS, 12)


def frame_call(surfaces: Sequence[Surface], follow: bool = False, within_mm: float = math.inf) -> Callable[[F64], object]:
    """One frame: poses (6, 12) in; what it found stays in the frame. `follow`: also the ways from the frame before, near the structures."""
    forest, work, frame = pack_forest(surfaces), kernels.workspace(), kernels.new_frame(PARTS, len(surfaces))
    frame.within[:] = within_mm
    frame.watch[:] = NEAR_MM if follow else 0.0

    def ask(poses: F64) -> None:
        if follow:
            frame.earlier[:] = frame.now
        frame.now[:] = poses
        kernels.measure_frame(forest, frame, work)

    return ask


def _timed(call: Callable[[F64], object], poses: F64, clock: Clock) -> F64:
    took = np.empty(len(poses))
    for k, each in enumerate(poses):
        begun = clock()
        call(each)
        took[k] = (clock() - begun) * 1e-3
    return took


def _rounds(call: Callable[[F64], object], poses: F64, clock: Clock) -> F64:
    """Microseconds (rounds, frames)."""
    call(poses[0])
    gc.collect()
    return np.array([_timed(call, poses, clock) for _ in range(ROUNDS)])


def _medians(took: F64) -> dict[str, float]:
    """p50 and p99, medians of the rounds."""
    return {f"p{p}": float(np.median(np.percentile(took, p, axis=1))) for p in (50, 99)}


def frame_rows(anatomy: Anatomy | Given, structures: int, triangles: int, frames: int, clock: Clock) -> list[Row]:
    """Everything exact; with the ways followed too; and with nothing beyond `NEAR_MM` wanted."""
    surfaces = anatomy.surfaces(triangles, structures)
    poses, rows = poses_of(surfaces[0], frames), []
    for what, follow, within_mm in (
        ("", False, math.inf),
        (f", ways within {NEAR_MM:g} mm followed", True, math.inf),
        (f", ways followed, capped at {NEAR_MM:g} mm", True, NEAR_MM),
    ):
        took = _rounds(frame_call(surfaces, follow, within_mm), poses, clock)
        name = f"frame: {INSTRUMENTS} instruments x (burr + shaft) x {structures} structures x {anatomy.said(triangles)}{what}"
        figures = [percentile_figure(p, took) for p in (50, 99)]
        rows.append(Row(name, figures, {OURS: _medians(took)}, note="one core, no pause between frames"))
    return rows


def growth_row(anatomy: Anatomy | Given, frames: int, clock: Clock) -> Row:
    """The same frame against the first structure alone, at every size; the same movements, those along its smallest mesh."""
    meshes = {len(surface.faces): surface for size in GROWTH_TRIANGLES for surface in anatomy.surfaces(size, 1)}
    sizes = sorted(meshes)
    first, poses = sizes[0], poses_of(meshes[sizes[0]], frames)
    cost = {size: _medians(_rounds(frame_call([meshes[size]]), poses, clock)) for size in sizes}
    faster = max(cost[n]["p50"] / cost[first]["p50"] / (math.log(n) / math.log(first)) for n in sizes)
    figures = [figure("p50 over log(triangles), most against the smallest", faster, "x")]
    return Row("frame: growth with triangles, one structure", figures, {f"{OURS}, {n} triangles": c for n, c in cost.items()}, growth=cost)


def paced_row(anatomy: Anatomy | Given, structures: int, triangles: int, minutes: float) -> Row:
    """At a tracker's pace on one core, the other kept busy; by the wall clock, whatever else the machine does."""
    surfaces = anatomy.surfaces(triangles, structures)
    call, poses = frame_call(surfaces, follow=True), poses_of(surfaces[0], 4000)
    call(poses[0])
    cores = sorted(os.sched_getaffinity(0))
    busy = multiprocessing.get_context("spawn").Process(target=keep_busy, args=(cores[-1], os.getpid()), daemon=True)
    busy.start()
    os.sched_setaffinity(0, {cores[0]})
    try:
        took = _paced(call, poses, round(minutes * 60.0 * PACE_HZ))
    finally:
        os.sched_setaffinity(0, set(cores))
        busy.terminate()
        busy.join()
    p50, p99 = percentile_figures("took", "us", took)
    name = f"frame at {PACE_HZ:g} Hz, {structures} structures x {anatomy.said(triangles)}, ways followed, other core busy"
    figures = [p99, p50, figure("worst", float(took.max()), "us")]
    return Row(name, figures, {OURS: {"p50": p50.value, "p99": p99.value}}, note=f"{minutes:g} minutes, {len(took)} frames")


def _paced(call: Callable[[F64], object], poses: F64, frames: int) -> F64:
    took, period = np.empty(frames), round(1e9 / PACE_HZ)
    gc.collect()
    gc.disable()
    due = time.perf_counter_ns()
    for k in range(frames):
        due += period
        time.sleep(max(due - time.perf_counter_ns(), 0) * 1e-9)
        begun = time.perf_counter_ns()
        call(poses[k % len(poses)])
        took[k] = (time.perf_counter_ns() - begun) * 1e-3
    gc.enable()
    return took


def keep_busy(core: int, parent: int) -> None:
    """Use up one core, walking through memory, as long as the parent lives."""
    os.sched_setaffinity(0, {core})
    walked = np.zeros(1 << 20)
    while os.getppid() == parent:
        walked += 1.0
