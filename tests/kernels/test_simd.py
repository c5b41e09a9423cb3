"""Every instruction, lane by lane, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.kernels.jit import query
from navtwin.kernels.simd import F32, WIDTH, at_most, choose, first_bit, load, lower, lowest, prefetch, root, splat, store, upper


@query
def _arithmetic(a: F32, out: F32, x: float) -> None:
    p, q = load(a, 0), load(a, WIDTH)
    store(out, 0, p + q)
    store(out, WIDTH, p - q)
    store(out, 2 * WIDTH, p * q)
    store(out, 3 * WIDTH, p / q)
    store(out, 4 * WIDTH, lower(p, q))
    store(out, 5 * WIDTH, upper(p, q))
    store(out, 6 * WIDTH, root(p * p))
    store(out, 7 * WIDTH, choose(p, q, p, splat(x)))


@query
def _reading(a: F32) -> tuple[int, float, int]:
    prefetch(a, 0)
    bits = at_most(load(a, 0), load(a, WIDTH))
    return bits, lowest(load(a, 0)), first_bit(bits) if bits != 0 else -1


def pairs(seed: int) -> np.ndarray:
    a = np.random.default_rng(seed).normal(0.0, 3.0, 2 * WIDTH).astype(np.float32)
    a[WIDTH + seed % WIDTH] = a[seed % WIDTH]  # a tie in one lane
    return a


@pytest.mark.parametrize("seed", range(8))
def test_arithmetic(seed: int) -> None:
    a, out = pairs(seed), np.zeros(8 * WIDTH, np.float32)
    p, q = a[:WIDTH], a[WIDTH:]
    _arithmetic(a, out, 0.1)
    expected = (p + q, p - q, p * q, p / q, np.minimum(p, q), np.maximum(p, q), np.sqrt(p * p), np.where(p <= q, p, np.float32(0.1)))
    assert (out.reshape(8, WIDTH) == np.array(expected, np.float32)).all()


@pytest.mark.parametrize("seed", range(8))
def test_comparing_and_reducing(seed: int) -> None:
    a = pairs(seed)
    bits, least, first = _reading(a)
    below = a[:WIDTH] <= a[WIDTH:]
    assert bits == sum(1 << k for k in range(WIDTH) if below[k])
    assert least == a[:WIDTH].min()
    assert first == int(np.argmax(below))


def test_what_is_not_a_number_is_at_most_nothing() -> None:
    a = np.zeros(2 * WIDTH, np.float32)
    a[3], a[WIDTH + 5] = np.nan, np.nan
    assert _reading(a)[0] == 0xFF - (1 << 3) - (1 << 5)


def test_lanes_are_for_kernels_only() -> None:
    with pytest.raises(TypeError, match="inside kernels"):
        splat(1.0)
