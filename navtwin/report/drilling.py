"""The figures of drilling: what was removed against what was planned, the walls that were left, breaches, and what the twin did not see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from navtwin.nouns import LEVELS, WALL, Rig
from navtwin.report.drill_notes import Drilling, Thinnest
from navtwin.report.drilled_bone import Drilled
from navtwin.report.drilling_truth import DrillingTruth, drilling_truth, least_wall
from navtwin.report.judge import Finding
from navtwin.report.session import Session
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene
from navtwin.scene.removal import Removal, compare, wall_points

NOT_LOOKED = Drilled(missing="the drilled bone was not made again")


@dataclass(frozen=True)
class StretchRow:
    """One stretch; seconds since navigation began. `undone_s` is None for one that was not taken back."""

    number: int
    instrument: str
    from_s: float
    to_s: float
    removed_mm3: float
    undone_s: float | None


@dataclass(frozen=True)
class SpellRow:
    """While the twin did not follow a drill (FROZEN), or could not tell whether it cut (UNKNOWN), and why."""

    instrument: str
    status: str
    why: str
    from_s: float
    to_s: float


@dataclass(frozen=True)
class WallRow:
    """The bone before one critical structure, mm.

    Attributes
    ----------
    least_mm : that was ever told between a drill, enlarged by its error bar, and the structure; None: never known. By whom and when
    unknown_s, bare_s : how long it was within reach and not known; and, while cutting, without bone between
    end_mm : the least behind the drilled wall at the end; None: none of the wall is so near, or no bone is between
    end_at_mm : the point of the wall where it is so thin, ct
    end_doubtful : bone there may be gone
    """

    structure: str
    least_mm: float | None
    instrument: str
    at_s: float | None
    unknown_s: float
    bare_s: float
    end_mm: float | None
    end_at_mm: Vec3 | None
    end_doubtful: bool


@dataclass(frozen=True)
class BreachRow:
    """A critical structure that a cutting drill was in, from when on and how much of it."""

    structure: str
    since_s: float
    volume_mm3: float


@dataclass(frozen=True)
class DrillingFigures:
    """Drilling in figures; the same in the report, in the terminal and as JSON.

    Attributes
    ----------
    removed_mm3 : since the bone was whole; `begun_from` names the session that had drilled before, "" if none
    doubtful_share : of the drilled part, 0 to 1, where bone that is shown may be gone
    plans : structures that plan a removal; `removal` is None where there are none
    thin_wall_alerts, alerts_cutting : how often a thin wall was warned of; and alerts by level that rose while something cut
    demanded, in_time : crossings of limits by drills that the truth demands an alert for, and how many were raised in time; None without a truth
    doubt_unplaced : some of the bone is doubtful, and which is not known
    missing : why there are no figures of the bone itself, "" if there are
    """

    structure: str
    side_mm: float
    removed_mm3: float
    begun_from: str
    cutting_s: float
    unfollowed_s: float
    doubtful_share: float
    stretches: tuple[StretchRow, ...]
    undone: int
    spells: tuple[SpellRow, ...]
    walls: tuple[WallRow, ...]
    breaches: tuple[BreachRow, ...]
    thin_wall_alerts: int
    alerts_cutting: tuple[tuple[str, int], ...]
    plans: tuple[str, ...]
    removal: Removal | None
    demanded: int | None
    in_time: int | None
    truth: DrillingTruth | None
    doubt_unplaced: bool
    missing: str = ""


def drilling_figures(
    session: Session, scene: Scene, rig: Rig, findings: list[Finding], allowed_ns: int, drilled: Drilled = NOT_LOOKED
) -> DrillingFigures | None:
    """Gather the figures; None where there was nothing to drill with or into.

    Parameters
    ----------
    allowed_ns : one frame + transport, in which a warning must follow
    """
    drilling = session.drilling
    if drilling is None:
        return None
    stretches = tuple(
        StretchRow(s.number, s.instrument, session.seconds(s.start_ns), session.seconds(s.end_ns), s.removed_mm3, _s(session, s.undone_ns))
        for s in drilling.stretches
    )
    judged = [f for f in findings if f.verdict in ("in time", "late", "missed", "unknown") and f.pair.split("/")[1] in _drills(drilling)]
    said, bone = drilling.bone, drilled.bone
    return DrillingFigures(
        structure=said.structure if said else bone.structure.name if bone else "",
        side_mm=said.side_mm if said else 0.0,
        removed_mm3=said.removed_mm3 if said else sum(s.removed_mm3 for s in drilling.stretches if s.undone_ns is None),
        begun_from=drilling.begun_from,
        cutting_s=sum(end - start for _, start, end in drilling.cutting) * 1e-9,
        unfollowed_s=sum(spell.end_ns - spell.start_ns for spell in drilling.spells) * 1e-9,
        doubtful_share=said.doubtful if said else 0.0,
        stretches=stretches,
        undone=sum(1 for s in stretches if s.undone_s is not None),
        spells=tuple(SpellRow(s.instrument, s.status, s.why, session.seconds(s.start_ns), session.seconds(s.end_ns)) for s in drilling.spells),
        walls=_walls(session, scene, drilling, drilled),
        breaches=tuple(BreachRow(b.structure, session.seconds(b.since_ns), b.volume_mm3) for b in drilling.breaches),
        thin_wall_alerts=sum(1 for row in session.alerts if row.rose and row.part == WALL),
        alerts_cutting=_alerts_cutting(session, drilling),
        plans=tuple(s.name for s in scene.structures if said is not None and s.removal_of == said.structure),
        removal=compare(bone.whole, bone.left, bone.surface, bone.planned) if bone is not None and bone.planned is not None else None,
        demanded=len(judged) if session.truth else None,
        in_time=sum(1 for f in judged if f.verdict == "in time") if session.truth else None,
        truth=drilling_truth(session, rig, allowed_ns, bone, drilled.true),
        doubt_unplaced=not drilled.knows_doubt,
        missing=drilled.missing,
    )


def thin_wall_faults(figures: DrillingFigures | None) -> tuple[str, ...]:
    """A line where a drill truly cut before a thin wall and that was not warned of in time."""
    truth = figures.truth if figures is not None else None
    if truth is None or truth.thin_raised == truth.thin_demanded:
        return ()
    missed = truth.thin_demanded - truth.thin_raised
    return (
        f"missed: {missed} of {truth.thin_demanded} times that a drill truly cut before a thin wall {'was' if missed == 1 else 'were'} not warned of",
    )


def _s(session: Session, t_ns: int | None) -> float | None:
    return None if t_ns is None else session.seconds(t_ns)


def _drills(drilling: Drilling) -> set[str]:
    return {name for name, _, _ in drilling.cutting} | {s.instrument for s in drilling.stretches}


def _alerts_cutting(session: Session, drilling: Drilling) -> tuple[tuple[str, int], ...]:
    """Alerts on a drill's distance that rose while it cut, by level."""
    rose = Counter(
        row.level
        for row in session.alerts
        if row.rose and row.part != WALL and any(name == row.instrument and start <= row.start_ns <= end for name, start, end in drilling.cutting)
    )
    return tuple((level, rose[level]) for level in LEVELS[1:])


def _walls(session: Session, scene: Scene, drilling: Drilling, drilled: Drilled) -> tuple[WallRow, ...]:
    told, bone = {thin.structure: thin for thin in drilling.thinnest}, drilled.bone
    wall = None if bone is None else wall_points(bone.whole, bone.surface)
    rows = []
    for structure in scene.structures:
        if structure.role != "critical":
            continue
        end_mm, end_at, end_doubtful = None, None, False
        if bone is not None and wall is not None:
            end_mm, end_at, end_doubtful = least_wall(wall, bone.left, structure.surface)
            end_doubtful |= not drilled.knows_doubt and end_mm is not None
        thin = told.get(structure.name, Thinnest(structure.name))
        if structure.name in told or end_mm is not None or end_doubtful:
            times = (thin.unknown_ns * 1e-9, thin.bare_ns * 1e-9)
            rows.append(WallRow(thin.structure, thin.least_mm, thin.instrument, _s(session, thin.at_ns), *times, end_mm, end_at, end_doubtful))
    return tuple(rows)
