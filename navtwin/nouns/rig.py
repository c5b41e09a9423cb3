"""The rig: tracker, marker bodies and tools, as `rig.toml` states them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.nouns.base import Covariance3, Noun
from navtwin.nouns.tables import read_toml
from navtwin.rigid import Vec3

#: DESIGN section 4: beyond this the source is too slow to navigate.
HARD_MAX_AGE_MS = 250.0


class Tracker(Noun, frozen=True):
    """The tracker's measured timing. `output_delay_ms` is declared: from publish to the operator's eye or ear."""

    name: str
    rate_hz: float
    latency_ms: float
    output_delay_ms: float = 5.0
    max_age_ms: float = 100.0


class Body(Noun, frozen=True):
    """A marker body and the noise of its pose where the source does not state it: sd per axis."""

    name: str
    sd_mm: float
    sd_rad: float
    markers_mm: tuple[Vec3, ...] = ()


class Part(Noun, frozen=True):
    """A capsule of the tool in tip axes: origin at the tip (the burr's centre), -Z towards the marker. A burr has from == to."""

    name: str
    from_mm: Vec3
    to_mm: Vec3
    radius_mm: float


class Tool(Noun, frozen=True):
    """An instrument.

    Attributes
    ----------
    body : the marker body it carries
    axis_in_marker : unit vector, marker axes, from the handle out through the tip (the tip's +Z)
    axis_sd_rad : how well that axis is known
    tip_mm, tip_covariance : a stored pivot calibration; absent until one is accepted
    """

    name: str
    body: str
    axis_in_marker: Vec3
    axis_sd_rad: float
    part: tuple[Part, ...]
    tip_mm: Vec3 | None = None
    tip_covariance: Covariance3 | None = None


class Rig(Noun, frozen=True):
    """Everything that `rig.toml` states. `reference` names the patient's marker body."""

    reference: str
    tracker: Tracker
    body: tuple[Body, ...]
    tool: tuple[Tool, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        bodies = {b.name for b in self.body}
        if len(bodies) != len(self.body) or len({t.name for t in self.tool}) != len(self.tool):
            raise InputRefused("two bodies or two tools of the rig share a name", "give each its own")
        for name in (self.reference, *(t.body for t in self.tool)):
            if name not in bodies:
                raise InputRefused(f"the rig has no marker body '{name}'", f"declare it with [[body]]; known: {', '.join(sorted(bodies))}")
        for key, value in self._not_negative():
            if value < 0.0:
                raise InputRefused(f"{key} = {value:g} is negative", "correct it in rig.toml")
        for key in ("rate_hz", "max_age_ms"):
            if getattr(self.tracker, key) <= 0.0:
                raise InputRefused(f"tracker.{key} = {getattr(self.tracker, key):g} is not above 0", "correct it in rig.toml")
        if self.tracker.max_age_ms > HARD_MAX_AGE_MS:
            raise InputRefused(f"max_age_ms = {self.tracker.max_age_ms:g} is above {HARD_MAX_AGE_MS:g}", "a source that slow cannot be navigated by")
        for tool in self.tool:
            if abs(math.dist(tool.axis_in_marker, (0.0, 0.0, 0.0)) - 1.0) > 1e-6:
                raise InputRefused(f"axis_in_marker of '{tool.name}' is not a unit vector", "divide it by its length")
            if len({p.name for p in tool.part}) != len(tool.part):
                raise InputRefused(f"two parts of tool '{tool.name}' share a name", "give each its own: alerts are told apart by it")
            if not tool.part or any(p.radius_mm <= 0.0 for p in tool.part):
                raise InputRefused(f"tool '{tool.name}' has no part, or one without a positive radius_mm", "add [[tool.part]] capsules")

    def _not_negative(self) -> Iterator[tuple[str, float]]:
        """What would make the error bar too small, or the bound too large, if it were negative."""
        yield "tracker.latency_ms", self.tracker.latency_ms
        yield "tracker.output_delay_ms", self.tracker.output_delay_ms
        for body in self.body:
            yield f"sd_mm of body '{body.name}'", body.sd_mm
            yield f"sd_rad of body '{body.name}'", body.sd_rad
        for tool in self.tool:
            yield f"axis_sd_rad of tool '{tool.name}'", tool.axis_sd_rad
            if tool.tip_covariance is not None:
                yield f"a variance in tip_covariance of tool '{tool.name}'", min(tool.tip_covariance[i] for i in (0, 3, 5))


def read_rig(path: str | Path) -> Rig:
    """Read and check `rig.toml`. Unknown keys are refused, naming the nearest known one."""
    return read_toml(Path(path), Rig)
