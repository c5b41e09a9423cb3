"""OpenIGTLink: from a sender's socket to a tracker frame, beside pyigtl; what one message costs; what the gateway adds.

The sender is a process of its own. It sends TRANSFORMs with `TransformValid` and `TransformStatus` (version 2), numbers them in their translation
and puts the host's monotonic clock into their time stamp, so that every one is accounted for and every latency is that of one clock:

- `igtl:` is the twin's own source, `tracking.igtl.source`; a latency ends when `read` has returned the frame. Three bodies have an instant's three
  transforms gathered into one frame.
- The bare socket is read by a loop that looks at number and stamp only: what the system itself takes, on this machine as busy as it is.
- pyigtl 0.3 is asked in two ways: by `wait_for_message`, its documented one, and for its latest messages every millisecond. It keeps only the newest
  message of each device, so what it has not handed over by then is counted as lost.
- The gateway's row runs its loop in a process of its own between a publisher of states and a client; the same states received on the bus directly
  stand beside it. A gateway that lags serves the newest state and passes over those before it, which are counted.

`navtwin bench openigtlink [--seconds 60] [--per-second 1000] [--peer-seconds 20] [--json FILE]`
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator
from functools import partial

from measured import measured
from openigtlink_parts.served import gateway_overhead
from openigtlink_parts.streams import Received, bare, has_pyigtl, ours, rig_of, streamed, theirs
from results import cli
from results.model import Distribution, Figure, Table
from rich.console import Console

from navtwin.errors import InputRefused
from navtwin.igtl.message import Message, write_message
from navtwin.igtl.poses import Matrix, write_transform
from navtwin.igtl.reader import Reader
from tracking.igtl.gather import Gatherer
from tracking.igtl.names import Names
from tracking.igtl.sightings import read_poses

ROUNDS = 5000


def costs_us() -> dict[str, list[float]]:
    """What one message costs without sockets, us: bytes to frame, and pose to bytes."""
    rig = rig_of(("Stylus",), 1000.0)
    names, gatherer, reader = Names(rig, "Tracker", plain=False), Gatherer(rig, "benchmark"), Reader()
    rows = ((0.36, 0.48, -0.8), (-0.8, 0.6, 0.0), (0.48, 0.64, 0.6))
    spent: dict[str, list[float]] = {"TRANSFORM, bytes to frame": [], "pose to TRANSFORM": []}
    for n in range(ROUNDS):
        begun = time.perf_counter_ns()
        data = write_message(
            "TRANSFORM", "StylusToTracker", write_transform(Matrix(rows, (float(n), 0.0, 0.0))), n + 1, metadata={"TransformValid": "1"}
        )
        written = time.perf_counter_ns()
        (item,) = reader.feed(data)
        assert isinstance(item, Message)
        (frame,) = gatherer.take(read_poses(item, names), n)
        done = time.perf_counter_ns()
        assert frame.sightings[0].status == "OK"
        spent["pose to TRANSFORM"].append((written - begun) * 1e-3)
        spent["TRANSFORM, bytes to frame"].append((done - written) * 1e-3)
    return spent


def streams(per_second: float, seconds: float, peer_seconds: float) -> Iterator[tuple[str, Received]]:
    """Ours, then the bare socket, then the peer where it is installed."""
    for name, bodies in (("igtl:, one body", ("Stylus",)), ("igtl:, three bodies", ("Reference", "Stylus", "Probe"))):
        yield name, streamed(bodies, per_second, seconds, partial(ours, per_second=per_second))
    yield "bare socket", streamed(("Stylus",), per_second, peer_seconds, bare)
    if has_pyigtl():
        for name, waits in (("pyigtl, wait_for_message", True), ("pyigtl, asked every ms", False)):
            yield name, streamed(("Stylus",), per_second, peer_seconds, partial(theirs, waits=waits))


def accounted(rows: dict[str, Received]) -> tuple[list[Figure], Table]:
    """What became of every transform."""
    figures = []
    for name, row in rows.items():
        figures.append(Figure(name=f"{name}: lost", value=float(row.sent - row.received), unit=""))
        figures.append(Figure(name=f"{name}: out of order", value=float(row.disordered), unit=""))
    cells = tuple((name, str(row.sent), str(row.received), str(row.sent - row.received), str(row.disordered)) for name, row in rows.items())
    return figures, Table(title="transforms accounted for", columns=("stream", "sent", "received", "lost", "out of order"), rows=cells)


def gateway(per_second: float, seconds: float) -> tuple[list[Figure], list[Distribution]]:
    """States on the bus and behind the gateway, which lags rather than delay: what it passed over for newer ones is counted."""
    published, ways = gateway_overhead(per_second, seconds)
    figures, distributions = measured({f"state {way}": latency_ms for way, latency_ms in ways.items()}, "ms")
    passed = [
        Figure(name=f"state {way}: passed over for newer ones", value=float(published - len(taken)), unit="", better="none")
        for way, taken in ways.items()
    ]
    p50 = {figure.name: figure.value for figure in figures}
    adds = p50["state by the gateway p50"] - p50["state on the bus p50"]
    return [*figures, *passed, Figure(name="the gateway adds, difference of the medians", value=adds, unit="ms")], distributions


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60.0, help="how long each stream of ours lasts")
    options.add_argument("--per-second", type=float, default=1000.0, help="transforms a second")
    options.add_argument("--peer-seconds", type=float, default=20.0, help="how long each stream of pyigtl's and the gateway's lasts")
    cli.add_options(options)
    arguments = options.parse_args()
    if min(arguments.seconds, arguments.peer_seconds) < 1.0 or arguments.per_second < 1.0:
        raise InputRefused("streams shorter than a second, or under one transform a second, measure nothing", "ask for one or more of each")
    run = cli.run_begun("openigtlink", arguments)
    spent = costs_us()
    # As the twin's own loop does it: what lives now lives on, and a full collection need not look at it.
    gc.collect()
    gc.freeze()
    rows = {}
    with Console(stderr=True).status("streams") as status:
        for name, outcome in streams(arguments.per_second, arguments.seconds, arguments.peer_seconds):
            rows[name] = outcome
            status.update(f"{name} is done")
        served, behind = gateway(arguments.per_second, arguments.peer_seconds)
    costs, of_costs = measured(spent, "us")
    latencies, of_latencies = measured({name: row.latency_ms for name, row in rows.items()}, "ms")
    counts, table = accounted(rows)
    notes = ["From the sender's call to the receiver's value, one clock."]
    if not has_pyigtl():
        notes.append("pyigtl is not installed: its rows are left out (pip install pyigtl).")
    if hasattr(os, "getloadavg"):
        notes.append(f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores: above that number processes wait for each other.")
    result = run.result(
        settings={"seconds": arguments.seconds, "per_second": arguments.per_second, "peer_seconds": arguments.peer_seconds},
        figures=[*latencies, *counts, *served, *costs],
        distributions=[*of_latencies, *behind, *of_costs],
        tables=[table],
        notes=notes,
    )
    return cli.finish(arguments, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
