"""The twin's source `ndi:DEVICE?BODY=TOOL&...`: an NDI tracker, talked to by a child process."""

from __future__ import annotations

import time
from typing import Any

from navtwin.errors import NavtwinError
from navtwin.nouns import Rig, Sighting, TrackerFrame, encode
from tracking.child_process import ChildEnded, ChildProcess
from tracking.ndi.address import NdiAddress, parse
from tracking.ndi.child import Start

#: How long a tracker may take to reset and to load its tools.
START_S = 60.0
#: How long it may take to stop tracking. A tracker that does not answer is left as it is.
CLOSE_S = 2.0


class NdiSource:
    """A live source of an NDI tracker's poses. A child that dies is replaced once, and that is told.

    Raises
    ------
    InputRefused : no such tracker, or tools that it does not take
    """

    live, setup_ns = True, 0

    def __init__(self, name: str, address: NdiAddress, latency_ns: int) -> None:
        self.name = name
        self.notes: tuple[str, ...] = ()
        self._address = address
        self._line = encode(Start(address, name, latency_ns))
        self._child = self._started()

    def read(self, timeout_s: float) -> TrackerFrame | None:
        """The next frame; None if none came in time."""
        try:
            return self._child.frame(timeout_s)
        except ChildEnded as ended:
            self._child.close()
            if self.notes:
                raise NavtwinError(f"{ended.problem}, for the second time", ended.remedy) from ended
            self.notes = (f"{ended.problem}; it was started again",)
            self._child = self._started()
            return self._lost(self.notes[0])

    def close(self) -> None:
        """End the child, and with it the tracker's session."""
        self._child.close(CLOSE_S)

    def _started(self) -> ChildProcess:
        child = ChildProcess("tracking.ndi.child", "NDI")
        try:
            child.start(self._line, START_S)
        except BaseException:
            child.close()
            raise
        return child

    def _lost(self, reason: str) -> TrackerFrame:
        now_ns = time.monotonic_ns()
        sightings = tuple(Sighting(body=tool.body, status="INVALID", reason=reason) for tool in self._address.tools)
        return TrackerFrame(source=self.name, number=0, t_capture_ns=now_ns, t_arrival_ns=now_ns, sightings=sightings, stamp="assumed")


def open_source(address: str, case: Any = None, rig: Rig | None = None) -> NdiSource:
    """The source `ndi:ADDRESS`. Raises InputRefused."""
    parsed = parse(address, rig)
    assert rig is not None
    return NdiSource(f"ndi:{parsed.device}", parsed, round(rig.tracker.latency_ms * 1e6))
