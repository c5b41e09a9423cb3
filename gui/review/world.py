"""Which case and rig belong to a log, and whether they are those that it was recorded with."""

from __future__ import annotations

from pathlib import Path

from gui.review.session import Session
from navtwin.errors import InputRefused
from navtwin.nouns import Rig, read_rig
from navtwin.scene.model import Scene

RIG_FILE = "rig.toml"


def world(log: Path, case: Path | None, rig: Path | None) -> tuple[Scene, Rig | None, Path]:
    """Case and rig of a log. Raises InputRefused."""
    if case is None:
        raise InputRefused(f"{log.name} does not say which case it belongs to", "pass it with --case FOLDER, or choose it with Case")
    if not case.is_dir():
        raise InputRefused(f"the case of {log.name} is not at {case}", "say where it is with --case FOLDER, or choose it with Case")
    from navtwin.scene.case import load_scene

    path = rig or case / RIG_FILE
    return load_scene(case), read_rig(path) if path.is_file() else None, case


def same_case(session: Session, scene: Scene, folder: Path) -> str:
    """Why pictures of `scene` may mislead, "" where it is the case that was recorded with."""
    if session.header is None or not session.header.case_hash or session.header.case_hash == scene.case_hash:
        return ""
    return f"{folder} is not the case that was recorded with, or was changed since: the picture may mislead. Pass the right one with --case FOLDER"


def title_words(session: Session) -> str:
    """Which log this is: file, source, length."""
    return f"{session.path.name}    {session.header.source if session.header else 'no header'}    {session.end_ns * 1e-9:.0f} s"


def damage_words(session: Session) -> str:
    """What is wrong with a log, "" if nothing."""
    lost = sum(hole.inputs for hole in session.holes)
    found = (session.fault, f"{lost} inputs are missing from its middle" if lost else "", "" if session.header else "it does not say what was run")
    return "; ".join(words for words in found if words)
