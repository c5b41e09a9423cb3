"""The window where there is no display: a client that saves a picture whenever an alert rises or the rehearsal enters a new scene."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gui.link.board import SESSION_ENDED, Board, Moment
from gui.link.bone import BonePort
from gui.link.feed import Feed, Port
from gui.snapshot_bone import SnapshotBone
from navtwin.bus.bone import BoneClient
from navtwin.nouns import LEVELS, AlertSet, Level, Rig
from navtwin.scene.model import Scene
from navtwin.scene.picture import Picture, open_plotter, save_png
from navtwin.scene.views import ViewName

#: Once a core has been heard, its silence for so long ends the watch.
SILENCE_ENDS_NS = 3_000_000_000
TURN_S = 0.02


@dataclass
class Watch:
    """Says when a picture is due, and what it is of: a fold over moments."""

    levels: dict[str, Level] = field(default_factory=dict)
    alarms: frozenset[str] = frozenset()
    phase: str = ""
    message: str = ""

    def due(self, moment: Moment) -> str:
        """A few words on the most pressing change since the last call that deserves a picture, "" if none does."""
        alerts = moment.alerts
        if alerts is None or moment.link_lost:
            return ""
        reasons = [self._scene(moment), self._loss(alerts), self._rise(alerts)]
        self.levels = {a.id: a.level for a in alerts.alerts}
        self.alarms = frozenset(a.id for a in alerts.technical)
        self.phase, self.message = alerts.phase, moment.setup.message if moment.setup else self.message
        return next((reason for reason in reversed(reasons) if reason), "")

    def _rise(self, alerts: AlertSet) -> str:
        risen = [a for a in alerts.alerts if a.known and LEVELS.index(a.level) > LEVELS.index(self.levels.get(a.id, "CLEAR"))]
        worst = max(risen, key=lambda a: LEVELS.index(a.level), default=None)
        return f"{worst.level} {worst.instrument} {worst.part} {worst.structure}" if worst else ""

    def _loss(self, alerts: AlertSet) -> str:
        new = [a for a in alerts.technical if a.id not in self.alarms and a.priority == "high"]
        return f"{new[0].alarm} {new[0].subject}" if new else ""

    def _scene(self, moment: Moment) -> str:
        assert moment.alerts is not None
        if moment.alerts.phase != self.phase:
            return moment.alerts.phase
        message = moment.setup.message if moment.setup else ""
        return message if message not in ("", self.message, SESSION_ENDED) else ""


def watch(
    scene: Scene,
    rig: Rig | None,
    client: Port,
    board: Board,
    folder: Path,
    said: Callable[[str], None],
    view: ViewName = "tip",
    open_bone: Callable[[], BonePort] = BoneClient,
) -> int:
    """Save pictures to `folder` until the session ends, falls silent or is interrupted. Returns how many.

    The receiving thread never waits for the painting: while one picture is painted, of all that becomes due only the newest is kept.

    Parameters
    ----------
    open_bone : connects to the core's drilled bone; called in a thread of its own, and only if the session drills
    """
    due = _Newest()
    feed = Feed(client, board, _noticing(board, Watch(), due))
    # Before the painting, which takes seconds to prepare: a client that does not read what it is sent stalls its sockets.
    feed.start()
    plotter = open_plotter((1280, 800))
    bone = SnapshotBone.of(scene, open_bone)
    count = 0
    try:
        picture = Picture(plotter, scene, rig)
        while not _over(now := board.moment()):
            if bone is not None:
                bone.follow(now)
            job = due.take(TURN_S)
            if job is None:
                continue
            reason, moment, due_ns = job
            count += 1
            path = folder / f"{count:03d}-{_slug(reason)}.png"
            told = bone.paint(picture, moment, due_ns) if bone is not None else ""
            save_png(picture, moment.state, moment.alerts, path, view, told)
            said(str(path))
    finally:
        feed.stop()
        if bone is not None:
            bone.stop()
        plotter.close()
    return count


class _Newest:
    """A place for one job, with when it came: putting a newer one there drops the one that waits."""

    def __init__(self) -> None:
        self._job: tuple[str, Moment, int] | None = None
        self._there = threading.Condition()

    def put(self, job: tuple[str, Moment]) -> None:
        with self._there:
            self._job = (*job, time.monotonic_ns())
            self._there.notify()

    def take(self, timeout_s: float) -> tuple[str, Moment, int] | None:
        with self._there:
            if self._job is None:
                self._there.wait(timeout_s)
            job, self._job = self._job, None
            return job


def _noticing(board: Board, watch: Watch, due: _Newest) -> Callable[[], None]:
    def notice() -> None:
        moment = board.moment()
        reason = watch.due(moment)
        if reason:
            due.put((reason, moment))

    return notice


def _over(moment: Moment) -> bool:
    return moment.link == "ended" or (moment.link == "lost" and moment.silence_ns > SILENCE_ENDS_NS)


def _slug(reason: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", reason.lower()).strip("-")[:80]
