"""Collect poses for a calibration from any source, with guidance while a live one is read."""

from __future__ import annotations

import io
import math
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from msgspec.structs import replace

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, Source, SourceEnded, SourceItem
from navtwin.offers import source_offer
from tracking.calibration.advice import Advice, hidden_words
from tracking.calibration.screen import Screen
from tracking.calibration.streams import Gathered

#: How long a live source is read, unless it is said otherwise.
LIVE_S = 20.0
#: Advice is computed again after this long, or after so many times what it cost, so that it holds up few pictures; at the latest after the last.
ADVICE_S, ADVICE_COSTS, ADVICE_LATEST_S = 0.3, 8.0, 1.5
#: A body hidden for so many frames on end is told of.
HIDDEN_FRAMES = 5
#: How often a collection that was spoilt begins anew; after that the gate has the last word.
MOST_STARTS = 4
#: How long such a remark stays to be read.
REMARK_S = 2.0
#: Where lines are not refreshed: one no sooner than this after the last, and again at the latest after the other.
PLAIN_S, REPEAT_S = 1.0, 5.0
#: Pictures are waited for so long; less where two sources are read in turn.
WAIT_S, TURN_S = 0.2, 0.01


class Line:
    """One line that is refreshed where the stream is a terminal; elsewhere lines now and then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._refreshed = stream, stream.isatty()
        self._kind, self._told_s, self._open = "", -REPEAT_S, False

    def show(self, head: str, text: str) -> None:
        """Show figures and, behind them, words; elsewhere than on a terminal only words that are new, or after a while."""
        now_s, kind = time.monotonic(), text.split(":", maxsplit=1)[0]
        if self._refreshed:
            width = max(shutil.get_terminal_size().columns - 1, 20)
            self._stream.write(f"\r{f'{head}  {text}'[:width]}\x1b[K")
            self._open = True
        elif now_s - self._told_s >= (PLAIN_S if kind != self._kind else REPEAT_S):
            self._stream.write(f"{head}  {text}\n")
            self._kind, self._told_s = kind, now_s
        self._stream.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._stream.write(("\r\x1b[K" if self._open else "") + text + "\n")
        self._stream.flush()
        self._open = False


def line_beside(screen: Screen | None) -> Line:
    """The line for a person at a terminal; where a screen follows, the screen says it all."""
    return Line(sys.stderr if screen is None else io.StringIO())


@dataclass(frozen=True)
class Wanted:
    """Bodies whose poses are wanted from one source.

    Attributes
    ----------
    address : a log file, or `KIND:REST` of an installed source
    rig : the calibration; sources that track pictures need it
    tool : as in `Gathered`
    """

    address: str
    bodies: tuple[str, ...]
    rig: Rig | None = None
    tool: str = ""
    from_s: float = 0.0
    to_s: float = float("inf")


def is_log(address: str) -> bool:
    """Whether an address names a recorded log or sequence."""
    return Path(address).is_file() or address.startswith("log:")


def words_of(address: str) -> str:
    """An address as a result file states it: of a file its name."""
    return Path(address).name if Path(address).is_file() else address


def opened(wanted: Wanted) -> Source:
    """Open what is wanted; poses are taken as they are found, without the smoothing that the rig may ask for.

    Raises
    ------
    InputRefused : no such source, bodies that the rig does not have, and what the source itself refuses
    """
    address = f"log:{wanted.address}" if Path(wanted.address).is_file() else wanted.address
    if ":" not in address:
        raise InputRefused(f"there is no log {address}", "name a log, or a source such as camera:0, video:FILE or images:FOLDER")
    offer, rest = source_offer(address)
    rig = wanted.rig
    if rig is not None and not is_log(address):
        for name in wanted.bodies:
            if name not in (known := [body.name for body in rig.body]):
                raise InputRefused(f"the rig has no marker body '{name}'", f"known: {', '.join(known)}")
        rig = replace(rig, tracker=replace(rig.tracker, smoothing=None))
    source: Source = offer.load()(rest, None, rig)
    return source


def collect(
    wanted: Sequence[Wanted],
    advise: Callable[[Sequence[Gathered]], Advice],
    line: Line,
    seconds: float | None = None,
    screen: Screen | None = None,
) -> tuple[list[Gathered], list[str]]:
    """Read sources until their poses suffice (live) or to their end (recordings); Ctrl-C ends it and keeps what is there.

    Parameters
    ----------
    wanted : one source, or two that are live at once, or two recordings
    advise : what to do next
    seconds : of capture, at most; None reads a live source for `LIVE_S` and recordings whole
    screen : follows it, and may end it

    Returns
    -------
    what was gathered from each, and what a reader of the result should know

    Raises
    ------
    InputRefused : what cannot be opened; a live source beside a recording
    """
    with ExitStack() as stack:
        sources = list[Source]()
        for one in wanted:
            sources.append(opened(one))
            stack.callback(sources[-1].close)
        if len({s.live for s in sources}) > 1:
            raise InputRefused("one source is live and the other recorded, so they share no motion", "name two live ones, or two recordings")
        gathered = [Gathered(one.bodies, one.tool, one.from_s, one.to_s) for one in wanted]
        notes = list[str]()
        told = Told(line, screen, {id(source): one.rig for source, one in zip(sources, wanted, strict=True)}, live=sources[0].live)
        try:
            if sources[0].live:
                _read_live(sources, gathered, advise, told, LIVE_S if seconds is None else seconds, notes)
            else:
                # What a log or two recordings show is no one motion that an operator could be advised on.
                whole = advise if len(wanted) == 1 and not is_log(wanted[0].address) else None
                for source, into in zip(sources, gathered, strict=True):
                    _read_whole(source, into, told, seconds, whole)
        except KeyboardInterrupt:
            notes.append("ended by Ctrl-C; what was collected until then is used")
        for source in sources:
            notes += getattr(source, "notes", ())
    for one, into in zip(wanted, gathered, strict=True):
        for body in one.bodies:
            line.say(
                f"{len(into.stream(body))} poses of '{body}' in {into.seconds:.1f} s, hidden in {into.hidden_frames(body)} of {into.frames} frames"
            )
    for note in notes:
        line.say(f"note: {note}")
    if screen is not None:
        screen.compute(f"computing from {min(g.count() for g in gathered)} poses")
    return gathered, notes


@dataclass(frozen=True)
class Told:
    """Who is told of a collection as it goes on: a line on a terminal, and a screen if one follows.

    Attributes
    ----------
    rigs : of the sources, by the identity of each
    """

    line: Line
    screen: Screen | None
    rigs: dict[int, Rig | None]
    live: bool

    def read(self, source: Source, item: SourceItem | None) -> bool:
        """A source was read; True where the screen wants no more."""
        if self.screen is None:
            return False
        self.screen.show_frame(getattr(source, "pictures", None), item, self.rigs[id(source)])
        return self.screen.attend(live=self.live)

    def advice(self, head: str, words: str, views: int, advice: Advice | None = None) -> None:
        """How far it is, and what to do next."""
        self.line.show(head, words)
        if self.screen is not None and advice is None:
            self.screen.tell(words, views=views)
        elif self.screen is not None and advice is not None:
            wanted = next((round(goal.wanted) for goal in advice.goals if goal.name == "poses"), None)
            share = min(max(advice.share, 0.0), 1.0) if math.isfinite(advice.share) else None
            self.screen.tell(words, views=views, views_wanted=wanted, done_share=share, goals=advice.goals, figures=advice.figures)


def _read_whole(source: Source, into: Gathered, told: Told, seconds: float | None, advise: Callable[[Sequence[Gathered]], Advice] | None) -> None:
    told_s = time.monotonic()
    while seconds is None or into.seconds < seconds:
        try:
            item = source.read(WAIT_S)
        except SourceEnded:
            return
        if item is not None:
            into.take(item)
        if told.read(source, item):
            return
        if time.monotonic() - told_s > ADVICE_S:
            advice = advise([into]) if advise is not None and told.screen is not None and into.count() else None
            told.advice(f"{into.count()} poses", f"{source.name}: {into.seconds:.1f} s read", into.count(), advice)
            told_s = time.monotonic()


def _read_live(
    sources: list[Source], gathered: list[Gathered], advise: Callable[[Sequence[Gathered]], Advice], told: Told, seconds: float, notes: list[str]
) -> None:
    wait_s, starts = WAIT_S if len(sources) == 1 else TURN_S, 1
    began_s = next_s = time.monotonic()
    # The clock starts with the first frame: cameras take their time to open.
    begun, remark_until_s, advice = False, 0.0, Advice("waiting for pictures", 0.0)
    while not begun or time.monotonic() - began_s < seconds:
        for source, into in zip(sources, gathered, strict=True):
            try:
                item = source.read(wait_s)
            except SourceEnded:
                return
            if item is not None:
                into.take(item)
            if told.read(source, item):
                return
        now_s = time.monotonic()
        if not begun:
            begun, began_s = any(g.frames for g in gathered), now_s
        if now_s < next_s:
            continue
        hidden = next((words for g in gathered if (words := hidden_words(g, HIDDEN_FRAMES))), "")
        if begun and not hidden and now_s >= remark_until_s:
            advice = advise(gathered)
            if advice.enough:
                return
            if advice.anew and starts < MOST_STARTS:
                for into in gathered:
                    into.forget()
                notes.append(f"begun anew: {advice.text}")
                starts, began_s, remark_until_s = starts + 1, time.monotonic(), now_s + REMARK_S
        next_s = time.monotonic() + float(np.clip(ADVICE_COSTS * (time.monotonic() - now_s), ADVICE_S, ADVICE_LATEST_S))
        count = min(g.count() for g in gathered)
        told.advice(f"{_bar(advice.share)} {count:4d} poses", hidden or advice.text, count, advice)


def _bar(share: float) -> str:
    done = round(10.0 * min(max(share, 0.0), 1.0))
    return f"[{'#' * done}{'-' * (10 - done)}] {share:4.0%}"
