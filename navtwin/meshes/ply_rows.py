"""The rows of one PLY element: all at once where every list in them has the same length, else one after another."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.meshes.axes import I64
from navtwin.meshes.raw import cut

#: No polygon has so many corners.
_LONGEST_LIST = 2**24
_MOST_PROPERTIES = 256


@dataclass(frozen=True)
class Property:
    """A scalar, or a list where `counter` is the type of its length."""

    name: str
    item: np.dtype[np.generic]
    counter: np.dtype[np.generic] | None


@dataclass(frozen=True)
class Rows:
    """What the rows of an element hold.

    Attributes
    ----------
    scalars : name -> one number for each row
    lists : name -> lengths, one for each row, and all items after one another; only lists of whole numbers
    """

    scalars: dict[str, npt.NDArray[np.generic]]
    lists: dict[str, tuple[I64, I64]]


def read_element(data: bytes, at: int, count: int, properties: tuple[Property, ...], path: Path) -> tuple[Rows, int]:
    """Read `count` rows from `at`; also says where they end.

    Raises
    ------
    InputRefused : more is claimed than there is
    """
    if len(properties) > _MOST_PROPERTIES:
        raise InputRefused(f"{path} has an element of {len(properties)} properties", "export a plain triangle mesh")
    least = sum((p.counter or p.item).itemsize for p in properties)
    if count * least > len(data) - at:
        raise cut(path, count * least, len(data) - at)
    if count == 0 or not properties:
        none = np.empty(0, dtype=np.int64)
        return Rows({p.name: none for p in properties if p.counter is None}, {p.name: (none, none) for p in properties if p.counter is not None}), at
    lengths = _lengths_of_row(data, at, properties, path)
    row = _row_type(properties, lengths)
    if count * row.itemsize <= len(data) - at:
        rows = np.frombuffer(data, row, count, at)
        alike = all((rows[f"count {p.name}"] == n).all() for p, n in zip(properties, lengths, strict=True) if p.counter is not None)
        if alike:
            return _columns(rows, properties, path), at + count * row.itemsize
    return _one_by_one(data, at, count, properties, path)


def _row_type(properties: tuple[Property, ...], lengths: list[int]) -> np.dtype[np.void]:
    fields: list[tuple[str, np.dtype[np.generic]] | tuple[str, np.dtype[np.generic], int]] = []
    for p, n in zip(properties, lengths, strict=True):
        if p.counter is None:
            fields.append((p.name, p.item))
        else:
            fields += [(f"count {p.name}", p.counter), (p.name, p.item, n)]
    return np.dtype(fields)


def _lengths_of_row(data: bytes, at: int, properties: tuple[Property, ...], path: Path) -> list[int]:
    """The length of each property's list in the row at `at`, 1 for scalars."""
    lengths = []
    for p in properties:
        n = 1
        if p.counter is not None:
            if at + p.counter.itemsize > len(data):
                raise cut(path, at + p.counter.itemsize, len(data))
            n = _length(np.frombuffer(data, p.counter, 1, at)[0].item(), path)
            at += p.counter.itemsize
        at += n * p.item.itemsize
        if at > len(data):
            raise cut(path, at, len(data))
        lengths.append(n)
    return lengths


def _length(n: float, path: Path) -> int:
    if not 0 <= n <= _LONGEST_LIST or n != int(n):
        raise InputRefused(f"{path} has a face of {n:g} corners", "the file is damaged: export the mesh again")
    return int(n)


def _columns(rows: npt.NDArray[np.void], properties: tuple[Property, ...], path: Path) -> Rows:
    scalars, lists = {}, {}
    for p in properties:
        if p.counter is None:
            scalars[p.name] = rows[p.name]
        else:
            items = rows[p.name].reshape(len(rows), -1)
            if _are_whole(items):
                lists[p.name] = np.full(len(rows), items.shape[1], dtype=np.int64), items.astype(np.int64).ravel()
    return Rows(scalars, lists)


def _are_whole(items: npt.NDArray[np.generic]) -> bool:
    """Whether numbers can be indices. Those of a text are doubles; texture coordinates are not asked for."""
    if items.dtype.kind in "iu":
        return True
    return items.itemsize == 8 and bool((np.abs(items) < 2.0**53).all() and (items == np.rint(items)).all())


def _one_by_one(data: bytes, at: int, count: int, properties: tuple[Property, ...], path: Path) -> tuple[Rows, int]:
    """Triangles among quadrilaterals: each row tells where the next one begins."""
    held = {p.name: bytearray() for p in properties}
    lengths: dict[str, list[int]] = {p.name: [] for p in properties if p.counter is not None}
    counters = [None if p.counter is None else struct.Struct(("=" if p.counter.byteorder in "=|" else p.counter.byteorder) + p.counter.char)
                for p in properties]  # fmt: skip
    view, end = memoryview(data), len(data)
    for _ in range(count):
        for p, counter in zip(properties, counters, strict=True):
            n = 1
            if counter is not None:
                if at + counter.size > end:
                    raise cut(path, at + counter.size, end)
                n = _length(counter.unpack_from(data, at)[0], path)
                lengths[p.name].append(n)
                at += counter.size
            size = n * p.item.itemsize
            if at + size > end:
                raise cut(path, at + size, end)
            held[p.name] += view[at : at + size]
            at += size
    items = {p.name: np.frombuffer(held[p.name], p.item) for p in properties}
    lists = {name: (np.array(n, dtype=np.int64), items[name].astype(np.int64)) for name, n in lengths.items() if _are_whole(items[name])}
    return Rows({p.name: items[p.name] for p in properties if p.counter is None}, lists), at
