"""The error budget of a session: the fold's own covariances, taken down frame by frame while it is run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from navtwin.kernels.errorbar import ErrorSources
from navtwin.nouns import Event, Message, TrackerFrame
from navtwin.scene.error_budget import Budget, budget_of, camera_variance, focal_share, split
from navtwin.scene.model import Scene
from navtwin.twin.judge import K_SD, bounds_mm
from navtwin.twin.memory import Memory

Array = npt.NDArray[np.float64]
Step = Callable[[Scene, Memory, Event], Sequence[Message]]


@dataclass
class _Closest:
    """The frame in which an instrument came nearest to a structure."""

    distance_mm: float
    instrument: str
    tool: int
    point_mm: Array
    variances: dict[str, float]
    latency_mm: float
    sources: ErrorSources


@dataclass
class _Sums:
    """Of all frames in which the nearest part's distance to a structure was known."""

    frames: int = 0
    latency_mm: float = 0.0
    variances: dict[str, float] = field(default_factory=dict)


@dataclass
class BudgetNotes:
    """Takes the budget of every critical structure down, at each frame of the navigation phase, for the part that is nearest to it."""

    closest: dict[str, _Closest] = field(default_factory=dict)
    sums: dict[str, _Sums] = field(default_factory=dict)
    focal_share: float | None = None

    def watching(self, step: Step) -> Step:
        """The step of the fold, looked at after each frame; what it does and says stays as it is."""

        def watched(scene: Scene, memory: Memory, event: Event) -> Sequence[Message]:
            messages = step(scene, memory, event)
            if isinstance(event.body, TrackerFrame):
                self.take(scene, memory)
            return messages

        return watched

    def take(self, scene: Scene, memory: Memory) -> None:
        """One frame."""
        sources, p = memory.proximity.error_sources, memory.proximity
        if memory.phase != "navigation" or sources is None or not np.isfinite(p.distance).any():
            return
        self.focal_share = focal_share(memory.rig)
        found = split(p.on_axis, p.on_structure, p.tool_of_part, sources)
        if self.focal_share is not None:
            found["camera"] = _camera(p.on_axis, p.on_structure, self.focal_share, sources)
        latency = p.distance - K_SD * p.sd - bounds_mm(memory)
        for s, structure in enumerate(scene.structures):
            known = np.where(np.isfinite(p.sd[:, s]), p.distance[:, s], np.inf)
            part = int(np.argmin(np.nan_to_num(known, nan=np.inf)))
            if structure.role != "critical" or not np.isfinite(known[part]):
                continue
            variances = {name: float(values[part, s]) for name, values in found.items()}
            sums = self.sums.setdefault(structure.name, _Sums())
            sums.frames += 1
            sums.latency_mm += float(latency[part, s])
            sums.variances = {name: sums.variances.get(name, 0.0) + value for name, value in variances.items()}
            before = self.closest.get(structure.name)
            if before is None or known[part] < before.distance_mm:
                tool = int(p.tool_of_part[part])
                kept = ErrorSources(*(np.array(values) for values in sources))
                what = f"{p.tool_names[tool]} {p.part_names[part]}"
                self.closest[structure.name] = _Closest(
                    float(known[part]), what, tool, np.array(p.on_structure[part, s]), variances, float(latency[part, s]), kept
                )

    def budgets(self) -> tuple[Budget, ...]:
        """For each critical structure that was ever near enough to be known: at closest approach, and over the whole session (mean variances)."""
        rows: list[Budget] = []
        for name, near in self.closest.items():
            where = f"closest approach, {near.distance_mm:.1f} mm"
            rows.append(budget_of(name, where, near.instrument, near.point_mm, near.variances, near.latency_mm, K_SD))
            sums = self.sums[name]
            mean = {source: total / sums.frames for source, total in sums.variances.items()}
            where = f"whole session, {sums.frames} frames"
            rows.append(budget_of(name, where, "nearest part", None, mean, sums.latency_mm / sums.frames, K_SD))
        return tuple(rows)

    @property
    def nearest(self) -> tuple[ErrorSources, int] | None:
        """What was uncertain in the closest approach of all, and the number of the tool that came so near; None where nothing did."""
        if not self.closest:
            return None
        near = min(self.closest.values(), key=lambda c: c.distance_mm)
        return near.sources, near.tool


def _camera(on_axis: Array, on_structure: Array, share: float, sources: ErrorSources) -> Array:
    apart = on_axis - on_structure
    length = np.linalg.norm(apart, axis=2, keepdims=True)
    # Where no direction is defined, the camera's own is the one that it errs along.
    along = np.where(length > 0.0, apart / np.maximum(length, 1e-12), sources.R_ct_from_tracker[:, 2])
    return camera_variance(on_axis, along, share, sources)
