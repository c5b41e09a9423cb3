"""What three slices through the tip cost: grey from the scan, outlines of every structure, and the images painted.

`navtwin bench slices [--seed 7] [--cuts 300] [--pixels 500] [--json FILE]`

Points are spread around the case's first planned path. The work is done by one thread, as in the window.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import argparse
import sys
import time

import numpy as np
from common import add_case, case_of
from measured import measured
from results import cli
from results.model import Figure

from gui.slices.model import FIRST_FIELD_MM, WINDOWS, Request, Sight
from gui.slices.painting import Cuts, field_of, paint_slice
from navtwin.errors import InputRefused
from navtwin.scene.crossings import Crossings
from navtwin.scene.reslice import Reslicer
from navtwin.scene.slices import PLANES
from navtwin.volumes.read import read_ct

SPREAD_MM = 6.0
WARM_UP = 10


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_case(options)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--cuts", type=int, default=300)
    options.add_argument("--pixels", type=int, default=500, help="side of each slice, pixels")
    cli.add_options(options)
    arguments = options.parse_args()
    if min(arguments.cuts, arguments.pixels) < 1:
        raise InputRefused(f"--cuts {arguments.cuts} --pixels {arguments.pixels}: nothing to cut", "ask for one or more of each")
    run = cli.run_begun("slices", arguments)
    scene, _, folder = case_of(arguments)
    begun = time.perf_counter()
    crossings = {s.name: Crossings(s.surface.vertices_mm, s.surface.faces) for s in scene.structures}
    sorting_s = time.perf_counter() - begun
    cuts = Cuts(scene, crossings, Reslicer(read_ct(scene.ct_path)))
    assert cuts.reslicer is not None
    random = np.random.default_rng(arguments.seed)
    low, high = np.array(scene.plans[0].entry_mm), np.array(scene.plans[0].target_mm)
    sizes = dict.fromkeys(PLANES, (arguments.pixels, arguments.pixels))
    spent: dict[str, list[float]] = {"grey": [], "outlines": [], "three slices, painted": [], "the same, processor time": []}
    for _ in range(arguments.cuts + WARM_UP):
        x, y, z = low + random.uniform() * (high - low) + random.normal(0.0, SPREAD_MM, 3)
        request = Request((float(x), float(y), float(z)), FIRST_FIELD_MM, "bone", sizes, 1.0, Sight("", "", "", None))
        t = [time.perf_counter()]
        for plane in PLANES:
            cuts.reslicer.grey(field_of(request, plane), *WINDOWS["bone"])
        t.append(time.perf_counter())
        for plane in PLANES:
            for crossing in crossings.values():
                crossing.lines(plane, request.at_mm, FIRST_FIELD_MM / 2.0 + 3.0)
        t.append(time.perf_counter())
        busy = time.thread_time()
        for plane in PLANES:
            paint_slice(cuts, request, plane)
        t.append(time.perf_counter())
        for name, took in zip(spent, (*np.diff(t), time.thread_time() - busy), strict=True):
            spent[name].append(1000.0 * took)
    figures, distributions = measured({name: took[WARM_UP:] for name, took in spent.items()}, "ms")
    sorting = Figure(name="triangles of all structures sorted, once", value=sorting_s, unit="s")
    result = run.result(
        settings={"case": folder.name, "cuts": arguments.cuts, "pixels": arguments.pixels},
        figures=[*figures, sorting],
        distributions=distributions,
        seeds=(arguments.seed,),
    )
    return cli.finish(arguments, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
