"""Detection and poses tell their figures under names that never change, with blocks where a film is long enough, and refuse what says nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from navtwin.errors import InputRefused

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_a_ratio_has_a_block_for_each_stretch_of_a_long_film() -> None:
    import detection

    ours, theirs = [1.0] * 50 + [2.0] * 50, [4.0] * 100
    long, short = detection._ratio("r", ours, theirs), detection._ratio("r", ours[:30], theirs[:30])
    assert long.blocks == (0.25,) * 5 + (0.5,) * 5 and long.value == 0.375
    assert short.blocks == () and short.value == 0.25


def test_the_peers_times_are_told_but_are_no_figures() -> None:
    import detection

    part = detection._timed("720p", {"regions": [1.0, 2.0, 3.0], detection.PEER: [9.0, 9.0]})
    assert [figure.name for figure in part.figures] == ["720p: regions p50", "720p: regions p99"]
    assert [each.name for each in part.distributions] == ["720p: regions", "720p: OpenCV, whole frame"]


def test_a_share_of_nothing_is_no_figure() -> None:
    import poses
    from poses_parts.hostile import Tally, told

    figures = {figure.name: figure for figure in poses._figures("hostile", {"cube": told(Tally(frames=4, six=4, six_accepted=3))})}
    assert figures["hostile, cube: accepted with six corners visible"].value == 75.0
    assert figures["hostile, cube: wrong"].value == 0.0 and figures["hostile, cube: wrong"].better == "less"
    assert "hostile, cube: accepted with two whole markers visible" not in figures


@pytest.mark.parametrize(("script", "options", "said"), [
    ("poses", ["--rows", "statik"], "no rows are called 'statik'. Did you mean 'static'"),
    ("poses", ["--frames", "0"], "--frames 0: nothing to measure"),
    ("poses", ["--jobs", "0"], "--jobs 0"),
    ("tracked", ["--frames", "2"], "--frames 2: too few to time"),
    ("detection", ["--frames", "5"], "--frames 5: too few to time"),
])  # fmt: skip
def test_what_says_nothing_is_refused(script: str, options: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [script, *options])
    with pytest.raises(InputRefused, match=said):
        __import__(script).main()


def test_one_result_has_the_rows_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a renderer of two frames it would be slow: the parts stand in for themselves."""
    import detection
    import poses
    import tracked
    from poses_parts.part import Part
    from results import files
    from results.model import Figure

    asked = {}

    def detected(frames: int, seed: int) -> Part:
        asked["detection"] = (frames, seed)
        return Part([Figure(name="720p: corners apart p99", value=0.01, unit="px")])

    def posed(name: str, frames: int, seed: int, jobs: int) -> Part:
        asked[name] = (frames, seed)
        return Part([Figure(name=f"{name}, cube: wrong", value=0.0, unit="")])

    monkeypatch.setattr(detection, "measure", detected)
    monkeypatch.setattr(poses, "measure", posed)
    monkeypatch.setattr(sys, "argv", ["tracked", "--frames", "7", "--seed", "3", "--budget", "none", "--quiet", "--json", str(tmp_path / "r.json")])
    assert tracked.main() == 0
    result = files.load(tmp_path / "r.json")
    assert asked == dict.fromkeys(("detection", "static", "tip", "cost", "hostile"), (7, 3))
    assert result.benchmark == "tracking" and result.seeds == (3,)
    assert [figure.name for figure in result.figures] == ["720p: corners apart p99", *(f"{name}, cube: wrong" for name in tracked.FRAMES)]
