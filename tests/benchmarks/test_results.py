"""Budgets ask what they say, comparisons find what changed and no more, and files from elsewhere are refused by name."""

from __future__ import annotations

import csv
import errno
import io
import math
import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from navtwin.errors import InputRefused

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def run_of(factor: float = 1.0, seed: int = 1, **other: object):  # type: ignore[no-untyped-def]
    from results.model import Figure, Result, distribution, percentile_figures

    samples = factor * np.random.default_rng(seed).lognormal(0.0, 0.2, 2000)
    figures = (*percentile_figures("frame <b>", "ms", samples), Figure(name="plain", value=factor, unit="ms"))
    given = {
        "benchmark": "step",
        "command": "navtwin bench step",
        "begun_utc": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
        "machine": {"processor": "p", "cores": "2", "system": "s"},
        "versions": {},
        "settings": {"rate_hz": "60"},
        "figures": figures,
        "distributions": (distribution("frame <b>", "ms", samples, 1.0),),
    }
    return Result(**{**given, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[stepp]\n"x" = { most = 1 }', "'step'"),
        ('[step]\n"x" = { moost = 1 }', "'most'"),
        ('[step]\n"x" = { why = "so" }', "no number"),
        ('[step]\n"x" = { most = 1, least = 2 }', "at least 2 and at most 1"),
        ("[step", "no TOML"),
    ],
)
def test_a_budget_that_asks_nothing_clear_is_refused(tmp_path: Path, text: str, said: str) -> None:
    from results.budget import read_budget

    path = tmp_path / "budget.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match=said):
        read_budget(path)


def test_a_budget_is_met_missed_or_not_measured() -> None:
    from results.budget import Reach, judge

    run = run_of()
    assert [v.met for v in judge(run, {"plain": Reach(most=1.0), "frame * p50": Reach(least=5.0)})] == [True, False]
    with pytest.raises(InputRefused, match="Did you mean 'plain'"):
        judge(run, {"plane": Reach(most=1.0)})
    assert judge(run, {"plane": Reach(most=1.0)}, whole=False) == []
    with pytest.raises(InputRefused, match="'us'"):
        judge(run, {"plain": Reach(most=1.0, unit="us")})


def test_the_same_run_is_noise_and_twice_the_time_is_not() -> None:
    from results.against import compare

    assert {one.kind for one in compare(run_of(), run_of()).pairs} == {"noise"}
    assert {one.said for one in compare(run_of(), run_of(2.0, seed=2)).pairs} == {"slower"}


@pytest.mark.parametrize("factor", [0.3, 0.97, 1.1, 4.0])
def test_swapping_the_runs_inverts_the_factors(factor: float) -> None:
    from results.against import compare

    other = {"better": "worse", "worse": "better", "noise": "noise"}
    a, b = run_of(), run_of(factor, seed=3)
    for there, back in zip(compare(a, b).pairs, compare(b, a).pairs, strict=True):
        assert there.factor is not None and back.factor is not None
        assert math.isclose(there.factor * back.factor, 1.0)
        assert other[there.kind] == back.kind
        if there.low is not None and back.high is not None:
            assert math.isclose(there.low * back.high, 1.0, rel_tol=1e-9)


def test_another_machine_gives_factors_only_and_says_so_and_other_settings_are_refused() -> None:
    from results.against import compare, table

    found = compare(run_of(), run_of(2.0, machine={"processor": "q", "cores": "2", "system": "s"}))
    assert {one.kind for one in found.pairs} == {"not judged"}
    assert "another machine (processor p -> q)" in found.notes[0]
    assert "before" not in table(found).columns
    with pytest.raises(InputRefused, match="rate_hz 60 -> 400"):
        compare(run_of(), run_of(settings={"rate_hz": "400"}))


def test_files_that_are_no_result_are_refused_by_name(tmp_path: Path) -> None:
    from results import load, save

    path = tmp_path / "run.json"
    save(path, run_of())
    assert load(path) == run_of()
    whole = path.read_bytes()
    for raw, said in (
        (whole[:300], "cut short"),
        (b"[1]", "no result"),
        (msgspec.json.encode(msgspec.structs.replace(run_of(), version=9)), "version 9"),
    ):
        path.write_bytes(raw)
        with pytest.raises(InputRefused, match=f"run.json is .*{said}"):
            load(path)


def _asked(*words: str):  # type: ignore[no-untyped-def]
    from argparse import ArgumentParser

    from results import cli

    parser = ArgumentParser()
    cli.add_options(parser)
    return parser.parse_args([*words, "--budget", "none"])


@pytest.mark.parametrize("option", ["--json", "--csv", "--html", "--markdown"])
def test_a_file_that_could_not_be_written_is_refused_before_anything_is_measured(tmp_path: Path, option: str) -> None:
    from results import cli

    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputRefused, match=r"file/run\.out cannot be written"):
        cli.run_begun("step", _asked(option, str(tmp_path / "file" / "run.out")))
    with pytest.raises(InputRefused, match="it is a folder"):
        cli.run_begun("step", _asked(option, str(tmp_path)))
    cli.run_begun("step", _asked(option, str(tmp_path / "new" / "run.out")))
    assert (tmp_path / "file").read_text() == "kept"
    assert not list((tmp_path / "new").iterdir()), "nothing is left of the trial"


def test_a_result_is_told_though_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from results import cli

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputRefused, match=r"run\.json cannot be written: No space left"):
        cli.finish(_asked("--json", str(tmp_path / "run.json")), run_of())
    assert "plain" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_pages_escape_and_csv_reads_back() -> None:
    from results import figures_csv, html
    from results.against import compare

    run = run_of()
    page = html.page(run, [], compare(run, run))
    assert "<b>" not in page
    assert "frame &lt;b&gt; p99" in page
    rows = list(csv.DictReader(io.StringIO(figures_csv.text(run, []))))
    told = {row["name"]: float(row["value"]) for row in rows if row["kind"] == "figure" and not row["part"]}
    assert told == {figure.name: figure.value for figure in run.figures}
    assert sum(int(row["value"]) for row in rows if row["part"].startswith("bar")) == 2000
