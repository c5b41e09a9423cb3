"""What a rig of ours is, in plain words: the door takes it as it takes the files of others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from navtwin.files.formats import Inspection
from navtwin.nouns import Body, RigCamera, Tool, read_rig

if TYPE_CHECKING:
    from navtwin.files.formats import Options

RIG = "navtwin rig"
_SIGNS: Final = (re.compile(rb"^\s*reference\s*=", re.MULTILINE), re.compile(rb"^\s*\[tracker\]|^\s*tracker\s*=", re.MULTILINE))


def looks_like_rig(head: bytes) -> bool:
    """Whether a text has the two things that every rig states."""
    return all(sign.search(head) for sign in _SIGNS)


def inspect_rig(path: Path, options: Options) -> Inspection:
    """Tracker, cameras, bodies and tools of a rig."""
    rig = read_rig(path)
    facts = (
        ("tracker", f"{rig.tracker.name}, {rig.tracker.rate_hz:g} Hz, latency {rig.tracker.latency_ms:g} ms"),
        ("axes", "tools and bodies in the axes of their own markers, mm; -Z of a tip towards the marker"),
        *((f"camera {camera.name}", _camera(camera)) for camera in rig.camera),
        *((f"body {body.name}", _body(body) + (", the reference" if body.name == rig.reference else "")) for body in rig.body),
        *((f"tool {tool.name}", _tool(tool)) for tool in rig.tool),
    )
    unsure = [tool.name for tool in rig.tool if tool.tip_mm is not None and tool.tip_covariance is None]
    doubts = (f"The tip of {', '.join(unsure)} has no stated uncertainty, so it is not navigated by.",) if unsure else ()
    return Inspection(RIG, facts, doubts)


def _camera(camera: RigCamera) -> str:
    return f"{camera.width_px} x {camera.height_px} px, {f'calibrated {camera.calibrated}' if camera.calibrated else 'date not stated'}"


def _body(body: Body) -> str:
    if body.marker:
        return f"{len(body.marker)} printed marker{'' if len(body.marker) == 1 else 's'} of {body.dictionary}"
    return f"{len(body.markers_mm)} spheres" if body.markers_mm else "markers not stated"


def _tool(tool: Tool) -> str:
    tip = "no tip yet" if tool.tip_mm is None else f"tip calibrated{f' {tool.calibrated}' if tool.calibrated else ', date not stated'}"
    return f"on {tool.body}, {tip}, {len(tool.part)} parts"
