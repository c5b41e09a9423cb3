"""Pictures of the drilled bone as data URIs, and the keys to their colours."""

from __future__ import annotations

import base64
import io
from typing import Final

from navtwin.errors import NavtwinError
from navtwin.scene import bone_views
from navtwin.scene.bone_views import AS_PLANNED, BANDS, BARE, CUT, DOUBTFUL, OFF_MM, OVER, UNDER, DrilledBone
from navtwin.scene.model import Scene
from navtwin.scene.palette import BANDS_MM


def _steps(words: str) -> list[str]:
    slight, middle, bad = OFF_MM
    return [f"{slight:g} to {middle:g} mm {words}", f"{middle:g} to {bad:g} mm", f"more than {bad:g} mm"]


#: (colour, what it says) of each band, in lines, by picture.
BAND_KEYS: Final[dict[str, list[list[tuple[str, str]]]]] = {
    "plan": [
        [(AS_PLANNED, f"as planned, within {OFF_MM[0]:g} mm")],
        list(zip(OVER, _steps("beyond the plan"), strict=True)),
        list(zip(UNDER, _steps("of planned bone still there"), strict=True)),
    ],
    "thickness": [
        [*((color, f"up to {mm:g} mm of bone left") for color, mm in zip(BANDS, BANDS_MM, strict=True))],
        [(CUT, f"more, or nothing critical within {BANDS_MM[-1]:g} mm"), (BARE, f"no bone left, and a structure within {BANDS_MM[0]:g} mm")],
        [(DOUBTFUL, "unknown: bone shown here may be gone")],
    ],
}


def drilling_pictures(bone: DrilledBone, scene: Scene) -> tuple[dict[str, str], str]:
    """Pictures by name as data URIs, and why there are none (one of the two is empty)."""
    try:
        from PIL import Image

        uris = {}
        for name, pixels in bone_views.bone_views(bone, scene).items():
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, format="PNG")
            uris[name] = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    except (ImportError, RuntimeError, OSError, NavtwinError) as error:
        return {}, f"this machine cannot draw the bone ({error})"
    return uris, ""
