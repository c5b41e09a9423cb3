"""What it costs before the first question: build, memory, compiling, starting. Memory and starts are measured in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from navtwin.scene.surface import Surface
from proximity_parts.contest import OURS, ROUNDS
from proximity_parts.point_peers import open3d_scene
from proximity_parts.rows import Row, figure

#: From before the mesh is read until all of it can be asked: resident bytes that stay.
MEMORY = """
import gc, os, sys
import numpy as np
from navtwin.kernels import warm_up
from navtwin.scene.surface import Surface

def resident():
    gc.collect()
    with open("/proc/self/statm") as line:
        return int(line.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

warm_up()
before = resident()
with np.load(sys.argv[1]) as arrays:
    surface = Surface.from_arrays(arrays["vertices"], arrays["faces"])
surface.closest(np.zeros((1, 3)))
surface.closest_to_capsule(np.zeros(3), np.ones(3), 1.0)
print((resident() - before) / len(surface.faces))
"""
#: All that `navtwin run` imports and compiles before its first frame.
START = """
import navtwin.run.launch
from navtwin.kernels.warm import SESSION, warm_up
warm_up(groups=SESSION)
"""


def build_row(surface: Surface, size: str) -> Row:
    """From arrays to the first answer, all cores, against Open3D's by turns."""

    def ours() -> None:
        Surface.from_arrays(surface.vertices_mm, surface.faces).closest(np.zeros((1, 3)))

    contestants = {OURS: ours, "Open3D": lambda: open3d_scene(surface)}
    took: dict[str, list[float]] = {name: [] for name in contestants}
    absent = list[str]()
    for _ in range(ROUNDS):
        for name, build in contestants.items():
            begun = time.perf_counter()
            try:
                build()
            except ImportError:
                absent = [name]
            else:
                took[name].append(time.perf_counter() - begun)
    mine = float(np.median(took[OURS]))
    figures = [figure("build", mine, "s", blocks=took[OURS])]
    if took["Open3D"]:
        ratios = np.array(took["Open3D"]) / np.array(took[OURS])
        figures.append(figure("against Open3D", float(np.median(ratios)), "x", "more", ratios.tolist()))
    times = {name: {"p50": float(np.median(each)) * 1e6, "p99": max(each) * 1e6} for name, each in took.items() if each}
    return Row(f"build, {size}", figures, times, absent=tuple(absent))


def memory_row(surface: Surface, size: str) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "mesh.npz"
        np.savez(mesh, vertices=surface.vertices_mm, faces=surface.faces)
        said = subprocess.run([sys.executable, "-c", MEMORY, str(mesh)], capture_output=True, text=True, check=True).stdout
    figures = [figure("memory", float(said), "bytes a triangle")]
    return Row(f"memory, {size}", figures, note="resident, vertices and faces included")


def start_row(cpu_time: bool) -> Row:
    """With an empty cache of compiled code, and then with the one that this left."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        took = [_started(environment, cpu_time) for _ in range(1 + ROUNDS)]
    figures = [figure("cold compile", took[0], "s"), figure("cached start", float(np.median(took[1:])), "s", blocks=took[1:])]
    return Row("start of the core process", figures, note="processor time" if cpu_time else "")


def _started(environment: dict[str, str], cpu_time: bool) -> float:
    begun, used = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", START], env=environment, check=True)
    now = os.times()
    if cpu_time:
        return now.children_user + now.children_system - used.children_user - used.children_system
    return time.perf_counter() - begun
