"""Every part of every instrument against every structure, once a frame, in compiled code over flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.kernels.errorbar import ErrorSources, approach, distance_sd, remember
from navtwin.kernels.frame import DEPTH_IS_BOUND, measure_frame, new_frame
from navtwin.kernels.tree import workspace
from navtwin.nouns import Rig, symmetric
from navtwin.scene.model import Scene
from navtwin.scene.surface import pack_forest

if TYPE_CHECKING:
    from navtwin.nouns import RegistrationResult
    from navtwin.rigid import Rigid
    from navtwin.twin.chain import Chain, ReferenceLink
    from navtwin.twin.memory import Memory

#: Approach speed is fitted over at least this long (DESIGN section 5): raw differences at 60 Hz are noise.
SPEED_WINDOW_S = 0.1
HISTORY = 128
#: A way is followed where it comes nearer to a critical structure than its caution limit and this: more than any error bar that the gate accepts.
WATCH_MARGIN_MM = 10.0

Array = npt.NDArray[np.float64]


class Proximity:
    """Flat arrays of one session: P parts of all instruments by S structures. Written by `measure`, read by the judge."""

    def __init__(self, scene: Scene, rig: Rig) -> None:
        self.structures = scene.structures
        self.volume = scene.volume
        self.tool_names = tuple(t.name for t in rig.tool)
        parts = tuple(part for tool in rig.tool for part in tool.part)
        self.part_names = tuple(part.name for part in parts)
        self.tool_of_part = np.array([i for i, tool in enumerate(rig.tool) for _ in tool.part], dtype=np.int64)
        tools, pairs = len(rig.tool), (len(parts), len(scene.structures))
        self._forest = pack_forest([s.surface for s in scene.structures])
        self._workspace = workspace()
        self._frame = new_frame(np.array([(*part.from_mm, *part.to_mm, part.radius_mm) for part in parts]), len(scene.structures))
        self._parts_of_tool = [np.flatnonzero(self.tool_of_part == t) for t in range(tools)]
        self._last_known: list[tuple[tuple[float, ...], int] | None] = [None] * tools
        self._way_ns = [(0, 0)] * tools
        self.distance, self.swept = self._frame.distance, self._frame.swept
        self.on_structure, self.on_axis = self._frame.on_structure, self._frame.on_axis
        self.sd = np.full(pairs, np.nan)
        self.speed = np.zeros(pairs)
        self.lag_s = np.zeros(pairs)
        self._times = np.zeros((*pairs, HISTORY))
        self._history = np.zeros((*pairs, HISTORY))
        self._count = np.zeros(pairs, dtype=np.int64)
        self._structure_sd = np.array([s.sd_mm for s in scene.structures])
        self._axis_sd = np.array([t.axis_sd_rad for t in rig.tool])
        self._R_ct_from_marker = np.zeros((tools, 3, 3))
        self._body_origin = np.zeros((tools, 3))
        self._body_cov = np.zeros((tools, 6, 6))
        self._tip = np.zeros((tools, 3))
        self._tip_cov = np.zeros((tools, 3, 3))

    def forget(self) -> None:
        """Nothing is known: no distance, no speed, nowhere that anything came from."""
        self.distance.fill(np.nan)
        self._last_known = [None] * len(self._last_known)
        self._count.fill(0)

    def measure(self, memory: Memory, chains: Sequence[Chain], link: ReferenceLink, t_capture_ns: int) -> None:
        """Fill the public arrays for one frame; NaN where an instrument is unknown."""
        self._move(chains, t_capture_ns, int(memory.rig.tracker.max_age_ms * 1e6))
        for s, structure in enumerate(self.structures):
            self._frame.watch[s] = memory.limits[s][0] + WATCH_MARGIN_MM if structure.role == "critical" else 0.0
        measure_frame(self._forest, self._frame, self._workspace)
        if memory.registration is not None and link.T_ct_from_ref is not None:
            self._uncertainty(memory, chains, link, memory.registration)
        remember(self._times, self._history, self._count, t_capture_ns * 1e-9, self.distance)
        approach(self._times, self._history, self._count, SPEED_WINDOW_S, self.speed, self.lag_s)

    def depth_is_bound(self, part: int, structure: int) -> bool:
        return bool(self._frame.flags[part, structure] & DEPTH_IS_BOUND)

    def passings(self) -> list[tuple[int, int, float, int]]:
        """Part, structure, least clearance (mm) and when that was (ns), of every part that passed nearer than it was and is."""
        found = []
        for part, structure in np.argwhere(np.isfinite(self.swept)).tolist():
            begun_ns, ended_ns = self._way_ns[self.tool_of_part[part]]
            at_ns = begun_ns + int(float(self._frame.swept_when[part, structure]) * (ended_ns - begun_ns))
            found.append((part, structure, float(self.swept[part, structure]), at_ns))
        return found

    def _move(self, chains: Sequence[Chain], t_capture_ns: int, longest_way_ns: int) -> None:
        """Put every part's instrument where it is now, and remember where it was last known, unless that is too long ago to say how it came."""
        for t, chain in enumerate(chains):
            parts = self._parts_of_tool[t]
            came_from = self._last_known[t]
            if came_from is not None and t_capture_ns - came_from[1] <= longest_way_ns:
                self._frame.earlier[parts], self._way_ns[t] = came_from[0], (came_from[1], t_capture_ns)
            else:
                self._frame.earlier[parts] = np.nan
            self._frame.now[parts] = np.nan
            if chain.T_ct_from_tip is not None:
                here = _rows(chain.T_ct_from_tip)
                self._frame.now[parts] = here
                self._last_known[t] = (here, t_capture_ns)

    def _uncertainty(self, memory: Memory, chains: Sequence[Chain], link: ReferenceLink, registration: RegistrationResult) -> None:
        assert link.T_ct_from_ref is not None and link.T_ref_from_tracker is not None and link.covariance is not None
        for t, chain in enumerate(chains):
            if chain.T_ct_from_marker is None or chain.T_ct_from_tip is None or chain.covariance is None:
                continue
            self._R_ct_from_marker[t] = chain.T_ct_from_marker.rotation
            self._body_origin[t] = chain.T_ct_from_marker.t_mm
            self._tip[t] = chain.T_ct_from_tip.t_mm
            self._body_cov[t] = symmetric(chain.covariance, 6)
            self._tip_cov[t] = symmetric(memory.tips[chain.tool].covariance, 3)
        sources = ErrorSources(
            R_ct_from_tracker=np.array((link.T_ct_from_ref @ link.T_ref_from_tracker).rotation),
            body_origin=self._body_origin,
            body_cov=self._body_cov,
            ref_origin=np.array(link.T_ct_from_ref.t_mm),
            ref_cov=symmetric(link.covariance, 6),
            R_ct_from_marker=self._R_ct_from_marker,
            tip=self._tip,
            tip_cov=self._tip_cov,
            axis_sd=self._axis_sd,
            registration_origin=np.array(registration.centroid_mm),
            registration_cov=symmetric(registration.covariance, 6),
            structure_sd=self._structure_sd,
        )
        distance_sd(self.on_axis, self.on_structure, self.tool_of_part, sources, self.sd)


def _rows(T: Rigid) -> tuple[float, ...]:
    """Rotation and translation row by row, as `kernels.frame` reads a pose."""
    return tuple(value for row, t in zip(T.rotation, T.t_mm, strict=True) for value in (*row, t))
