"""One step of the fold on the demo case: two instruments with all their parts against every structure, warnings included.

Runs the scripted rehearsal through the fold in this process and times each `step` of the navigation, by kind of event.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import sys
import time

import common
from results import cli
from results.model import Figure, distribution, percentile_figures

from navtwin.kernels import warm_up
from navtwin.nouns import Event, Notice, PivotRequest, RegistrationRequest, Tick, TrackerFrame
from navtwin.register.worker import answer
from navtwin.run.register import items_of
from navtwin.run.session import new_header
from navtwin.run.simulate import with_ticks
from navtwin.twin import new_memory, step
from phantoms.source import open_source


def main() -> int:
    options = argparse.ArgumentParser(prog="navtwin bench step", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_case(options)
    options.add_argument("--seed", type=int, default=1)
    cli.add_options(options)
    arguments = options.parse_args()
    run = cli.run_begun("step", arguments)
    scene, rig, folder = common.case_of(arguments)
    warm_up()
    memory = new_memory(scene, rig, new_header(scene, rig, folder / "rig.toml", "benchmark", 0.0))
    seconds: dict[str, list[float]] = {"frame": [], "tick": []}
    gc.collect()
    gc.freeze()
    number = itertools.count(1)
    now = 0

    def feed(body: object) -> list[object]:
        event = Event(seq=next(number), t_ns=now, body=body)  # type: ignore[arg-type]
        begun = time.perf_counter()
        messages = step(scene, memory, event)
        took = time.perf_counter() - begun
        if memory.phase == "navigation" and isinstance(body, TrackerFrame | Tick):
            seconds["frame" if isinstance(body, TrackerFrame) else "tick"].append(took)
        return [m.body for m in messages]

    for t_ns, body in with_ticks(items_of(open_source(f"pedicle:{arguments.seed}", scene, rig))):
        now = max(now, t_ns)
        for request in feed(body):
            if isinstance(request, PivotRequest | RegistrationRequest):
                feed(answer(request, scene))
    feed(Notice(alarm="SOURCE_ENDED", active=True))
    parts = sum(len(t.part) for t in rig.tool)
    triangles = sum(len(s.surface.faces) for s in scene.structures)
    took_ms = {name: [s * 1e3 for s in values] for name, values in seconds.items()}
    figures = [figure for name, values in took_ms.items() for figure in percentile_figures(name, "ms", values)]
    counts = {"instruments": len(rig.tool), "parts": parts, "structures": len(scene.structures), "triangles": triangles}
    figures += [Figure(name=name, value=float(count), unit="", better="none") for name, count in counts.items()]
    return cli.finish(
        arguments,
        run.result(
            settings={"case": arguments.case.name if arguments.case else arguments.patient},
            figures=figures,
            distributions=[distribution(name, "ms", values) for name, values in took_ms.items()],
            seeds=[arguments.seed],
        ),
    )


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
