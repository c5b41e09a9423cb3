"""Which logs there are, what each is (by its hash), and which cases are at hand."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.fleet.jobs import Job, Task
from navtwin.record.format import PARTIAL
from navtwin.record.hashes import code_hash, file_hash
from navtwin.scene.data import cache_folder
from navtwin.scene.lock import LOCK_FILE, lock_hash


def find_logs(names: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The logs that files, folders (with all below) and patterns name, each once, sorted; and what was passed over, in words.

    Raises
    ------
    InputRefused : a name that names nothing
    """
    found: dict[Path, None] = {}
    unfinished = 0
    for name in names:
        paths = [Path(name)] if Path(name).exists() else [Path(p) for p in glob.glob(name, recursive=True)]  # noqa: PTH207 - Path takes no absolute pattern
        if not paths:
            raise InputRefused(f"there is no log, folder or pattern {name}", "check the path")
        for path in paths:
            if path.is_dir():
                found |= dict.fromkeys(p.resolve() for p in path.rglob("*.mcap"))
                unfinished += sum(1 for _ in path.rglob(f"*.mcap{PARTIAL}"))
            else:
                found[path.resolve()] = None
    if not found:
        raise InputRefused(f"there is no log in {', '.join(names)}", "name a folder with *.mcap in it")
    notes = [f"{unfinished} unfinished logs are passed over (`navtwin recover` makes logs of them)"] if unfinished else []
    return sorted(found), notes


def find_cases(given: Sequence[Path], logs: Sequence[Path]) -> dict[str, Path]:
    """Case folders by the hash of their lock: those given (or folders of such), those beside the logs, and those of the demo.

    Raises
    ------
    InputRefused : a folder that was given holds no case
    """
    found: dict[str, Path] = {}
    for folder in given:
        cases = _cases_in(folder)
        if not cases:
            raise InputRefused(f"there is no locked case in {folder}", "name a case's folder, or one that holds such")
        found |= cases
    for folder in (*dict.fromkeys(log.parent for log in logs), cache_folder("demo")):
        found = _cases_in(folder) | found
    return found


def _cases_in(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    places = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())]
    return {lock_hash(place): place.resolve() for place in places if (place / LOCK_FILE).is_file()}


def jobs_of(task: Task, logs: Sequence[Path], cases: dict[str, Path], told: Callable[[], None]) -> tuple[list[Job], list[str]]:
    """A job for each log that is not the same file as another, and what was passed over; `told` hears of each log."""
    code, table = code_hash(), tuple((key, str(path)) for key, path in sorted(cases.items()))
    jobs: dict[str, Job] = {}
    twice = 0
    for log in logs:
        hashed = _hash(log)
        twice += hashed in jobs
        jobs.setdefault(hashed, Job(task, str(log), hashed, table, code))
        told()
    notes = [f"{twice} logs are copies of others, to the byte"] if twice else []
    return list(jobs.values()), notes


def _hash(log: Path) -> str:
    try:
        return file_hash(log)
    except InputRefused:
        # It goes to a worker all the same, which says why it cannot be read: one bad log stops no other.
        return hashlib.sha256(f"unreadable {log}".encode()).hexdigest()
