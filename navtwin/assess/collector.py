"""Touches taken by the twin's own fold: its pose chain, its dwell, its refusals. What is assessed is what navigates."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navtwin import __version__
from navtwin.assess.artefact import Artefact
from navtwin.errors import InputRefused
from navtwin.nouns import (
    Accept,
    Collect,
    Command,
    Event,
    EventBody,
    Header,
    Order,
    PivotRequest,
    Reply,
    Rig,
    Tick,
    TrackerFrame,
    WorkFailed,
)
from navtwin.nouns.base import Covariance3
from navtwin.register.worker import answer
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.model import DEFAULT_CORRELATION_MM, Landmark, Patient, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.twin import new_memory, step
from navtwin.twin.chain import reference_link, tip_in_ref
from navtwin.twin.memory import TouchedLandmark
from navtwin.volumes.volume import VolumeBox

WHO = "assess"
#: No tissue is watched, so nothing is out of the scan.
_EVERYWHERE = VolumeBox(((0.0, 0.0, 0.0, 0.0),) * 3 + ((0.0, 0.0, 0.0, 1.0),), (1, 1, 1))


#: Faces of a box whose corners count up in binary, x fastest, outwards.
_BOX = ((0, 2, 1), (1, 2, 3), (4, 5, 6), (5, 7, 6), (0, 1, 4), (1, 5, 4), (2, 6, 3), (3, 6, 7), (0, 4, 2), (2, 4, 6), (1, 3, 5), (3, 7, 5))


def scene_of(artefact: Artefact, reference: str) -> Scene:
    """The artefact as a case: its points are the landmarks, and all there is to see is a box about them, which nothing warns of."""
    points = artefact.positions_mm()
    low, high = points.min(axis=0) - 1.0, points.max(axis=0) + 1.0
    corners = np.array([[(low, high)[n >> axis & 1][axis] for axis in range(3)] for n in range(8)])
    box = Structure(
        "artefact", "context", reference, Surface.from_arrays(corners, np.array(_BOX)), None, None, sd_mm=0.0,
        correlation_mm=DEFAULT_CORRELATION_MM, color="#9aa5ae", opacity=1.0, capped=False,
    )  # fmt: skip
    landmarks = tuple(Landmark(p.name, p.position_mm) for p in artefact.point)
    return Scene(artefact.name, (box,), landmarks, (), Patient(), _EVERYWHERE, Path(), Path(), case_hash="")


class Collector:
    """A fold that is asked for one touch after another.

    Attributes
    ----------
    tool : the pointer
    refusal : why the last touch was not taken, "" where it was
    """

    def __init__(self, rig: Rig, artefact: Artefact, tool: str) -> None:
        self.tool, self.refusal = tool, ""
        self._scene, self._rig = scene_of(artefact, rig.reference), rig
        header = Header(
            session=f"assess/{artefact.name}", version=__version__, utc_anchor_ns=0, monotonic_anchor_ns=0, case_path="", rig_path="",
            case_hash="", rig_hash="", code_hash="", source="", speed=1.0, python="", machine="",
        )  # fmt: skip
        self._memory = new_memory(self._scene, rig, header)
        self._seq = 0
        self._now_ns = 0
        self._asked = ""

    @property
    def calibrated(self) -> bool:
        """Whether the pointer's tip is known."""
        return self.tool in self._memory.tips

    @property
    def tip(self) -> tuple[Vec3, Covariance3]:
        """The pointer's tip in marker axes, mm, and its covariance, as the pivot found them or the rig states them."""
        tip = self._memory.tips[self.tool]
        return tip.T_marker_from_tip.t_mm, tip.covariance  # type: ignore[return-value]

    @property
    def asking(self) -> bool:
        """Whether a touch is being waited for."""
        return self._memory.collection is not None

    @property
    def progress(self) -> float:
        """0 to 1 of the dwell that is being waited for."""
        collection = self._memory.collection
        return collection.dwell.progress if collection is not None and collection.dwell is not None else 0.0

    @property
    def trouble(self) -> str:
        """What keeps the dwell from completing, in the fold's words."""
        return self._memory.setup_message if self.asking else ""

    @property
    def T_ref_from_tip(self) -> Rigid | None:
        """Where the tip is in the newest frame; None where the pointer or the reference is not seen."""
        return tip_in_ref(self._memory, self._memory.frame, self.tool) if self._memory.frame is not None else None

    @property
    def T_tracker_from_ref(self) -> Rigid | None:
        """Where the reference is in the newest frame."""
        return reference_link(self._memory, self._memory.frame).T_tracker_from_ref if self._memory.frame is not None else None

    def ask(self, point: str, dwell_s: float) -> None:
        """Wait for a point to be touched."""
        self._asked, self.refusal = point, ""
        self._order(Collect(what="landmark", tool=self.tool, action="start", landmark=point, dwell_s=dwell_s))

    def cancel(self) -> None:
        """Wait for nothing."""
        if self.asking:
            self._order(Collect(what="landmark", tool=self.tool, action="cancel"))

    def see(self, frame: TrackerFrame) -> TouchedLandmark | None:
        """Take a frame; the touch that it completes, if it does."""
        self._now_ns = max(self._now_ns, frame.t_arrival_ns)
        return self._heard(frame)

    def wait(self, now_ns: int) -> TouchedLandmark | None:
        """Let time pass without a frame."""
        self._now_ns = max(self._now_ns, now_ns)
        return self._heard(Tick())

    def pivot(self, frames: list[TrackerFrame]) -> None:
        """Calibrate the pointer's tip from frames in which it was pivoted.

        Raises
        ------
        InputRefused : the gate refuses the calibration
        """
        self._order(Collect(what="pivot", tool=self.tool, action="start"))
        for frame in frames:
            self.see(frame)
        for request in self._order(Collect(what="pivot", tool=self.tool, action="stop")):
            result = answer(request, self._scene)
            if isinstance(result, WorkFailed) or not getattr(result, "accepted", False):
                reasons = result.reason if isinstance(result, WorkFailed) else "; ".join(result.reasons)
                raise InputRefused(f"the pivot of '{self.tool}' was refused: {reasons}", "pivot it again, farther to all sides")
            self._step(result)
            self._order(Accept(result=f"pivot/{self.tool}"))

    def _heard(self, body: TrackerFrame | Tick) -> TouchedLandmark | None:
        waited, before = self.asking, self._memory.touched.get(self._asked)
        self._step(body)
        if not waited or self.asking:
            return None
        touched = self._memory.touched.get(self._asked)
        self.refusal = self._memory.setup_message if touched is before else ""
        return None if touched is before else touched

    def _order(self, order: Order) -> list[PivotRequest]:
        requests = list[PivotRequest]()
        for message in self._step(Command(who=WHO, id=str(self._seq), order=order)):
            if isinstance(message, Reply) and not message.ok:
                raise InputRefused(message.reason, "see to it and go on")
            if isinstance(message, PivotRequest):
                requests.append(message)
        return requests

    def _step(self, body: EventBody) -> list[object]:
        self._seq += 1
        return [message.body for message in step(self._scene, self._memory, Event(seq=self._seq, t_ns=self._now_ns, body=body))]
