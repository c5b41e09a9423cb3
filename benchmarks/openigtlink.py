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

    python benchmarks/openigtlink.py [--seconds 60] [--per-second 1000] [--peer-seconds 20] [--json FILE]
"""

from __future__ import annotations

import gc
import os
import time
from functools import partial

import common
from openigtlink_parts.served import gateway_overhead
from openigtlink_parts.streams import Received, bare, has_pyigtl, ours, rig_of, streamed, theirs
from rich.console import Console

from navtwin.igtl.message import Message, write_message
from navtwin.igtl.poses import Matrix, write_transform
from navtwin.igtl.reader import Reader
from tracking.igtl.gather import Gatherer
from tracking.igtl.names import Names
from tracking.igtl.sightings import read_poses

#: p99 that is aimed at, from socket to TrackerFrame.
TARGET_P99_MS = 2.0
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


def told(name: str, outcome: Received, console: Console) -> dict[str, float]:
    """Say what was lost, and give the figures."""
    lost = outcome.sent - outcome.received
    console.print(f"{name}: {outcome.sent} transforms sent, {outcome.received} received, {lost} lost, {outcome.disordered} out of order")
    return {**common.percentiles(outcome.latency_ms), "sent": outcome.sent, "lost": lost, "out_of_order": outcome.disordered}


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--seconds", type=float, default=60.0, help="how long each stream of ours lasts")
    options.add_argument("--per-second", type=float, default=1000.0, help="transforms a second")
    options.add_argument("--peer-seconds", type=float, default=20.0, help="how long each stream of pyigtl's and the gateway's lasts")
    arguments = options.parse_args()
    console, rows = Console(), dict[str, dict[str, float]]()
    spent = {name: common.percentiles(values) for name, values in costs_us().items()}
    # As the twin's own loop does it: what lives now lives on, and a full collection need not look at it.
    gc.collect()
    gc.freeze()
    for name, bodies in (("igtl:, one body", ("Stylus",)), ("igtl:, three bodies", ("Reference", "Stylus", "Probe"))):
        rows[name] = told(name, streamed(bodies, arguments.per_second, arguments.seconds, partial(ours, per_second=arguments.per_second)), console)
    rows["bare socket"] = told("bare socket", streamed(("Stylus",), arguments.per_second, arguments.peer_seconds, bare), console)
    if has_pyigtl():
        for name, waits in (("pyigtl, wait_for_message", True), ("pyigtl, asked every ms", False)):
            rows[name] = told(name, streamed(("Stylus",), arguments.per_second, arguments.peer_seconds, partial(theirs, waits=waits)), console)
    else:
        console.print("pyigtl is not installed: its rows are left out (pip install pyigtl)")
    published, ways = gateway_overhead(arguments.per_second, arguments.peer_seconds)
    for way, latency_ms in ways.items():
        rows[f"state {way}"] = {**common.percentiles(latency_ms), "sent": published, "lost": published - len(latency_ms)}
        console.print(f"state {way}: {published} published, {published - len(latency_ms)} passed over for newer ones")
    common.print_rows("one message, without sockets", "us", spent)
    common.print_rows(f"{arguments.per_second:g} transforms/s, sender's call to receiver's value", "ms", rows)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    console.print(f"load average {load:.1f} on {os.cpu_count()} cores: above that number processes wait for each other, and so do the figures")
    streams = [row for name, row in rows.items() if name.startswith("igtl:")]
    ok = all(row["p99"] <= TARGET_P99_MS and not row["lost"] and not row["out_of_order"] for row in streams)
    console.print(f"{'met' if ok else 'MISSED'}: none lost or out of order, p99 <= {TARGET_P99_MS:g} ms")
    added = rows["state by the gateway"]["p50"] - rows["state on the bus"]["p50"]
    console.print(f"the gateway adds {added:.3f} ms (difference of the medians)")
    common.write_json(arguments.json, {"load_average": load, "one_message_us": spent, "latency_ms": rows, "gateway_adds_ms": added})


if __name__ == "__main__":
    main()
