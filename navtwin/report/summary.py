"""What a session comes to: counts, figures and findings the same in the terminal and on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from navtwin.nouns import LEVELS, Rig
from navtwin.record.replay import Verdict
from navtwin.report.accuracy import PivotAccuracy, RegistrationAccuracy, TipAccuracy, pivot_accuracy, registration_accuracy, tip_accuracy
from navtwin.report.against_truth import judge_session, rules_of
from navtwin.report.drilled_bone import Drilled
from navtwin.report.drilling import NOT_LOOKED, DrillingFigures, drilling_figures, thin_wall_faults
from navtwin.report.judge import Finding
from navtwin.report.latency import Received, Stage, latency
from navtwin.report.session import Session
from navtwin.report.verified import Verification
from navtwin.report.wording import in_words, words
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene

#: Verdicts that an alarm must never earn.
FAULTS = ("missed", "late", "dropped", "spurious")


@dataclass(frozen=True)
class Crossings:
    """All true crossings of one limit by one pair.

    Attributes
    ----------
    alert : `structure/instrument/part`
    shortest_lead_ms : least time by which the level stood before the time allowed; None where none was in time
    """

    alert: str
    level: str
    limit_mm: float
    crossings: int
    in_time: int
    unknown: int
    shortest_lead_ms: float | None
    nearest_mm: float


@dataclass(frozen=True)
class Summary:
    """The figures of one session.

    Attributes
    ----------
    judged : whether the source stated a truth to judge by; if not, the counts of findings say nothing
    crossings, missed, late, spurious, masked, unknown, dropped : see `navtwin.report.judge`; masked ones are counted as missed or late, too
    allowed_ms : one frame + transport, the time in which an alert must follow a true crossing
    faults : one line for each missed, late, dropped or spurious alert, and one for thin walls that were not warned of
    alerts : rises to CAUTION or more
    registration_inside95 : the true pose within the 95 % region of the registration's own covariance
    latency : empty where it was not measured
    verified : None if it was not asked for
    drilling : None where there was nothing to drill with or into
    report : where the page was written, "" if it was not
    verification : how often the registration was verified by touch; None where the log does not tell
    """

    session: str
    case: str
    citation: str
    source: str
    navigation_s: float
    frames: int
    judged: bool
    allowed_ms: float
    crossings: int
    missed: int
    late: int
    spurious: int
    masked: int
    unknown: int
    dropped: int
    faults: tuple[str, ...]
    by_limit: tuple[Crossings, ...]
    alerts: int
    first_alert_s: float | None
    pivots: tuple[PivotAccuracy, ...]
    registration: RegistrationAccuracy | None
    tips: tuple[TipAccuracy, ...]
    latency: tuple[Stage, ...]
    verified: Verdict | None
    verdict: Literal["good", "bad", "not judged"]
    drilling: DrillingFigures | None = None
    report: str = ""
    verification: Verification | None = None


def summarise(
    session: Session,
    scene: Scene,
    rig: Rig,
    journal: list[Received] | None = None,
    verified: Verdict | None = None,
    drilled: Drilled = NOT_LOOKED,
) -> Summary:
    """Judge a session and gather its figures."""
    findings = judge_session(session, scene, rig)
    allowed_ns = rules_of(session, rig).allowed_ns
    counts = Counter(f.verdict for f in findings)
    judged = bool(session.truth)
    drilling = drilling_figures(session, scene, rig, findings, allowed_ns, drilled)
    faults = (*(in_words(f, session) for f in findings if f.verdict in FAULTS), *thin_wall_faults(drilling))
    if not judged:
        verdict: Literal["good", "bad", "not judged"] = "not judged"
    else:
        verdict = "bad" if faults else "good"
    return Summary(
        session=session.header.session,
        case=scene.name,
        citation=scene.citation,
        source=session.header.source,
        navigation_s=session.seconds(session.end_ns),
        frames=int(np.count_nonzero(session.frames.t_event_ns >= session.start_ns)),
        judged=judged,
        allowed_ms=allowed_ns * 1e-6,
        crossings=sum(1 for f in findings if f.verdict in ("in time", "late", "missed", "unknown")),
        missed=counts["missed"],
        late=counts["late"],
        spurious=counts["spurious"],
        masked=sum(1 for f in findings if f.masked_by),
        unknown=counts["unknown"],
        dropped=counts["dropped"],
        faults=faults,
        by_limit=crossings_by_limit(findings),
        alerts=sum(1 for row in session.alerts if row.rose),
        first_alert_s=session.seconds(session.alerts[0].start_ns) if session.alerts else None,
        pivots=tuple(pivot_accuracy(p, session.true_setup) for _, p in sorted(session.pivots.items())),
        registration=registration_accuracy(session.registration, session.true_setup, targets_of(session, scene)) if session.registration else None,
        tips=tuple(tip_accuracy(session, rig.tracker.output_delay_ms)),
        latency=tuple(latency(session, journal)),
        verified=verified,
        verdict=verdict,
        drilling=drilling,
        verification=session.verification,
    )


def targets_of(session: Session, scene: Scene) -> dict[str, Vec3]:
    """Where registration error matters: on each critical structure where it was approached nearest, and at each plan's target. In ct, mm."""
    near = {f"{words(s)}, nearest approach": r.on_structure_mm for s, r in sorted(session.nearest.items()) if r.on_structure_mm is not None}
    return near | {f"{words(plan.name)}, planned target": plan.target_mm for plan in scene.plans}


def crossings_by_limit(findings: Sequence[Finding]) -> tuple[Crossings, ...]:
    """Findings on crossings, one row per pair and level."""
    rows: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        if finding.verdict in ("in time", "late", "missed", "unknown"):
            rows.setdefault((finding.pair, finding.rank), []).append(finding)
    return tuple(_crossings(pair, rank, found) for (pair, rank), found in sorted(rows.items()))


def _crossings(pair: str, rank: int, found: list[Finding]) -> Crossings:
    leads = [-f.late_ns * 1e-6 for f in found if f.verdict == "in time" and f.late_ns is not None]
    return Crossings(
        alert=pair,
        level=LEVELS[rank],
        limit_mm=found[-1].limit_mm,
        crossings=len(found),
        in_time=len(leads),
        unknown=sum(1 for f in found if f.verdict == "unknown"),
        shortest_lead_ms=min(leads) if leads else None,
        nearest_mm=min(f.nearest_mm for f in found),
    )
