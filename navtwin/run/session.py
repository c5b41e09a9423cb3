"""A session's identity: the header that opens its log."""

from __future__ import annotations

import platform
import time
from pathlib import Path

from navtwin import __version__
from navtwin.nouns import Header, Rig
from navtwin.record.hashes import code_hash, rig_hash, session_id
from navtwin.scene.model import Scene


def new_header(scene: Scene, rig: Rig, rig_path: Path, source: str, speed: float) -> Header:
    """The header of a session that starts now."""
    fields = {
        "version": __version__,
        "utc_anchor_ns": time.time_ns(),
        "monotonic_anchor_ns": time.monotonic_ns(),
        "case_path": str(scene.folder.resolve()),
        "rig_path": str(rig_path.resolve()),
        "case_hash": scene.case_hash,
        "rig_hash": rig_hash(rig),
        "code_hash": code_hash(),
        "source": source,
        "speed": speed,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    draft = Header(session="", **fields)  # type: ignore[arg-type]
    return Header(session=session_id(draft), **fields)  # type: ignore[arg-type]
