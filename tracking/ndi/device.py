"""An NDI tracker through ndicapi: connect, load the tools, ask for the newest poses. Runs in the child process only.

Commands: NDI Polaris / Aurora Application Program Interface Guide (COMM, INIT, PHSR, PHF, PHRQ, PVWR, PINIT, PENA, PHINF, TSTART, BX, TSTOP).
Poses are asked for with BX, whose numbers are 32-bit floats; TX prints quaternions to four digits only.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Sighting
from tracking.ndi.address import NdiAddress, NdiTool

#: BX reply options: transforms and status, and those that lie outside the volume too, so that they can be told from tools not seen.
_BX: Final = "BX:0801"
#: PHINF reply option: where a tool is plugged in; its characters 10 and 11 are the port.
_PORT_LOCATION: Final = "PHINF:%02X0020"
_OUT_OF_VOLUME, _PARTLY_OUT, _MOST_MM = 0x40, 0x80, 10_000.0
_QUATERNION_TOLERANCE = 1e-3


class NdiTrouble(Exception):
    """The tracker does not answer as it should; in words."""


class Answer(msgspec.Struct, frozen=True):
    """One answer of the tracker: its frame counter and a sighting of each tool."""

    number: int
    sightings: tuple[Sighting, ...]


def library() -> Any:
    """ndicapi's module.

    Raises
    ------
    InputRefused : it is not installed
    """
    try:
        import ndicapy
    except ImportError as error:
        raise InputRefused("NDI trackers need the library ndicapi", 'install it: pip install "navtwin[ndi]"') from error
    return ndicapy


class NdiDevice:
    """A connected tracker with its tools enabled and tracking started.

    Raises
    ------
    InputRefused : no such device, or a tool that the tracker does not take
    NdiTrouble : it does not answer
    """

    def __init__(self, address: NdiAddress) -> None:
        self._api = library()
        self._networked = address.tcp_port is not None
        self._device = self._api.ndiOpenNetwork(address.device, address.tcp_port) if self._networked else self._api.ndiOpen(address.device)
        if self._device is None:
            raise InputRefused(f"there is no NDI tracker at {_place(address)}, or it may not be opened", _ports(address))
        try:
            self._reset()
            self._handles = {tool.body: self._load(tool) for tool in address.tools}
            self._command("TSTART:", "starting to track")
        except BaseException:
            self.close()
            raise

    def poll(self) -> Answer:
        """The newest poses. Raises NdiTrouble."""
        try:
            # The library offers the binary reply as text as well, which it seldom is; it has been decoded before that.
            with suppress(UnicodeDecodeError):
                self._api.ndiCommand(self._device, _BX)
        except OSError as error:
            raise NdiTrouble(f"the NDI tracker does not answer: {error}") from error
        if self._api.ndiGetError(self._device) != self._api.NDI_OKAY:
            # The library would hand out the poses of the last good reply.
            raise NdiTrouble(f"the NDI tracker does not answer: {self._api.ndiErrorString(self._api.ndiGetError(self._device))}")
        sightings = tuple(self._sighting(body, bytes((handle,))) for body, handle in self._handles.items())
        return Answer(max(int(self._api.ndiGetBXFrame(self._device, bytes((h,)))) for h in self._handles.values()), sightings)

    def close(self) -> None:
        """Stop tracking and let go of the device."""
        with suppress(OSError):  # it is being left: what it says no longer matters
            self._api.ndiCommand(self._device, "TSTOP:")
        if self._networked:
            self._api.ndiCloseNetwork(self._device)
        else:
            self._api.ndiClose(self._device)

    def _reset(self) -> None:
        try:
            self._api.ndiCommand(self._device, "INIT:")
        except OSError:
            # It may still stand at another speed, where a session that was killed left it: a serial break brings it back.
            try:
                self._api.ndiRESET(self._device)
            except OSError as error:
                raise NdiTrouble(f"the NDI tracker does not answer: {error}") from error
            self._command("INIT:", "initialising")
        if not self._networked:
            self._command(f"COMM:{self._api.NDI_115200:d}{self._api.NDI_8N1:03d}{self._api.NDI_NOHANDSHAKE:d}", "setting the speed of the line")
        self._command("PHSR:01", "listing tools to free")
        for handle in self._listed():
            self._command(f"PHF:{handle:02X}", "freeing a tool")

    def _load(self, tool: NdiTool) -> int:
        handle = self._loaded(tool) if tool.rom else self._plugged(tool)
        self._command(f"PINIT:{handle:02X}", f"initialising '{tool.body}'")
        self._command(f"PENA:{handle:02X}D", f"enabling '{tool.body}'")
        return handle

    def _loaded(self, tool: NdiTool) -> int:
        self._command("PHRQ:*********1****", f"making room for '{tool.body}'")
        handle = int(self._api.ndiGetPHRQHandle(self._device))
        self._api.ndiPVWRFromFile(self._device, handle, tool.rom)
        if self._api.ndiGetError(self._device) != self._api.NDI_OKAY:
            why = self._api.ndiErrorString(self._api.ndiGetError(self._device))
            raise InputRefused(f"the NDI tracker does not take {Path(tool.rom).name} for '{tool.body}': {why}", "check the file")
        return handle

    def _plugged(self, tool: NdiTool) -> int:
        found = dict[str, int]()
        for kind in ("02", "00"):
            self._command(f"PHSR:{kind}", "listing tools")
            for handle in self._listed():
                location = str(self._command(_PORT_LOCATION % handle, "asking where a tool is"))
                found.setdefault(location[10:12], handle)
        if tool.port not in found:
            there = ", ".join(sorted(found)) or "none"
            raise InputRefused(f"nothing is plugged into port {tool.port} of the NDI tracker, where '{tool.body}' should be", f"occupied: {there}")
        return found[tool.port]

    def _listed(self) -> list[int]:
        return [int(self._api.ndiGetPHSRHandle(self._device, n)) for n in range(int(self._api.ndiGetPHSRNumberOfHandles(self._device)))]

    def _command(self, text: str, what: str) -> str:
        try:
            return str(self._api.ndiCommand(self._device, text))
        except OSError as error:
            raise NdiTrouble(f"the NDI tracker refuses {what}: {error}") from error

    def _sighting(self, body: str, handle: bytes) -> Sighting:
        told = self._api.ndiGetBXTransform(self._device, handle)
        status = int(self._api.ndiGetBXPortStatus(self._device, handle))
        if told == "DISABLED":
            return Sighting(body=body, status="MISSING", reason="the tracker says that the tool is not enabled")
        if status & _OUT_OF_VOLUME:
            return Sighting(body=body, status="OUT_OF_VOLUME", reason="outside the tracker's measurement volume")
        if told == "MISSING":
            return Sighting(body=body, status="OUT_OF_VIEW")
        return pose_of(body, told, partly_out=bool(status & _PARTLY_OUT))


def pose_of(body: str, numbers: tuple[float, ...], *, partly_out: bool) -> Sighting:
    """Q0 Qx Qy Qz Tx Ty Tz and the RMS error, as BX gives them, as a sighting; refused where they are no pose."""
    *q, x, y, z, rms_mm = numbers
    norm = math.hypot(*q)
    if not all(map(math.isfinite, numbers)) or abs(norm - 1.0) > _QUATERNION_TOLERANCE or max(map(abs, (x, y, z))) > _MOST_MM:
        return Sighting(body=body, status="INVALID", reason="the tracker sent numbers that are no pose")
    w, i, j, k = (v / norm for v in q)
    reason = "partly outside the tracker's measurement volume" if partly_out else ""
    return Sighting(body=body, status="OK", pose=Pose(q_wxyz=(w, i, j, k), t_mm=(x, y, z)), rms_mm=rms_mm, reason=reason)


def _place(address: NdiAddress) -> str:
    return address.device if address.tcp_port is None else f"{address.device}:{address.tcp_port}"


def _ports(address: NdiAddress) -> str:
    if address.tcp_port is not None:
        return "check the address, and that the tracker is switched on"
    here = sorted(str(path) for pattern in ("ttyUSB*", "ttyACM*", "ttyS[0-9]", "cu.usb*") for path in Path("/dev").glob(pattern))
    return f"serial ports here: {', '.join(here) if here else 'none'}; on Linux the user must be in the group dialout"
