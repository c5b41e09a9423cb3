"""What each figure has to reach. `benchmarks/budget.toml` holds the project's own reaches; anyone may write a stricter file.

    [latency]
    "pose in to alert received, 400 Hz p99" = { most = 3.0, unit = "ms", why = "..." }
    "signed point, *: times the best peer" = { least = 6.0 }

A table is a benchmark as `navtwin bench` calls it, a key the name of a figure; `*` stands for any text, and then every figure that fits has to reach
it. A key that no figure answers to is an error: a budget that quietly tests nothing would be worse than none.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from navtwin.errors import InputRefused, nearest
from navtwin.run.bench import BENCHMARKS
from results.model import Figure, Result

#: The project's own reaches.
DEFAULT = Path(__file__).resolve().parents[1] / "budget.toml"
_KEYS = ("most", "least", "unit", "why", "quick")


@dataclass(frozen=True)
class Reach:
    """What one line of a budget asks for: at most, at least, or both; `unit`, where given, must be the figure's.

    `quick` is False for what the light loads of a quick report cannot answer.
    """

    most: float | None = None
    least: float | None = None
    unit: str | None = None
    why: str = ""
    quick: bool = True

    def met(self, value: float) -> bool:
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        return " and ".join(
            f"{sign} {limit:g}{f' {self.unit}' if self.unit else ''}" for sign, limit in (("<=", self.most), (">=", self.least)) if limit is not None
        )


@dataclass(frozen=True)
class Verdict:
    """A figure held against the line that asks something of it."""

    figure: Figure
    reach: Reach
    met: bool


Reaches = dict[str, Reach]


@cache
def _pattern(key: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in key.split("*")), re.DOTALL)


def _reach(where: str, line: Any) -> Reach:
    if not isinstance(line, dict):
        raise InputRefused(f"{where} is not a table", "write { most = 3.0 } or { least = 1000 }")
    for key in line:
        if key not in _KEYS:
            raise InputRefused(f"{where} has an unknown key '{key}'", nearest(key, _KEYS))
    limits = [line[key] for key in ("most", "least") if key in line]
    if not limits or any(isinstance(limit, bool) or not isinstance(limit, int | float) or math.isnan(limit) for limit in limits):
        raise InputRefused(f"{where} asks for no number", "write { most = 3.0 } or { least = 1000 }")
    if "most" in line and "least" in line and line["least"] > line["most"]:
        raise InputRefused(f"{where} asks for at least {line['least']:g} and at most {line['most']:g}", "no figure can be both: correct one")
    for key in ("unit", "why"):
        if not isinstance(line.get(key, ""), str):
            raise InputRefused(f"{where}: '{key}' is not text", "write it in quotes")
    if not isinstance(line.get("quick", True), bool):
        raise InputRefused(f"{where}: 'quick' is neither true nor false", "write quick = false, or leave it out")
    return Reach(**line)


def read_budget(path: Path) -> dict[str, Reaches]:
    """Benchmark -> figure's name or pattern -> reach.

    Raises
    ------
    InputRefused
        The file is missing or no TOML; an unknown benchmark or key (with the nearest known one); a line that asks for nothing.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputRefused(f"the budget {path.name} cannot be read: {error.strerror}", "give a file like benchmarks/budget.toml, or none") from None
    except ValueError as error:
        raise InputRefused(f"the budget {path.name} is no TOML: {error}", "correct it; benchmarks/budget.toml shows how") from None
    for benchmark, lines in data.items():
        if benchmark not in BENCHMARKS:
            raise InputRefused(f"{path.name} asks something of an unknown benchmark '{benchmark}'", nearest(benchmark, BENCHMARKS))
        if not isinstance(lines, dict):
            raise InputRefused(f"'{benchmark}' in {path.name} is not a table", 'write [benchmark], then lines "figure" = { most = 3.0 }')
    return {
        benchmark: {name: _reach(f"{path.name}, {benchmark}, '{name}'", line) for name, line in lines.items()} for benchmark, lines in data.items()
    }


def judge(result: Result, reaches: Reaches, whole: bool = True) -> list[Verdict]:
    """Each figure of which something is asked, in the budget's order.

    Parameters
    ----------
    whole : False where the run was told to measure only some of its figures, so that lines without a figure ask nothing

    Raises
    ------
    InputRefused
        A line names a figure that a whole run did not measure (with the nearest one that it did), or another unit than the figure's.
    """
    verdicts = []
    names = [figure.name for figure in result.figures]
    for key, reach in reaches.items():
        asked = [figure for figure in result.figures if figure.name == key or ("*" in key and _pattern(key).fullmatch(figure.name))]
        if not asked and whole:
            raise InputRefused(f"the budget asks '{key}' of {result.benchmark}, which this run did not measure", nearest(key, names) if names else "")
        for figure in asked:
            if reach.unit is not None and reach.unit != figure.unit:
                raise InputRefused(
                    f"the budget states '{key}' in '{reach.unit}', the figure is in '{figure.unit}'", "convert the limit, name its unit"
                )
            verdicts.append(Verdict(figure, reach, reach.met(figure.value)))
    return verdicts


def not_measured(result: Result, reaches: Reaches) -> list[str]:
    """Lines of the budget that no figure of this run answers to."""
    return [key for key in reaches if not any(_pattern(key).fullmatch(figure.name) for figure in result.figures)]
