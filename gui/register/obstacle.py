"""Why nothing can be registered now, and where that is mended. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gui.desktop.keys import PlaceName
from gui.link.board import Moment
from navtwin.scene.model import Scene

FEWEST_LANDMARKS = 3


@dataclass(frozen=True)
class Obstacle:
    """Why nothing can be done here now; `place` is where it can be mended, "" if nowhere."""

    headline: str
    detail: str
    place: PlaceName | Literal[""] = ""


def obstacle(scene: Scene | None, moment: Moment, *, opening: bool = False) -> Obstacle | None:
    """What stands in the way, None if nothing does. A session over another case's anatomy is never drawn."""
    setup = moment.setup
    if scene is None:
        return Obstacle("The case is being read", "") if opening else Obstacle("No case is open", "Open one, or make one from a CT.", "case")
    if moment.link == "waiting":
        return Obstacle("No session is running", "Start one in Calibrate: a registration needs the tracker.", "calibrate")
    if moment.link == "lost":
        return Obstacle("LINK LOST", "Nothing is heard from the core: how far the registration is, is not known.")
    if moment.link == "ended":
        return Obstacle("The session has ended", "Start another one in Calibrate.", "calibrate")
    if setup is None:
        return Obstacle("The core is heard", "It has not yet said how far the setup is.")
    if setup.case_hash and setup.case_hash != scene.case_hash:
        if setup.case_path and setup.case_path == str(scene.folder.resolve()):
            return Obstacle(
                "The case was changed after the session began", "The core works on what it read then. Start the session again.", "calibrate"
            )
        return Obstacle("The session runs on another case", f"It runs on {setup.case_path or 'a case that it does not name'}. Open that one.", "case")
    if len(scene.landmarks) < FEWEST_LANDMARKS:
        few = f"{len(scene.landmarks)} landmark{'s' * (len(scene.landmarks) != 1)}" if scene.landmarks else "no landmarks"
        return Obstacle(f"The case has {few}", f"A registration needs {FEWEST_LANDMARKS}, better 6. Add them in Case.", "case")
    return None
