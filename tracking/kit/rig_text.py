"""The rig that the sheet's bodies make: `rig.toml`, commented."""

from __future__ import annotations

from collections.abc import Sequence

from tracking.kit.bodies import PrintedBody

#: Standard deviations of a printed body's pose until `calibrate markers` has measured the print.
PRINT_SD_MM, PRINT_SD_RAD = 0.3, 0.005
#: Tools: body and name, then parts (name, from, to, radius) in tip axes, mm.
TOOLS: dict[str, tuple[tuple[str, float, float, float], ...]] = {
    "pointer": (("tip", 0.0, 0.0, 0.5), ("shaft", -8.0, -120.0, 1.5)),
    # The handpiece's rounded front ends 6 mm before its axis does, at -50.
    "drill": (("burr", 0.0, 0.0, 1.5), ("neck", 0.0, -50.0, 1.2), ("handpiece", -56.0, -170.0, 6.0)),
}
REFERENCE, SPARE = "ref", "flat"

HEAD = f"""\
# The rig of a printed marker kit. Lengths in mm, angles in rad.
# Next: `navtwin calibrate camera ... --write` adds [[camera]]; `navtwin calibrate markers ... --write` measures each body as it was really made;
# `navtwin calibrate tool ... --write` finds each tool's tip.
reference = "{REFERENCE}"  # the marker body on the patient

[tracker]
name = "camera"
rate_hz = 30.0  # of the camera
latency_ms = 60.0  # exposure to arrival: typical of a USB webcam, until it is measured
output_delay_ms = 5.0  # publishing to the operator's eye or ear, declared
max_age_ms = 130.0  # a pose older than this is stale: the latency and two periods
"""


def rig_text(bodies: Sequence[PrintedBody]) -> str:
    """`rig.toml` with these bodies, the tools on them, and no camera. The spare board is in it as a comment."""
    parts = [HEAD]
    parts += [_body(body) if body.name != SPARE else _commented(body) for body in bodies]
    parts += [_tool(body.name) for body in bodies if body.name in TOOLS]
    return "\n".join(parts)


def _body(body: PrintedBody) -> str:
    lines = [
        "[[body]]",
        f'name = "{body.name}"  # {body.shape}, markers of {body.side_mm:.1f} mm',
        f"sd_mm = {PRINT_SD_MM}  # of its pose, per axis; used where a frame does not state its own",
        f"sd_rad = {PRINT_SD_RAD}",
        f'dictionary = "{body.dictionary}"',
    ]
    for face in body.faces:
        for number, corners in zip(face.ids, face.corners_mm, strict=True):
            corner_text = ", ".join(f"[{x:.4f}, {y:.4f}, {z:.4f}]" for x, y, z in corners + 0.0)
            lines += ["[[body.marker]]", f"id = {number}", f"corners_mm = [{corner_text}]"]
    return "\n".join(lines) + "\n"


def _commented(body: PrintedBody) -> str:
    head = f"# The spare board. To use it, take the '# ' off these lines and name it as the body of a tool.\n{_body(body)}"
    return "\n".join(f"# {line}".rstrip() if n else line for n, line in enumerate(head.splitlines())) + "\n"


def _tool(name: str) -> str:
    lines = [
        "[[tool]]",
        f'name = "{name}"',
        f'body = "{name}"',
        "axis_in_marker = [0.0, -1.0, 0.0]  # from the handle out through the tip: as glued; how well is stated below",
        "axis_sd_rad = 0.02",
        "# Tip axes: origin at the tip (a burr's centre), -Z towards the marker. No tip_mm: pivot calibration finds it.",
    ]
    for part, begin, end, radius in TOOLS[name]:
        lines += ["[[tool.part]]", f'name = "{part}"', f"from_mm = [0.0, 0.0, {begin}]", f"to_mm = [0.0, 0.0, {end}]", f"radius_mm = {radius}"]
    return "\n".join(lines) + "\n"
