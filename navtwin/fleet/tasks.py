"""What is done with one log on a worker: functions of the log and the cases, with no clock but to time them, no state, and nothing written.

Each gives its tables' rows. A log that cannot be done is a row that says why; only a fault in navtwin itself raises.
"""

from __future__ import annotations

import platform
import socket
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from navtwin.errors import LogDamaged, LogOfOtherVersion, NavtwinError
from navtwin.fleet.jobs import TASK_VERSION, Job
from navtwin.fleet.schema import Row, Rows, Status
from navtwin.nouns import Header, Rig, TrackerFrame, read_rig
from navtwin.record.hashes import code_hash, file_hash, rig_hash
from navtwin.record.read import header, truths
from navtwin.record.replay import Verdict, replay, verify
from navtwin.report.gather import load_session
from navtwin.report.sides import AgainstNow, Sides
from navtwin.report.spells import Spell
from navtwin.report.summary import summarise
from navtwin.scene.case import load_scene
from navtwin.scene.lock import lock_hash
from navtwin.scene.model import Scene
from navtwin.twin import new_memory, step

#: Scenes kept by each worker: cases can be large.
_SCENES = 4


class _NotDone(Exception):
    """Why a log cannot be done, and whether that may be otherwise next time."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def about() -> dict[str, str]:
    """What this process runs: the code's hash, Python, and the packages that decide bits or travel between processes."""
    from importlib.metadata import version

    names = ("distributed", "llvmlite", "msgspec", "numba", "numpy", "scipy")
    return {"navtwin code": code_hash(), "python": platform.python_version(), **{name: version(name) for name in names}}


def examine(job: Job) -> Rows:
    """Replay a log, compare it to the bit, and gather its warnings on both sides: the tables of the task `verify`."""
    began = time.perf_counter()
    row = head_row(job)
    rows: Rows = {"warnings": [], "distances": [], "latency": [], "crossings": [], "logs": [row]}
    try:
        told, scene, rig = _world(job)
        row |= {"rig_same": rig_hash(rig) == told.rig_hash, **_told(told)}
        both = AgainstNow(Path(job.log), step)
        times = _Times(both.step)
        verdict = verify(job.log, scene, rig, times.step, new_memory, both)
        first_ns = times.first_ns
        row |= {
            "status": "identical" if verdict.identical else "differs",
            "reason": "; ".join(verdict.notes),
            "first_t_ns": first_ns,
            "seconds": (times.last_ns - first_ns) * 1e-9,
            "inputs": verdict.inputs,
            "compared": verdict.compared,
            "differing": verdict.differing,
            "first_difference": _first(verdict, both.sides, first_ns),
        }
        before, now = both.sides.spells()
        rows["warnings"] = [_warning(job, "log", told.code_hash, spell, first_ns) for spell in before]
        if told.code_hash != job.code or not verdict.identical:
            rows["warnings"] += [_warning(job, "replay", job.code, spell, first_ns) for spell in now]
        rows["distances"] = [
            _of(job, code=job.code, pair=p.pair, compared=p.compared, most_mm=p.most_mm, before_mm=p.before_mm, now_mm=p.now_mm, unlike=p.unlike)
            | {"seq": p.seq, "seconds": (p.t_ns - first_ns) * 1e-9}
            for p in both.sides.distances()
        ]
        _judge(job, told, scene, rig, row, rows)
    except _NotDone as why:
        row |= {"status": why.status, "reason": why.reason}
    except LogOfOtherVersion as error:
        row |= {"status": "version", "reason": str(error)}
    except LogDamaged as error:
        row |= {"status": "damaged", "reason": str(error)}
    except NavtwinError as error:
        row |= {"status": "refused", "reason": str(error)}
    row["took_s"] = time.perf_counter() - began
    return rows


def time_replay(job: Job) -> Rows:
    """Replay a log for its speed: the table of the task `bench`."""
    import numpy as np

    row = head_row(job)
    try:
        _, scene, rig = _world(job)
        # Once before, so that what is compiled and cached is not timed.
        next(iter(replay(job.log, scene, rig, step, new_memory)), None)
        times = _Times(step)
        began = time.perf_counter()
        inputs = sum(1 for _ in replay(job.log, scene, rig, times.step, new_memory))
        replay_s = time.perf_counter() - began
        seconds = (times.last_ns - times.first_ns) * 1e-9
        p50, p99 = np.percentile(times.frame_us, (50.0, 99.0), method="higher") if times.frame_us else (None, None)
        row |= {"status": "identical", "seconds": seconds, "inputs": inputs, "replay_s": replay_s, "speed": seconds / replay_s}
        row |= {"step_p50_us": p50, "step_p99_us": p99, "step_max_us": max(times.frame_us, default=None)}
    except _NotDone as why:
        row |= {"status": why.status, "reason": why.reason}
    except LogOfOtherVersion as error:
        row |= {"status": "version", "reason": str(error)}
    except NavtwinError as error:
        row |= {"status": "damaged" if isinstance(error, LogDamaged) else "refused", "reason": str(error)}
    return {"bench": [row]}


def head_row(job: Job, status: Status = "failed", reason: str = "") -> Row:
    """The one row of a log, before anything is known of it; also where no worker lived to tell."""
    return _of(job, status=status, reason=reason, code=job.code, worker=socket.gethostname(), task_version=TASK_VERSION[job.task])


