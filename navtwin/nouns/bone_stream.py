"""Drilled bone on the wire: how the cells of some of its bricks are packed, and what stands beside them."""

from __future__ import annotations

import zlib
from itertools import pairwise

from navtwin.errors import InputRefused
from navtwin.nouns.base import Noun

#: Bytes of a brick: of its points, and behind those of all bricks, for each again, of what says which of its blocks are doubtful.
CELLS, DOUBTS = 4096, 8


def unpack_cells(packed: bytes, bricks: int) -> bytes:
    """The cells of so many bricks, and behind them their doubts: never more memory than these need, whatever was sent.

    Raises
    ------
    ValueError : not zlib, or more or less than that
    """
    due = bricks * (CELLS + DOUBTS)
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, due + 1)
    except zlib.error as error:
        raise ValueError(f"cannot be unpacked ({error})") from error
    if len(plain) != due or not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"has not the cells of {bricks} bricks")
    return plain


class BoneBricks(Noun, frozen=True, tag_field="kind", tag="bone"):
    """Some bricks of a structure that is being drilled (topic `bone`; their cells are the message's last frame).

    A client lays them over its own field of the whole structure, whatever came before: each is the brick as it is. When the hash of what it has
    is `hash`, and its doubtful share `doubtful`, it has the bone as it is; until then what it shows is not known to be there.

    Attributes
    ----------
    epoch : the session
    t_publish_ns : host monotonic clock of the core
    case_hash, structure, side_mm : whose bone it is, and how far apart the points of its grid are
    revision : how often the bone has changed in this session
    hash : of the whole grid at that revision, 16 hexadecimal digits
    changed : how many bricks differ from the bone as it was before any drilling, in all
    doubtful : share of the bricks that differ or are doubtful, 0 to 1, in which bone that is shown may be gone
    bricks : numbers of those in this message, ascending; one that is again as it was is among them as any other
    """

    epoch: str
    t_publish_ns: int
    case_hash: str
    structure: str
    side_mm: float
    revision: int
    hash: str
    changed: int
    doubtful: float = 0.0
    bricks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.revision, self.changed, *self.bricks[:1]) < 0 or self.side_mm <= 0.0:
            raise InputRefused("drilled bone with a negative number, or a grid without size", "number revisions and bricks from 0")
        if any(after <= before for before, after in pairwise(self.bricks)):
            raise InputRefused("bricks of drilled bone out of order, or one of them twice", "name each once, in ascending order")
