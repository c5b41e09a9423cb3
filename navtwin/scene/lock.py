"""case.lock: the SHA-256 of every file of a case, so that a rehearsal names exactly the patient it ran on."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path

from navtwin.errors import InputRefused

LOCK_FILE = "case.lock"
RELOCK = "restore the file, or, if the change was meant, run navtwin case check --lock"


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def lock_hash(folder: Path) -> str:
    """The hash of the lock itself, hence of all that it names: the case's identity."""
    return file_hash(folder / LOCK_FILE)


def write_lock(folder: Path, files: Iterable[str]) -> None:
    """Write case.lock for `files` (relative to `folder`), in one piece."""
    lines = ["# The SHA-256 of each file of this case. A file that differs is refused; `navtwin case check --lock` accepts an edit.", "[sha256]"]
    lines += [f'"{name}" = "{file_hash(folder / name)}"' for name in sorted(set(files))]
    partial = folder / f"{LOCK_FILE}.partial"
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    os.replace(partial, folder / LOCK_FILE)  # noqa: PTH105


def read_lock(folder: Path) -> dict[str, str]:
    """File name -> SHA-256."""
    path = folder / LOCK_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError as error:
        raise InputRefused(
            f"{folder} has no {LOCK_FILE}", "build the case with navtwin case new, or lock it with navtwin case check --lock"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputRefused(f"{path} is not a lock", RELOCK) from error
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        raise InputRefused(f"{path} is not a lock", RELOCK)
    return table


def changed_files(folder: Path, files: Iterable[str]) -> list[str]:
    """What is wrong between `files` and the lock, a sentence each: missing, not locked, or changed."""
    locked = read_lock(folder)
    faults = []
    for name in files:
        path = folder / name
        if not path.is_file():
            faults.append(f"file {name} is missing")
        elif name not in locked:
            faults.append(f"file {name} is not in {LOCK_FILE}")
        elif file_hash(path) != locked[name]:
            faults.append(f"file {name} was changed after the case was locked")
    return faults
