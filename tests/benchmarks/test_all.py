"""All benchmarks in one go: what fails, is half there or was there before does not stop the others, and the report says so."""

from __future__ import annotations

import importlib
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from navtwin.errors import InputRefused
from navtwin.run.bench import Benchmark

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

#: Hands over a result that the test made, and leaves as it is told to; how often it ran stands beside the result.
SCRIPT = """
import shutil, sys
out = sys.argv[-1]
open(out + ".runs", "a").write("x")
if {leaves} == 7:
    sys.exit("no tracker on {root}/port: plug it in")
shutil.copyfile(__file__ + ".json", out)
sys.exit({leaves})
"""
MACHINE = {"processor": "p", "cores": "1", "system": "s"}
VERSIONS = {"revision": "0123456789ab"}


def result_of(name: str, factor: float, options: tuple[str, ...] = ()) -> Any:
    from results.model import Result, distribution, percentile_figures

    samples = [factor * (1.0 + 0.01 * (k % 17)) for k in range(400)]
    return Result(
        benchmark=name,
        command=shlex.join(["navtwin", "bench", name, *options, "--quiet", "--budget", "none", "--json", f"{name}.json"]),
        begun_utc="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        machine=MACHINE,
        versions=VERSIONS,
        seeds=(1, 2, 3),
        figures=percentile_figures("frame", "ms", samples),
        distributions=(distribution("frame", "ms", samples),),
    )


