"""Kernels from light to grey levels: defocus, vignetting, noise, quantisation."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

F32 = npt.NDArray[np.float32]

#: Where the Gaussian is cut off, in sds: 6e-5 of it lie beyond.
REACH_SDS = 4.0


def taps(sd_px: float) -> F32:
    """Weights of a Gaussian at whole pixels, (2 K + 1,), that sum to 1.

    Taken at points, not averaged over pixels: the picture that they blur has been averaged once. An edge stays exactly where it is; how steep it
    looks is right on average over its places within a pixel, and within 1 % of the step at each. Meant for an sd of 0.5 px or more.
    """
    reach = math.ceil(REACH_SDS * sd_px)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd_px) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


@compiled
def defocus(image: F32, weights: F32) -> F32:
    """`image` (H, W) convolved with `weights` along rows and columns; beyond the border it goes on as it ends."""
    rows, columns = image.shape
    reach = len(weights) // 2
    blurred = np.zeros_like(image)
    wide, line = np.empty(columns + 2 * reach, np.float32), np.empty(columns, np.float32)
    for row in range(rows):
        line[:] = 0.0
        for k in range(len(weights)):
            source, weight = image[min(max(row + k - reach, 0), rows - 1)], weights[k]
            for column in range(columns):
                line[column] += weight * source[column]
        wide[:reach], wide[reach : reach + columns], wide[reach + columns :] = line[0], line, line[columns - 1]
        out = blurred[row]
        for k in range(len(weights)):
            weight, shifted = weights[k], wide[k : k + columns]
            for column in range(columns):
                out[column] += weight * shifted[column]
    return blurred


@compiled
def add_spot(light: F32, x: float, y: float, sd: float, peak: float) -> None:
    """Add a Gaussian spot to `light` in place."""
    for row in range(max(int(y - 5.0 * sd), 0), min(int(y + 5.0 * sd) + 2, light.shape[0])):
        for column in range(max(int(x - 5.0 * sd), 0), min(int(x + 5.0 * sd) + 2, light.shape[1])):
            light[row, column] += np.float32(peak * math.exp(-((row - y) ** 2 + (column - x) ** 2) / (2.0 * sd * sd)))


_STRIDE, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S16 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(16)
_PAIRS, _FOURS, _EIGHTS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES, _S1, _S2, _S4, _S56, _LOW16 = np.uint64(0x0101010101010101), np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56), np.uint64(0xFFFF)
#: Of 48 fair coins and a uniform number of width 1: mean, and 1 / sd.
_MEAN, _PER_SD = np.float32(24.0), np.float32(1.0 / math.sqrt(12.0 + 1.0 / 12.0))


@compiled
def noise_of(key: np.uint64, index: np.uint64) -> np.float32:
    """A number of mean 0 and sd 1, the same for the same key and index.

    A mixed counter (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) gives 64 fair bits. 48 of them are counted,
    and the others, as a fraction, fill the steps between counts: as good as normal (its kurtosis is 0.04 too low), and ten times as fast.
    """
    z = key + index * _STRIDE
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    z ^= z >> _S31
    low = np.float32(np.int64(z & _LOW16)) * np.float32(1.0 / 65536.0) - np.float32(0.5 - 0.5 / 65536.0)
    z = z >> _S16
    z = z - ((z >> _S1) & _PAIRS)
    z = (z & _FOURS) + ((z >> _S2) & _FOURS)
    z = (z + (z >> _S4)) & _EIGHTS
    return np.float32((np.float32(np.int64((z * _BYTES) >> _S56)) - _MEAN + low) * _PER_SD)


@compiled
def expose(light: F32, field: F32, key: np.uint64, read_dn: float, shot_dn: float, gamma: float) -> npt.NDArray[np.uint8]:
    """Grey levels of `light` (H, W) seen through `field`, a factor for each pixel (or of shape (1, 1): none); `key` makes the noise.

    Gamma acts behind the noise, as in a camera.
    """
    rows, columns = light.shape
    grey = np.empty((rows, columns), np.uint8)
    read, shot = np.float32(read_dn * read_dn), np.float32(shot_dn * shot_dn / 255.0)
    zero, top, half, power = np.float32(0.0), np.float32(255.0), np.float32(0.5), np.float32(1.0 / gamma)
    even, noisy = field.size == 1, read_dn > 0.0 or shot_dn > 0.0
    line, noise = np.empty(columns, np.float32), np.empty(columns, np.float32)
    # One plain loop after another over a row: each is made of vector instructions.
    for row in range(rows):
        line[:] = light[row]
        if not even:
            for column in range(columns):
                line[column] *= field[row, column]
        if noisy:
            first = np.uint64(row * columns)
            for column in range(columns):
                noise[column] = noise_of(key, first + np.uint64(column))
            for column in range(columns):
                line[column] += noise[column] * np.sqrt(read + shot * max(line[column], zero))
        if gamma != 1.0:
            for column in range(columns):
                line[column] = top * (max(line[column], zero) / top) ** power
        for column in range(columns):
            grey[row, column] = np.uint8(min(max(line[column] + half, zero), top))
    return grey
