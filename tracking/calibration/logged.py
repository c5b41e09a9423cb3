"""Pose streams of a body out of a log, and two of them brought to the same instants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]

#: A pose is interpolated only between neighbours closer than this.
WIDEST_GAP_NS = 150_000_000


@dataclass(frozen=True, eq=False)
class PoseStream:
    """(N,) times of capture, ns, ascending, and (N, 4, 4) T_tracker_from_marker of a body where it was seen."""

    body: str
    t_ns: npt.NDArray[np.int64]
    poses: Array


def pivot_poses(log: Path, tool: str, body: str, *, whole: bool) -> Array:
    """(N, 4, 4) poses of a tool's marker body while a pivot of it was being collected, or all of them."""
    from navtwin.nouns import Collect, Command, TrackerFrame
    from navtwin.record.read import inputs

    collecting, poses = whole, list[Array]()
    for event in inputs(log):
        if isinstance(event.body, Command) and isinstance(event.body.order, Collect) and not whole:
            order = event.body.order
            collecting = order.action == "start" and order.what == "pivot" and order.tool == tool
        elif isinstance(event.body, TrackerFrame) and collecting:
            seen = (s.pose for s in event.body.sightings if s.body == body and s.pose is not None)
            poses += [p.rigid(target="tracker", source=f"marker/{body}").matrix() for p in seen]
    return np.array(poses).reshape(-1, 4, 4)


def stream(log: Path, body: str, from_s: float = 0.0, to_s: float = float("inf")) -> PoseStream:
    """Every sighting of a body between two times, counted from the log's first frame.

    Raises
    ------
    InputRefused : the log never sees that body, with the bodies that it does see
    """
    from navtwin.nouns import TrackerFrame
    from navtwin.record.read import inputs

    begin, times, poses, others = None, list[int](), list[Array](), set[str]()
    for event in inputs(log):
        frame = event.body
        if not isinstance(frame, TrackerFrame):
            continue
        begin = frame.t_capture_ns if begin is None else begin
        for sighting in frame.sightings:
            if sighting.pose is None:
                continue
            others.add(sighting.body)
            if sighting.body == body and from_s <= (frame.t_capture_ns - begin) / 1e9 <= to_s and (not times or frame.t_capture_ns > times[-1]):
                times.append(frame.t_capture_ns)
                poses.append(sighting.pose.rigid(target="tracker", source=f"marker/{body}").matrix())
    if not times:
        raise InputRefused(f"{log.name} never sees '{body}' in that time", f"it sees: {', '.join(sorted(others)) or 'nothing'}")
    return PoseStream(body, np.array(times, dtype=np.int64), np.array(poses))


def paired(first: PoseStream, second: PoseStream, offset_ns: int = 0) -> tuple[Array, Array]:
    """Poses of both at the second one's instants: the first is interpolated there (slerp and straight lines), across no wide gap.

    Parameters
    ----------
    offset_ns : add to the second stream's times
    """
    from scipy.spatial.transform import Rotation, Slerp

    at = second.t_ns + offset_ns
    after = np.searchsorted(first.t_ns, at, side="left")
    inside = (at >= first.t_ns[0]) & (at <= first.t_ns[-1])
    high = np.clip(after, 0, len(first.t_ns) - 1)
    low = np.where(first.t_ns[high] == at, high, np.maximum(high - 1, 0))
    near = inside & (first.t_ns[high] - first.t_ns[low] <= WIDEST_GAP_NS)
    if near.sum() < 3:
        raise InputRefused(
            f"'{first.body}' and '{second.body}' are hardly ever seen at the same time", "record both at once, or give the time offset"
        )
    seconds, wanted = (first.t_ns - first.t_ns[0]) / 1e9, (at[near] - first.t_ns[0]) / 1e9
    poses = np.tile(np.eye(4), (int(near.sum()), 1, 1))
    if len(seconds) > 1:
        poses[:, :3, :3] = Slerp(seconds, Rotation.from_matrix(first.poses[:, :3, :3]))(wanted).as_matrix()
    poses[:, :3, 3] = np.column_stack([np.interp(wanted, seconds, first.poses[:, k, 3]) for k in range(3)])
    return poses, second.poses[near]
