"""Jobs spread over processes of this machine, or over the workers of a dask scheduler that is there already.

Dask moves functions and their results by pickle: whoever reaches a scheduler's port can run code on its workers, and what a scheduler answers is
unpickled here. So the embedded one listens on loopback alone, and one elsewhere is used with a warning unless it speaks TLS.
"""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from navtwin.errors import InputRefused
from navtwin.fleet.jobs import Job
from navtwin.fleet.schema import Rows
from navtwin.fleet.tasks import about

#: How long a scheduler, and then its first worker, may take to answer, s.
ANSWER_S: Final = 5.0
#: How many jobs each worker has ahead of it.
_AHEAD: Final = 3
#: What `Done` is told where a job's worker died.
DIED: Final = "its worker died, and died again when it was tried alone"
LOOPBACK: Final = ("127.", "localhost", "[::1]", "::1")

Task = Callable[[Job], Rows]
#: Told of each job that is done: its rows, or why it was not (a worker's death, or a fault in navtwin).
Done = Callable[[Job, Rows | None, str], None]


@dataclass(frozen=True)
class Where:
    """What to run on: a scheduler's address, or so many processes here; the TLS files of the scheduler, where it wants them."""

    scheduler: str = ""
    workers: int = 0
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None


@contextmanager
def workers(where: Where, warn: Callable[[str], None]) -> Iterator[Any]:
    """A dask client with workers that run the same code as this process.

    Raises
    ------
    InputRefused : dask is not installed; no scheduler answers; it has no worker; its workers run another Python, other packages or other code
    """
    try:
        distributed = importlib.import_module("distributed")
        dask = importlib.import_module("dask")
    except ImportError as error:
        raise InputRefused("a fleet needs dask.distributed, which is not installed", "pip install 'navtwin[fleet]'") from error
    if not where.scheduler:
        count = where.workers or os.cpu_count() or 1
        # One job at a time on each worker, and none is tried elsewhere when it dies: `run_jobs` sees to that, so that no other job is blamed.
        settings = {"distributed.scheduler.allowed-failures": 0, "distributed.scheduler.worker-saturation": 1.0}
        with (
            tempfile.TemporaryDirectory(prefix="navtwin-fleet-") as scratch,
            dask.config.set(settings),
            distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                local_directory=scratch,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    with _connected(distributed, where, warn) as client:
        yield client


@contextmanager
def _connected(distributed: Any, where: Where, warn: Callable[[str], None]) -> Iterator[Any]:
    address, security = where.scheduler, None
    host = address.rpartition("://")[2]
    if where.tls_ca or where.tls_cert or where.tls_key:
        names = {"tls_ca_file": where.tls_ca, "tls_client_cert": where.tls_cert, "tls_client_key": where.tls_key}
        missing = [str(path) for path in names.values() if path is not None and not path.is_file()]
        if missing:
            raise InputRefused(f"there is no file {missing[0]}", "check the paths of --tls-ca, --tls-cert and --tls-key")
        security = distributed.Security(require_encryption=True, **{name: str(path) for name, path in names.items() if path is not None})
    if not host.startswith(LOOPBACK) and security is None:
        warn(f"{address} is not on this machine and not encrypted: whoever reaches it can run code on its workers, and its answers can run code here")
    try:
        with warnings.catch_warnings():
            # Versions that differ are refused below, in our own words.
            warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
            client = distributed.Client(address, timeout=f"{ANSWER_S:g}s", security=security)
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
        raise InputRefused(
            f"no scheduler answers at {address} within {ANSWER_S:g} s ({type(error).__name__})",
            "start one (`dask scheduler --host 127.0.0.1`) and its workers, or leave --scheduler out to run on this machine",
        ) from error
    with client:
        told = client.get_versions(check=False)
        if refusal := unlike_scheduler(told):
            problem, remedy = refusal
            raise InputRefused(problem, remedy)
        try:
            client.wait_for_workers(1, timeout=ANSWER_S)
        except TimeoutError as error:
            raise InputRefused(f"the scheduler at {address} has no worker", f"start one: `dask worker {address} --nthreads 1`") from error
        _refuse_others(client)
        yield client


def _refuse_others(client: Any) -> None:
    """Every worker must run what runs here, or its bits would not be this code's."""
    try:
        told: Mapping[str, dict[str, str]] = client.run(about)
    except ImportError as error:
        raise InputRefused(
            f"a worker cannot load navtwin ({error})", "install the same navtwin, with its packages, wherever a worker runs"
        ) from error
    for worker, theirs in told.items():
        if refusal := unlike(about(), theirs, f"the worker {worker}"):
            problem, remedy = refusal
            raise InputRefused(problem, remedy)


def unlike(mine: Mapping[str, str], theirs: Mapping[str, str], who: str) -> tuple[str, str] | None:
    """Problem and remedy where a worker runs something else than this process; None where it does not."""
    for name, version in mine.items():
        other = theirs.get(name, "none")
        if other != version:
            short = [text[:12] for text in (other, version)]
            return f"{who} has {name} {short[0]}, and here it is {short[1]}", f"start it with the same {name.split()[0]} as here"
    return None


def unlike_scheduler(told: Mapping[str, Any]) -> tuple[str, str] | None:
    """The same of the scheduler and of each worker, by what dask tells before anything of ours is run."""
    mine = told["client"]
    sides = {"the scheduler": told["scheduler"], **{f"the worker {name}": side for name, side in told["workers"].items()}}
    for who, side in sides.items():
        pythons = [".".join(str(host["host"]["python"]).split(".")[:2]) for host in (side, mine)]
        if pythons[0] != pythons[1]:
            return (
                f"{who} runs Python {pythons[0]}, and here it is {pythons[1]}",
                f"start it with Python {pythons[1]}, in an environment like this one",
            )
        for name in ("distributed", "dask", "msgpack", "cloudpickle"):
            versions = [str(host["packages"].get(name)) for host in (side, mine)]
            if versions[0] != versions[1]:
                return f"{who} has {name} {versions[0]}, and here it is {versions[1]}", f"install {name} {versions[1]} there, or that version here"
    return None


def run_jobs(client: Any, task: Task, jobs: Sequence[Job], done: Done) -> None:
    """Run every job, and tell of each as it ends. A job whose worker dies is run once more, alone, so that it is known which one it was.

    Raises
    ------
    InputRefused : the scheduler went away
    """
    suspects: list[Job] = []
    count = sum(client.nthreads().values())

    def first(job: Job, rows: Rows | None, why: str) -> None:
        if why == DIED:
            suspects.append(job)
        else:
            done(job, rows, why)

    _in_flight(client, task, jobs, max(1, count * _AHEAD), first)
    for job in suspects:
        # One after the other: if a worker dies now, this is the job that killed it.
        _in_flight(client, task, [job], 1, done)


def _in_flight(client: Any, task: Task, jobs: Sequence[Job], ahead: int, done: Done) -> None:
    """Keeps so many jobs with the scheduler, so that a fleet of ten thousand does not lie in its memory."""
    distributed = importlib.import_module("distributed")
    waiting = iter(jobs)
    of: dict[str, Job] = {}

    def submit() -> Any:
        job = next(waiting, None)
        if job is None:
            return None
        future = client.submit(task, job, pure=False)
        of[future.key] = job
        return future

    with _scheduler_there():
        queue = distributed.as_completed([future for _ in range(ahead) if (future := submit()) is not None])
        for future in queue:
            job = of.pop(future.key)
            if future.status == "finished":
                done(job, future.result(), "")
            elif future.status == "error":
                error = future.exception()
                done(job, None, DIED if isinstance(error, distributed.scheduler.KilledWorker) else f"{type(error).__name__}: {error}")
            else:
                raise InputRefused("the scheduler went away", "what is done is kept: run the same command again to go on")
            if (more := submit()) is not None:
                queue.add(more)


@contextmanager
def _scheduler_there() -> Iterator[None]:
    distributed = importlib.import_module("distributed")
    try:
        yield
    except (distributed.comm.CommClosedError, OSError, TimeoutError) as error:
        raise InputRefused("the scheduler went away", "what is done is kept: run the same command again to go on") from error
