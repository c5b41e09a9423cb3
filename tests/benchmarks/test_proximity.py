"""The proximity benchmark runs on a small mesh, tells what it should, and finds us out where we are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from navtwin.scene.surface import Surface

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def torus(tmp_path: Path) -> Path:
    """A closed mesh of 960 triangles, 110 mm across."""
    nu, nv = 40, 12
    i, j = np.meshgrid(np.arange(nu), np.arange(nv), indexing="ij")
    u, v = 2.0 * np.pi * i / nu, 2.0 * np.pi * j / nv
    rho = 40.0 + 15.0 * np.cos(v)
    corner = {(a, b): ((i + a) % nu) * nv + (j + b) % nv for a in (0, 1) for b in (0, 1)}
    halves = (((0, 0), (1, 0), (1, 1)), ((0, 0), (1, 1), (0, 1)))
    faces = np.concatenate([np.stack([corner[c] for c in half], -1).reshape(-1, 3) for half in halves])
    path = tmp_path / "torus.ply"
    Surface.from_arrays(np.stack([rho * np.cos(u), rho * np.sin(u), 15.0 * np.sin(v)], -1).reshape(-1, 3), faces).write(path)
    return path


def test_a_quick_run_tells_all(torus: Path, tmp_path: Path) -> None:
    file, page = tmp_path / "figures.json", tmp_path / "figures.md"
    rows = "points,batches,capsule,meshes,build,frame"
    options = ["--quick", "--rows", rows, "--mesh", torus, "--json", file, "--page", page]
    done = subprocess.run([sys.executable, BENCHMARKS / "proximity.py", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(file.read_text(encoding="utf-8"))
    figures = {figure["name"]: figure for figure in result["figures"]}
    path = "signed point, tool path, 960 triangles"
    assert figures[f"{path}: p99"]["value"] > 0.0 and figures[f"{path}: p50 against best exact peer"]["better"] == "more"
    assert len(figures[f"{path}: p50"]["blocks"]) == len(figures[f"{path}: p50 against best exact peer"]["blocks"]) == 12
    assert figures["rows with an answer of ours that is wrong or does not repeat"]["value"] == 0
    told = {row[0]: row for row in result["tables"][0]["rows"]}
    assert "VTK" in told[path][2] and "0 disputed; ours right in all 2" in told[path][3]
    for name in (
        "batch of 500, path",
        "shaft of 150 mm apart",
        "instrument mesh of 200 against 960 triangles, crossing",
        "build",
        "frame: 3 instruments",
    ):
        assert [title for title in told if title.startswith(name)], name
    text = page.read_text(encoding="utf-8")
    assert all(f"| {name} |" in text for name in told)


def test_the_page_tells_what_a_figure_has_to_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from proximity_parts.rows import Row, figure
    from proximity_parts.tables import write_page
    from results.budget import Reach, judge
    from results.model import Result

    row = Row("point", [figure("p50", 2.0, "us"), figure("p99", 9.0, "us")])
    result = Result(benchmark="kernels", command="", begun_utc="", seconds=0.0, machine={"cores": "2"}, versions={}, figures=tuple(row.named))
    verdicts = judge(result, {"point: p50": Reach(most=3.0, unit="us"), "point: p99": Reach(most=8.0, unit="us")})
    write_page(tmp_path / "page.md", [row], result, verdicts)
    assert "| point | p50 2 us (&lt;= 3 us: yes); p99 9 us (&lt;= 8 us: no) | no |" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_a_wrong_answer_of_ours_is_found_out(torus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import proximity
    from proximity_parts import ours

    right = ours.point

    def a_little_off(surface: Surface):  # type: ignore[no-untyped-def]
        ask = right(surface)
        return lambda x, y, z: ask(x, y, z) + 1e-6

    monkeypatch.setattr(ours, "point", a_little_off)
    figures = tmp_path / "figures.json"
    monkeypatch.setattr(
        sys, "argv", ["proximity.py", "--quick", "--rows", "points", "--mesh", str(torus), "--budget", "none", "--json", str(figures)]
    )
    assert proximity.main() == 1
    result = json.loads(figures.read_text(encoding="utf-8"))
    wrong = {figure["name"]: figure["value"] for figure in result["figures"]}["rows with an answer of ours that is wrong or does not repeat"]
    assert wrong == len(result["tables"][0]["rows"]) and all("WE ARE WRONG" in row[3] for row in result["tables"][0]["rows"])


def test_a_wrong_peer_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from proximity_parts.contest import OURS, Times, compare, exact_peers

    took, truth = np.ones((3, 4)), np.array([1.0, -2.0, 3.0, 4.0])
    answers = {OURS: truth, "right": truth + 1e-5, "wrong sign": np.array([1.0, 2.0, 3.0, 4.0]), "no sign": np.abs(truth)}
    times = {name: Times(took, each) for name, each in answers.items()}
    agreement = compare(times, lambda k: float(truth[k]), 1, frozenset({"no sign"}))
    assert agreement.ours_are_right
    assert agreement.disputed == {"right": 0, "wrong sign": 1, "no sign": 0}
    assert exact_peers(times, agreement, frozenset({"no sign"})) == ["right"]
