"""The source `fault:NAME[:SEED]`: the rehearsal of the case at hand, in which one thing goes wrong once an instrument is near what is critical."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Rig, SourceItem, TrackerFrame, Truth
from phantoms.faults.fault import Fault
from phantoms.faults.injectors import STREAMS, Bodies, Injector
from phantoms.faults.table import FAULTS, find
from phantoms.source import DEFAULT_SEED, PhantomSource

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

#: In a rehearsal a fault lasts so long at least, s: people are to see it.
LEAST_S = 4.0


def rng_of(fault: str, seed: int) -> np.random.Generator:
    """Chance of its own for each fault and seed."""
    return np.random.default_rng([seed, crc32(fault.encode())])


class Rehearsal:
    """Puts a fault into a scripted stream, the first time that an instrument is nearer to a critical structure than its caution limit.

    Parameters
    ----------
    items : of the script; each frame is followed by its truth, which tells how near the instruments are
    """

    def __init__(self, items: Iterator[SourceItem], fault: Fault, scene: Scene, rig: Rig, seed: int) -> None:
        self._items, self._fault, self._rig, self._rng = items, fault, rig, rng_of(fault.name, seed)
        self._limits = {s.name: s.caution_mm for s in scene.structures if s.caution_mm is not None}
        self._lasts_ns = round(max(LEAST_S, fault.lasts_s) * 1e9)
        self._begun_ns: int | None = None
        self._injector: Injector | None = None

    def __iter__(self) -> Iterator[SourceItem]:
        near = ""
        for item in self._items:
            if isinstance(item, Truth):
                near = near or next((d.instrument for d in item.distances if d.distance_mm < self._limits.get(d.structure, -np.inf)), "")
            if isinstance(item, TrackerFrame):
                yield from self._frames(item, near)
            else:
                yield item

    def _frames(self, frame: TrackerFrame, near: str) -> Iterator[TrackerFrame]:
        if near and self._injector is None:
            self._begun_ns, self._injector = frame.t_capture_ns, STREAMS[self._fault.name](self._rng, bodies_of(self._rig, near))
        if self._injector is None or self._begun_ns is None or frame.t_capture_ns - self._begun_ns > self._lasts_ns:
            yield frame
        else:
            yield from self._injector(frame, frame.t_capture_ns - self._begun_ns)


def bodies_of(rig: Rig, instrument: str) -> Bodies:
    """The bodies by what they do, seen from the instrument that is near; without a second tool the reference is the other one."""
    body = next(t.body for t in rig.tool if t.name == instrument)
    others = deque((t.body for t in rig.tool if t.body != body), maxlen=1)
    return Bodies(body, others[0] if others else rig.reference, rig.reference)


def open_source(address: str, case: Scene, rig: Rig) -> PhantomSource:
    """Open `NAME`, or one with `:SEED` behind it (with or without `fault:` before it).

    Raises
    ------
    InputRefused : an unknown fault, one that is none of the stream's, a seed that is no whole number >= 0, or a case that the script cannot use
    """
    from phantoms.scripts import perform_script

    name, _, seed_text = address.removeprefix("fault:").partition(":")
    if name not in STREAMS:
        if name in {f.name for f in FAULTS}:
            raise InputRefused(
                f"'{name}' is no fault of a stream of frames: it is put into {find(name).where}", f"run navtwin bench faults --only {name}"
            )
        raise InputRefused(f"there is no fault '{name}'", nearest(name, STREAMS))
    if seed_text and not (seed_text.isascii() and seed_text.isdigit()):
        raise InputRefused(f"'{seed_text}' is no seed", f"write fault:{name}:SEED with a whole number, or leave it out")
    seed = int(seed_text) if seed_text else DEFAULT_SEED
    items, navigation_s = perform_script("pedicle", case, rig, seed)
    return PhantomSource(f"fault:{name}:{seed}", iter(Rehearsal(items, find(name), case, rig, seed)), int(navigation_s * 1e9))
