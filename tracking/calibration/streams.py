"""Pose streams of bodies, gathered frame by frame from any source, and two of them brought to the same instants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import Collect, Command, SourceItem, TrackerFrame

Array = npt.NDArray[np.float64]

#: A pose is interpolated only between neighbours closer than this.
WIDEST_GAP_NS = 150_000_000


@dataclass(frozen=True, eq=False)
class PoseStream:
    """A body where it was seen.

    Attributes
    ----------
    t_ns : (N,) times of capture, ascending
    poses : (N, 4, 4) T_tracker_from_marker, mm
    covariances : (N, 6, 6) of the poses, in tracker axes about the body's origin; None where the source does not state one of each
    """

    body: str
    t_ns: npt.NDArray[np.int64]
    poses: Array
    covariances: Array | None = None

    def __len__(self) -> int:
        return len(self.t_ns)


@dataclass
class _Gathering:
    t_ns: list[int] = field(default_factory=list)
    poses: list[Array] = field(default_factory=list)
    covariances: list[tuple[float, ...] | None] = field(default_factory=list)
    ordered: list[bool] = field(default_factory=list)
    hidden_in_a_row: int = 0
    hidden: int = 0
    reason: str = ""


class Gathered:
    """What a source's frames have shown of some bodies so far.

    Parameters
    ----------
    bodies : names
    tool : the tool whose pivots, as ordered by commands in the stream, are told apart from the rest
    from_s, to_s : leave out what lies outside, counted from the first frame
    """

    def __init__(self, bodies: Iterable[str], tool: str = "", from_s: float = 0.0, to_s: float = float("inf")) -> None:
        self.frames = 0
        self.others = set[str]()
        self._bodies = {body: _Gathering() for body in bodies}
        self._tool, self._from_s, self._to_s = tool, from_s, to_s
        self._first_ns = self._last_ns = 0
        self._in_order = False

    @property
    def seconds(self) -> float:
        """From the first frame to the last, by their capture."""
        return (self._last_ns - self._first_ns) / 1e9

    def take(self, item: SourceItem) -> None:
        """Take in what a source handed over: frames, and orders to collect."""
        if isinstance(item, Command) and isinstance(item.order, Collect):
            order = item.order
            self._in_order = order.action == "start" and order.what == "pivot" and order.tool == self._tool
        elif isinstance(item, TrackerFrame):
            self._take_frame(item)

    def _take_frame(self, frame: TrackerFrame) -> None:
        self._first_ns = frame.t_capture_ns if not self.frames else self._first_ns
        self._last_ns = frame.t_capture_ns
        self.frames += 1
        if not self._from_s <= self.seconds <= self._to_s:
            return
        seen = {s.body: s for s in frame.sightings}
        self.others |= {body for body, s in seen.items() if s.pose is not None}
        for body, kept in self._bodies.items():
            sighting = seen.get(body)
            if sighting is None or sighting.pose is None:
                # A frame that does not speak of a body at all is of a tracker that sends them one by one.
                kept.hidden_in_a_row += sighting is not None
                kept.hidden += sighting is not None
                kept.reason = sighting.reason if sighting is not None else kept.reason
                continue
            kept.hidden_in_a_row = 0
            if kept.t_ns and frame.t_capture_ns <= kept.t_ns[-1]:
                continue
            kept.t_ns.append(frame.t_capture_ns)
            kept.poses.append(sighting.pose.rigid(target="tracker", source=f"marker/{body}").matrix())
            kept.covariances.append(sighting.covariance)
            kept.ordered.append(self._in_order)

    def forget(self) -> None:
        """Begin anew; counts of frames go on."""
        for body in self._bodies:
            self._bodies[body] = _Gathering()

    def count(self) -> int:
        """Poses of the body that has fewest."""
        return min(len(kept.t_ns) for kept in self._bodies.values())

    def hidden(self) -> tuple[str, int, str]:
        """The body that has been hidden longest without a break: its name, for how many frames, and why."""
        body, kept = max(self._bodies.items(), key=lambda entry: entry[1].hidden_in_a_row)
        return body, kept.hidden_in_a_row, kept.reason

    def hidden_frames(self, body: str) -> int:
        """In how many frames a body was hidden."""
        return self._bodies[body].hidden

    def stream(self, body: str, *, ordered_only: bool = False) -> PoseStream:
        """The poses of a body; if asked, only those that an order to collect a pivot of the tool covers."""
        kept = self._bodies[body]
        chosen = np.array(kept.ordered, dtype=np.bool_) if ordered_only else np.ones(len(kept.t_ns), dtype=np.bool_)
        stated = [c for c, taken in zip(kept.covariances, chosen, strict=True) if taken and c is not None]
        return PoseStream(
            body,
            np.array(kept.t_ns, dtype=np.int64)[chosen],
            np.array(kept.poses, dtype=np.float64).reshape(-1, 4, 4)[chosen],
            _full(np.array(stated)) if stated and len(stated) == chosen.sum() else None,
        )

    def seen_stream(self, body: str) -> PoseStream:
        """As `stream`; raises InputRefused where the body was never seen, with those that were."""
        found = self.stream(body)
        if len(found):
            return found
        why = f" ({self._bodies[body].reason})" if self._bodies[body].reason else ""
        raise InputRefused(f"'{body}' was never seen in that time{why}", f"seen: {', '.join(sorted(self.others)) or 'nothing'}")


def _full(upper: Array) -> Array:
    """(N, 6, 6) symmetric from (N, 21) upper triangles, row by row."""
    found = np.zeros((len(upper), 6, 6))
    rows, columns = np.triu_indices(6)
    found[:, rows, columns] = found[:, columns, rows] = upper
    return found


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
