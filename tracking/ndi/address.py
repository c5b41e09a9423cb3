"""What follows `ndi:` on the command line: where the tracker is, and which tool of it is which body of the rig.

`ndi:/dev/ttyUSB0?reference=ref.rom&pointer=8700340.rom` (wireless tools, each with its definition file), `ndi:COM3?drill=port:2` (a tool that is
plugged into port 2), `ndi:192.168.2.17:8765?...` (a tracker on the network).
"""

from __future__ import annotations

import msgspec

from navtwin.errors import InputRefused, nearest
from navtwin.files.guard import read_bytes
from navtwin.nouns import Rig
from tracking.pictures.address import split_options

#: A tool definition file is 752 bytes; the tracker's memory for one holds 1024.
_ROM_BYTES = (752, 1024)
_EXAMPLE = "ndi:/dev/ttyUSB0?reference=REF.rom&pointer=POINTER.rom"


class NdiTool(msgspec.Struct, frozen=True):
    """A tool: a body of the rig, and either its definition file or the port that it is plugged into (`01` ...)."""

    body: str
    rom: str = ""
    port: str = ""


class NdiAddress(msgspec.Struct, frozen=True):
    """Where the tracker is (serial device, or host and TCP port), and its tools."""

    device: str
    tcp_port: int | None
    tools: tuple[NdiTool, ...]


def parse(address: str, rig: Rig | None) -> NdiAddress:
    """Take an address apart, and check the definition files that it names.

    Raises
    ------
    InputRefused : no rig, no device, no tool, a body that the rig does not have, or a file that is no tool definition
    """
    place, options = split_options(address)
    if rig is None:
        raise InputRefused("an NDI tracker needs a rig: it names the bodies and declares the latency", "pass --rig rig.toml")
    if not place:
        raise InputRefused("ndi: names no device", f"write {_EXAMPLE}")
    if not options:
        raise InputRefused(f"ndi:{place} names no tool", f"say which tool is which body: {_EXAMPLE}")
    bodies = {body.name for body in rig.body}
    for body in options:
        if body not in bodies:
            raise InputRefused(f"the rig has no body '{body}'", nearest(body, bodies))
    host, _, tcp = place.rpartition(":")
    networked = bool(host) and tcp.isdecimal() and not place.startswith("/")
    tools = tuple(_tool(body, value) for body, value in options.items())
    return NdiAddress(host, int(tcp), tools) if networked else NdiAddress(place, None, tools)


def _tool(body: str, value: str) -> NdiTool:
    kind, mark, port = value.partition(":")
    if kind == "port" and mark:
        if not port.isalnum() or len(port) > 2:
            raise InputRefused(f"'{value}' is no port of an NDI tracker", "write port:1 to port:12")
        return NdiTool(body, port=port.zfill(2).upper())
    from pathlib import Path

    data = read_bytes(Path(value), _ROM_BYTES[1])
    if len(data) not in _ROM_BYTES or not data.startswith(b"NDI"):
        raise InputRefused(f"{value} is no NDI tool definition", "name the .rom file of the tool, or port:N for one that is plugged in")
    return NdiTool(body, rom=value)
