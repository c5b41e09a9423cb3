"""The impure loop: the one place with clocks and sockets. It feeds the core and does nothing else.

Items that are due come first in a turn, each at the time it arrived, then what is stamped with the present: so that no frame is judged stale
only because the loop was late to read it. How late it was stands in the stamps, and the tick that follows counts it.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from navtwin.bus.server import Server
from navtwin.nouns import Accept, Command, Notice, SourceItem, Tick, TrackerFrame, TrueSetup, Truth
from navtwin.run.bone import BoneWatch
from navtwin.run.core import Core
from navtwin.run.reader import SourceReader
from navtwin.run.simulate import TICK_NS
from navtwin.run.timeline import Timeline, recorded_ns
from navtwin.run.video import Video
from navtwin.run.workers import Workers

#: Longest sleep of the loop: the most a command waits before it is read.
NAP_NS = 1_000_000
#: How long the end of the session is repeated before the sockets close, so that clients hear it.
FAREWELL_NS = 300_000_000
#: Items taken in one turn while playing flat out, so that commands are still heard.
BURST = 64
#: So often what has come to stay is set aside from Python's collector.
SET_ASIDE_NS = 10_000_000_000


@dataclass(slots=True)
class Loop:
    """One session on the host's clock.

    Attributes
    ----------
    should_stop : asked every turn (a signal handler sets it)
    clients : who sent the command with this sequence number, until it is answered
    say : tells a person what happens, in a line
    video : shows the pictures behind the frames, where the source has any
    bone : shows what is drilled, and keeps it in the log, where the case has something to drill
    """

    core: Core
    reader: SourceReader
    workers: Workers
    server: Server
    timeline: Timeline
    should_stop: Callable[[], bool]
    clients: dict[int, bytes]
    say: Callable[[str], None]
    video: Video | None = None
    bone: BoneWatch | None = None
    last_recorded_ns: int = 0
    next_tick_ns: int | None = None
    ended_ns: int | None = None
    last_session_ns: int = 0
    held: SourceItem | None = None
    failure_told: bool = False

    def run(self) -> None:
        """Until the source has ended and its end has been told, or until asked to stop."""
        # The log's thread may hold the interpreter for a whole switch interval just when a warning is due.
        sys.setswitchinterval(0.0005)
        gc.collect()
        set_aside()
        set_aside_ns = time.monotonic_ns()
        while True:
            if self.should_stop():
                self._stop()
                return
            self.core.flooding = not self.reader.live and self.timeline.flat_out
            self._feed_due_items()
            self._hear_workers()
            self._hear_commands()
            self._tick()
            if self.bone is not None:
                self.bone.look()
            if self.core.flooding:
                self.core.repeat_if_silent()
            for note in self.reader.new_notes():
                self.say(f"note: {note}")
            now = time.monotonic_ns()
            if self.ended_ns is not None and now - self.ended_ns > FAREWELL_NS:
                return
            if now - set_aside_ns > SET_ASIDE_NS:
                set_aside()
                set_aside_ns = now
            self._nap()

    def _session_ns(self) -> int:
        """Session time now: the host's clock, moved for a recording; while that plays flat out, the time of its last item."""
        host = time.monotonic_ns()
        if self.reader.live or self.core.last_ns is None:
            return host
        if not self.timeline.flat_out:
            return self.timeline.now_ns(host)
        return self.core.last_ns if self.ended_ns is None else self.last_session_ns + host - self.ended_ns

    def _take(self, t_ns: int, body: object) -> None:
        for request in self.core.take(t_ns, body):  # type: ignore[arg-type]
            self.workers.submit(request)

    def _hear_commands(self) -> None:
        for client, command in self.server.poll_commands():
            self.clients[self.core.next_seq] = client
            self._take(self._session_ns(), command)

    def _hear_workers(self) -> None:
        for result in self.workers.finished():
            self._take(self._session_ns(), result)

    def _feed_due_items(self) -> None:
        for _ in range(BURST):
            # A recording waits for its workers while it plays flat out: its next command may need their answer.
            if not self.reader.live and self.timeline.flat_out and self.workers.busy:
                return
            item = self.reader.peek()
            if item is None:
                self._notice_end()
                return
            if self.reader.live:
                self.reader.take()
                # Never ahead of the clock, whatever a driver stamps: time that has run ahead could not pass any more.
                host = time.monotonic_ns()
                self._feed(item, min(item.t_arrival_ns, host) if isinstance(item, TrackerFrame) else host)
                continue
            if not self._feed_recorded(item):
                return

    def _feed_recorded(self, item: SourceItem) -> bool:
        """Feed one item of a recording if it is due; False if it is not."""
        host = time.monotonic_ns()
        recorded = recorded_ns(item, self.last_recorded_ns)
        if self.timeline.offset_ns is None:
            if self.reader.setup_ns:
                self.timeline.begin(recorded, host - self.reader.setup_ns)
            else:
                self.timeline.go_live(recorded, host)
        if self.timeline.flat_out and self.timeline.speed > 0.0 and _accepts_registration(item):
            # Navigation begins in the present. The frame behind this command goes first, or the twin would see a gap without one.
            self.reader.take()
            self.held = item
            return True
        if self.held is not None and isinstance(item, TrackerFrame) and self.timeline.flat_out:
            self.timeline.go_live(recorded, host)
            self.say("navigation begins")
            self.next_tick_ns = None
        if self.timeline.due_host_ns(recorded) > host:
            return False
        self.reader.take()
        self.last_recorded_ns = recorded
        session = self.timeline.session_ns(recorded)
        if self.timeline.flat_out:
            self._ticks_until(session)
        self._feed(self.timeline.restamp(item), session)
        if self.held is not None and isinstance(item, TrackerFrame):
            held, self.held = self.held, None
            self._feed(held, session)
        return True

    def _feed(self, item: SourceItem, t_ns: int) -> None:
        if isinstance(item, Truth | TrueSetup):
            self.core.note_truth(item)
            return
        self._take(t_ns, item)
        if self.video is not None and isinstance(item, TrackerFrame):
            self.video.fed(item)

    def _ticks_until(self, session_ns: int) -> None:
        """The ticks that lie before an item, while time is the recording's own."""
        if self.next_tick_ns is None:
            self.next_tick_ns = session_ns + TICK_NS
        while self.next_tick_ns < session_ns:
            self._take(self.next_tick_ns, Tick())
            self.next_tick_ns += TICK_NS

    def _tick(self) -> None:
        if not self.reader.live and self.timeline.flat_out and self.ended_ns is None:
            return
        now = self._session_ns()
        if self.next_tick_ns is None:
            self.next_tick_ns = now + TICK_NS
        if now >= self.next_tick_ns:
            self._take(now, Tick())
            # Ticks that were missed are not made up for: they would all say the same.
            self.next_tick_ns = max(self.next_tick_ns + TICK_NS, now)

    def _notice_end(self) -> None:
        """Tell of the source's end once. One that failed is an alarm, and a core whose live source failed stays up to say so."""
        if not self.reader.ended or self.ended_ns is not None:
            return
        if self.reader.failure is None:
            self._take(self._session_ns(), Notice(alarm="SOURCE_ENDED", active=True))
        elif not self.failure_told:
            self.failure_told = True
            self.say(f"the source failed: {self.reader.failure}")
            self._take(self._session_ns(), Notice(alarm="SOURCE_FAILED", active=True, detail=str(self.reader.failure)))
        if self.reader.failure is None or not self.reader.live:
            self.ended_ns, self.last_session_ns = time.monotonic_ns(), self.core.last_ns or 0
            self.next_tick_ns = None

    def _stop(self) -> None:
        """Stopped by hand: say so, or the silence that follows would be taken for a lost link."""
        if self.ended_ns is None:
            self._take(self._session_ns(), Notice(alarm="SOURCE_ENDED", active=True, detail="the core was stopped"))

    def _nap(self) -> None:
        """Sleep until something is due, at most a millisecond; not at all while a recording plays flat out."""
        if self.ended_ns is None and not self.reader.live and self.timeline.flat_out and not self.workers.busy:
            return
        host = time.monotonic_ns()
        wait = NAP_NS
        item = self.reader.peek()
        if item is not None and not self.reader.live and not self.timeline.flat_out:
            wait = min(wait, self.timeline.due_host_ns(recorded_ns(item, self.last_recorded_ns)) - host)
        if wait <= 0:
            return
        self.core.rest()
        if self.reader.live:
            # A frame wakes the loop at once.
            self.reader.wait(wait * 1e-9)
        else:
            time.sleep(wait * 1e-9)
        self.core.go_on()


def set_aside() -> None:
    """What lives now lives on: meshes, a long log's index. A full collection that looked at all of it would take tens of milliseconds."""
    gc.collect(1)
    gc.freeze()


def _accepts_registration(item: SourceItem) -> bool:
    return isinstance(item, Command) and isinstance(item.order, Accept) and item.order.result == "registration"
