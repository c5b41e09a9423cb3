"""Drilled bone that is taken back, kept, taken up again and mirrored."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.kernels.bone.bricks import INSIDE, OUTSIDE
from navtwin.nouns.drilling import BoneState, Trespass
from navtwin.scene import bone_cache
from navtwin.scene.bone_state import plain_zlib
from navtwin.scene.carvable import MOST_STRETCHES, Carvable
from navtwin.scene.model import Structure
from navtwin.scene.surface import Surface
from tests.kernels import meshes

SIDE = 0.5
BONE = Structure(
    "mastoid", "work", "ref", Surface.from_arrays(*meshes.box((7.0, 8.0, 9.0))), None, None, 0.3, 15.0, "#ffffff", 1.0, False, carve_mm=SIDE
)


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path))


@pytest.fixture
def bone(_own_cache: None) -> Carvable:
    return Carvable.of(BONE, "case")


def drill(bone: Carvable, seed: int, strokes: int = 4) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(strokes):
        a = rng.uniform(-9, 9, 3)
        bone.carve(a, a + rng.uniform(-2, 2, 3), rng.uniform(0.5, 2.5))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_stretches_are_taken_back_one_by_one_to_the_bit(seed: int) -> None:
    bone, before = Carvable(BONE.surface, SIDE), list[tuple[str, float, bytes]]()
    for n in range(4):
        before.append((bone.hash, bone.removed_mm3, bone.cells(np.arange(bone.bricks.table.size)).tobytes()))
        bone.begin_stretch()
        drill(bone, seed + n, 3)
    for was in before[::-1]:
        revision = bone.revision
        assert bone.undo_stretch()
        assert (bone.hash, bone.removed_mm3, bone.cells(np.arange(bone.bricks.table.size)).tobytes()) == was
        assert bone.revision >= revision
    assert not bone.undo_stretch() and len(bone.changed) == 0
    assert bone.surface().volume_mm3 == pytest.approx(Carvable(BONE.surface, SIDE).surface().volume_mm3, rel=1e-12)


def test_what_is_taken_back_is_doubtful_until_it_is_touched(bone: Carvable) -> None:
    assert bone.doubtful == 0.0
    bone.carve([0, 0, 9], [0, 0, 4], 2.0)
    gone = bone.bone_on_way([0, 0, 20], [0, 0, 0])
    assert gone[0] == pytest.approx(2.0, abs=0.05) and not gone[1]
    assert bone.undo_stretch()
    back = bone.bone_on_way([0, 0, 20], [0, 0, 0])
    assert back[0] == pytest.approx(9.0, abs=0.05) and back[1]
    assert 0.0 < bone.doubtful <= 1.0
    assert len(bone.changed) == 0 < len(bone.touched)
    bone.settle([0, 0, 6], 12.0)
    assert bone.doubtful == 0.0 and not bone.bone_on_way([0, 0, 20], [0, 0, 0])[1]


def test_cutting_where_bone_was_doubtful_makes_it_known(bone: Carvable) -> None:
    bone.doubt([0, 0, 8], [0, 0, 8], 1.0)
    assert bone.bone_on_way([0, 0, 20], [0, 0, 0])[1]
    bone.carve([0, 0, 8], [0, 0, 8], 6.0)
    assert bone.doubtful == 0.0


def test_only_the_newest_stretches_are_kept_and_empty_ones_count(bone: Carvable) -> None:
    for n in range(MOST_STRETCHES + 5):
        bone.begin_stretch()
        if n % 2:
            bone.carve([0.1 * n, 0, 9], [0.1 * n, 0, 8], 1.0)
    undone = 0
    while bone.undo_stretch():
        undone += 1
    assert undone == MOST_STRETCHES
    assert bone.removed_mm3 > 0.0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_state_brings_the_bone_back_whatever_came_before(seed: int) -> None:
    drilled, other = Carvable(BONE.surface, SIDE), Carvable(BONE.surface, SIDE)
    drill(drilled, seed)
    drilled.doubt([0, 0, 0], [3, 0, 0], 1.0)
    drill(other, seed + 1)
    other.doubt([5, 5, 5], [5, 5, 5], 2.0)
    state = msgspec.json.decode(msgspec.json.encode(drilled.state("s1", stretch=3, undone=1, trespasses=(Trespass("nerve", 0.5),))), type=BoneState)
    other.take(state)
    assert (state.stretch, state.undone, state.session, state.trespasses) == (3, 1, "s1", (Trespass("nerve", 0.5),))
    assert (other.hash, other.removed_mm3, other.doubtful) == (drilled.hash, drilled.removed_mm3, drilled.doubtful)
    assert np.array_equal(other.changed, drilled.changed)
    every = np.arange(drilled.bricks.table.size)
    assert np.array_equal(other.cells(every), drilled.cells(every)) and np.array_equal(other.doubts(every), drilled.doubts(every))
    points = np.random.default_rng(seed).uniform(-10, 10, (50, 3))
    assert other.closest(points).distance_mm.tobytes() == drilled.closest(points).distance_mm.tobytes()
    # And on they go alike.
    drill(drilled, seed + 2)
    drill(other, seed + 2)
    assert (other.hash, other.removed_mm3) == (drilled.hash, drilled.removed_mm3)


def test_a_mirror_has_the_same_surface_to_the_bit(bone: Carvable) -> None:
    mirror = Carvable.of(BONE, "case")
    for seed in range(3):
        drill(bone, seed)
        mirror.forest  # noqa: B018 - it is planted before the bricks come, one by one
        for brick in bone.touched:
            mirror.put([brick], bone.cells([brick]), bone.doubts([brick]))
        assert mirror.hash == bone.hash and mirror.removed_mm3 == pytest.approx(bone.removed_mm3, abs=0.05)
        for brick in range(bone.bricks.table.size):
            ours, theirs = mirror.patch(brick), bone.patch(brick)
            assert ours[0].tobytes() == theirs[0].tobytes() and ours[1].tobytes() == theirs[1].tobytes()
    mirror.put(mirror.changed, mirror.whole_cells(mirror.changed))
    assert mirror.hash == Carvable.of(BONE, "case").hash and len(mirror.changed) == 0


def test_states_of_other_bone_and_damaged_ones_are_refused_and_change_nothing(bone: Carvable) -> None:
    drill(bone, 5)
    state, fresh = bone.state(), Carvable.of(BONE, "case")
    outside = int(np.flatnonzero(bone.bricks.table.reshape(-1) == OUTSIDE)[0]) if (bone.bricks.table == OUTSIDE).any() else None
    cells = zlib.decompress(state.cells)
    flipped = bytes([cells[0] ^ 1]) + cells[1:]
    bad: dict[str, dict[str, Any]] = {
        "another case": {"case_hash": "other"},
        "another structure": {"structure": "femur"},
        "another grid's side": {"side_mm": 0.4},
        "not in order": {"bricks": state.bricks[::-1]},
        "has bricks where": {"bricks": (*state.bricks[:-1], bone.bricks.table.size)},
        "has not the cells": {"cells": zlib.compress(cells + b"\0" * 1000)},
        "of [0-9]+ bricks": {"cells": zlib.compress(cells[:-1])},
        "cannot be unpacked": {"cells": b"nonsense"},
        "its hash differs": {"cells": zlib.compress(flipped)},
        "are said to be gone": {"removed_mm3": state.removed_mm3 * 1.5 + 10.0},
    }
    for words, change in bad.items():
        with pytest.raises(InputRefused, match=words):
            fresh.take(msgspec.structs.replace(state, **change))
    if outside is not None:
        with pytest.raises(InputRefused, match="has bricks where"):
            fresh.take(msgspec.structs.replace(state, bricks=tuple(sorted({*state.bricks[:-1], outside}))))
    assert fresh.removed_mm3 == 0.0 and len(fresh.changed) == 0 and fresh.revision == 0
    fresh.take(state)
    assert fresh.hash == bone.hash


def test_a_bomb_is_not_unpacked(bone: Carvable) -> None:
    """A few kilobytes that would be a gigabyte: never more than the bricks need."""
    state = bone.state()
    with pytest.raises(InputRefused, match="has not the cells of 0 bricks"):
        bone.take(msgspec.structs.replace(state, cells=zlib.compress(bytes(50_000_000))))


def test_bricks_that_are_not_there_are_refused(bone: Carvable) -> None:
    count = bone.bricks.table.size
    for bricks in ([-1], [count], [0, 2**40]):
        for ask in (bone.cells, bone.doubts, lambda b: bone.put(b, np.zeros((len(b), 16, 16, 16), np.int8)), lambda b: bone.patch(b[-1])):
            with pytest.raises(InputRefused, match="has bricks 0 "):
                ask(bricks)
    with pytest.raises(InputRefused, match="cells of 1 bricks"):
        bone.put([0], np.zeros((1, 16, 16, 15), np.int8))
    assert bone.cells([]).shape == (0, 16, 16, 16)
    assert bone.hash == Carvable.of(BONE, "case").hash


def test_whole_bone_is_kept_and_found_again_and_made_anew_where_it_is_damaged(
    _own_cache: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[float] = []
    first = Carvable.of(BONE, "case", said.append)
    assert said[-1] == 1.0
    (kept,) = (tmp_path / "bone").glob("*.npz")
    said.clear()
    again = Carvable.of(BONE, "case", said.append)
    assert not said and again.hash == first.hash
    every = np.arange(first.bricks.table.size)
    assert np.array_equal(again.cells(every), first.cells(every))
    assert ((again.bricks.table == INSIDE) == (first.bricks.table == INSIDE)).all()
    whole = kept.read_bytes()
    for damage in (whole[:1000], b"", whole[: len(whole) // 2] + b"\x55" * 40 + whole[len(whole) // 2 + 40 :]):
        kept.write_bytes(damage)
        said.clear()
        assert Carvable.of(BONE, "case", said.append).hash == first.hash
        assert said and kept.read_bytes() != damage
    for other in (("other", BONE), ("case", replace(BONE, name="femur")), ("case", replace(BONE, carve_mm=0.4))):
        said.clear()
        Carvable.of(other[1], other[0], said.append)
        assert said
    for n in range(bone_cache.MOST_KEPT + 2):
        Carvable.of(BONE, f"case {n}")
    assert len(list((tmp_path / "bone").iterdir())) == bone_cache.MOST_KEPT
    monkeypatch.setenv("NAVTWIN_CACHE", str(kept))  # a file, where no folder can be made
    assert Carvable.of(BONE, "case").hash == first.hash


def test_a_structure_that_is_not_drilled_is_refused() -> None:
    with pytest.raises(InputRefused, match="not one that is drilled"):
        Carvable.of(replace(BONE, carve_mm=None), "case")


@pytest.mark.parametrize("size", [0, 1, 0xFFFF, 0x10000, 200_000])
def test_a_plain_stream_is_one_that_zlib_reads(size: int) -> None:
    data = bytes(n * 31 % 251 for n in range(size))
    assert zlib.decompress(plain_zlib(data)) == data


def test_a_plain_state_is_the_same_bone() -> None:
    bone, other = Carvable.of(BONE, "case"), Carvable.of(BONE, "case")
    bone.carve((1, 2, 3), (4, 4, 4), 2.0)
    state = bone.state(plain=True)
    assert len(state.cells) > len(bone.state().cells)
    other.take(state)
    assert other.hash == bone.hash
