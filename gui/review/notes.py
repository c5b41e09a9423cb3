"""A reviewer's own bookmarks: in a file beside the log, never in the log."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from navtwin.errors import InputRefused


class Note(NamedTuple):
    """A bookmark: time since the first input, ns, and what was written."""

    t_ns: int
    text: str


def notes_file(log: Path) -> Path:
    """Where the notes on `log` are."""
    return log.with_name(f"{log.name}.notes.toml")


def read_notes(log: Path, session: str) -> tuple[Note, ...]:
    """The notes on a log, in the order of time; none where there is no file.

    Raises
    ------
    InputRefused : the file cannot be read, or belongs to another session
    """
    path = notes_file(log)
    if not path.exists():
        return ()
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        named, entries = read["session"], read.get("note", [])
        notes = tuple(sorted(Note(round(float(entry["t_s"]) * 1e9), str(entry["text"])) for entry in entries))
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "check its rights") from error
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputRefused(f"{path} is not a file of notes ({error})", "mend it or move it away: new notes go into a new one") from error
    if named != session:
        raise InputRefused(f"{path} belongs to session {named}, the log holds {session}", "move it away, or put it beside its own log")
    return notes


def add_note(log: Path, session: str, note: Note) -> tuple[Note, ...]:
    """Write one more note; what else is in the file stays as it is. Returns all notes. Raises InputRefused."""
    import tomlkit

    before, path = read_notes(log, session), notes_file(log)
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    if "session" not in document:
        document.add(tomlkit.comment("Notes of a review. t_s: seconds since the first input of the log."))
        document.add("session", tomlkit.item(session))
    entries = document.setdefault("note", tomlkit.aot())
    entry = tomlkit.table()
    entry.add("t_s", note.t_ns / 1e9)
    entry.add("text", note.text)
    entries.append(entry)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(tomlkit.dumps(document), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise InputRefused(f"cannot write {path}: {error.strerror}", "check the folder's rights and space") from error
    return tuple(sorted((*before, note)))
