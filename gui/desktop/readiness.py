"""How each place stands: what to do next there, and why it is or is not ready. Pure: case, rig and moment in, words out. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gui.desktop.keys import PlaceName
from gui.link.board import Moment
from navtwin.bus.words import name_words
from navtwin.nouns import Rig, Setup
from navtwin.scene.model import Scene

Standing = Literal["done", "next", "blocked", "warning"]
_REVIEW = {True: "look back at the session that has just ended", False: "open the log of a session and look back at it"}
NOTHING_WATCHED = "nothing is being watched: the case has no critical structure"


@dataclass(frozen=True)
class Ready:
    """How a place stands.

    Attributes
    ----------
    standing : `done`: what is done here is done; `next`: it can be done now; `blocked`: something else comes first; `warning`: look here
    words : what to do next, or why it cannot be done yet
    """

    standing: Standing
    words: str


@dataclass(frozen=True)
class Facts:
    """What the window knows.

    Attributes
    ----------
    opening : a case is being read
    other_case : in words, which case the core runs on, where that is not the open one
    """

    scene: Scene | None
    rig: Rig | None
    moment: Moment
    opening: bool = False
    other_case: str = ""


def readiness(facts: Facts) -> dict[PlaceName, Ready]:
    """How each place stands now."""
    return {
        "case": _case(facts),
        "calibrate": _calibrate(facts),
        "register": _register(facts),
        "navigate": _navigate(facts),
        "review": Ready("next", _REVIEW[facts.moment.link == "ended"]),
    }


def _case(facts: Facts) -> Ready:
    if facts.opening:
        return Ready("next", "the case is being read")
    if facts.scene is None:
        return Ready("next", "open a case, or make one from a CT")
    critical = [s for s in facts.scene.structures if s.role == "critical"]
    if not critical:
        return Ready("warning", f"{NOTHING_WATCHED}; make one with the tools, or declare one critical")
    count = f"{len(facts.scene.structures)} structures, {len(critical)} watched"
    return Ready("done", f"{count}; {_plans(facts.scene)}")


def _plans(scene: Scene) -> str:
    return f"{len(scene.plans)} planned path{'s' * (len(scene.plans) > 1)}" if scene.plans else "no path is planned"


def _calibrate(facts: Facts) -> Ready:
    if facts.rig is None:
        return Ready("next", "choose a rig, or make one: camera, marker bodies and tools")
    bare = _uncalibrated(facts.rig, facts.moment.setup)
    if any(body.marker for body in facts.rig.body) and not facts.rig.camera:
        return Ready("next", "calibrate the camera")
    if not bare:
        return Ready("done", "every tool's tip is known")
    words = f"the tip of {', '.join(name_words(name) for name in bare)} is not calibrated"
    return Ready("next", words) if _up(facts) else Ready("next", f"{words}; start a session to do it")


def _uncalibrated(rig: Rig, setup: Setup | None) -> list[str]:
    known = {tool.name for tool in rig.tool if tool.tip_mm is not None} | set(setup.calibrated if setup else ())
    return [tool.name for tool in rig.tool if tool.name not in known]


def _register(facts: Facts) -> Ready:
    setup = facts.moment.setup
    if facts.scene is None:
        return Ready("blocked", "open a case first")
    if not _up(facts) or setup is None:
        return Ready("blocked", "start a session first, in Calibrate")
    if "registration" in setup.pending:
        return Ready("next", "a registration waits: accept or reject it")
    if facts.moment.alerts is not None and any(alarm.alarm == "CHECK_FAILED" for alarm in facts.moment.alerts.technical):
        return Ready("warning", "a known point is not where the registration puts it: check again, or register again")
    if setup.registration is not None:
        return Ready("done", f"registered; {_expected(setup)}")
    if not facts.scene.landmarks:
        return Ready("blocked", "the case has no landmarks: place them in Case, or import them")
    if not setup.calibrated:
        return Ready("blocked", "calibrate the pointer's tip first")
    left = [mark.name for mark in facts.scene.landmarks if mark.name not in setup.landmarks]
    if left:
        return Ready("next", f"touch {name_words(left[0])} ({len(facts.scene.landmarks) - len(left)} of {len(facts.scene.landmarks)} touched)")
    return Ready("next", "compute the registration" if setup.sweep_points else "sweep the bone, then compute the registration")


def _expected(setup: Setup) -> str:
    result = setup.registration
    if result is None or not result.tre_mm:
        return "its error is not known anywhere"
    name, tre = max(zip(result.tre_at, result.tre_mm, strict=True), key=lambda row: row[1])
    return f"expected error up to {tre:.1f} mm, at {name_words(name)}"


def _navigate(facts: Facts) -> Ready:
    if facts.scene is None:
        return Ready("blocked", "open a case first")
    if facts.other_case:
        return Ready("warning", facts.other_case)
    if not _up(facts) or facts.moment.alerts is None:
        return Ready("blocked", "start a session first, in Calibrate")
    if not any(s.role == "critical" for s in facts.scene.structures):
        return Ready("warning", NOTHING_WATCHED)
    if facts.moment.alerts.phase == "setup":
        return Ready("blocked", "register the patient first")
    pairs = facts.moment.alerts.pairs
    known = sum(pair.known for pair in pairs)
    return Ready("done" if known == len(pairs) else "warning", f"{known} of {len(pairs)} distances known")


def _up(facts: Facts) -> bool:
    return facts.moment.link == "up"
