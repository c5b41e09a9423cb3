"""The rows that are asked of peers too: points, batches, shafts, instrument meshes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from navtwin.scene.surface import Surface
from proximity_parts import ours, pair_peers, point_peers, streams
from proximity_parts.contest import OURS, Ask, Clock, Times, compare, contest
from proximity_parts.meshes import drill
from proximity_parts.referee import Oracle
from proximity_parts.rows import Criterion, Row, against_peers

F64 = npt.NDArray[np.float64]

#: vtkStaticCellLocator tells no inside from outside.
UNSIGNED = frozenset({"VTK static locator"})
#: More than twice any second-level cache: read and written before a question, it leaves nothing of the tree in the nearer caches.
SWEPT_BYTES = 16 << 20
CLEARANCES_MM = (5.0, 30.0)
#: How deep the drill is where it crosses: from first contact to the whole burr.
SUNK_MM = (-0.3, -1.0, -3.0)
WORST_P99_US = 2500.0


@dataclass(frozen=True)
class Effort:
    """How many questions of each kind, and how large things are."""

    points: int = 4000
    swept: int = 400
    batch: int = 100_000
    batches: int = 3
    poses: int = 600
    instrument: int = 5_000
    larger_instrument: int = 20_000
    spot_checks: int = 8
    pose_checks: int = 3


def available(makers: Mapping[str, Callable[..., Ask]], *mesh: Surface) -> tuple[dict[str, Ask], list[str]]:
    """The peers that are installed, each with its tree built, and the names of those that are not."""
    found, absent = {}, []
    for name, make in makers.items():
        try:
            found[name] = make(*mesh)
        except ImportError:
            absent.append(name)
    return found, absent


def _note(absent: list[str]) -> str:
    return f"not installed: {', '.join(absent)}" if absent else ""


def exactness_row(surface: Surface, oracle: Oracle, effort: Effort) -> Row:
    """Who gives the right signed distance to each of very many points: rare wrong signs do not show among a few thousand."""
    places = streams.anywhere(surface, effort.batch, 8)
    peers, absent = available(point_peers.POINT, surface)
    asks = {OURS: ours.point(surface)} | {name: ask for name, ask in peers.items() if name not in UNSIGNED}
    answers = {name: Times(np.zeros((1, len(places))), np.array([ask(*p) for p in places.tolist()])) for name, ask in asks.items()}
    agreement = compare(answers, lambda k: oracle.signed(places[k]), effort.spot_checks)
    wrong = [Criterion(f"{name} wrong in", float(agreement.wrong[name]), f"of {agreement.judged} that were judged") for name in asks]
    return Row(f"who is exact: {len(places)} points anywhere, {len(surface.faces)} triangles", wrong, agreement=agreement, note=_note(absent))


def point_rows(surface: Surface, oracle: Oracle, effort: Effort, clock: Clock, inexact: frozenset[str], judged: bool) -> list[Row]:
    """Signed points one at a time: on a path, anywhere, and with caches swept. Reach is asked of where `judged`."""
    peers, absent = available(point_peers.POINT, surface)
    asks = {OURS: ours.point(surface), **peers}
    size, path = f"{len(surface.faces)} triangles", streams.tool_path(surface, effort.points, 1)[0]

    def row(name: str, places: F64, who: Iterable[str], reach: dict[int, float], note: str, before: Callable[[], object] | None = None) -> Row:
        times = contest({each: asks[each] for each in who if each in asks}, [tuple(p) for p in places.tolist()], clock, before)
        agreement = compare(times, lambda k: oracle.signed(places[k]), effort.spot_checks, UNSIGNED)
        return against_peers(f"{name}, {size}", times, agreement, reach if judged else {}, UNSIGNED | inexact, _note(absent) or note)

    rows = [
        row("signed point, tool path", path, asks, {50: 6.0, 99: 8.0}, ""),
        row("signed point, anywhere in the box", streams.anywhere(surface, effort.points, 2), asks, {50: 5.0}, ""),
    ]
    if judged:
        swept = np.zeros(SWEPT_BYTES // 8)
        note = f"{SWEPT_BYTES >> 20} MiB read and written before each question"
        sweep = partial(np.add, swept, 1.0, swept)
        rows.append(row("signed point, tool path, caches swept", path[: effort.swept], (OURS, "VTK"), {50: 3.0, 99: 10.0}, note, sweep))
    return rows


def batch_rows(surface: Surface, oracle: Oracle, effort: Effort, inexact: frozenset[str]) -> list[Row]:
    """Many points in one call, on all cores: always by the wall clock."""
    peers, absent = available(point_peers.POINTS, surface)
    asks = {OURS: ours.points(surface), **peers}
    rows = []
    for name, places, reach in (
        ("path", streams.tool_path(surface, effort.batch, 3)[0], 8.0),
        ("anywhere", streams.anywhere(surface, effort.batch, 4), 5.0),
    ):
        times = contest(asks, [(places,)] * effort.batches, time.perf_counter_ns)
        single = {k: Times(t.took_us / len(places), t.answers[-1]) for k, t in times.items()}
        agreement = compare(single, lambda k, places=places: oracle.signed(places[k]), effort.spot_checks)
        note = "a point's share of one call; " + _note(absent)
        title = f"batch of {len(places)}, {name}, {len(surface.faces)} triangles"
        rows.append(against_peers(title, single, agreement, {50: reach}, inexact, note.removesuffix("; ")))
    return rows


def capsule_row(surface: Surface, oracle: Oracle, effort: Effort, clock: Clock) -> Row:
    """A 150 mm shaft, its tip end slowly moving some 5 mm clear of the anatomy."""
    peers, absent = available(pair_peers.CAPSULE, surface)
    poses = streams.poses_apart(surface, streams.SHAFT, CLEARANCES_MM[0], effort.poses, 5)
    times = contest({OURS: ours.capsule(surface), **peers}, [(pose,) for pose in poses], clock)

    def truth(k: int) -> float:
        tip, end = np.reshape(poses[k].shaft_ends_mm, (2, 3))
        return oracle.distance(np.array([[tip, end, end]])) - streams.SHAFT_RADIUS_MM

    agreement = compare(times, truth, effort.pose_checks)
    return against_peers(f"shaft of 150 mm apart, {len(surface.faces)} triangles", times, agreement, {50: 12.0}, note=_note(absent))


def mesh_rows(surface: Surface, oracle: Oracle, effort: Effort, clock: Clock) -> list[Row]:
    """The drill as a mesh, clear of the anatomy and crossing it: exact, and with nothing beyond the cap wanted."""
    small, large = drill(effort.instrument), drill(effort.larger_instrument)

    def row(name: str, instrument: Surface, makers: Mapping[str, Callable[..., Ask]], poses: list[streams.Pose], reach: dict[int, float],
            cap_mm: float = np.inf) -> Row:  # fmt: skip
        peers, absent = available(makers, surface, instrument)
        times = contest({OURS: ours.distance(surface, instrument, cap_mm), **peers}, [(pose,) for pose in poses], clock)

        def truth(k: int) -> float:
            return oracle.distance(poses[k].rigid.apply(instrument.vertices_mm)[instrument.faces])

        agreement = compare(times, truth, effort.pose_checks, cap_mm=cap_mm)
        found = against_peers(
            f"instrument mesh of {len(instrument.faces)} against {len(surface.faces)}, {name}", times, agreement, reach, note=_note(absent)
        )
        found.criteria[-1] = replace(found.criteria[-1], limit=WORST_P99_US)
        return found

    rows, capped = [], []
    for clearance in CLEARANCES_MM:
        poses = streams.poses_apart(surface, streams.DRILL, clearance, effort.poses, 7)
        name = f"{clearance:g} mm apart"
        rows.append(row(name, small, pair_peers.APART, poses, {50: 3.0}))
        rows.append(row(name, large, pair_peers.APART, poses, {50: 1.6}))
        capped.append(row(f"{name}, capped at {pair_peers.CAP_MM:g} mm", small, pair_peers.CAPPED, poses, {}, pair_peers.CAP_MM))
    each = effort.poses // len(SUNK_MM)
    crossing = [pose for sunk in SUNK_MM for pose in streams.poses_apart(surface, streams.DRILL, sunk, each, 6)]
    rows.append(row("crossing", small, pair_peers.CROSSING, crossing, {50: 8.0}))
    return [*rows, *capped, _overall([*capped, rows[-1]])]


def _overall(rows: list[Row]) -> Row:
    """Apart at both clearances and crossing, each as likely: the best peers' p50s together against ours."""
    theirs = sum(min((t["p50"] for name, t in row.times_us.items() if name not in row.wrong_peers | {OURS}), default=np.nan) for row in rows)
    value = theirs / sum(row.times_us[OURS]["p50"] for row in rows)
    criterion = Criterion("p50 against the best of each", float(value), "x", 15.0, at_least=True)
    return Row(
        f"instrument mesh, capped at {pair_peers.CAP_MM:g} mm, overall", [criterion], note="both clearances capped and crossing, their p50s summed"
    )
