"""The session in words: what runs, since what was asked for, and what may be asked now. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gui.calibrate.sources import needs_camera, source_words
from gui.link.board import Moment
from navtwin.bus.words import printable
from navtwin.nouns import Lamp


@dataclass(frozen=True)
class SessionView:
    """What the session's bar shows.

    Attributes
    ----------
    lamp, headline, detail : how it stands
    bad : the detail is bad news
    may_start, may_end : what may be asked; a session that was started elsewhere is not ended from here
    """

    lamp: Lamp
    headline: str
    detail: str
    bad: bool = False
    may_start: bool = False
    may_end: bool = False


def running_source(moment: Moment, own: str) -> str:
    """The source of the session that is heard, else of the one that was started here (`own`); "" where none runs."""
    if moment.link == "up" and moment.setup is not None and moment.setup.source:
        return moment.setup.source
    return own


def other_rig(moment: Moment, path: Path | None) -> str:
    """The rig that the session runs with, where that is not the open one (`path`); "" where it is, or nothing is known."""
    setup = moment.setup
    if moment.link != "up" or setup is None or not setup.rig_path or path is None or Path(setup.rig_path) == path.resolve():
        return ""
    return setup.rig_path


def session_view(moment: Moment, own: str, own_running: bool, lines: tuple[str, ...], words: str, case: str, rig: str = "") -> SessionView:
    """How the session stands.

    Parameters
    ----------
    own, own_running, lines, words : source of the core that was started here ("" for none), whether it runs, what it said, why it ended
    case : the open case's name, "" for none
    rig : the session's rig, where it is another than the open one
    """
    if moment.link == "up":
        source = running_source(moment, own)
        where = "started here" if own_running else "started elsewhere: end it there"
        phase = "navigating" if moment.alerts is not None and moment.alerts.phase == "navigation" else "setting up"
        brings = "" if not source or needs_camera(source) else "; this tracker brings its own calibration"
        headline = f"Session: {source_words(source) if source else 'running'}"
        if rig:
            return SessionView("warn", headline, f"{phase}, {where}, with another rig than the open one: {printable(rig)}", True, may_end=own_running)
        return SessionView("ok", headline, f"{phase}, {where}{brings}", may_end=own_running)
    if own_running:
        if moment.link == "lost":
            return SessionView("bad", f"Session: {source_words(own)}", "it runs, and is not heard: nothing below is up to date", True, may_end=True)
        last = printable(lines[-1]) if lines else "starting its process"
        return SessionView("warn", f"Session: {source_words(own)}", f"starting: {last}", may_end=True)
    if words:
        return SessionView("bad", "No session: the last one ended", printable(words.removeprefix("navtwin: ")), True, may_start=bool(case))
    if not case:
        return SessionView("off", "No session", "open a case first, in Case (1): a session runs on one")
    ended = "the last one has ended" if moment.link == "ended" or own else f"start one on {case} to pivot tips, register and navigate"
    return SessionView("off", "No session", ended, may_start=True)


def recording_of(lines: Iterable[str]) -> str:
    """Where a core that has ended left its log, as it says at its end; "" where it says nothing."""
    return next((line.removeprefix("log: ").strip() for line in reversed(list(lines)) if line.startswith("log: ")), "")
