"""What a screen is told of a result: figures in rows, and what would change in the rig, before it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tomlkit

from navtwin.nouns import read_rig
from tracking.calibration.changes import changes, figure_rows

RIG = Path(__file__).resolve().parents[2] / "docs" / "examples" / "rig.toml"


def test_figures_become_rows_with_their_units() -> None:
    rows = figure_rows(
        {
            "rms_px": np.float64(0.25),
            "tip_mm": np.array([1.0, 2.0, 3.0]),
            "views": 12,
            "model": "k1",
            "accepted": True,
            "sd_mm": np.nan,
            "long_mm": np.zeros(9),
        }
    )
    assert [(r.name, r.value, r.unit) for r in rows] == [
        ("rms", 0.25, "px"),
        ("tip x", 1.0, "mm"),
        ("tip y", 2.0, "mm"),
        ("tip z", 3.0, "mm"),
        ("views", 12.0, ""),
        ("sd", None, "mm"),
    ]


def test_a_change_is_told_before_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(RIG.read_text(encoding="utf-8"), encoding="utf-8")
    before = path.read_bytes()
    tool = read_rig(path).tool[0]

    def change(document: Any) -> None:
        document["tool"][0]["tip_mm"] = [1.0, 2.0, 3.5]
        document["tracker"]["latency_ms"] = 42.0
        entry = tomlkit.table()
        entry["name"], entry["size_mm"] = "new", [[1.0, 2.0], [3.0, 4.0]]
        document["body"].append(entry)

    lines = changes(path, change)
    assert path.read_bytes() == before
    assert any(line.startswith(f"tool {tool.name}: tip_mm = [1, 2, 3.5]") for line in lines)
    assert any(line.startswith("tracker: latency_ms = 42 (was ") for line in lines)
    assert "body new: size_mm = 2 rows of numbers" in lines
    assert len(lines) == 4
    assert changes(path, lambda document: None) == ()

    def moved(document: Any) -> None:
        document["body"][0]["markers_mm"] = [[0.0, 0.0, 0.0], [50.0, 0.25, 0.0]]

    path.write_text('[[body]]\nname = "a"\nmarkers_mm = [[0.0, 0.0, 0.0], [50.0, 0.0, 0.0]]\n', encoding="utf-8")
    assert changes(path, moved) == ("body a: markers_mm changes by up to 0.25",)
