"""The demonstration rig: an optical tracker, a patient reference, a pointer and a drill; and how far a real copy of it differs from its drawing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navtwin.nouns import Part, Rig, Tool, Tracker
from navtwin.rigid import Vec3
from phantoms.shapes import Array
from phantoms.tracker import MarkerNoise, declared_body

RIG_FILE = "rig.toml"
NOISE = MarkerNoise()

#: Marker positions, mm, each set about its own centroid: five each, well spread and unlike each other.
MARKERS: dict[str, tuple[Vec3, ...]] = {
    "ref": ((-36.0, -30.0, 4.0), (42.0, -34.0, -4.0), (38.0, 32.0, 6.0), (-44.0, 26.0, -6.0), (0.0, 6.0, 0.0)),
    "pointer": ((-30.0, -28.0, 3.0), (34.0, -32.0, -3.0), (30.0, 36.0, 4.0), (-40.0, 30.0, -4.0), (6.0, -6.0, 0.0)),
    "drill": ((-38.0, -36.0, -4.0), (30.0, -40.0, 4.0), (42.0, 30.0, -5.0), (-32.0, 38.0, 5.0), (-2.0, 8.0, 0.0)),
}
#: Tips as drawn, in marker axes, mm: the tool points along the marker's -Y, its markers face along +Z.
DRAWN_TIP: dict[str, Vec3] = {"pointer": (4.0, -140.0, -12.0), "drill": (-6.0, -165.0, -28.0)}
DRAWN_AXIS: Vec3 = (0.0, -1.0, 0.0)
FACING: Vec3 = (0.0, 0.0, 1.0)
TIP_MAKING_SD_MM = 0.4


def demo_rig() -> Rig:
    """The rig as its drawings have it; tips are not in it, for they are what a pivot calibration finds."""
    pointer = (
        Part(name="tip", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=0.5),
        Part(name="shaft", from_mm=(0.0, 0.0, -8.0), to_mm=(0.0, 0.0, -120.0), radius_mm=1.5),
    )
    drill = (
        Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.5),
        Part(name="neck", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, -50.0), radius_mm=1.2),
        # Its rounded front ends 6 mm before its axis does, at -50.
        Part(name="handpiece", from_mm=(0.0, 0.0, -56.0), to_mm=(0.0, 0.0, -170.0), radius_mm=6.0),
    )
    return Rig(
        reference="ref",
        tracker=Tracker(name="demo optical tracker", rate_hz=60.0, latency_ms=15.0, output_delay_ms=5.0, max_age_ms=100.0),
        body=tuple(declared_body(name, markers, NOISE) for name, markers in MARKERS.items()),
        tool=(
            Tool(name="pointer", body="pointer", axis_in_marker=DRAWN_AXIS, axis_sd_rad=0.002, part=pointer),
            Tool(name="drill", body="drill", axis_in_marker=DRAWN_AXIS, axis_sd_rad=0.002, part=drill),
        ),
    )


@dataclass(frozen=True)
class MadeTool:
    """A tool as it was really made: its tip (mm) and its unit axis, in marker axes."""

    tip_mm: Array
    axis: Array


def make_tools(rig: Rig, rng: np.random.Generator) -> dict[str, MadeTool]:
    """Tools as a workshop delivers them: tips off the drawing, axes off by what the rig admits (`axis_sd_rad` about each of two directions)."""
    made = {}
    for tool in rig.tool:
        if tool.name not in DRAWN_TIP:
            continue
        axis = np.array(tool.axis_in_marker)
        across = np.linalg.svd(axis[None, :])[2][1:]
        # Within two standard deviations: what is declared of a tool was measured on it.
        tilt = np.clip(rng.standard_normal(2), -2.0, 2.0) * tool.axis_sd_rad @ across
        made[tool.name] = MadeTool(
            tip_mm=np.array(DRAWN_TIP[tool.name]) + rng.normal(0.0, TIP_MAKING_SD_MM, 3),
            axis=(axis + tilt) / np.linalg.norm(axis + tilt),
        )
    return made


def write_rig(folder: Path, rig: Rig | None = None, file: str = RIG_FILE) -> Path:
    """Write a rig, the demonstration's if none is given, commented, as `rig.toml` into a case folder."""
    rig = demo_rig() if rig is None else rig
    lines = [
        "# The rig: tracker, marker bodies and tools. Lengths in mm, angles in rad.",
        f'reference = "{rig.reference}"  # the marker body on the patient',
        "",
        "[tracker]",
        f'name = "{rig.tracker.name}"',
        f"rate_hz = {rig.tracker.rate_hz}",
        f"latency_ms = {rig.tracker.latency_ms}  # exposure to arrival, measured",
        f"output_delay_ms = {rig.tracker.output_delay_ms}  # publishing to the operator's eye or ear, declared",
        f"max_age_ms = {rig.tracker.max_age_ms}  # a pose older than this is stale",
    ]
    for body in rig.body:
        lines += ["", "[[body]]", f'name = "{body.name}"']
        lines += [f"sd_mm = {body.sd_mm}  # of its pose, per axis; used where a frame does not state its own", f"sd_rad = {body.sd_rad}"]
        lines += ["markers_mm = [", *(f"    {list(m)}," for m in body.markers_mm), "]"]
    for tool in rig.tool:
        lines += ["", "[[tool]]", f'name = "{tool.name}"', f'body = "{tool.body}"']
        lines += [f"axis_in_marker = {list(tool.axis_in_marker)}  # from the handle out through the tip", f"axis_sd_rad = {tool.axis_sd_rad}"]
        lines += ["# Tip axes: origin at the tip (a burr's centre), -Z towards the marker. No tip_mm: pivot calibration finds it."]
        for part in tool.part:
            lines += ["[[tool.part]]", f'name = "{part.name}"', f"from_mm = {list(part.from_mm)}", f"to_mm = {list(part.to_mm)}"]
            lines += [f"radius_mm = {part.radius_mm}"]
        if tool.cutter is not None:
            lines += ["[tool.cutter]  # the part that takes bone away while the drill says that it turns", f'part = "{tool.cutter.part}"']
            lines += [f'profile = "{tool.cutter.profile}"', f"radius_mm = {tool.cutter.radius_mm}"]
    path, temporary = folder / file, folder / f".{file}.partial"
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path
