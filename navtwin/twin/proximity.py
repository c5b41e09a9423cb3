"""Every part of every instrument against every structure, once a frame, in compiled code over flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.kernels.errorbar import ErrorSources, approach, distance_sd, remember
from navtwin.kernels.frame import DEPTH_IS_BOUND, frame_distances
from navtwin.kernels.tree import workspace
from navtwin.nouns import Rig
from navtwin.scene.model import Scene
from navtwin.scene.surface import pack_forest

if TYPE_CHECKING:
    from navtwin.nouns import RegistrationResult
    from navtwin.twin.chain import Chain, ReferenceLink
    from navtwin.twin.memory import Memory

#: Approach speed is fitted over at least this long (DESIGN section 5): raw differences at 60 Hz are noise.
SPEED_WINDOW_S = 0.1
HISTORY = 128

Array = npt.NDArray[np.float64]


class Proximity:
    """Flat arrays of one session: P parts of all instruments by S structures. Written by `measure`, read by the judge."""

    def __init__(self, scene: Scene, rig: Rig) -> None:
        self.structures = scene.structures
        self.volume = scene.volume
        self.tool_names = tuple(t.name for t in rig.tool)
        self.parts = tuple(part for tool in rig.tool for part in tool.part)
        self.part_names = tuple(part.name for part in self.parts)
        self.tool_of_part = np.array([i for i, tool in enumerate(rig.tool) for _ in tool.part], dtype=np.int64)
        tools, parts, structures = len(rig.tool), len(self.parts), len(scene.structures)
        self._forest = pack_forest([s.surface for s in scene.structures])
        self._workspace = workspace()
        self._capsules = np.full((parts, 7), np.nan)
        self._hints = np.full((parts, structures), -1, dtype=np.int32)
        self._faces = np.full((parts, structures), -1, dtype=np.int32)
        self._flags = np.zeros((parts, structures), dtype=np.uint8)
        self.distance = np.full((parts, structures), np.nan)
        self.on_structure = np.full((parts, structures, 3), np.nan)
        self.on_axis = np.full((parts, structures, 3), np.nan)
        self.sd = np.full((parts, structures), np.nan)
        self.speed = np.zeros((parts, structures))
        self.lag_s = np.zeros((parts, structures))
        self._times = np.zeros((parts, structures, HISTORY))
        self._history = np.zeros((parts, structures, HISTORY))
        self._count = np.zeros((parts, structures), dtype=np.int64)
        self._structure_sd = np.array([s.sd_mm for s in scene.structures])
        self._axis_sd = np.array([t.axis_sd_rad for t in rig.tool])
        self._R_ct_from_marker = np.zeros((tools, 3, 3))
        self._body_origin = np.zeros((tools, 3))
        self._body_cov = np.zeros((tools, 6, 6))
        self._tip = np.zeros((tools, 3))
        self._tip_cov = np.zeros((tools, 3, 3))

    def forget(self) -> None:
        """Nothing is known: no distance, no speed."""
        self.distance.fill(np.nan)
        self._count.fill(0)

    def measure(self, memory: Memory, chains: Sequence[Chain], link: ReferenceLink, t_capture_ns: int) -> None:
        """Fill `distance`, `on_structure`, `on_axis`, `sd`, `speed` and `lag_s` for one frame; NaN where an instrument is unknown."""
        for p, part in enumerate(self.parts):
            chain = chains[self.tool_of_part[p]]
            if chain.T_ct_from_tip is None:
                self._capsules[p] = np.nan
            else:
                self._capsules[p, 0:3] = chain.T_ct_from_tip.point(part.from_mm)
                self._capsules[p, 3:6] = chain.T_ct_from_tip.point(part.to_mm)
                self._capsules[p, 6] = part.radius_mm
        frame_distances(
            self._forest, self._capsules, self._hints, self.distance, self.on_structure, self.on_axis, self._faces, self._flags, self._workspace
        )
        if memory.registration is not None and link.T_ct_from_ref is not None:
            self._uncertainty(memory, chains, link, memory.registration)
        remember(self._times, self._history, self._count, t_capture_ns * 1e-9, self.distance)
        approach(self._times, self._history, self._count, SPEED_WINDOW_S, self.speed, self.lag_s)

    def depth_is_bound(self, part: int, structure: int) -> bool:
        return bool(self._flags[part, structure] & DEPTH_IS_BOUND)

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


_UPPER = {n: np.triu_indices(n) for n in (3, 6)}


def symmetric(upper: Sequence[float], n: int) -> Array:
    """The symmetric (n, n) matrix of an upper triangle given row by row."""
    matrix = np.zeros((n, n))
    rows, columns = _UPPER[n]
    matrix[rows, columns] = upper
    matrix[columns, rows] = upper
    return matrix
