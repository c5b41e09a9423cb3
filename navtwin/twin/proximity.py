"""Every part of every instrument against every structure, once a frame, in compiled code over flat arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.kernels.errorbar import ErrorSources, approach, distance_sd, remember
from navtwin.kernels.frame import DEPTH_IS_BOUND, Frame, ask_near, measure_frame, new_frame
from navtwin.kernels.known import UNMEASURED, tell_known
from navtwin.kernels.tree import workspace
from navtwin.nouns import Rig, symmetric
from navtwin.scene.model import Scene
from navtwin.scene.surface import pack_forest
from navtwin.twin.drilled import rows_of

if TYPE_CHECKING:
    from navtwin.nouns import RegistrationResult
    from navtwin.twin.chain import Chain, ReferenceLink
    from navtwin.twin.memory import Memory

#: Approach speed is fitted over at least this long (DESIGN section 5): raw differences at 60 Hz are noise.
SPEED_WINDOW_S = 0.1
HISTORY = 128
#: What `measure_frame` finds, of which every pair has one.
_FOUND = ("distance", "swept", "swept_when", "on_structure", "on_axis", "flags")
_AXES, _ALL_AXES = np.eye(3), np.full((1, 3), True)
#: A way is followed where it comes nearer to a critical structure than its caution limit and this: more than any error bar that the gate accepts.
WATCH_MARGIN_MM = 10.0
#: A settled pair that is farther beyond its caution limit than this is measured once the warnings of the nearer ones have left: hardly ever does
#: an error bar or a speed take off so much, and where one does, the warning leaves in the same frame still.
PUT_OFF_MM = 20.0

Array = npt.NDArray[np.float64]


class Proximity:
    """Flat arrays of one session: P parts of all instruments by S structures. Written by `begin`, `finish` and `measure_rest`, read by the judge.

    Between the first two, bone is drilled: what never changes is measured before, and what was drilled as it is then. What is far is put off to the
    last; where bone can be drilled nothing is.

    Parameters
    ----------
    drilled : number of the structure that changes and is measured by `finish`; None where none does
    """

    def __init__(self, scene: Scene, rig: Rig, drilled: int | None = None) -> None:
        self.structures = scene.structures
        self.tool_names = tuple(t.name for t in rig.tool)
        parts = tuple(part for tool in rig.tool for part in tool.part)
        self.part_names = tuple(part.name for part in parts)
        self.tool_of_part = np.array([i for i, tool in enumerate(rig.tool) for _ in tool.part], dtype=np.int64)
        self.tool_name_of_part = tuple(tool.name for tool in rig.tool for _ in tool.part)
        tools, pairs = len(rig.tool), (len(parts), len(scene.structures))
        self._fixed = [n for n in range(len(scene.structures)) if n != drilled]
        self._drilled, self._drilled_revision = drilled, -1
        self._forest = pack_forest([scene.structures[n].surface for n in self._fixed])
        self._workspace = workspace()
        capsules = np.array([(*part.from_mm, *part.to_mm, part.radius_mm) for part in parts])
        self._frame = new_frame(capsules, len(self._fixed))
        # All pairs; where nothing is drilled these are the fixed ones' own arrays.
        self._all = self._frame if drilled is None else new_frame(capsules, len(scene.structures))
        self._live = None if drilled is None else _sharing_poses(new_frame(capsules, 1), self._frame)
        firsts = np.searchsorted(self.tool_of_part, np.arange(tools + 1)).tolist()
        self._parts_of_tool = [slice(first, past) for first, past in itertools.pairwise(firsts)]
        self._last_known: list[tuple[tuple[float, ...], int] | None] = [None] * tools
        self._way_ns = [(0, 0)] * tools
        self.distance, self.swept = self._all.distance, self._all.swept
        self.on_structure, self.on_axis = self._all.on_structure, self._all.on_axis
        self.sd = np.full(pairs, np.nan)
        self.speed = np.zeros(pairs)
        self.lag_s = np.zeros(pairs)
        self._times = np.zeros((*pairs, HISTORY))
        self._history = np.zeros((*pairs, HISTORY))
        self._count = np.zeros(pairs, dtype=np.int64)
        box = scene.volume
        self._T_ijk_from_ct = np.array(box.T_ijk_from_ct[:3])
        self._shape_ijk = np.array(box.shape_ijk, dtype=np.int64)
        self.told = np.full(pairs, UNMEASURED, dtype=np.uint8)
        self.put_off = np.full(pairs, False)
        self._critical = np.array([s.role == "critical" for s in scene.structures])
        self._structure_sd = np.array([s.sd_mm for s in scene.structures])
        self._axis_sd = np.array([t.axis_sd_rad for t in rig.tool])
        self._R_ct_from_marker = np.zeros((tools, 3, 3))
        self._body_origin = np.zeros((tools, 3))
        self._body_cov = np.zeros((tools, 6, 6))
        self._tip = np.zeros((tools, 3))
        self._tip_cov = np.zeros((tools, 3, 3))
        self._sources: ErrorSources | None = None
        self._place_sd = np.zeros((1, 3))

    def forget(self) -> None:
        """Nothing is known: no distance, no speed, nowhere that anything came from."""
        self.distance.fill(np.nan)
        self._last_known = [None] * len(self._last_known)
        self._count.fill(0)

    def begin(self, memory: Memory, chains: Sequence[Chain], link: ReferenceLink, t_capture_ns: int) -> None:
        """Distances of one frame to all that is never drilled but for what is put off; NaN where an instrument is unknown."""
        self._move(chains, t_capture_ns, int(memory.rig.tracker.max_age_ms * 1e6))
        np.copyto(self._frame.watch, np.where(self._critical, memory.limits[:, 0] + WATCH_MARGIN_MM, 0.0)[self._fixed])
        if self._drilled is None:
            self._put_off_far(memory)
        measure_frame(self._forest, self._frame, self._workspace)
        if self._drilled is not None:
            self._gather(self._frame, self._fixed)
        self._sources = None
        if memory.registration is not None and link.T_ct_from_ref is not None:
            self._sources = self._error_sources(memory, chains, link, memory.registration)

    def finish(self, memory: Memory, t_capture_ns: int) -> None:
        """Distances to the bone that is left, and of all pairs the error bars and approach speeds."""
        if self._live is not None and memory.drilled is not None:
            bone = memory.drilled.bone
            if bone.revision != self._drilled_revision:
                # A face that was found before may be another now.
                self._live.hints.fill(-1)
                self._drilled_revision = bone.revision
            measure_frame(bone.forest, self._live, self._workspace)
            self._gather(self._live, [memory.drilled.structure])
        self._judge_errors(t_capture_ns)

    def measure_rest(self, t_capture_ns: int) -> npt.NDArray[np.bool_]:
        """Measure what was put off. Returns which pairs that was, (P, S)."""
        rest = self.put_off.copy()
        if rest.any():
            np.copyto(self._frame.asked, rest)
            measure_frame(self._forest, self._frame, self._workspace)
            self._judge_errors(t_capture_ns)
            self.put_off.fill(False)
        return rest

    def _put_off_far(self, memory: Memory) -> None:
        """Ask of this frame first what may be near, and what is not settled; of structures without limits nothing waits for an answer."""
        asked = self._frame.asked
        ask_near(self._frame, np.where(self._critical, memory.limits[:, 0] + PUT_OFF_MM, -np.inf))
        for pair in memory.unsettled:
            asked[pair.part, pair.structure] = True
        np.logical_not(asked, out=self.put_off)

    def _judge_errors(self, t_capture_ns: int) -> None:
        """Error bars and approach speeds of the pairs that were just measured."""
        asked = self._all.asked
        if self._sources is not None:
            distance_sd(self.on_axis, self.on_structure, self.tool_of_part, self._sources, asked, self.sd)
        remember(self._times, self._history, self._count, t_capture_ns * 1e-9, asked, self.distance)
        approach(self._times, self._history, self._count, SPEED_WINDOW_S, asked, self.speed, self.lag_s)

    def _gather(self, frame: Frame, columns: list[int]) -> None:
        for name in _FOUND:
            getattr(self._all, name)[:, columns] = getattr(frame, name)

    @property
    def error_sources(self) -> ErrorSources | None:
        """What the error bars of the frame at hand are made of; None before a registration. Its arrays are those of the fold: copy what is kept."""
        return self._sources

    def place_sd_mm(self, tool: int) -> float:
        """One standard deviation of where a tool's tip is in ct, along the worst of the three axes, anatomy left out; NaN where unknown."""
        if self._sources is None:
            return math.nan
        tip = np.repeat(self._tip[tool][None, None], 3, axis=1)
        distance_sd(tip, tip + _AXES, np.array([tool]), self._sources._replace(structure_sd=np.zeros(3)), _ALL_AXES, self._place_sd)
        return float(self._place_sd.max())

    def tell_known(self) -> None:
        """Bring `told` up to date, (P, S): whether each distance is measured, and in the scan; what is put off is not, yet."""
        tell_known(self.on_axis, self.distance, self.sd, self._T_ijk_from_ct, self._shape_ijk, self.told)
        self.told[self.put_off] = UNMEASURED

    def depths_are_bounds(self) -> npt.NDArray[np.bool_]:
        """(P, S): whether a depth inside is at least what is shown."""
        bound: npt.NDArray[np.bool_] = self._all.flags & DEPTH_IS_BOUND != 0
        return bound

    def passings(self) -> list[tuple[int, int, float, int]]:
        """Part, structure, least clearance (mm) and when that was (ns), of every part that passed nearer than it was and is."""
        found = []
        for part, structure in np.argwhere(np.isfinite(self.swept)).tolist():
            begun_ns, ended_ns = self._way_ns[self.tool_of_part[part]]
            at_ns = begun_ns + int(float(self._all.swept_when[part, structure]) * (ended_ns - begun_ns))
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
                here = rows_of(chain.T_ct_from_tip)
                self._frame.now[parts] = here
                self._last_known[t] = (here, t_capture_ns)

    def _error_sources(self, memory: Memory, chains: Sequence[Chain], link: ReferenceLink, registration: RegistrationResult) -> ErrorSources:
        assert link.T_ct_from_ref is not None and link.T_ct_from_tracker is not None and link.covariance is not None
        for t, chain in enumerate(chains):
            if chain.T_ct_from_marker is None or chain.T_ct_from_tip is None or chain.covariance is None:
                continue
            self._R_ct_from_marker[t] = chain.T_ct_from_marker.rotation
            self._body_origin[t] = chain.T_ct_from_marker.t_mm
            self._tip[t] = chain.T_ct_from_tip.t_mm
            self._body_cov[t] = _matrix(chain.covariance, 6)
            self._tip_cov[t] = _matrix(memory.tips[chain.tool].covariance, 3)
        return ErrorSources(
            R_ct_from_tracker=np.array(link.T_ct_from_tracker.rotation),
            body_origin=self._body_origin,
            body_cov=self._body_cov,
            ref_origin=np.array(link.T_ct_from_ref.t_mm),
            ref_cov=_matrix(link.covariance, 6),
            R_ct_from_marker=self._R_ct_from_marker,
            tip=self._tip,
            tip_cov=self._tip_cov,
            axis_sd=self._axis_sd,
            registration_origin=np.array(registration.centroid_mm),
            registration_cov=_matrix(registration.covariance, 6),
            structure_sd=self._structure_sd,
        )


@lru_cache(maxsize=64)
def _matrix(upper: tuple[float, ...], n: int) -> Array:
    """`symmetric`, once for what a rig declares and every frame repeats. Not to be written to."""
    return symmetric(upper, n)


def _sharing_poses(frame: Frame, other: Frame) -> Frame:
    """The frame with the parts and poses of another one."""
    return frame._replace(parts=other.parts, now=other.now, earlier=other.earlier)
