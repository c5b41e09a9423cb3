"""Which code runs which row of the table."""

from __future__ import annotations

from collections.abc import Callable

from faults_parts import files, machine, matrices, network, one_level_off, patient, pictures, streams, window
from faults_parts.outcome import Outcome
from phantoms.faults.fault import Fault
from phantoms.faults.table import find

Runner = Callable[[Fault, int], Outcome]

RUNNERS: dict[str, Runner] = {
    **dict.fromkeys(
        (
            "occlusion", "reference-hidden", "planar-flip", "swapped-ids", "frozen-camera", "repeated-stamps", "backwards-stamps", "future-stamps",
            "drifting-stamps", "tracker-unplugged",
        ),
        streams.stream_fault,
    ),
    **dict.fromkeys(matrices.SPOILS, matrices.matrix_fault),
    "camera-frozen": pictures.camera_fault,
    "camera-unplugged": pictures.camera_fault,
    "sender-restarted": matrices.sender_restarted,
    **dict.fromkeys(network.TROUBLES, network.stays_right),
    **dict.fromkeys(files.SPOILS, files.case_fault),
    "log-truncated": files.log_fault,
    "log-flipped": files.log_fault,
    "reference-bumped": patient.reference_bumped,
    "verify-due": patient.verify_due,
    "level-off": one_level_off.level_off,
    "wrong-tool": patient.wrong_tool,
    "stale-calibration": patient.stale_calibration,
    "link-cut": network.link_cut,
    "wall-clock-jump": machine.wall_clock_jump,
    "core-killed": machine.core_killed,
    "cpu-starved": machine.cpu_starved,
    "disk-full": machine.disk_full,
    "gui-killed": window.gui_killed,
    "audio-gone": machine.audio_gone,
}  # fmt: skip


def run_one(name: str, seed: int) -> Outcome:
    """One run of one row. What breaks the run itself is told as its trouble: a row that could not be run has not passed."""
    fault = find(name)
    try:
        return RUNNERS[name](fault, seed)
    except Exception as error:  # noqa: BLE001 - reported as the outcome, by name
        words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return Outcome(fault=name, seed=seed, delay_ms=None, deadline_ms=fault.deadline_ms, trouble=words)
