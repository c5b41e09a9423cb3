"""The checksum against its definition, bit by bit, and against its published check value."""

from __future__ import annotations

import random

import pytest

from navtwin.igtl.crc import GENERATOR, crc64


def by_definition(data: bytes) -> int:
    """Long division, one bit at a time."""
    rest = 0
    for byte in data:
        rest ^= byte << 56
        for _ in range(8):
            rest = ((rest << 1) ^ (GENERATOR if rest >> 63 else 0)) & (1 << 64) - 1
    return rest


def test_the_published_check_value() -> None:
    assert crc64(b"123456789") == 0x6C40DF5F0B497347


def test_a_single_bit_is_the_generator_itself() -> None:
    assert crc64(b"\x01") == GENERATOR
    assert crc64(b"\x00" * 100) == 0


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 48, 117, 2047, 2048, 2049, 2055, 5003, 8191])
def test_any_length_by_its_definition(length: int) -> None:
    data = random.Random(length).randbytes(length)
    assert crc64(data) == by_definition(data)
    assert crc64(bytearray(data)) == crc64(memoryview(data)) == crc64(data)


@pytest.mark.parametrize("cut", [0, 1, 3, 2048, 4095, 9999])
def test_a_body_may_come_in_pieces(cut: int) -> None:
    data = random.Random(5).randbytes(10_000)
    assert crc64(data[cut:], crc64(data[:cut])) == crc64(data)


def test_a_body_longer_than_the_tree_takes_at_once() -> None:
    data = random.Random(6).randbytes((1 << 19) + 12_345)
    pieces = 0
    for start in range(0, len(data), 1000):
        pieces = crc64(data[start : start + 1000], pieces)
    assert crc64(data) == pieces
