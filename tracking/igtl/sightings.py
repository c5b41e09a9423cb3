"""From messages to sightings: whose pose, whether the sender vouches for it, and whether it is one at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast, get_args

from navtwin.igtl.message import Message
from navtwin.igtl.poses import read_position, read_qtdata, read_tdata, read_transform
from navtwin.nouns import Pose, Sighting, TrackerStatus
from tracking.igtl.names import Names
from tracking.igtl.rotation import NotAPose, pose_of_matrix, pose_of_quaternion

NOT_REPORTED: Final = "validity not reported by the sender"
#: Kinds of messages that hold poses.
POSES: Final = frozenset(("TRANSFORM", "POSITION", "TDATA", "QTDATA"))
_WORDS: Final = frozenset(get_args(TrackerStatus))


@dataclass(frozen=True, slots=True)
class Seen:
    """What one message says.

    Attributes
    ----------
    stamp_ns : the sender's time; 0 where it does not stamp
    sightings : by body
    whole : whether it is all that was seen at that instant (TDATA), so that a body it leaves out was out of view
    """

    stamp_ns: int
    sightings: dict[str, Sighting]
    whole: bool


def read_poses(message: Message, names: Names) -> Seen:
    """The sightings of a message that holds poses; empty where none is of a body of the rig.

    Raises
    ------
    InputRefused : a body of a length that its kind does not have
    """
    metadata, stamp_ns = message.metadata, message.header.stamp_ns
    if message.kind in ("TDATA", "QTDATA"):
        makers: list[tuple[str, int, Callable[[], Pose]]]
        if message.kind == "TDATA":
            makers = [(tool.name, tool.kind, lambda m=tool.matrix: pose_of_matrix(m)) for tool in read_tdata(message.content)]  # type: ignore[misc]
        else:
            makers = [(tool.name, tool.kind, lambda p=tool.pose: pose_of_quaternion(p)) for tool in read_qtdata(message.content)]  # type: ignore[misc]
        seen = dict[str, Sighting]()
        for name, kind, make in makers:
            full = names.full_tool_name(name, metadata)
            body = names.tool(full, metadata)
            if body is not None:
                fault = f"the sender gives it no full orientation (TDATA type {kind})" if kind in (3, 4) else ""
                fault = "it is in one message twice" if body in seen else fault
                seen[body] = _sighting(body, (metadata.get(f"{full}Status"), None), make, fault)
        return Seen(stamp_ns, seen, whole=True)
    body = names.body(message.device, metadata)
    if body is None:
        return Seen(stamp_ns, {}, whole=False)
    if message.kind == "TRANSFORM":
        matrix = read_transform(message.content)
        sighting = _sighting(body, _told(metadata), lambda: pose_of_matrix(matrix))
    else:
        position = read_position(message.content)
        sighting = _sighting(body, _told(metadata), lambda: pose_of_quaternion(position))
    return Seen(stamp_ns, {body: sighting}, whole=False)


def _told(metadata: Mapping[str, str]) -> tuple[str | None, str | None]:
    """(status word, validity) as the metadata give them. PLUS writes TransformStatus on a POSITION and reads Status: both are taken."""
    return metadata.get("TransformStatus", metadata.get("Status")), metadata.get("TransformValid")


def _sighting(body: str, told: tuple[str | None, str | None], make: Callable[[], Pose], fault: str = "") -> Sighting:
    status, reason = _verdict(*told)
    if status == "OK" and fault:
        status, reason = "INVALID", fault
    if status != "OK":
        return Sighting(body=body, status=status, reason=reason)
    try:
        return Sighting(body=body, status="OK", pose=make(), reason=reason)
    except NotAPose as refused:
        return Sighting(body=body, status="INVALID", reason=str(refused))


def _verdict(word: str | None, valid: str | None) -> tuple[TrackerStatus, str]:
    """What the sender says of a pose. Where its two statements differ, the worse one holds."""
    if word is None and valid is None:
        return "OK", NOT_REPORTED
    status = "OK" if word is None else word.strip().upper()
    if status not in _WORDS:
        return "UNKNOWN", f"status word '{_short(status)}'"
    if status == "OK" and valid is not None and valid.strip() != "1":
        if valid.strip() == "0":
            return "INVALID", "the sender says that it is not valid"
        return "UNKNOWN", f"TransformValid is '{_short(valid)}', neither 1 nor 0"
    return cast(TrackerStatus, status), ""


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:30])
