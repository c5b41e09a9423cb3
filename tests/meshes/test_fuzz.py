"""Any bytes of any mesh file may be wrong: it is read, or refused by our own error, and told apart without one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import NavtwinError
from navtwin.meshes.read import read_mesh
from navtwin.meshes.recognise import kind_of
from navtwin.meshes.write import write_mesh
from tests.kernels import meshes
from tests.meshes.files import CUBE, QUADS, obj, ply, vtk

CASES = [(".stl", False), (".stl", True), (".ply", False), (".ply", True), (".obj", True), (".vtk", False), (".vtk", True), (".vtp", False)]
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Bytes changed, put in, taken out, or all that follows cut off."""
    for share, how, new in edits:
        at = int(share * len(data))
        data = data[:at] + (b"" if how == 2 else new) + (b"" if how == 3 else data[at + (0 if how == 1 else len(new)) :])
    return data


def read_or_refuse(data: bytes, path: Path) -> None:
    kind_of(data[:64], len(data))
    path.write_bytes(data)
    with suppress(NavtwinError):
        read_mesh(path, space="LPS")


@pytest.mark.parametrize(("ending", "text"), CASES)
@settings(max_examples=40, deadline=None)
@given(edits=EDITS)
def test_ours_with_bytes_changed(ending: str, text: bool, scratch: Path, edits: list[tuple[float, int, bytes]]) -> None:
    path = scratch / f"a{ending}"
    write_mesh(path, *meshes.sphere(20.0, 0), text=text)
    read_or_refuse(edited(path.read_bytes(), edits), path)


@pytest.mark.parametrize(
    "data",
    [ply(CUBE[0], QUADS, kind="ascii"), ply(CUBE[0], [*QUADS, (0, 1, 2)]), obj(CUBE[0], QUADS), vtk(*CUBE, kind="TRIANGLE_STRIPS", binary=True)],
)
@settings(max_examples=40, deadline=None)
@given(edits=EDITS)
def test_others_with_bytes_changed(data: bytes, scratch: Path, edits: list[tuple[float, int, bytes]]) -> None:
    read_or_refuse(edited(data, edits), scratch / "b")


@pytest.mark.parametrize(
    "data", [b"<!--" * 16000, b"<!---->" * 9000, b"ply\n" + b"comment " * 8000, b"v " + b"1" * 60000, b"solid" + b"\n" * 60000, b"<?" * 30000]
)
def test_endless_beginnings_are_told_apart_at_once(data: bytes) -> None:
    """Patterns that try every way to match would take minutes."""
    kind_of(data, len(data))