class Ground:
    """Fake benchmarks under real names, which a budget knows, and a folder for their results."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.table = folder, dict[str, Benchmark]()
        self.all = importlib.import_module("all")

    def script(self, name: str, factor: float = 1.0, leaves: int = 0, **more: bool) -> None:
        from results import save

        (self.folder / f"{name}.py").write_text(SCRIPT.format(leaves=leaves, root=BENCHMARKS.parent), encoding="utf-8")
        save(self.folder / f"{name}.py.json", result_of(name, factor))
        self.table[name] = Benchmark(f"{name}.py", f"what {name} measures", **more)  # type: ignore[arg-type]

    def run(self, *words: str, budget: str = "", out: str = "out") -> tuple[int, str, str]:
        """Exit code, report as Markdown and as HTML."""
        asked = self.folder / "budget.toml"
        asked.write_text(budget, encoding="utf-8")
        pages = self.folder / "page.md", self.folder / "page.html"
        given = ["--out", str(self.folder / out), "--report", str(pages[0]), "--budget", str(asked), *words]
        code = self.all.main(given, self.table, self.folder)
        return code, *(page.read_text(encoding="utf-8") for page in pages)

    def runs_of(self, name: str, out: str = "out") -> int:
        return len((self.folder / out / f"{name}.json.runs").read_text())


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for module in ("all", "all_parts.running"):
        monkeypatch.setattr(importlib.import_module(module), "this_machine", lambda: MACHINE)
        monkeypatch.setattr(importlib.import_module(module), "versions", lambda: VERSIONS)
    return Ground(tmp_path)


def test_one_that_fails_stops_no_other_and_is_told_with_its_last_words(ground: Ground) -> None:
    ground.script("latency", leaves=7)
    ground.script("step")
    code, text, page = ground.run()
    assert code == 1
    assert "no tracker on port: plug it in" in text
    assert str(BENCHMARKS.parent) not in text + page
    assert "## step" in text and "| frame p99 |" in text
    assert "<svg" in page and "1 to 3" in text


def test_one_that_finds_faults_of_its_own_is_told_beside_its_figures(ground: Ground) -> None:
    ground.script("faults", leaves=1)
    code, text, _ = ground.run()
    assert code == 1
    assert "it left with 1" in text and "| frame p99 |" in text


def test_the_summary_has_every_line_of_the_budget(ground: Ground) -> None:
    ground.script("latency", factor=2.0)
    ground.script("step", factor=0.5)
    asked = '[latency]\n"frame p99" = { most = 1.0, why = "so" }\n[step]\n"frame *" = { most = 1.0 }\n'
    missing = '"gone" = { most = 1 }\n'
    code, text, page = ground.run(budget=asked + missing)
    assert code == 1
    assert "| latency | frame p99 | 2.32 ms | &lt;= 1 | so | NO |" in text
    assert text.count("&lt;= 1 |  | yes |") == 2
    assert "| step | gone |  | &lt;= 1 |  | not measured |" in text
    assert 'class="short"' in page
    ground.script("latency", factor=0.5)
    assert ground.run(budget=asked)[0] == 0
    assert ground.run(budget=asked + missing)[0] == 1  # a whole run did not measure what is asked
    code, text, _ = ground.run("--quick", budget=asked + missing + '"frame p50" = { most = 0.1, quick = false }')
    assert code == 0 and "&lt;= 0.1" not in text


def test_what_is_whole_is_not_run_again_and_what_is_half_written_is(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("latency", "step"):
        ground.script(name)
    ground.run()
    half = ground.folder / "out" / "step.json"
    half.write_bytes(half.read_bytes()[:300])
    code, text, _ = ground.run("--resume")
    assert code == 0
    assert [ground.runs_of(name) for name in ("latency", "step")] == [1, 2]
    assert "| latency | what latency measures | kept |" in text
    ground.run("--only", "latency")
    assert ground.runs_of("latency") == 2  # nobody asked for what was there


@pytest.mark.parametrize("other", ["options", "machine", "revision", "no checkout"])
def test_a_result_of_something_else_is_not_kept(ground: Ground, monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    from results import save

    running = importlib.import_module("all_parts.running")
    task = running.Task("latency", Path("latency.py"), "", ("--rows", "full") if other == "options" else ())
    save(ground.folder / "latency.json", result_of("latency", 1.0))
    assert (running.kept(task, ground.folder) is None) == (other == "options")
    machine, revision = {"machine": ({"processor": "q"}, "0123456789ab"), "revision": (MACHINE, "0123456789ab + changes")}.get(other, (MACHINE, ""))
    monkeypatch.setattr(running, "this_machine", lambda: machine)
    monkeypatch.setattr(running, "versions", lambda: {"revision": revision})
    assert running.kept(task, ground.folder) is None


def test_two_folders_are_compared_pair_by_pair(ground: Ground) -> None:
    for name in ("latency", "step", "fleet"):
        ground.script(name)
    ground.run(out="before")
    (ground.folder / "before" / "fleet.json").write_text('{"benchmark": "fle', encoding="utf-8")
    ground.script("step", factor=2.0)
    code, text, page = ground.run("--against", str(ground.folder / "before"))
    assert code == 0
    assert "| latency | 2 | 2 | 0 | 0 | 0 | 0 |" in text
    assert "| step | 2 | 0 | 0 | 2 | 0 | 0 |" in text
    assert "| all | 4 | 2 | 0 | 2 | 0 | 0 |" in text
    assert "| step | frame p50 | 1.08 ms | 2.16 ms | 2.000 |" in text and "| slower |" in text
    assert "fleet.json is cut short" in text and "fleet.json is cut short" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "latncy"), "'latency'"),
        (("--skip", "latency"), "no benchmark is left"),
        (("--against", "nowhere"), "no folder nowhere"),
        (("--limit-min", "0"), "no time"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(ground: Ground, words: tuple[str, ...], said: str) -> None:
    ground.script("latency")
    with pytest.raises(InputRefused, match=said):
        ground.run(*words)
    assert not (ground.folder / "out").exists()


def test_a_window_is_opened_only_where_there_is_a_display(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("all_parts.choosing"), "screen_missing", lambda: "no display")
    ground.script("latency")
    ground.script("step", screen=True)
    code, text, _ = ground.run()
    assert code == 0
    assert "| step | what step measures | left out |" in text and "no display" in text


def test_one_that_hangs_is_ended(ground: Ground) -> None:
    ground.script("step")
    (ground.folder / "step.py").write_text("import time\nprint('waits for ever', flush=True)\ntime.sleep(60)\n", encoding="utf-8")
    code, text, _ = ground.run("--limit-min", "0.01")
    assert code == 1
    assert "it was ended after 0.01 min" in text


@pytest.mark.timeout(40)
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")
def test_ctrl_c_ends_the_benchmark_with_its_children_and_writes_what_there_is(ground: Ground) -> None:
    ground.script("latency")
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    hang = f"import subprocess, sys, time\nprint({child}.pid, flush=True)\ntime.sleep(60)\n"
    (ground.folder / "step.py").write_text(hang, encoding="utf-8")
    program = (
        f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); import all; from pathlib import Path; from navtwin.run.bench import Benchmark\n"
        f"folder = Path({str(ground.folder)!r})\n"
        "table = {'latency': Benchmark('latency.py', ''), 'step': Benchmark('step.py', '')}\n"
        "sys.exit(all.main(['--out', str(folder / 'out'), '--report', str(folder / 'page.md'), '--budget', 'none'], table, folder))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    printed = ground.folder / "out" / "step.txt"
    while not (printed.is_file() and printed.read_text().strip()):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(15.0) == 1
    text = (ground.folder / "page.md").read_text(encoding="utf-8")
    assert "stopped by hand" in text and "| frame p99 |" in text
    grandchild = int(printed.read_text().split()[0])
    while psutil.pid_exists(grandchild) and psutil.Process(grandchild).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
