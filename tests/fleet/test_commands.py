"""The commands, with the work done in this process: what is missing is done, what is bad named, and which version changed what is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from navtwin.errors import InputRefused
from navtwin.fleet import commands, jobs, plan, tasks
from navtwin.fleet.fold import fold
from navtwin.fleet.jobs import Job
from navtwin.fleet.store import Results
from navtwin.nouns import Alert, AlertSet
from navtwin.record.hashes import code_hash
from navtwin.twin import step
from tests.fleet.sessions import golden
from tests.golden.make import CASE


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return golden(tmp_path_factory.mktemp("golden") / "golden.mcap").read_bytes()


@pytest.fixture
def folder(tmp_path: Path, recorded: bytes) -> Path:
    """Three logs: one good, one cut, one flipped."""
    logs = tmp_path / "logs"
    (logs / "deep").mkdir(parents=True)
    (logs / "a.mcap").write_bytes(recorded)
    (logs / "b.mcap").write_bytes(recorded[: len(recorded) // 2])
    (logs / "deep" / "c.mcap").write_bytes(recorded[:9000] + bytes([recorded[9000] ^ 1]) + recorded[9001:])
    (logs / "d.mcap.partial").write_bytes(recorded[:9000])
    return logs


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Does the work here, one after the other; keeps which logs were done."""
    done_now: list[str] = []

    def spread(task: jobs.Task, missing: list[Job], where: Any, done: Callable[..., None], console: Any) -> None:
        for job in missing:
            done_now.append(Path(job.log).name)
            done(job, {"verify": tasks.examine, "bench": tasks.time_replay}[task](job), "")

    monkeypatch.setattr(commands, "_spread", spread)
    return done_now


def _run(*words: str) -> Result:
    return CliRunner().invoke(commands.fleet_app, list(words))


def test_each_bad_log_is_named_and_nothing_else_is_lost(folder: Path, served: list[str], tmp_path: Path) -> None:
    told = _run("verify", str(folder), "--case", str(CASE), "--results", str(tmp_path / "r"))
    assert told.exit_code == 1
    assert "3 logs: 2 damaged, 1 identical" in told.stdout
    assert f"damaged: {folder / 'b.mcap'} is cut" in told.stdout
    assert f"damaged: {folder / 'deep' / 'c.mcap'} is altered" in told.stdout
    assert "1 unfinished logs are passed over" in told.stdout


def test_a_second_run_does_only_what_is_missing(folder: Path, served: list[str], tmp_path: Path, recorded: bytes) -> None:
    words = ("--case", str(CASE), "--results", str(tmp_path / "r"))
    assert _run("verify", str(folder / "a.mcap"), *words).exit_code == 0
    assert _run("verify", str(folder / "*.mcap"), *words).exit_code == 1
    assert served == ["a.mcap", "b.mcap"]
    (folder / "copy.mcap").write_bytes(recorded)
    told = _run("verify", str(folder), *words, "--json")
    assert served == ["a.mcap", "b.mcap", "c.mcap"]
    parsed = msgspec.json.decode(told.stdout)
    assert [row["status"] for row in parsed["logs"]] == ["identical", "damaged", "damaged"]
    assert "1 logs are copies of others, to the byte" in parsed["notes"]
    assert "2 of 3 logs were done before; 1 are left" in parsed["notes"]


