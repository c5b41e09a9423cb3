"""From distances to levels: each pair by its own limits, on every frame and on every tick, so that time alone can raise a level.

Bound = measured - k sd - max(0, v) x (now - t_capture + declared output delay + lag of the fitted speed + delay of the tracker's
filter), k = 2 (DESIGN section 5).
Where a part came nearer on its way from the frame before than it is now, the level of that nearest place counts too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from navtwin.kernels.known import MEASURED, OUT_OF_SCAN, UNMEASURED, bounds, keep, not_clear
from navtwin.nouns import DistanceStatus, Level
from navtwin.twin.levels import fall_margin_mm, level_of, limit_of, rank
from navtwin.twin.memory import Memory
from navtwin.twin.pair import Pair

#: A distance's status by what `tell_known` says of it.
_TOLD: dict[int, DistanceStatus] = {MEASURED: "OK", OUT_OF_SCAN: "OUT_OF_SCAN", UNMEASURED: "INVALID"}
#: How many standard deviations the error bar spans.
K_SD = 2.0
#: An acknowledgement of DANGER or CONTACT lasts this long.
ACK_LIMIT_NS = 60_000_000_000
#: A muted structure re-arms after this long at CLEAR, or after the limit.
MUTE_REARM_NS = 5_000_000_000
MUTE_LIMIT_NS = 120_000_000_000
#: How fast a hand is assumed to move while an instrument is not seen, mm/s.
UNSEEN_SPEED_MM_S = 50.0


def frame_age_ns(memory: Memory) -> int | None:
    return None if memory.frame is None else memory.now_ns - memory.frame.t_capture_ns


def is_stale(memory: Memory) -> bool:
    age = frame_age_ns(memory)
    return age is None or age > memory.rig.tracker.max_age_ms * 1e6


def _nowhere_known(memory: Memory, *, stale: bool) -> DistanceStatus | None:
    """Why no distance is known now, whatever was measured; None where some may be."""
    return "UNREGISTERED" if memory.registration is None else "STALE" if stale else None


def _tell(memory: Memory, *, stale: bool) -> list[DistanceStatus]:
    """Bring `told` up to date. Returns of each part why none of its distances is known, or "OK": then `told` has the word on each."""
    p = memory.proximity
    everywhere = _nowhere_known(memory, stale=stale)
    if everywhere:
        return [everywhere] * len(p.part_names)
    p.tell_known()
    of_parts = [memory.tool_status.get(tool, "HIDDEN") for tool in p.tool_name_of_part]
    for part, status in enumerate(of_parts):
        if status != "OK":
            p.told[part] = UNMEASURED
    return of_parts


def statuses(memory: Memory, *, stale: bool) -> list[list[DistanceStatus]]:
    """Why each distance is or is not known now: [part][structure]."""
    of_parts, told = _tell(memory, stale=stale), memory.proximity.told.tolist()
    return [[_TOLD[code] for code in row] if status == "OK" else [status] * len(row) for status, row in zip(of_parts, told, strict=True)]


def pair_status(memory: Memory, part: int, structure: int, *, stale: bool) -> DistanceStatus:
    """Why one distance is or is not known now."""
    of_part = _tell(memory, stale=stale)[part]
    return _TOLD[int(memory.proximity.told[part, structure])] if of_part == "OK" else of_part


def bounds_mm(memory: Memory) -> npt.NDArray[np.float64]:
    """The distances that may be left once the operator has heard of them, (parts, structures); NaN where unknown.

    Element by element and in one order: the bits are those that plain floats give.
    """
    p = memory.proximity
    age_s = (frame_age_ns(memory) or 0) * 1e-9
    smoothing_s = memory.frame.filter.delay_ms * 1e-3 if memory.frame is not None and memory.frame.filter is not None else 0.0
    late_s = max(0.0, age_s) + smoothing_s + memory.rig.tracker.output_delay_ms * 1e-3
    bound = np.empty_like(p.distance)
    bounds(p.distance, p.sd, p.speed, p.lag_s, late_s, K_SD, bound)
    return bound


def judge_pairs(memory: Memory, *, fresh_frame: bool) -> None:
    """Bring every pair's level up to `memory.now_ns`, but for those that are put off: they are clear until they are measured."""
    p, stale = memory.proximity, is_stale(memory)
    of_parts = _tell(memory, stale=stale)
    bound = bounds_mm(memory)
    frame = None if _nowhere_known(memory, stale=stale) else memory.frame
    near = _near(memory, bound, fresh_frame=fresh_frame)
    near &= ~p.put_off
    pairs = memory.pairs if frame is None else _unsettled(memory, near)
    memory.unsettled = _judge_each(memory, pairs, of_parts, bound, near, fresh_frame=fresh_frame)
    if frame is not None:
        keep(p.told, p.distance, bound, p.sd, p.speed, frame.t_capture_ns, memory.last_known)
    _age_mutes(memory)
    if memory.audio_paused_until_ns is not None and memory.now_ns >= memory.audio_paused_until_ns:
        memory.audio_paused_until_ns = None


