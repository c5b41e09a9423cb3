"""A Polaris behind a pseudo-terminal: enough of NDI's protocol to track with, and ways to misbehave. Shares nothing with the source."""

from __future__ import annotations

import math
import os
import pty
import select
import struct
import threading
import tty
from collections.abc import Callable
from dataclasses import dataclass, field

VALID, MISSING, DISABLED = 1, 2, 4


def crc16(data: bytes) -> int:
    """CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, reflected, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


@dataclass
class SimulatedTool:
    """What the tracker says of one tool."""

    state: int = VALID
    numbers: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 10.0, 20.0, -1500.0, 0.12)
    port_status: int = 0x31
    location: str = "00000000010100"
    rom: bytearray = field(default_factory=lambda: bytearray(1024))


class SimulatedPolaris:
    """Answers commands in a thread of its own. `tools` are by handle; `plugged` handles are there from the start."""

    def __init__(self, plugged: dict[int, SimulatedTool] | None = None, *, make: Callable[[], SimulatedTool] = SimulatedTool) -> None:
        self.tools = dict(plugged or {})
        self.enabled = set[int]()
        self.heard: list[str] = []
        self.frame = 0
        self.step = 1
        self.silent = self.garbled = False
        self.refuses: dict[str, str] = {}
        self._make, self._next = make, 0x0A
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _run(self) -> None:
        pending = b""
        while not self._stop.is_set():
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            pending += os.read(self._master, 4096)
            while b"\r" in pending:
                line, pending = pending.split(b"\r", 1)
                if not self.silent:
                    os.write(self._master, self._answer(line.decode("latin-1")))

    def _answer(self, line: str) -> bytes:
        name, colon, rest = line.partition(":")
        if colon:
            rest, crc = rest[:-4], rest[-4:]
            if int(crc, 16) != crc16(f"{name}:{rest}".encode()):
                return _text("ERROR04")
        self.heard.append(name)
        if name in self.refuses:
            return _text(self.refuses[name])
        return self._poses() if name == "BX" else _text(self._words(name, rest))

    def _words(self, name: str, rest: str) -> str:
        if name == "PHSR":
            listed = [h for h in self.tools if h not in self.enabled] if rest in ("00", "02") else []
            return f"{len(listed):02X}" + "".join(f"{h:02X}001" for h in listed)
        if name == "PHRQ":
            handle, self._next = self._next, self._next + 1
            self.tools[handle] = self._make()
            return f"{handle:02X}"
        if name == "PVWR":
            handle, address = int(rest[:2], 16), int(rest[2:6], 16)
            self.tools[handle].rom[address : address + 64] = bytes.fromhex(rest[6:])
        elif name == "PHINF":
            return self.tools[int(rest[:2], 16)].location
        elif name == "INIT":
            self.enabled.clear()
            self.tools = {handle: tool for handle, tool in self.tools.items() if handle < 0x0A}
        elif name == "PENA":
            self.enabled.add(int(rest[:2], 16))
        return "OKAY"

    def _poses(self) -> bytes:
        self.frame += self.step
        body = bytes((len(self.enabled),))
        for handle in sorted(self.enabled):
            tool = self.tools[handle]
            body += bytes((handle, tool.state))
            if tool.state == DISABLED:
                continue
            if tool.state == VALID:
                body += struct.pack("<8f", *tool.numbers)
            body += struct.pack("<II", tool.port_status, self.frame)
        body += struct.pack("<H", 0)  # the system's status
        head = struct.pack("<HH", 0xA5C4, len(body))
        reply = head + struct.pack("<H", crc16(head)) + body
        return reply + struct.pack("<H", crc16(reply) ^ (0x5555 if self.garbled else 0))


def _text(words: str) -> bytes:
    return f"{words}{crc16(words.encode()):04X}\r".encode()


def turned(angle_rad: float) -> tuple[float, ...]:
    """The numbers of a pose turned about z."""
    return (math.cos(angle_rad / 2), 0.0, 0.0, math.sin(angle_rad / 2), 1.0, 2.0, -3.0, 0.2)
