"""What a file of points and lines of 3D Slicer is, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.exchange.markups import KNOWN_VERSIONS, ControlPoint, read_markups
from navtwin.files.formats import Inspection

if TYPE_CHECKING:
    from navtwin.files.formats import Options

MARKUPS, FCSV = "Slicer markups", "Slicer point list"


def inspect_markups(path: Path, options: Options) -> Inspection:
    """Kinds, axes, unit, counts and extent of a `.mrk.json` file."""
    markups, version = read_markups(path)
    spaces = sorted({one.stated_space or "LPS (not stated; the schema's default)" for one in markups})
    units = sorted({"mm" if one.stated_unit else "mm (not stated; Slicer's unit)" for one in markups})
    kinds = Counter(one.kind for one in markups)
    points = [point for one in markups for point in one.points]
    boxes = [(f"size of {one.kind}", " x ".join(f"{side:g}" for side in one.size_mm) + " mm") for one in markups if one.size_mm]
    doubts = []
    if version not in KNOWN_VERSIONS:
        doubts.append(f"Its schema is {version or 'not named'}; versions {', '.join(KNOWN_VERSIONS)} are known, so look at what came in.")
    if kinds.keys() - {"Fiducial", "Line"}:
        doubts.append("A case takes points (as landmarks) and lines (as plans); the rest stays behind.")
    facts = (
        ("markups", ", ".join(f"{n} {kind}" for kind, n in kinds.items()) or "none"),
        ("schema", version or "not named"),
        ("axes", "; ".join(spaces) or "none"),
        ("unit", "; ".join(units) or "none"),
        *_point_facts(points, "LPS"),
        *boxes[:20],
    )
    return Inspection(MARKUPS, facts, (*doubts, *_point_doubts(points)))


def inspect_fcsv(path: Path, options: Options) -> Inspection:
    """Axes, counts and extent of a `.fcsv` file."""
    from navtwin.exchange.fcsv import read_fcsv, stated_space

    space = stated_space(path)
    # Counts and sizes are the same in either axes; without the user's word the corners are shown as they stand in the file.
    points = read_fcsv(path, space or options.space or "LPS")
    axes = space or (f"{options.space} (as you say)" if options.space else "not stated")
    doubts = () if space or options.space else ("It does not state its axes: bring it in with --space LPS or --space RAS.",)
    shown = "LPS" if space or options.space else "axes of the file"
    return Inspection(
        FCSV, (("axes", axes), ("unit", "mm (the format has no other)"), *_point_facts(points, shown)), (*doubts, *_point_doubts(points))
    )


def _point_facts(points: Iterable[ControlPoint], axes: str) -> tuple[tuple[str, str], ...]:
    points = list(points)
    placed = [point.position_mm for point in points if point.position_mm is not None]
    facts = [("points", f"{len(points)}, of them placed {len(placed)}")]
    labels = [point.label or "(no label)" for point in points]
    if labels:
        facts.append(("labels", ", ".join(labels[:12]) + (f" and {len(labels) - 12} more" if len(labels) > 12 else "")))
    if placed:
        low, high = ([f(p[k] for p in placed) for k in range(3)] for f in (min, max))
        facts.append((f"box, {axes}", f"({low[0]:g}, {low[1]:g}, {low[2]:g}) to ({high[0]:g}, {high[1]:g}, {high[2]:g}) mm"))
    return tuple(facts)


def _point_doubts(points: Iterable[ControlPoint]) -> tuple[str, ...]:
    points = list(points)
    twice = sorted({label for label, n in Counter(point.label for point in points if point.label).items() if n > 1})
    doubts = []
    if twice:
        doubts.append(f"Labels that occur more than once get a number when they come in: {', '.join(twice[:10])}.")
    if any(point.position_mm is None for point in points):
        doubts.append("Some points have not been placed; they stay behind.")
    return tuple(doubts)
