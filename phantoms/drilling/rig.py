"""The demonstration rig with a burr that cuts: a ball of 4 mm on a long slender neck, as it is used between ear canal and sinus."""

from __future__ import annotations

import msgspec

from navtwin.nouns import Cutter, Part, Rig
from phantoms.rig import demo_rig

#: Beside the case's own rig, where that one is another.
DRILLING_RIG_FILE = "rig-drilling.toml"
BURR_RADIUS_MM = 2.0
DRILL = "drill"


def drilling_rig() -> Rig:
    """Tracker, bodies and pointer are those of `demo_rig`."""
    parts = (
        Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=BURR_RADIUS_MM),
        Part(name="neck", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, -50.0), radius_mm=1.0),
        Part(name="handpiece", from_mm=(0.0, 0.0, -56.0), to_mm=(0.0, 0.0, -170.0), radius_mm=6.0),
    )
    cutter = Cutter(part="burr", profile="sphere", radius_mm=BURR_RADIUS_MM)
    rig = demo_rig()
    tools = tuple(msgspec.structs.replace(tool, part=parts, cutter=cutter) if tool.name == DRILL else tool for tool in rig.tool)
    return msgspec.structs.replace(rig, tool=tools)
