"""Points and lines between a case and the files of 3D Slicer: landmarks are points, plans are lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from navtwin.errors import InputRefused
from navtwin.exchange.markups import ControlPoint, Markup, Space, read_markups, write_markups
from navtwin.scene.case import CASE_FILE, CaseFile, LandmarkEntry, PlanEntry, read_case_file

if TYPE_CHECKING:
    from navtwin.files.formats import Options, Report

#: A line states no width: what a plan gets until case.toml says otherwise.
PLAN_DIAMETER_MM: Final = 3.0
PLAN_TOLERANCE_MM: Final = 1.0
#: More landmarks than anyone would touch: such a file is something else.
MOST_POINTS: Final = 1000
_ENTRY, _TARGET = " entry", " target"
#: How our own lines keep what the format has no place for.
_WIDTHS: Final = re.compile(r"diameter_mm = (\S+), tolerance_mm = (\S+)")


def bring_markups(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Add the points of a `.mrk.json` file to a case as landmarks and its lines as plans."""
    report(f"reading {path.name}")
    markups, _ = read_markups(path)
    if options.space is not None and any(options.space != (one.stated_space or "LPS") for one in markups):
        raise InputRefused(
            f"{path} is in other axes than {options.space}", "leave out --space: the file, or its schema where it is silent, states them"
        )
    points = [point for one in markups if one.kind == "Fiducial" for point in one.points]
    lines = [one for one in markups if one.kind == "Line"]
    others = [f"A {one.kind} was left out: a case has no place for it." for one in markups if one.kind not in ("Fiducial", "Line")]
    silent = any(not one.stated_space for one in markups)
    said = ["The file states no axes; by its schema they are LPS."] if silent else []
    return (*_into_case(path, to, points, lines, options.name), *said, *others)


