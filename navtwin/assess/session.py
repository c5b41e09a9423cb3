"""An assessment done at a source: frames in, words and sound out, every touch on the disk at once."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from navtwin.assess.collector import Collector
from navtwin.assess.guide import Guide, Line
from navtwin.assess.plan import Touch
from navtwin.assess.taken import TouchFile
from navtwin.errors import InputRefused
from navtwin.nouns import Rig, Source, SourceEnded, TrackerFrame

#: Pictures are waited for so long before keys are looked at again.
WAIT_S = 0.1
#: A live source that gives nothing for so long has failed.
SILENCE_S = 15.0
Keys = Callable[[], Sequence[str]]


class Teller:
    """Lines that stay, and one below them that is refreshed where the stream is a terminal; a bell with what eyes may miss."""

    def __init__(self, stream: TextIO, *, sound: bool = True) -> None:
        self._stream, self._refreshed, self._sound = stream, stream.isatty(), sound

    def say(self, line: Line) -> None:
        """A line that stays."""
        self._stream.write(
            ("\r\x1b[K" if self._refreshed else "") + line.text + ("\a" if line.bell and self._sound and self._refreshed else "") + "\n"
        )
        self._stream.flush()

    def progress(self, share: float, text: str) -> None:
        """How far the dwell is."""
        if self._refreshed:
            done = round(20.0 * share)
            width = max(shutil.get_terminal_size().columns - 1, 30)
            line = f"  [{'#' * done}{'-' * (20 - done)}] {text}"
            self._stream.write(f"\r{line[:width]}\x1b[K")
            self._stream.flush()


def take_touches(
    source: Source, rig: Rig, tool: str, asked: Sequence[Touch], file: TouchFile, dwell_s: float, teller: Teller, keys: Keys = tuple
) -> bool:
    """Ask for touches and take them, until all are taken, the source ends or somebody stops it (Ctrl-C, or the key q).

    Returns
    -------
    whether all were taken

    Raises
    ------
    InputRefused : the tip is not calibrated; a live source that says nothing; a file that can no longer be written
    """
    collector = Collector(rig, file.about.artefact, tool)
    if not collector.calibrated:
        raise InputRefused(f"the tip of '{tool}' is not calibrated", f"run `navtwin calibrate tool SOURCE --tool {tool} --rig ... --write` first")
    guide = Guide(file.about.artefact, asked, collector, dwell_s, dict(file.taken))
    heard_s = time.monotonic()
    # What was taken is on the disk; Ctrl-C only ends it.
    with suppress(KeyboardInterrupt, SourceEnded):
        while guide.wanted is not None:
            item = source.read(WAIT_S)
            pressed = keys()
            if "q" in pressed:
                break
            if {"r", "\x7f"} & set(pressed):
                guide.again()
            if isinstance(item, TrackerFrame):
                heard_s = time.monotonic()
                taken = guide.see(item)
            else:
                taken = guide.wait(time.monotonic_ns()) if source.live else None
                if source.live and time.monotonic() - heard_s > SILENCE_S:
                    raise InputRefused(f"{source.name} gave nothing for {SILENCE_S:.0f} s", "check the tracker, then run the command again to go on")
            if guide.forgotten:
                file.forget(tuple(guide.forgotten))
                guide.forgotten.clear()
            if taken is not None:
                file.add(taken)
            for line in guide.lines:
                teller.say(line)
            guide.lines.clear()
            teller.progress(collector.progress, _status(guide, collector))
    return guide.wanted is None


def _status(guide: Guide, collector: Collector) -> str:
    wanted = guide.wanted
    if wanted is None:
        return "all taken"
    if collector.T_tracker_from_ref is None:
        return f"{wanted.point}: the reference is hidden"
    if collector.T_ref_from_tip is None:
        return f"{wanted.point}: the pointer is hidden"
    held = collector.trouble or f"{wanted.point}: touch it and hold still"
    lifted = guide.held_up or f"{wanted.point}: lift the tip"
    return f"{held if collector.asking else lifted}   (r: last one again, q: stop for now)"


def is_terminal() -> bool:
    """Whether somebody can press keys."""
    return sys.stdin is not None and sys.stdin.isatty()