def judge_rest(memory: Memory, rest: npt.NDArray[np.bool_]) -> bool:
    """Judge the pairs (parts, structures) of this frame that were put off and are measured now. Returns whether any of them is not clear."""
    p, frame, stale = memory.proximity, memory.frame, is_stale(memory)
    if frame is None or _nowhere_known(memory, stale=stale):
        return False
    of_parts = _tell(memory, stale=stale)
    bound = bounds_mm(memory)
    near = rest & _near(memory, bound, fresh_frame=True)
    pairs = list(itertools.compress(memory.pairs, near[memory.places].tolist()))
    more = _judge_each(memory, pairs, of_parts, bound, near, fresh_frame=True)
    memory.unsettled = sorted((*memory.unsettled, *more), key=lambda pair: pair.number)
    keep(p.told, p.distance, bound, p.sd, p.speed, frame.t_capture_ns, memory.last_known)
    return bool(pairs)


def _judge_each(
    memory: Memory,
    pairs: Sequence[Pair],
    of_parts: Sequence[DistanceStatus],
    bound: npt.NDArray[np.float64],
    near: npt.NDArray[np.bool_],
    *,
    fresh_frame: bool,
) -> list[Pair]:
    """Bring the levels of these pairs up to now. Returns those that are not settled."""
    p = memory.proximity
    for pair in pairs:
        part, structure = pair.part, pair.structure
        of_part = of_parts[part]
        pair.status = _TOLD[int(p.told[part, structure])] if of_part == "OK" else of_part
        before = pair.state.level
        if pair.status != "OK":
            pair.state.lose()
        elif not near[part, structure] and rank(before) == 0:
            # Clear it stays or becomes: there is nothing to fall from.
            pair.state.see(memory.now_ns, "CLEAR", "CLEAR", fresh_frame=fresh_frame)
            pair.passed_mm = None
        else:
            swept = float(p.swept[part, structure]) if fresh_frame else math.nan
            measured, left, sd = float(p.distance[part, structure]), float(bound[part, structure]), float(p.sd[part, structure])
            _judge(memory, pair, measured, left, sd, swept, fresh_frame=fresh_frame)
        if pair.acked_by or pair.state.level != before:
            _age_acknowledgement(memory, pair, before)
        memory.summaries[pair.number] = pair.summed_up(memory.summaries[pair.number])
    return [pair for pair in pairs if not pair.is_settled]


def _near(memory: Memory, bound: npt.NDArray[np.float64], *, fresh_frame: bool) -> npt.NDArray[np.bool_]:
    """(parts, structures): whether the limits say anything but CLEAR, or nothing is known."""
    p = memory.proximity
    near = np.empty(bound.shape, dtype=np.bool_)
    not_clear(p.told, p.distance, bound, p.swept, memory.limits, fresh_frame, near)
    return near


