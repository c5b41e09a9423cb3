"""The pose chain: T_ct_from_tip = T_ct_from_ref @ T_ref_from_tracker @ T_tracker_from_marker @ T_marker_from_tip.

Every link that is missing gives a status instead of a pose; nothing is carried over from an earlier frame.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from navtwin.nouns import Body, Covariance6, DistanceStatus, Pose, Rig, Sighting, TrackerFrame
from navtwin.rigid import Rigid
from navtwin.twin.memory import Memory


class Chain(msgspec.Struct, frozen=True):
    """One instrument in one frame: its status and, when OK, its poses and the covariances behind them."""

    tool: str
    status: DistanceStatus
    T_ct_from_tip: Rigid | None = None
    T_ct_from_marker: Rigid | None = None
    covariance: Covariance6 | None = None


class ReferenceLink(msgspec.Struct, frozen=True):
    """The patient's reference in one frame; into ct only once registered."""

    status: DistanceStatus
    T_tracker_from_ref: Rigid | None = None
    T_ct_from_ref: Rigid | None = None
    T_ct_from_tracker: Rigid | None = None
    covariance: Covariance6 | None = None


def sighting_of(frame: TrackerFrame, body: str) -> Sighting | None:
    for sighting in frame.sightings:
        if sighting.body == body:
            return sighting
    return None


def _status_of(sighting: Sighting | None) -> DistanceStatus:
    if sighting is None:
        return "HIDDEN"
    return "OK" if sighting.status == "OK" else "INVALID" if sighting.status == "INVALID" else "HIDDEN"


def declared_covariance(body: Body) -> Covariance6:
    """The rig's declared noise of a body's pose as a covariance: independent axes."""
    r, t, o = body.sd_rad * body.sd_rad, body.sd_mm * body.sd_mm, 0.0
    return (r, o, o, o, o, o, r, o, o, o, o, r, o, o, o, t, o, o, t, o, t)


def _covariance(rig: Rig, sighting: Sighting) -> Covariance6:
    if sighting.covariance is not None:
        return sighting.covariance
    return declared_covariance(next(b for b in rig.body if b.name == sighting.body))


def reference_link(memory: Memory, frame: TrackerFrame) -> ReferenceLink:
    """The reference's part of the chain, shared by all instruments."""
    rig = memory.rig
    sighting = sighting_of(frame, rig.reference)
    status = "STALE" if memory.repeats.is_frozen else _status_of(sighting)
    if status != "OK" or sighting is None or sighting.pose is None:
        return ReferenceLink(status)
    T_tracker_from_ref = sighting.pose.rigid(target="tracker", source="ref")
    covariance = _covariance(rig, sighting)
    if memory.registration is None:
        return ReferenceLink("UNREGISTERED", T_tracker_from_ref, covariance=covariance)
    T_ct_from_ref = _registered(memory.registration.pose)
    return ReferenceLink("OK", T_tracker_from_ref, T_ct_from_ref, T_ct_from_ref @ T_tracker_from_ref.inverse(), covariance)


@lru_cache(maxsize=8)
def _registered(pose: Pose) -> Rigid:
    """A registration's T_ct_from_ref, once for what stays while frames come and go."""
    return pose.rigid(target="ct", source="ref")


def instrument_chain(memory: Memory, frame: TrackerFrame, link: ReferenceLink, tool_index: int) -> Chain:
    """One instrument's chain. The first broken link, read from the patient outwards, names the status."""
    tool = memory.rig.tool[tool_index]
    sighting = sighting_of(frame, tool.body)
    tip = memory.tips.get(tool.name)
    status = _status_of(sighting)
    if link.status in ("HIDDEN", "INVALID", "STALE"):
        status = link.status
    elif status == "OK" and tip is None:
        status = "UNCALIBRATED"
    elif status == "OK" and link.status == "UNREGISTERED":
        status = "UNREGISTERED"
    if status != "OK" or sighting is None or sighting.pose is None or tip is None or link.T_ct_from_tracker is None:
        return Chain(tool.name, status)
    T_tracker_from_marker = sighting.pose.rigid(target="tracker", source=f"marker/{tool.body}")
    T_ct_from_marker = link.T_ct_from_tracker @ T_tracker_from_marker
    return Chain(tool.name, "OK", T_ct_from_marker @ tip.T_marker_from_tip, T_ct_from_marker, _covariance(memory.rig, sighting))


def tip_in_ref(memory: Memory, frame: TrackerFrame, tool_name: str) -> Rigid | None:
    """T_ref_from_tip for collecting landmarks, before any registration; None unless tool and reference are both seen."""
    tool = next(t for t in memory.rig.tool if t.name == tool_name)
    tip, seen, ref = memory.tips.get(tool_name), sighting_of(frame, tool.body), sighting_of(frame, memory.rig.reference)
    if tip is None or seen is None or seen.pose is None or ref is None or ref.pose is None:
        return None
    T_tracker_from_marker = seen.pose.rigid(target="tracker", source=f"marker/{tool.body}")
    return ref.pose.rigid(target="tracker", source="ref").inverse() @ T_tracker_from_marker @ tip.T_marker_from_tip
