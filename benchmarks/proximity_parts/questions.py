"""The rows that are asked of peers too: points, batches, shafts, instrument meshes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from navtwin.scene.surface import Surface
from proximity_parts import ours, pair_peers, point_peers, streams
from proximity_parts.contest import OURS, Ask, Clock, Times, compare, contest
from proximity_parts.meshes import drill
from proximity_parts.referee import Oracle
from proximity_parts.rows import BEST, Row, against_peers, figure

F64 = npt.NDArray[np.float64]

#: vtkStaticCellLocator tells no inside from outside.
UNSIGNED = frozenset({"VTK static locator"})
#: More than twice any second-level cache: read and written before a question, it leaves nothing of the tree in the nearer caches.
SWEPT_BYTES = 16 << 20
CLEARANCES_MM = (5.0, 30.0)
#: How deep the drill is where it crosses: from first contact to the whole burr.
SUNK_MM = (-0.3, -1.0, -3.0)


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


def exactness_row(surface: Surface, oracle: Oracle, effort: Effort, size: str) -> Row:
    """Who gives the right signed distance to each of very many points: rare wrong signs do not show among a few thousand."""
    places = streams.anywhere(surface, effort.batch, 8)
    peers, absent = available(point_peers.POINT, surface)
    asks = {OURS: ours.point(surface)} | {name: ask for name, ask in peers.items() if name not in UNSIGNED}
    answers = {name: Times(np.zeros((1, len(places))), np.array([ask(*p) for p in places.tolist()])) for name, ask in asks.items()}
    agreement = compare(answers, lambda k: oracle.signed(places[k]), effort.spot_checks)
    wrong = [figure(f"{name} wrong", agreement.wrong[name], "", "less" if name == OURS else "none") for name in asks]
    note = f"wrong in so many of the {agreement.judged} that were judged"
    return Row(f"who is exact, {len(places)} points anywhere, {size}", wrong, agreement=agreement, note=note, absent=tuple(absent))


def point_rows(surface: Surface, oracle: Oracle, effort: Effort, clock: Clock, inexact: frozenset[str], size: str, largest: bool) -> list[Row]:
    """Signed points one at a time: on a path, anywhere, and, on the `largest`, with caches swept."""
    peers, absent = available(point_peers.POINT, surface)
    asks = {OURS: ours.point(surface), **peers}
    path = streams.tool_path(surface, effort.points, 1)[0]

    def row(name: str, places: F64, who: Iterable[str], note: str = "", before: Callable[[], object] | None = None) -> Row:
        times = contest({each: asks[each] for each in who if each in asks}, [tuple(p) for p in places.tolist()], clock, before)
        agreement = compare(times, lambda k: oracle.signed(places[k]), effort.spot_checks, UNSIGNED)
        return against_peers(f"{name}, {size}", times, agreement, UNSIGNED | inexact, note, absent)

    rows = [
        row("signed point, tool path", path, asks),
        row("signed point, anywhere in the box", streams.anywhere(surface, effort.points, 2), asks),
    ]
    if largest:
        swept = np.zeros(SWEPT_BYTES // 8)
        note = f"{SWEPT_BYTES >> 20} MiB read and written before each question"
        sweep = partial(np.add, swept, 1.0, swept)
        rows.append(row("signed point, tool path, caches swept", path[: effort.swept], (OURS, "VTK"), note, sweep))
    return rows


def batch_rows(surface: Surface, oracle: Oracle, effort: Effort, inexact: frozenset[str], size: str) -> list[Row]:
    """Many points in one call, on all cores: always by the wall clock."""
    peers, absent = available(point_peers.POINTS, surface)
    asks = {OURS: ours.points(surface), **peers}
    rows = []
    for name, places in (("path", streams.tool_path(surface, effort.batch, 3)[0]), ("anywhere", streams.anywhere(surface, effort.batch, 4))):
        times = contest(asks, [(places,)] * effort.batches, time.perf_counter_ns)
        single = {k: Times(t.took_us / len(places), t.answers[-1]) for k, t in times.items()}
        agreement = compare(single, lambda k, places=places: oracle.signed(places[k]), effort.spot_checks)
        title = f"batch of {len(places)}, {name}, {size}"
        rows.append(against_peers(title, single, agreement, inexact, "a point's share of one call", absent))
    return rows


def capsule_row(surface: Surface, oracle: Oracle, effort: Effort, clock: Clock, size: str) -> Row:
    """A 150 mm shaft, its tip end slowly moving some 5 mm clear of the anatomy."""
    peers, absent = available(pair_peers.CAPSULE, surface)
    poses = streams.poses_apart(surface, streams.SHAFT, CLEARANCES_MM[0], effort.poses, 5)
    times = contest({OURS: ours.capsule(surface), **peers}, [(pose,) for pose in poses], clock)

    def truth(k: int) -> float:
        tip, end = np.reshape(poses[k].shaft_ends_mm, (2, 3))
        return oracle.distance(np.array([[tip, end, end]])) - streams.SHAFT_RADIUS_MM

    agreement = compare(times, truth, effort.pose_checks)
    return against_peers(f"shaft of 150 mm apart, {size}", times, agreement, absent=absent)


def mesh_rows(surface: Surface, oracle: Oracle, effort: Effort, clock: Clock, size: str) -> list[Row]:
    """The drill as a mesh, clear of the anatomy and crossing it: exact, and with nothing beyond the cap wanted."""
    small, large = drill(effort.instrument), drill(effort.larger_instrument)

    def row(
        name: str, instrument: Surface, triangles: int, makers: Mapping[str, Callable[..., Ask]], poses: list[streams.Pose], cap_mm: float = np.inf
    ) -> Row:
        peers, absent = available(makers, surface, instrument)
        times = contest({OURS: ours.distance(surface, instrument, cap_mm), **peers}, [(pose,) for pose in poses], clock)

        def truth(k: int) -> float:
            return oracle.distance(poses[k].rigid.apply(instrument.vertices_mm)[instrument.faces])

        agreement = compare(times, truth, effort.pose_checks, cap_mm=cap_mm)
        return against_peers(f"instrument mesh of {triangles} against {size}, {name}", times, agreement, absent=absent)

    rows, capped = [], []
    for clearance in CLEARANCES_MM:
        poses = streams.poses_apart(surface, streams.DRILL, clearance, effort.poses, 7)
        name = f"{clearance:g} mm apart"
        rows.append(row(name, small, effort.instrument, pair_peers.APART, poses))
        rows.append(row(name, large, effort.larger_instrument, pair_peers.APART, poses))
        capped.append(row(f"{name}, capped at {pair_peers.CAP_MM:g} mm", small, effort.instrument, pair_peers.CAPPED, poses, pair_peers.CAP_MM))
    each = effort.poses // len(SUNK_MM)
    crossing = [pose for sunk in SUNK_MM for pose in streams.poses_apart(surface, streams.DRILL, sunk, each, 6)]
    rows.append(row("crossing", small, effort.instrument, pair_peers.CROSSING, crossing))
    return [*rows, *capped, _overall([*capped, rows[-1]], size)]


def _overall(rows: list[Row], size: str) -> Row:
    """Apart at both clearances and crossing, each as likely: the best peers' p50s together against ours."""
    theirs = sum(min((t["p50"] for name, t in row.times_us.items() if name not in row.wrong_peers | {OURS}), default=np.nan) for row in rows)
    value = theirs / sum(row.times_us[OURS]["p50"] for row in rows)
    figures = [figure(f"p50 against {BEST}", value, "x", "more")] if np.isfinite(value) else []
    name = f"instrument mesh against {size}, capped at {pair_peers.CAP_MM:g} mm, overall"
    return Row(name, figures, note="both clearances capped and crossing, their p50s summed")