def test_a_run_that_is_killed_half_way_goes_on(folder: Path, served: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = commands._spread

    def killed(task: jobs.Task, missing: list[Job], *rest: Any) -> None:
        whole(task, missing[:2], *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_spread", killed)
    words = ("verify", str(folder), "--case", str(CASE), "--results", str(tmp_path / "r"))
    _run(*words)
    monkeypatch.setattr(commands, "_spread", whole)
    assert _run(*words).exit_code == 1
    assert sorted(served) == ["a.mcap", "b.mcap", "c.mcap"]


def test_timing_and_the_report_of_one_version(folder: Path, served: list[str], tmp_path: Path) -> None:
    words = ("--case", str(CASE), "--results", str(tmp_path / "r"))
    timed = _run("bench", str(folder / "a.mcap"), *words)
    assert timed.exit_code == 0
    assert "1 of 1 logs timed" in timed.stdout
    told = _run("report", str(folder), *words)
    assert told.exit_code == 1, "two logs cannot be replayed"
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "The same warnings in every log that could be replayed; 2 logs could not be replayed" in page
    assert "a medical device" in page
    assert page.count("<td>damaged</td>") == 2
    again = _run("report", "--results", str(tmp_path / "r"), "--json")
    assert served.count("a.mcap") == 2, "once to time it, once to verify it"
    assert msgspec.json.decode(again.stdout)["compared_logs"] == 1


@pytest.fixture
def two_versions(folder: Path, served: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, Path]:
    """The code that recorded the logs, and one that gives the canal's bounds 0.25 mm closer and never warns of the aorta."""
    kept = tmp_path / "r"
    words = ("--case", str(CASE), "--results", str(kept))
    _run("verify", str(folder / "a.mcap"), *words)
    first, second = code_hash(), "f" * 64

    def other(scene: Any, memory: Any, event: Any) -> Any:
        return [msgspec.structs.replace(m, body=_otherwise(m.body)) for m in step(scene, memory, event)]

    monkeypatch.setattr(tasks, "step", other)
    for module in (plan, tasks):
        monkeypatch.setattr(module, "code_hash", lambda: second)
    _run("verify", str(folder / "a.mcap"), *words)
    return first, second, kept


def _otherwise(body: Any) -> Any:
    if not isinstance(body, AlertSet):
        return body

    def closer(alert: Alert) -> Alert:
        return alert if alert.bound_mm is None else msgspec.structs.replace(alert, bound_mm=alert.bound_mm - 0.25)

    return msgspec.structs.replace(body, alerts=tuple(closer(a) for a in body.alerts if a.structure != "aorta"))


def test_the_report_tells_which_version_changed_which_warnings(two_versions: tuple[str, str, Path]) -> None:
    first, second, kept = two_versions
    for before in ("", first):
        found = fold(Results(kept), second, before)
        assert set(found.codes) == {first, second}
        assert set(found.changed_kinds) == {"vanished", "bound"}
        whats = [c.change.what for c in found.changed]
        assert whats == sorted(whats, key=["vanished", "bound"].index), "the worst first"
        assert {c.change.id.split("/")[0] for c in found.changed if c.change.what == "vanished"} == {"aorta"}
        assert all(c.change.bound_mm == pytest.approx(-0.25) for c in found.changed if c.change.what == "bound")
        assert all(c.look == f"navtwin diff {c.log} --at {c.seconds:.2f}" for c in found.changed)
        aorta = [w for w in found.warnings if w.name == "aorta"]
        assert aorta
        assert all(w.before > 0 and w.now == 0 for w in aorta)
    assert fold(Results(kept), first).changed == ()
    back = fold(Results(kept), first, second)
    assert set(back.changed_kinds) == {"appeared", "bound"}


def test_a_code_that_is_not_there_is_refused_with_those_that_are(two_versions: tuple[str, str, Path]) -> None:
    first, second, kept = two_versions
    with pytest.raises(InputRefused, match=rf"no code .* begins with 'abc-'.*{first[:12]}"):
        fold(Results(kept), second, "abc-")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "/nowhere"), "there is no log, folder or pattern /nowhere"),
        (("verify", ".", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"), "Leave one of them out"),
        (("verify", ".", "--tls-ca", "x"), "TLS files are for a scheduler at tls"),
        (("report", "--results", "/nowhere"), "there are no results in /nowhere"),
    ],
)
def test_bad_words_are_refused_with_the_remedy(words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = _run(*words)
    assert isinstance(refused.exception, InputRefused)
    assert said in str(refused.exception)


def test_a_folder_without_a_case_is_refused(folder: Path, tmp_path: Path) -> None:
    refused = _run("verify", str(folder), "--case", str(folder), "--results", str(tmp_path / "r"))
    assert "no locked case" in str(refused.exception)


def test_a_newer_task_does_it_again(folder: Path, served: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("verify", str(folder / "a.mcap"), "--case", str(CASE), "--results", str(tmp_path / "r"))
    _run(*words)
    monkeypatch.setitem(jobs.TASK_VERSION, "verify", 99)
    _run(*words)
    assert served == ["a.mcap", "a.mcap"]


def test_help_loads_neither_dask_nor_arrow() -> None:
    code = "import sys, navtwin.cli; print([m for m in ('distributed', 'dask', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
