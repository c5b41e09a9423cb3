"""The case and the rig that a log was recorded with."""

from __future__ import annotations

from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, read_rig
from navtwin.record.read import header
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene


def world_of(log: Path, case: Path | None, rig: Path | None) -> tuple[Scene, Rig]:
    """Load what the log names, or what is given instead.

    Raises
    ------
    InputRefused : the folder or file that the log names is not there any more
    """
    named = header(log)
    for what, given, known in (("case", case, named.case_path), ("rig", rig, named.rig_path)):
        if given is None and not known:
            raise InputRefused(f"{log.name} does not say which {what} it belongs to (it was imported)", f"pass it with --{what}")
    case_path, rig_path = case or Path(named.case_path), rig or Path(named.rig_path)
    if not case_path.is_dir():
        raise InputRefused(f"the case of {log.name} is not at {case_path}", "say where it is with --case FOLDER")
    if not rig_path.is_file():
        raise InputRefused(f"the rig of {log.name} is not at {rig_path}", "say where it is with --rig FILE")
    return load_scene(case_path), read_rig(rig_path)


def refuse_other_case(log: Path, scene: Scene) -> None:
    """Raises InputRefused for a log that was recorded on another case: its distances would be drawn and judged over a stranger's anatomy."""
    named = header(log)
    if named.case_hash and named.case_hash != scene.case_hash:
        raise InputRefused(
            f"{log.name} was recorded on another case, or on this one as it was before ({named.case_hash[:12]}, this is {scene.case_hash[:12]})",
            "pass the case of that session with --case",
        )
