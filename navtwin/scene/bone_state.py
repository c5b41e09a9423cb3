"""Drilled bone as a message: packed, and checked before it is believed."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.kernels.bone.bricks import BRICK, OUTSIDE
from navtwin.kernels.bone.fingerprint import brick_hash
from navtwin.nouns.bone_stream import CELLS, unpack_cells
from navtwin.nouns.drilling import BoneState, Trespass
from navtwin.scene.bone_field import parts_of

if TYPE_CHECKING:
    from navtwin.scene.carvable import Carvable

I8 = npt.NDArray[np.int8]
U64 = npt.NDArray[np.uint64]

_REMEDY = "take a state that was kept of this structure, of this case"


def plain_zlib(data: bytes) -> bytes:
    """`data` as a zlib stream that compresses nothing (RFC 1950; RFC 1951, section 3.2.4): the same bytes with any library."""
    most = 0xFFFF
    blocks = [data[at : at + most] for at in range(0, len(data), most)] or [b""]
    heads = (bytes([n == len(blocks) - 1]) + len(b).to_bytes(2, "little") + (len(b) ^ most).to_bytes(2, "little") for n, b in enumerate(blocks))
    return b"\x78\x01" + b"".join(part for pair in zip(heads, blocks, strict=True) for part in pair) + zlib.adler32(data).to_bytes(4, "big")


def pack(bone: Carvable, session: str, stretch: int, undone: int, trespasses: tuple[Trespass, ...], *, plain: bool) -> BoneState:
    """The bone as it is; bricks that are only doubtful are in it too, since what is not known must outlive the session.

    Parameters
    ----------
    plain : do not compress: how small a compressor makes it, and with which bytes, is up to its version
    """
    numbers = bone.touched
    cells = bone.cells(numbers).tobytes() + bone.doubts(numbers).astype("<u8").tobytes()
    return BoneState(
        case_hash=bone.case_hash, structure=bone.structure, side_mm=bone.side_mm, bricks=tuple(numbers.tolist()),
        cells=plain_zlib(cells) if plain else zlib.compress(cells, 6),
        removed_mm3=bone.removed_mm3, hash=bone.hash, session=session, stretch=stretch, undone=undone, trespasses=trespasses,
    )  # fmt: skip


def unpack(bone: Carvable, state: BoneState) -> tuple[npt.NDArray[np.int64], I8, U64]:
    """Numbers, cells (N, 16, 16, 16) and doubts (N,) of a state's bricks.

    Raises
    ------
    InputRefused : it is not of this bone, or is damaged
    """
    for what, theirs, ours in (
        ("case", state.case_hash, bone.case_hash), ("structure", state.structure, bone.structure), ("grid's side", state.side_mm, bone.side_mm)
    ):  # fmt: skip
        if theirs != ours:
            raise InputRefused(f"the drilled bone is of another {what}: {theirs or 'none'}, not {ours or 'none'}", _REMEDY)
    table = bone.bricks.table.reshape(-1)
    numbers = np.array(state.bricks, np.int64) if all(0 <= b < len(table) for b in state.bricks) else None
    if numbers is None or any(after <= before for before, after in pairwise(state.bricks)) or (table[numbers] == OUTSIDE).any():
        raise InputRefused("the drilled bone has bricks where this structure has none, or not in order", _REMEDY)
    cells, doubts = _decoded(state)
    changed = bone.changed
    now_whole, whole = bone.whole_cells(changed), bone.cells(numbers)
    are_both = np.isin(numbers, changed)
    whole[are_both] = now_whole[np.searchsorted(changed, numbers[are_both])]
    total = int(bone.bricks.total[0]) + _sum(changed, now_whole) - _sum(changed, bone.cells(changed)) + _sum(numbers, cells) - _sum(numbers, whole)
    if f"{total % 2**64:016x}" != state.hash:
        raise InputRefused("the drilled bone is damaged, or was made from another surface: its hash differs", _REMEDY)
    gone_mm3 = (parts_of(whole) - parts_of(cells)) * bone.part_mm3
    if abs(state.removed_mm3 - gone_mm3) > 0.01 * gone_mm3 + 1.0:
        raise InputRefused(f"the drilled bone is damaged: {state.removed_mm3:.4g} mm^3 are said to be gone, and {gone_mm3:.4g} are", _REMEDY)
    return numbers, cells, doubts


def _sum(numbers: npt.NDArray[np.int64], cells: I8) -> int:
    return sum(int(brick_hash(cells[n], brick)) for n, brick in enumerate(numbers.tolist()))


def _decoded(state: BoneState) -> tuple[I8, U64]:
    count = len(state.bricks)
    try:
        raw = unpack_cells(state.cells, count)
    except ValueError as error:
        raise InputRefused(f"the drilled bone {error}", _REMEDY) from error
    cells = np.frombuffer(raw, np.int8, count * CELLS).reshape(count, BRICK, BRICK, BRICK).copy()
    return cells, np.frombuffer(raw, "<u8", count, count * CELLS).astype(np.uint64)