class _Times:
    """Times each step on a frame, and keeps when the session began and ended."""

    def __init__(self, fold: Any) -> None:
        self.frame_us: list[float] = []
        self.first_ns = self.last_ns = 0
        self._fold, self._begun = fold, False

    def step(self, scene: Any, memory: Any, event: Any) -> Any:
        if not self._begun:
            self.first_ns, self._begun = event.t_ns, True
        self.last_ns = event.t_ns
        began = time.perf_counter_ns()
        messages = self._fold(scene, memory, event)
        if isinstance(event.body, TrackerFrame):
            self.frame_us.append((time.perf_counter_ns() - began) * 1e-3)
        return messages


def _world(job: Job) -> tuple[Header, Scene, Rig]:
    """The header of a log, and its case and rig."""
    if job.code != code_hash():
        raise _NotDone("failed", f"this worker ({socket.gethostname()}) runs other navtwin code: install the same there, and start it again")
    if not Path(job.log).is_file():
        raise _NotDone("failed", f"the worker on {socket.gethostname()} does not see {job.log}: logs must lie where every worker sees them")
    if file_hash(job.log) != job.log_hash:
        raise _NotDone("failed", f"{job.log} is not the file that was planned: it changed meanwhile, or {socket.gethostname()} has another one there")
    told = header(job.log)
    case = _case_of(job, told)
    rig = next((path for path in _rigs(told, case) if rig_hash(_rig(str(path))) == told.rig_hash), None) or next(iter(_rigs(told, case)), None)
    if rig is None:
        raise _NotDone("no case", f"its rig is neither at {told.rig_path or '(not named)'} nor in {case}")
    return told, _scene(str(case), told.case_hash), _rig(str(rig))


def _case_of(job: Job, told: Header) -> Path:
    """The folder whose lock has the hash that the log names: among those given, else where the log says."""
    given = dict(job.cases).get(told.case_hash)
    if given is not None:
        return Path(given)
    named = Path(told.case_path)
    if told.case_path and (named / "case.lock").is_file() and lock_hash(named) == told.case_hash:
        return named
    if not told.case_hash:
        raise _NotDone("no case", "it names no case (it was imported, or is a bare tracking stream)")
    raise _NotDone("no case", f"no case with its hash {told.case_hash[:12]} is at hand (it was recorded with {told.case_path}): name it with --case")


def _rigs(told: Header, case: Path) -> list[Path]:
    named = [Path(told.rig_path)] if told.rig_path else []
    return [path for path in (*named, case / "rig.toml") if path.is_file()]


@lru_cache(maxsize=_SCENES)
def _scene(folder: str, case_hash: str) -> Scene:
    return load_scene(Path(folder))


@lru_cache(maxsize=_SCENES)
def _rig(path: str) -> Rig:
    return read_rig(Path(path))


def _first(verdict: Verdict, sides: Sides, first_ns: int) -> str | None:
    """The first field that differs among the outputs that were logged in full; where all of those agree, what `verify` says."""
    if sides.first is None:
        return verdict.first.text if verdict.first else None
    seq, t_ns, found = sides.first
    return f"{found.path}: logged {found.left}, now {found.right} at seq {seq}, t={(t_ns - first_ns) * 1e-9:.1f} s"


def _told(told: Header) -> Row:
    return {
        "code_logged": told.code_hash,
        "version_logged": told.version,
        "case_hash": told.case_hash,
        "session": told.session,
        "source": told.source,
        "utc_ns": told.utc_anchor_ns,
    }


def _of(job: Job, **values: Any) -> Row:
    return {"log_hash": job.log_hash, "log": job.log, **values}


def _warning(job: Job, said_by: str, code: str, spell: Spell, first_ns: int) -> Row:
    said, nearest = spell.said, spell.nearest
    return _of(
        job,
        said_by=said_by,
        code=code,
        kind=spell.kind,
        id=spell.id,
        structure=spell.structure,
        level=spell.word,
        begun_seq=spell.begun.seq,
        begun_ns=spell.begun.t_ns,
        begun_s=(spell.begun.t_ns - first_ns) * 1e-9,
        ended_ns=spell.ended_ns,
        least_bound_mm=nearest.bound_mm if nearest else None,
        said_seq=[s.seq for s in said],
        said_t_ns=[s.t_ns for s in said],
        said_rank=[s.rank for s in said],
        said_known=[s.known for s in said],
        said_bound_mm=[s.bound_mm for s in said],
        said_distance_mm=[s.distance_mm for s in said],
    )


def _judge(job: Job, told: Header, scene: Scene, rig: Rig, row: Row, rows: Rows) -> None:
    """Lateness against truth and latency, where the log has them."""
    has_truth = next(truths(job.log), None) is not None
    if not has_truth and told.speed != 1.0:
        return
    found = summarise(load_session(Path(job.log)), scene, rig)
    if found.judged:
        row |= {"crossings": found.crossings, "missed": found.missed, "late": found.late, "spurious": found.spurious}
        rows["crossings"] = [
            _of(job, alert=c.alert, level=c.level, limit_mm=c.limit_mm, crossings=c.crossings, in_time=c.in_time)
            | {"unknown": c.unknown, "shortest_lead_ms": c.shortest_lead_ms}
            for c in found.by_limit
        ]
    rows["latency"] = [
        _of(job, stage=s.name, samples=s.count, p50_ms=s.p50_ms, p95_ms=s.p95_ms, p99_ms=s.p99_ms, max_ms=s.max_ms) for s in found.latency
    ]
