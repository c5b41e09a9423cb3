"""The report: one HTML file with everything in it, for a screen, a phone and paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from navtwin.nouns import Rig
from navtwin.record.replay import Verdict
from navtwin.report.against_truth import limit_steps
from navtwin.report.charts import Panel, distance_chart
from navtwin.report.drilled_bone import BoneThen, bone_at_closest, drilled_in
from navtwin.report.drilling_pictures import BAND_KEYS, drilling_pictures
from navtwin.report.drilling_truth import REACH_MM
from navtwin.report.gather import load_session
from navtwin.report.judge import CAUTION
from navtwin.report.latency import read_journal
from navtwin.report.page_file import write_page
from navtwin.report.pictures import closest_pictures
from navtwin.report.session import Session
from navtwin.report.summary import Summary, summarise
from navtwin.report.wording import headline, known, pair_words, verified_words, words, yes_no
from navtwin.scene.bone_views import DrilledBone
from navtwin.scene.carvable import Carvable
from navtwin.scene.error_budget import Budget
from navtwin.scene.model import Scene, Structure

if TYPE_CHECKING:
    from jinja2 import Environment

#: A pair is drawn if it came this near beyond its caution limit; others are named below the chart.
DRAWN_WITHIN_MM = 5.0
#: Of a session with hundreds of stretches, so many are listed.
MOST_ROWS = 60


def write_report(
    log: Path,
    scene: Scene,
    rig: Rig,
    out: Path,
    journal: Path | None = None,
    verified: Verdict | None = None,
    replayed: Carvable | None = None,
    budgets: Sequence[Budget] = (),
) -> Summary:
    """Judge the session in `log` and write its report to `out`.

    Parameters
    ----------
    log : a finished session log
    journal : the operator's journal (JSON by line), for latency as far as the operator
    verified : what `navtwin verify` found
    replayed : the drilled bone that it ended with; without it the bone is cut again by the log's strokes, and where it is doubtful is not known
    budgets : where the error of its distances came from, as a replay tells it

    Raises
    ------
    InputRefused : missing log or journal, or `out` cannot be written
    LogDamaged : the log is cut or altered
    """
    session = load_session(log)
    drilled = drilled_in(log, session, scene, rig, replayed)
    summary = summarise(session, scene, rig, read_journal(journal) if journal is not None else None, verified, drilled)
    summary = replace(summary, report=str(out))
    page = render_page(session, scene, rig, summary, drilled.bone, bone_at_closest(log, session, scene, rig), budgets)
    write_page(page, out, remedy="check the folder")
    return summary


def render_page(
    session: Session,
    scene: Scene,
    rig: Rig,
    summary: Summary,
    bone: DrilledBone | None = None,
    bone_then: BoneThen | None = None,
    budgets: Sequence[Budget] = (),
) -> str:
    """The page as text.

    Parameters
    ----------
    bone, bone_then : as it was drilled at the end, and at closest approach
    budgets : rows of the error budget, none where it was not reckoned
    """
    pictures, why_not = closest_pictures(session, scene, rig, bone_then)
    bone_pictures, bone_missing = drilling_pictures(bone, scene) if bone is not None else ({}, "")
    header = session.header
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            session=session,
            scene=scene,
            rig=rig,
            summary=summary,
            header=header,
            headline=headline(summary),
            verified=verified_words(summary),
            when=datetime.fromtimestamp(header.utc_anchor_ns * 1e-9, UTC).strftime("%Y-%m-%d %H:%M UTC"),
            pictures=pictures,
            picture_missing=why_not,
            bone_then=bone_then,
            drilling=summary.drilling,
            budgets=budgets,
            bone_pictures=bone_pictures,
            bone_missing=bone_missing,
            bands=BAND_KEYS,
            wall_reach_mm=REACH_MM,
            most_rows=MOST_ROWS,
            closest=_closest_words(session),
            charts=charts(session, scene),
            critical=[s for s in scene.structures if s.role == "critical"],
        )
    )


def charts(session: Session, scene: Scene) -> list[dict[str, Any]]:
    """Per critical structure: its chart, and the watched pairs that stayed too far off to be drawn."""
    found = []
    for structure in scene.structures:
        if structure.role != "critical" or session.end_ns <= session.start_ns:
            continue
        near, far = _near_and_far(session, structure)
        svg = distance_chart(words(structure.name), near, session) if near else ""
        found.append({"name": words(structure.name), "svg": svg, "far": far})
    return found


def _near_and_far(session: Session, structure: Structure) -> tuple[list[Panel], list[tuple[str, float | None]]]:
    """Pairs to draw, and (pair, least measured distance) of the others."""
    limits = limit_steps(structure, session.commands)
    reach_mm = float(limits.caution_mm.max()) + DRAWN_WITHIN_MM
    near: list[Panel] = []
    far: list[tuple[str, float | None]] = []
    for key, series in sorted(session.pairs.items()):
        if series.structure != structure.name:
            continue
        levels, truth = session.levels.get(key), session.truth.get(key)
        measured = series.distance_mm[np.isfinite(series.distance_mm)]
        least = float(measured.min()) if measured.size else None
        true = truth.distance_mm[(truth.t_ns >= session.start_ns) & (truth.t_ns <= session.end_ns)] if truth is not None else measured
        alerted = levels is not None and bool(np.any(levels.rank >= CAUTION))
        if alerted or (least is not None and least < reach_mm) or bool(np.any(true < reach_mm)):
            near.append(Panel(series, levels, truth, limits))
        else:
            far.append((f"{words(series.instrument)} {words(series.part)}", least))
    return near, far


def _closest_words(session: Session) -> str:
    readings = [r for r in session.nearest.values() if r.distance_mm is not None]
    if not readings:
        return ""
    nearest = min(readings, key=lambda r: r.distance_mm if r.distance_mm is not None else np.inf)
    series = session.pairs[f"{nearest.structure}/{nearest.instrument}/{nearest.part}"]
    at = int(np.nanargmin(series.distance_mm))
    who = f"{words(nearest.instrument)} {words(nearest.part)} to {words(nearest.structure)}"
    sd = f" (standard deviation {nearest.sd_mm:.2f} mm)" if nearest.sd_mm is not None else ""
    return f"{who}: {known(nearest.distance_mm)} mm measured{sd}, {session.seconds(int(series.t_ns[at])):.2f} s after navigation began"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("navtwin.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": known, "words": words, "pair": pair_words, "yes_no": yes_no}
    return environment