def _unsettled(memory: Memory, near: npt.NDArray[np.bool_]) -> list[Pair]:
    """The pairs that are to be judged: in most frames few of them. A settled one is clear and stays so."""
    asked = near[memory.places].tolist()
    for pair in memory.unsettled:
        asked[pair.number] = True
    return list(itertools.compress(memory.pairs, asked))


def _judge(memory: Memory, pair: Pair, measured: float, bound: float, sd: float, swept: float, *, fresh_frame: bool) -> None:
    """One known distance; `swept` is the least on the way since the frame before, NaN where that was no less than now and then."""
    caution, danger = memory.limits[pair.structure].tolist()
    now = level_of(measured, bound, caution, danger)
    # What the limits say of the nearest that the part came since the frame before: a thrust between two frames is not missed.
    passed: Level = "CLEAR" if math.isnan(swept) else level_of(swept, swept - K_SD * sd, caution, danger)
    state = pair.state
    margin = fall_margin_mm(sd)
    fallen = level_of(measured - margin, bound - margin, caution, danger)
    before = state.level
    state.see(memory.now_ns, max(now, passed, key=rank), fallen, fresh_frame=fresh_frame)
    if rank(passed) > rank(now) and passed == state.level:
        pair.passed_mm = swept
    elif state.level in (now, "CLEAR") or state.level != before:
        pair.passed_mm = None


def was_near(memory: Memory, pair: Pair) -> bool:
    """Whether losing sight of this pair matters now: it was at CAUTION or more, or an unseen hand could have brought it there."""
    if rank(pair.state.level) >= rank("CAUTION"):
        return True
    known_ns = pair.last_good_ns
    if known_ns is None:
        return False
    elapsed_s = (memory.now_ns - known_ns) * 1e-9
    return pair.bound_mm <= float(memory.limits[pair.structure, 0]) + UNSEEN_SPEED_MM_S * elapsed_s


def limit_mm(memory: Memory, pair: Pair) -> float:
    return limit_of(pair.state.level or "CLEAR", *memory.limits[pair.structure].tolist())


def _age_acknowledgement(memory: Memory, pair: Pair, before: str | None) -> None:
    level = pair.state.level
    if level != before:
        pair.breaks_pause = level == "CONTACT" and memory.audio_paused_until_ns is not None
    if not pair.acked_by:
        return
    risen = rank(level) > rank(pair.acked_level)  # type: ignore[arg-type]
    cleared = level == "CLEAR" and pair.state.known
    expired = rank(level) >= rank("DANGER") and memory.now_ns - pair.acked_ns >= ACK_LIMIT_NS
    if risen or cleared or expired:
        pair.acked_by = pair.acked_level = ""
    else:
        # After a fall the acknowledgement goes down with the level: rising again is a new rise.
        pair.acked_level = level or ""


def _has_thin_wall(memory: Memory, structure: str) -> bool:
    """Whether the bone over a structure is alerted, which its mute covers too."""
    if memory.drilled is None:
        return False
    return any(w.since_ns is not None and memory.proximity.structures[w.structure].name == structure for w in memory.drilled.thin_walls)


def _age_mutes(memory: Memory) -> None:
    for structure, until in list(memory.muted.items()):
        pairs = [q for q in memory.pairs if memory.proximity.structures[q.structure].name == structure]
        # Ending a mute is the safe side: a pair that is not known to be near does not keep it alive.
        if all(rank(q.state.level) == 0 for q in pairs) and not _has_thin_wall(memory, structure):
            since = memory.mute_clear_since.get(structure)
            memory.mute_clear_since[structure] = memory.now_ns if since is None else since
        else:
            memory.mute_clear_since[structure] = None
        since = memory.mute_clear_since[structure]
        if memory.now_ns >= until or (since is not None and memory.now_ns - since >= MUTE_REARM_NS):
            del memory.muted[structure]
            del memory.mute_clear_since[structure]
