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
    figures, page = tmp_path / "figures.json", tmp_path / "figures.md"
    rows = "points,batches,capsule,meshes,build,frame"
    options = ["--quick", "--rows", rows, "--mesh", torus, "--json", figures, "--markdown", page]
    done = subprocess.run([sys.executable, BENCHMARKS / "proximity.py", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = {row["name"]: row for row in json.loads(figures.read_text(encoding="utf-8"))["rows"]}
    path = told["signed point, tool path, 960 triangles"]
    assert {"navtwin", "VTK"} <= set(path["times_us"])
    assert {"p50", "p99"} == set(path["times_us"]["VTK"])
    assert path["agreement"]["disputed"]["VTK"] == 0 and path["agreement"]["wrong"]["navtwin"] == 0 and path["agreement"]["judged"] >= 2
    assert [c["limit"] for c in path["criteria"]] == [6.0, 8.0, None, None]
    for name in ("batch of 500, path", "shaft of 150 mm apart", "instrument mesh of 200 against 960, crossing", "build", "frame: 3 instruments"):
        assert [row for title, row in told.items() if title.startswith(name)], name
    text = page.read_text(encoding="utf-8")
    assert all(f"| {name} |" in text for name in told)


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
    monkeypatch.setattr(sys, "argv", ["proximity.py", "--quick", "--rows", "points", "--mesh", str(torus), "--json", str(figures)])
    assert proximity.main() == 1
    assert not any(row["ours_are_right"] for row in json.loads(figures.read_text(encoding="utf-8"))["rows"])


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
