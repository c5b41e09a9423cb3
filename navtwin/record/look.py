"""What a log of ours is, in plain words."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from navtwin.files.formats import Inspection
from navtwin.nouns import Event, Header, TrackerFrame
from navtwin.record.read import decode, read_log


def look(path: Path) -> Inspection:
    """Go through a finished log once.

    Raises
    ------
    InputRefused, LogDamaged : it cannot be read
    """
    header: Header | None = None
    inputs, records = Counter[str](), Counter[str]()
    sightings, reasons = Counter[tuple[str, str]](), Counter[str]()
    stamps, fields, arrivals_ns, times_ns = Counter[str](), dict[str, None](), list[int](), list[int]()
    for record in read_log(path):
        records[record.channel] += 1
        if record.channel == "/header":
            header = decode(record, path)
        elif record.channel == "/input":
            event: Event = decode(record, path)
            times_ns.append(event.t_ns)
            inputs[str(event.body.__struct_config__.tag)] += 1
            if isinstance(event.body, TrackerFrame):
                arrivals_ns.append(event.body.t_arrival_ns)
                stamps[event.body.stamp] += 1
                fields.update((name, None) for name, _ in event.body.fields)
                sightings.update((s.body, s.status) for s in event.body.sightings)
                reasons.update(s.reason for s in event.body.sightings if s.pose is not None and s.reason)
    facts = [("axes", "poses are marker to tracker, mm; distances and structures are in the CT's axes (DICOM LPS), mm")]
    if header is not None:
        facts = [("session", f"{header.session} of navtwin {header.version}"), ("source", header.source), *facts]
        if header.utc_anchor_ns:
            begun = datetime.fromtimestamp(header.utc_anchor_ns * 1e-9, UTC)
            facts.append(("begun", f"{begun:%Y-%m-%d %H:%M:%S} UTC"))
    facts.append(("inputs", ", ".join(f"{count} {kind}" for kind, count in inputs.items()) or "none"))
    facts.append(("duration", f"{(max(times_ns) - min(times_ns)) * 1e-9:.3f} s" if times_ns else "0 s"))
    steps_ms = np.diff(np.array(arrivals_ns, dtype=np.int64)) * 1e-6
    if steps_ms.size:
        low, middle, high = steps_ms.min(), float(np.median(steps_ms)), steps_ms.max()
        facts.append(("frames", f"{len(arrivals_ns)}; from one to the next {low:.1f} / {middle:.1f} / {high:.1f} ms (least / median / most)"))
    facts.append(("times", "of capture: " + (" and ".join(f"{word} ({count} frames)" for word, count in stamps.items()) or "none")))
    for body in dict.fromkeys(body for body, _ in sightings):
        told = ", ".join(f"{count} {status}" for (name, status), count in sorted(sightings.items()) if name == body)
        facts.append((f"body {body}", f"{told} of {len(arrivals_ns)} frames"))
    if fields:
        facts.append(("kept as text", ", ".join(list(fields)[:20])))
    facts.append(("records", ", ".join(f"{count} {channel}" for channel, count in records.items()) or "none"))
    return Inspection(kind="navtwin log", facts=tuple(facts), doubts=tuple(_doubts(header, stamps, reasons)))


def _doubts(header: Header | None, stamps: Counter[str], reasons: Counter[str]) -> list[str]:
    doubts = [f"{count} poses: {reason}" for reason, count in reasons.most_common(5)]
    if header is None:
        doubts.append("its header is lost: it can be exported and run again, but not verified")
    if stamps["assumed"]:
        doubts.append(f"times of capture of {stamps['assumed']} frames are assumed: time of arrival less a declared latency")
    return doubts
