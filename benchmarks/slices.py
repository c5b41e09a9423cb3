"""What three slices through the tip cost: grey from the scan, outlines of every structure, and the images painted.

    python benchmarks/slices.py [--seed 7] [--cuts 300] [--pixels 500] [--json FILE]

Points are spread around the case's first planned path. The work is done by one thread, as in the window.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import time

import numpy as np
from common import add_case, case_of, parser, percentiles, print_rows, write_json

from gui.slices.model import FIRST_FIELD_MM, WINDOWS, Request, Sight
from gui.slices.painting import Cuts, field_of, paint_slice
from navtwin.scene.crossings import Crossings
from navtwin.scene.reslice import Reslicer
from navtwin.scene.slices import PLANES
from navtwin.volumes.read import read_ct

SPREAD_MM = 6.0
WARM_UP = 10


def main() -> None:
    options = parser(__doc__)
    add_case(options)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--cuts", type=int, default=300)
    options.add_argument("--pixels", type=int, default=500, help="side of each slice")
    arguments = options.parse_args()
    scene, _, _ = case_of(arguments)
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
    figures = {name: percentiles(took[WARM_UP:]) for name, took in spent.items()}
    print_rows(f"three slices of {arguments.pixels} x {arguments.pixels} (triangles sorted once in {sorting_s:.2f} s)", "ms", figures)
    write_json(arguments.json, {"slices": figures, "pixels": arguments.pixels, "sorting_s": sorting_s, "seed": arguments.seed})


if __name__ == "__main__":
    main()
