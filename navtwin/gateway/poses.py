"""Tool poses as TRANSFORM messages that no receiver can take for valid when they are not.

A message `<tool>TipToRAS` takes points of the tool's own tip axes (mm, -Z towards the marker) to the patient's. OpenIGTLink has no flag for axes,
and 3D Slicer takes every transform as RAS: the patient's side is converted, the tool's axes are its own and are left alone, so
T_ras_from_tip = diag(-1, -1, 1, 1) T_ct_from_tip.

Where a pose is not known, `TransformValid` is 0 and the matrix puts the tool 100 m away. 3D Slicer shows what it gets without looking at the flag:
there an identity would stand in the middle of the patient, and the last pose would look like the present one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from navtwin.errors import InputRefused
from navtwin.igtl.header import DEVICE_BYTES
from navtwin.igtl.message import write_message
from navtwin.igtl.poses import Matrix, write_transform
from navtwin.nouns import DistanceStatus, InstrumentState, Pose

Space = Literal["RAS", "LPS"]
#: Where a tool is put whose pose is not known, mm along the first axis.
AWAY_MM: Final = 100_000.0
_AWAY: Final = Matrix(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (AWAY_MM, 0.0, 0.0))
#: PLUS's word for each of ours.
STATUS: Final[Mapping[DistanceStatus, str]] = {
    "OK": "OK",
    "STALE": "REQ_TIMEOUT",
    "HIDDEN": "OUT_OF_VIEW",
    "UNREGISTERED": "MISSING",
    "UNCALIBRATED": "MISSING",
    "OUT_OF_SCAN": "OUT_OF_VOLUME",
    "INVALID": "INVALID",
}


def device_names(tools: Iterable[str], space: Space) -> dict[str, tuple[str, str]]:
    """For each tool its device name, at most 20 ASCII characters and its own, and the full name.

    Raises
    ------
    InputRefused : more tools of one beginning than can be told apart
    """
    names = dict[str, tuple[str, str]]()
    taken = set[str]()
    for tool in tools:
        full = f"{tool}TipTo{space}"
        plain = "".join(c if c.isascii() and c.isprintable() else "_" for c in full)
        choices = [plain[:DEVICE_BYTES], *(f"{plain[: DEVICE_BYTES - 2]}~{n}" for n in range(2, 10))]
        device = next((choice for choice in choices if choice not in taken), None)
        if device is None:
            raise InputRefused(f"the name of tool '{tool}' cannot be told from nine others in 20 characters", "give the rig's tools shorter names")
        taken.add(device)
        names[tool] = (device, full)
    return names


def transform_message(names: tuple[str, str], state: InstrumentState, space: Space, stamp_ns: int, lost: str = "") -> bytes:
    """One tool's TRANSFORM.

    Parameters
    ----------
    names : device name and full name
    stamp_ns : UTC of the capture, ns
    lost : why nothing can be known now, whatever the state says; "" if it can
    """
    device, full = names
    known = state.pose is not None and state.status == "OK" and not lost
    metadata = {"TransformValid": "1" if known else "0", "TransformStatus": "OK" if known else "REQ_TIMEOUT" if lost else STATUS[state.status]}
    if not known:
        metadata["NavtwinStatus"] = lost or state.status
    if full != device:
        metadata["IGTL_DEVICE_NAME"] = full
    matrix = matrix_in(state.pose, space) if known and state.pose is not None else _AWAY
    return write_message("TRANSFORM", device, write_transform(matrix), stamp_ns, metadata=metadata)


def matrix_in(pose: Pose, space: Space) -> Matrix:
    """T_ct_from_tip with the patient's side in `space`."""
    rigid = pose.rigid(target="ct", source="tip")
    if space == "LPS":
        return Matrix(rigid.rotation, rigid.t_mm)
    (a, b, c), (d, e, f), last = rigid.rotation
    x, y, z = rigid.t_mm
    return Matrix(((-a, -b, -c), (-d, -e, -f), last), (-x, -y, z))
