"""CRC-64/ECMA-182, the checksum of OpenIGTLink bodies: polynomial 0x42F0E1EBA9EA3693, start 0, not reflected, no final xor.

Starting from 0 makes the checksum linear: a body is a polynomial over GF(2), its checksum the polynomial times x^64 modulo the generator, and leading
zeros change nothing. Short bodies are taken 8 bytes at a time with eight tables (Kounavis and Berry's slicing); long ones by a tree, all words of a
level at once: two neighbours (a, b), each standing for w words, become a x^(64 w) + b.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

GENERATOR: Final = 0x42F0E1EBA9EA3693
#: From here on the tree is the faster way.
_LONG: Final = 2048
#: Words that the tree takes at once, so that a body of any size needs a few megabytes.
_WORDS: Final = 1 << 16

Words = npt.NDArray[np.uint64]


def crc64(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """The checksum of `data`, or of what `crc` is the checksum of followed by `data`."""
    if len(data) < _LONG:
        return _short(bytes(data), crc)
    view = memoryview(data)
    for start in range(0, len(view), 8 * _WORDS):
        crc = _long(view[start : start + 8 * _WORDS], crc)
    return crc


def _short(data: bytes, crc: int) -> int:
    t0, t1, t2, t3, t4, t5, t6, t7 = _slices()
    whole = len(data) & ~7
    for n in range(0, whole, 8):
        a, b, c, d, e, f, g, h = (crc ^ int.from_bytes(data[n : n + 8], "big")).to_bytes(8, "big")
        crc = t0[a] ^ t1[b] ^ t2[c] ^ t3[d] ^ t4[e] ^ t5[f] ^ t6[g] ^ t7[h]
    for byte in data[whole:]:
        crc = t7[crc >> 56 ^ byte] ^ (crc << 8) & 0xFFFFFFFFFFFFFFFF
    return crc


def _long(data: memoryview, crc: int) -> int:
    """By the tree. What came before joins the first word, and the rest that fills no word is taken one by one."""
    whole = len(data) & ~7
    words = np.frombuffer(data[:whole], dtype=">u8").astype(np.uint64)
    words[0] ^= np.uint64(crc)
    level = 0
    while len(words) > 1:
        if len(words) % 2:
            words = np.concatenate([np.zeros(1, np.uint64), words])
        words = _times(words[0::2], level) ^ words[1::2]
        level += 1
    return _short(bytes(data[whole:]), int(_times(words, 0)[0]))


def _times(words: Words, level: int) -> Words:
    """Each word times x^(64 * 2^level), modulo the generator."""
    tables = _tables(level)
    octets = np.ascontiguousarray(words).view(np.uint8).reshape(-1, 8)
    order = range(7, -1, -1) if sys.byteorder == "little" else range(8)
    product: Words = np.zeros(len(words), np.uint64)
    for table, column in zip(tables, order, strict=True):
        product ^= table[octets[:, column]]
    return product


@cache
def _tables(level: int) -> Words:
    """(8, 256): the products of byte b at place p (0 is the highest of a word) with x^(64 * 2^level)."""
    places = np.arange(256, dtype=np.uint64) << (np.arange(7, -1, -1, dtype=np.uint64)[:, None] * np.uint64(8))
    if level:
        flat = places.reshape(-1)
        # x^(2n) is x^n twice.
        return _times(_times(flat, level - 1), level - 1).reshape(8, 256)
    words = places
    for _ in range(64):
        words = (words << np.uint64(1)) ^ np.where(words >> np.uint64(63), np.uint64(GENERATOR), np.uint64(0))
    return words


@cache
def _slices() -> tuple[list[int], ...]:
    """The tables of level 0 as plain integers: indexing lists is what Python does fastest."""
    return tuple(_tables(0).tolist())
