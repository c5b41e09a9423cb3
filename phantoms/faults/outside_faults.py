"""Rows of the table: what the network, the machine and the other processes can do."""

from __future__ import annotations

from phantoms.faults.fault import Fault, Signal
from phantoms.faults.limits import LINK_MS, SEEN_MS, WHY_LINK, WHY_RIGHT, WHY_SEEN

_RIGHT = Signal("right")
_SILENCE_MS = 250.0

NETWORK_FAULTS = (
    Fault(
        "subscriber-slow",
        "network",
        "A subscriber stops reading.",
        "the core's sockets",
        _RIGHT,
        _SILENCE_MS,
        WHY_RIGHT,
        "the slow one loses messages, alone",
        lasts_s=2.0,
    ),
    Fault(
        "subscriber-gone",
        "network",
        "A subscriber's process is killed.",
        "the core's sockets",
        _RIGHT,
        _SILENCE_MS,
        WHY_RIGHT,
        "nobody else sees anything",
        lasts_s=1.5,
    ),
    Fault(
        "subscriber-flooding",
        "network",
        "A client floods the core with commands and with rubbish.",
        "the core's sockets",
        _RIGHT,
        _SILENCE_MS,
        WHY_RIGHT,
        "rubbish is answered with why and dropped; an order of the operator is obeyed meanwhile",
        lasts_s=1.5,
    ),
    Fault(
        "link-cut",
        "network",
        "The line between core and operator goes dead without closing.",
        "a TCP relay between core and operator",
        Signal("link lost"),
        LINK_MS,
        WHY_LINK,
        "LINK LOST until the line is back; then the present state, without being asked",
        lasts_s=1.2,
    ),
)

MACHINE_FAULTS = (
    Fault(
        "wall-clock-jump",
        "machine",
        "The core's wall clock jumps by up to a day.",
        "the core's process",
        _RIGHT,
        _SILENCE_MS,
        WHY_RIGHT,
        "nothing is ordered by the wall clock",
        lasts_s=1.5,
    ),
    Fault(
        "operator-clock",
        "machine",
        "The operator's clocks are off by an hour.",
        "the operator's process",
        _RIGHT,
        _SILENCE_MS,
        WHY_RIGHT,
        "freshness is judged by the receiver's own clock alone; an acknowledgement is taken",
        lasts_s=1.5,
    ),
    Fault(
        "disk-full",
        "machine",
        "The disk is full (the system answers ENOSPC).",
        "the log's file",
        Signal("alarm", ("DISK_FULL",)),
        1000.0 + SEEN_MS,
        f"the log is written every second at the latest; then {WHY_SEEN}",
        "warnings go on unrecorded; what was written stays, to be recovered",
    ),
    Fault(
        "core-killed",
        "machine",
        "The core is killed (SIGKILL).",
        "the core's process",
        Signal("link lost"),
        LINK_MS,
        WHY_LINK,
        "LINK LOST until another core runs; the log is recovered to within a second and verifies",
    ),
    Fault(
        "gui-killed",
        "machine",
        "The window is killed (SIGKILL).",
        "the window's process, beside another operator",
        _RIGHT,
        _SILENCE_MS,
        WHY_RIGHT,
        "the core and the other operators go on",
        lasts_s=1.5,
    ),
    Fault(
        "audio-gone",
        "machine",
        "The window's loudspeaker goes away.",
        "the listener's sound device",
        Signal("alarm", ("AUDIO_MISSING",)),
        1500.0,
        "the sounder looks after its device every second; then the word to the core",
        "AUDIO_MISSING at every screen until it is heard again",
        lasts_s=3.0,
    ),
    Fault(
        "cpu-starved",
        "machine",
        "Busy processes take every processor from a core of low priority, which is stopped for half a second besides.",
        "the core's process",
        Signal("link lost"),
        LINK_MS + 100.0,
        f"{WHY_LINK}, and as much again for an operator that starves too",
        "LINK LOST while it stands; the present state when it runs",
        lasts_s=0.6,
    ),
)
