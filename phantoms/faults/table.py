"""The table of faults: every row is injected into a live session by `navtwin bench faults`."""

from __future__ import annotations

from collections.abc import Iterable

from navtwin.errors import InputRefused, nearest
from phantoms.faults.fault import Fault
from phantoms.faults.outside_faults import MACHINE_FAULTS, NETWORK_FAULTS
from phantoms.faults.patient_faults import FILE_FAULTS, PATIENT_FAULTS
from phantoms.faults.tracker_faults import TRACKER_FAULTS

FAULTS: tuple[Fault, ...] = (*TRACKER_FAULTS, *PATIENT_FAULTS, *FILE_FAULTS, *NETWORK_FAULTS, *MACHINE_FAULTS)


def find(name: str) -> Fault:
    """The row of this name; InputRefused names the nearest one otherwise."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise InputRefused(f"there is no fault '{name}'", nearest(name, (f.name for f in FAULTS)))


def choose(names: Iterable[str]) -> tuple[Fault, ...]:
    """The rows of these names in the table's order; all of them where none is named."""
    wanted = {find(name).name for name in names}
    return tuple(f for f in FAULTS if not wanted or f.name in wanted)
