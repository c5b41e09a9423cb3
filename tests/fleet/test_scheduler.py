"""Who may do the work: the same code, Python and packages; and what becomes of a job that kills its worker."""

from __future__ import annotations

import importlib
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from navtwin.errors import InputRefused
from navtwin.fleet import scheduler
from navtwin.fleet.jobs import Job
from navtwin.fleet.scheduler import DIED, Where, run_jobs, unlike, unlike_scheduler, workers
from navtwin.fleet.schema import Rows
from navtwin.fleet.tasks import about

PACKAGES = {"distributed": "2026.8.0", "dask": "2026.8.0", "msgpack": "1.1.0", "cloudpickle": "3.1.0"}


def _told() -> dict[str, Any]:
    def side() -> dict[str, Any]:
        return {"host": {"python": "3.11.7.final.0"}, "packages": dict(PACKAGES)}

    return {"client": side(), "scheduler": side(), "workers": {"tcp://127.0.0.1:1": side()}}


def test_the_same_everywhere_is_taken() -> None:
    assert unlike_scheduler(_told()) is None
    assert unlike(about(), about(), "the worker x") is None


def test_another_python_is_refused_with_the_remedy() -> None:
    told = _told()
    told["scheduler"]["host"]["python"] = "3.13.0.final.0"
    assert unlike_scheduler(told) == (
        "the scheduler runs Python 3.13, and here it is 3.11",
        "start it with Python 3.11, in an environment like this one",
    )
    told = _told()
    told["workers"]["tcp://127.0.0.1:1"]["host"]["python"] = "3.12.1.final.0"
    assert (unlike_scheduler(told) or ("",))[0].startswith("the worker tcp://127.0.0.1:1 runs Python 3.12")


@pytest.mark.parametrize("name", PACKAGES)
def test_another_package_is_refused_by_name_and_version(name: str) -> None:
    told = _told()
    told["workers"]["tcp://127.0.0.1:1"]["packages"][name] = "0.1"
    refusal = unlike_scheduler(told)
    assert refusal is not None
    assert refusal[0] == f"the worker tcp://127.0.0.1:1 has {name} 0.1, and here it is {PACKAGES[name]}"
    assert PACKAGES[name] in refusal[1]


@pytest.mark.parametrize("name", list(about()))
def test_other_code_or_packages_of_a_worker_are_refused(name: str) -> None:
    refusal = unlike(about(), {**about(), name: "0.0.1"}, "the worker w")
    assert refusal is not None
    assert refusal[0].startswith(f"the worker w has {name} 0.0.1, and here it is")


def test_a_scheduler_that_is_absent_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "ANSWER_S", 0.2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    warned: list[str] = []
    with pytest.raises(InputRefused, match=f"no scheduler answers at {address}"), workers(Where(address), warned.append):
        pass
    assert not warned


@pytest.mark.parametrize(("address", "warns"), [("tcp://192.0.2.1:8786", True), ("tcp://localhost:8786", False), ("127.0.0.1:8786", False)])
def test_what_is_not_on_this_machine_is_warned_of(monkeypatch: pytest.MonkeyPatch, address: str, warns: bool) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise OSError("no route")

    monkeypatch.setattr(importlib.import_module("distributed"), "Client", refuse)
    warned: list[str] = []
    with pytest.raises(InputRefused, match="no scheduler answers"), workers(Where(address), warned.append):
        pass
    assert bool(warned) is warns


def test_tls_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    where = Where("tls://127.0.0.1:8786", tls_ca=tmp_path / "ca.pem")
    with pytest.raises(InputRefused, match=r"there is no file .*ca\.pem"), workers(where, lambda text: None):
        pass


def _deadly(job: Job) -> Rows:
    """Kills its worker where the job says so; fails where it says that."""
    if job.log == "deadly":
        os._exit(7)
    if job.log == "faulty":
        raise ZeroDivisionError("by nothing")
    return {"logs": [{"log": job.log}]}


@pytest.mark.heavy
def test_a_job_that_kills_its_worker_is_named_and_costs_no_other() -> None:
    base = Job("verify", "", "", (), "")
    jobs = [replace(base, log=name) for name in ("a", "deadly", "b", "faulty", "c", "d")]
    ended: dict[str, str] = {}

    def done(job: Job, rows: Rows | None, why: str) -> None:
        assert job.log not in ended
        assert (rows is None) == bool(why)
        ended[job.log] = why

    with workers(Where(workers=2), lambda text: None) as client:
        assert all(address.startswith("tcp://127.0.0.1:") for address in client.scheduler_info()["workers"])
        run_jobs(client, _deadly, jobs, done)
    assert ended == {"a": "", "b": "", "c": "", "d": "", "faulty": "ZeroDivisionError: by nothing", "deadly": DIED}
