"""The scene at closest approach, as PNG inside the page."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from navtwin.errors import NavtwinError
from navtwin.nouns import AlertSet, Rig, State
from navtwin.report.drilled_bone import BoneThen
from navtwin.report.session import Session
from navtwin.scene.model import Scene

if TYPE_CHECKING:
    from navtwin.scene.views import ViewName

PICTURE_PX: Final = (1100, 800)
VIEWS: Final[tuple[ViewName, ...]] = ("axial", "tip")
#: Bone is drawn see-through here: what matters lies inside it.
BONE_OPACITY: Final = 0.3


def closest_pictures(session: Session, scene: Scene, rig: Rig, bone: BoneThen | None = None) -> tuple[list[str], str]:
    """The scene at closest approach from two sides as data URIs, and why there are none (one of the two is empty).

    Parameters
    ----------
    bone : what was left of it then; without it, it is drawn as it is in the case
    """
    if session.closest is None:
        return [], "no distance to a critical structure was ever known"
    alerts = at_that_frame(session.closest_alerts, session.closest)
    shown = see_through(scene if bone is None else as_drilled(scene, bone))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "closest.png"
        uris = []
        try:
            from navtwin.scene.picture import render_png

            for view in VIEWS:
                render_png(shown, rig, session.closest, alerts, path, size=PICTURE_PX, view=view)
                uris.append("data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii"))
        except (ImportError, RuntimeError, OSError, NavtwinError) as error:
            return [], f"this machine cannot draw the scene ({error})"
    return uris, ""


def as_drilled(scene: Scene, bone: BoneThen) -> Scene:
    """The same scene with what was left of the bone in place of the whole."""
    left = bone.surface
    if left is None:
        return scene
    return replace(scene, structures=tuple(replace(s, surface=left) if s.name == bone.structure else s for s in scene.structures))


def see_through(scene: Scene) -> Scene:
    """The same scene with bone that can be looked into, and without what is planned to be removed of it."""
    shown = (s for s in scene.structures if not s.removal_of)
    return replace(scene, structures=tuple(replace(s, opacity=min(s.opacity, BONE_OPACITY)) if s.role == "work" else s for s in shown))


def at_that_frame(alerts: AlertSet | None, state: State) -> AlertSet | None:
    """The alerts in force at a frame with that frame's own numbers: sets go out every 50 ms, frames more often."""
    if alerts is None:
        return None
    readings = {(r.structure, r.instrument, r.part): r for r in state.readings}
    current = []
    for alert in alerts.alerts:
        r = readings.get((alert.structure, alert.instrument, alert.part))
        if r is not None and alert.known and r.status == "OK":
            numbers = {"distance_mm": r.distance_mm, "bound_mm": r.bound_mm, "sd_mm": r.sd_mm, "speed_mm_s": r.speed_mm_s}
            current.append(structs.replace(alert, **numbers))
        else:
            current.append(alert)
    return structs.replace(alerts, alerts=tuple(current))
