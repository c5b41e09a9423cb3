"""Replays logs and prints the hash of all that came out of each: `python -m benchmarks.fleet_parts.bits CASE LOG...`, run under other Pythons and
for other processors. Needs no more than the fold and the log's reader.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from navtwin.nouns import encode, read_rig
from navtwin.record.format import output_hash
from navtwin.record.replay import replay
from navtwin.scene.case import load_scene
from navtwin.twin import new_memory, step


def digest(log: Path, case: Path) -> str:
    """SHA-256 over every input's number and the hash of its outputs."""
    scene, rig = load_scene(case), read_rig(case / "rig.toml")
    hashed = hashlib.sha256()
    for event, messages in replay(log, scene, rig, step, new_memory):
        if messages:
            hashed.update(f"{event.seq} {output_hash((m.topic, encode(m.body)) for m in messages)}\n".encode())
    return hashed.hexdigest()


def main() -> None:
    """One JSON line per log, as it is done."""
    case = Path(sys.argv[1])
    for log in sys.argv[2:]:
        print(json.dumps({"log": log, "digest": digest(Path(log), case)}), flush=True)


if __name__ == "__main__":
    main()
