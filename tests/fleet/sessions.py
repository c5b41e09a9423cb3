"""Logs for the fleet: the golden session recorded anew by the code that is there, and the toy fold's with a nudge."""

from __future__ import annotations

from pathlib import Path

from navtwin.fleet.jobs import Job, Task
from navtwin.nouns import Event, Header, TrackerFrame, encode
from navtwin.record.hashes import code_hash, file_hash
from navtwin.record.log import LogWriter
from tests.golden.make import CASE, make_session
from tests.record.logs import Case, Memory, header, step


def golden(path: Path) -> Path:
    """A session that the code of now has recorded on the golden case."""
    make_session(path)
    return path


def job(log: Path, task: Task = "verify", *, cases: tuple[tuple[str, str], ...] | None = None, code: str = "") -> Job:
    from navtwin.scene.lock import lock_hash

    known = ((lock_hash(CASE), str(CASE)),) if cases is None else cases
    return Job(task, str(log), file_hash(log), known, code or code_hash())


def toy(path: Path, inputs: list[Event], nudge: float = 0.0, told: Header | None = None) -> Path:
    """A session of the toy fold, whose distances are off by `nudge` mm."""
    memory = Memory(nudge=nudge)
    with LogWriter(path, live=False) as log:
        log.write_header(told or header())
        for event in inputs:
            log.write_event(event)
            out = [(m.topic, encode(m.body)) for m in step(Case(), memory, event)]
            log.write_outputs(event.seq, event.t_ns, out)
    return path


def moved(inputs: list[Event], by_ns: int, skip: int = 0) -> list[Event]:
    """The same frames on another clock, without the first `skip` ticks, so that numbers differ too."""
    found: list[Event] = []
    for event in inputs:
        body = event.body
        if skip and not isinstance(body, TrackerFrame):
            skip -= 1
            continue
        if isinstance(body, TrackerFrame):
            import msgspec

            body = msgspec.structs.replace(body, t_capture_ns=body.t_capture_ns + by_ns, t_arrival_ns=body.t_arrival_ns + by_ns)
        found.append(Event(seq=len(found) + 1, t_ns=event.t_ns + by_ns, body=body))
    return found