def bring_fcsv(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Add the points of a `.fcsv` file to a case as landmarks."""
    from navtwin.exchange.fcsv import read_fcsv

    report(f"reading {path.name}")
    return _into_case(path, to, read_fcsv(path, options.space), (), options.name)


def _into_case(path: Path, to: Path, points: Sequence[ControlPoint], lines: Sequence[Markup], name: str | None) -> tuple[str, ...]:
    from navtwin.scene.amend import amended

    if not (to / CASE_FILE).is_file():
        raise InputRefused(f"{to} holds no case, and points alone make none", f"bring the CT in first: navtwin import CT --to {to}")
    if len(points) + len(lines) > MOST_POINTS:
        raise InputRefused(
            f"{path} holds {len(points) + len(lines)} points and lines", f"a case takes {MOST_POINTS} at once: keep those to be touched"
        )
    placed = [point for point in points if point.position_mm is not None]
    landmarks = [LandmarkEntry(label, point.position_mm) for label, point in zip(_labels(placed, name), placed, strict=True) if point.position_mm]
    plans, said = _plans(path, lines, name)
    if not landmarks and not plans:
        raise InputRefused(f"{path} holds no placed point and no whole line", "place them in Slicer and save again")
    with amended(to) as draft:
        for landmark in landmarks:
            draft.add_landmark(landmark)
        for plan in plans:
            draft.add_plan(plan)
    return (*_told(landmarks, plans, len(points) - len(placed)), *said)


def _told(landmarks: Sequence[LandmarkEntry], plans: Sequence[PlanEntry], skipped: int) -> Iterator[str]:
    if landmarks:
        yield f"Landmarks added: {', '.join(one.name for one in landmarks)}."
    if plans:
        yield f"Plans added: {', '.join(one.name for one in plans)}; the first point of a line is its entry, the second its target."
    if landmarks:
        yield "Whether they lie on bone, navtwin case check says."
    if skipped:
        yield f"Points that have not been placed were left out: {skipped}."


def _labels(points: Sequence[ControlPoint], name: str | None) -> tuple[str, ...]:
    labels = [" ".join(point.label.split()) or f"point {n}" for n, point in enumerate(points, 1)]
    return unique(f"{name} {label}" if name else label for label in labels)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """The same names, a number behind each that is there already."""
    found: list[str] = []
    for name in names:
        wanted, n = name, 2
        while wanted in found:
            wanted, n = f"{name} ({n})", n + 1
        found.append(wanted)
    return tuple(found)


def _plans(path: Path, lines: Sequence[Markup], name: str | None) -> tuple[list[PlanEntry], list[str]]:
    whole = [line for line in lines if len(line.points) == 2 and all(point.position_mm for point in line.points)]
    said = [f"Lines without both ends were left out: {len(lines) - len(whole)}."] if len(whole) < len(lines) else []
    names = unique(name or _plan_name(path, line.points[0].label) for line in whole)
    plans, guessed = list[PlanEntry](), list[str]()
    for label, line in zip(names, whole, strict=True):
        entry, target = line.points
        stated = _stated_widths(entry.description)
        if stated is None:
            guessed.append(label)
        diameter, tolerance = stated or (PLAN_DIAMETER_MM, PLAN_TOLERANCE_MM)
        if entry.position_mm and target.position_mm:
            plans.append(PlanEntry(label, entry.position_mm, target.position_mm, diameter, tolerance))
    if guessed:
        said.append(
            f"A line states no width, so diameter_mm = {PLAN_DIAMETER_MM} and tolerance_mm = {PLAN_TOLERANCE_MM} were put in case.toml for "
            f"{', '.join(guessed)}: correct them there."
        )
    return plans, said


def _plan_name(path: Path, label: str) -> str:
    """What a line is called: our own lines say it, Slicer's are named like their first point less its number, and by the file else."""
    label = " ".join(label.split())
    named = label.removesuffix(_ENTRY) if label.endswith(_ENTRY) else re.sub(r"-\d+$", "", label)
    return named or path.name.removesuffix(".json").removesuffix(".mrk")


def _stated_widths(description: str) -> tuple[float, float] | None:
    found = _WIDTHS.fullmatch(description.strip())
    if found is None:
        return None
    try:
        diameter, tolerance = float(found[1]), float(found[2])
    except ValueError:
        return None
    return (diameter, tolerance) if 0.0 < diameter < 1000.0 and 0.0 <= tolerance < 1000.0 else None


def export_markups(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the landmarks of a case as one point list, and each plan as a line."""
    case, space = _chosen(path, options.name), _space(options.space)
    report(f"writing {to.name}")
    lists = [Markup("Fiducial", tuple(_landmark_points(case)))] if case.landmark else []
    lines = [Markup("Line", _plan_points(plan, _widths(plan))) for plan in case.plan]
    write_markups(to, [*lists, *lines], space)
    return (
        f"Written in {space}, mm: {_count(len(case.landmark), 'landmark')}, {_count(len(lines), 'plan')} (widths in the first point's description).",
    )


def export_fcsv(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the landmarks of a case, and the two ends of each plan, as points."""
    from navtwin.exchange.fcsv import write_fcsv

    case, space = _chosen(path, options.name), _space(options.space)
    report(f"writing {to.name}")
    ends = [point for plan in case.plan for point in _plan_points(plan, "")]
    write_fcsv(to, [*_landmark_points(case), *ends], space)
    lost = ("Points only: that two of them are a plan, and its width, is lost. A .mrk.json file keeps both.",) if ends else ()
    return (f"Written in {space}, mm: {_count(len(case.landmark), 'landmark')}, {_count(len(ends), 'end')} of plans.", *lost)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _space(space: str | None) -> Space:
    if space not in (None, "LPS", "RAS"):
        raise InputRefused(f"--space {space} is neither LPS nor RAS", "leave it out for LPS")
    return "RAS" if space == "RAS" else "LPS"


def _chosen(path: Path, name: str | None) -> CaseFile:
    """The case; with a name, only the landmark or plan that is called so."""
    from msgspec.structs import replace

    case = read_case_file(path)
    if name is not None:
        case = replace(case, landmark=tuple(m for m in case.landmark if m.name == name), plan=tuple(p for p in case.plan if p.name == name))
    if not case.landmark and not case.plan:
        raise InputRefused(f"{path} has no {'landmark or plan' if name is None else f'landmark or plan named {name!r}'}", "add it to case.toml first")
    return case


def _landmark_points(case: CaseFile) -> Iterator[ControlPoint]:
    yield from (ControlPoint(mark.name, mark.position_mm) for mark in case.landmark)


def _plan_points(plan: PlanEntry, description: str) -> tuple[ControlPoint, ControlPoint]:
    return (ControlPoint(plan.name + _ENTRY, plan.entry_mm, description), ControlPoint(plan.name + _TARGET, plan.target_mm))


def _widths(plan: PlanEntry) -> str:
    return f"diameter_mm = {plan.diameter_mm!r}, tolerance_mm = {plan.tolerance_mm!r}"
