"""Kernels: the four edges of printed squares, fitted to the pixels themselves; arrays in, arrays out.

The grey level near one edge of a square is modelled as

    I(t, d) = A(t) + B(t) [ Phi(d / s) + a(t) Phi(-(d + w(t)) / s) ]

d : distance from the edge, px, positive outside (white paper); t : place along the edge, -1 to 1; Phi : the normal distribution function
A, B : black level and contrast, linear in t (lighting varies); s : blur, the lens's and the pixel's own together
w, a : distance of the first row of cells inside the black border, and which of them are white, blurred along the edge; known from the pattern

The edge itself is d = o0 + o1 t + o2 t^2: o2 takes up what the lens bends, and is held near 0 by a prior, as a lens bends a short edge by less than
noise moves it. Gauss-Newton on the pixels as they are: interpolated ones would share their noise, and no error bar drawn from them were honest.
Sums are kept per profile (a row or column of pixels across the edge), so that a profile that something covers is weighed down as a whole.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from navtwin.jit import compiled
from tracking.detect.squares import deepening, place_of

Array = npt.NDArray[np.float64]

#: Phi and its slope, tabulated over +-LIMIT sds; beyond, the first is 0 or 1.
LIMIT, PER_SD = 5.0, 64.0
_Z = np.arange(-LIMIT, LIMIT + 2.0 / PER_SD, 1.0 / PER_SD)
TABLE = np.ascontiguousarray(np.stack([ndtr(_Z), np.exp(-0.5 * _Z**2) / math.sqrt(2.0 * math.pi)], axis=1))

#: Unknowns of an edge: A0 A1 B0 B1, then -B0 (o0 o1 o2), then blur; each is a function of d times a power of t.
FUNCTION = np.array([0, 0, 1, 1, 2, 2, 2, 3])
POWER = np.array([0, 1, 0, 1, 0, 1, 2, 0])
UNKNOWNS = 8
#: Sums of a profile: products of the four functions of d (upper triangle), each times the grey level, the grey level squared, pixel count.
PAIR = np.array([[0, 1, 2, 3], [1, 4, 5, 6], [2, 5, 7, 8], [3, 6, 8, 9]])
SUMS = 16

MOST_PROFILES = 26
FEWEST_PROFILES = 5
#: Passes, and how many of them take whole steps: where cells are hardly wider than the blur, those may go back and forth for ever.
MOST_PASSES, WHOLE_STEPS = 12, 4
#: A pass over all profiles that moves no corner further than this ends the fit, px: what the next would move is of third order.
STILL_PX = 0.02
#: Blur to begin with, and the bounds of it, px.
FIRST_BLUR_PX, SHARPEST_PX, BLURRIEST_PX = 0.9, 0.35, 4.0
#: Sds of the priors: bend of a straight line seen through a wide lens (1/px per px of image width), relative slopes of A and B, relative blur.
BEND_SD, SLOPE_SD, BLUR_SD = 0.25, 0.2, 0.5
#: A profile whose mean square misfit is beyond this many times the edge's median loses weight.
MISFIT = 4.0
#: What no fit knows better, px: the printed edge itself, and the shape of pixels.
FLOOR_PX = 0.002
#: Grey levels from which a pixel may be saturated.
SATURATED = 254.0


@compiled
def _step(z: float) -> tuple[float, float]:
    """Phi and its slope at z."""
    if z <= -LIMIT:
        return 0.0, 0.0
    if z >= LIMIT:
        return 1.0, 0.0
    place = (z + LIMIT) * PER_SD
    low = int(place)
    part = place - low
    return TABLE[low, 0] + part * (TABLE[low + 1, 0] - TABLE[low, 0]), TABLE[low, 1] + part * (TABLE[low + 1, 1] - TABLE[low, 1])


@compiled
def _cells_inside(corners: Array, edge: int, row: npt.NDArray[np.bool_], run: Array, out: Array, marks: Array, changes: Array) -> tuple[float, float]:
    """Where along the edge the cells next to the border begin (`marks`, px from its start) and how white they are more than the one before.

    Returns the border's width at both ends of the edge, px.
    """
    size = len(row)
    _, g, h = deepening(corners, edge)
    before, widths = 0.0, (0.0, 0.0)
    for k in range(size + 1):
        x, y = place_of(corners, edge, g, h, k / size, 1.0 / size)
        x, y = x - corners[edge, 0], y - corners[edge, 1]
        if k == 0:
            widths = (-(x * out[0] + y * out[1]), 0.0)
        if k == size:
            return widths[0], -(x * out[0] + y * out[1])
        white = 0.0 if row[k] else 1.0
        marks[k], changes[k] = x * run[0] + y * run[1], white - before
        before = white
    return widths


@compiled
def _profiles(  # noqa: PLR0915  (one loop over pixels)
    image: npt.NDArray[np.uint8], corners: Array, edge: int, runs: Array, outs: Array, lengths: Array, border: tuple[float, float],
    marks: Array, changes: Array, blur: float, reach: tuple[float, float], bow: float, levels: Array, sums: Array, places: Array,
) -> int:  # fmt: skip
    """Sums over the pixels of each profile across one edge; how many profiles there are."""
    rows, columns = image.shape
    by_rows = abs(outs[edge, 0]) >= abs(outs[edge, 1])
    # Scanned along `b`, one profile for each whole `a`.
    ib, ia = (0, 1) if by_rows else (1, 0)
    most_a, most_b = (rows - 1, columns - 1) if by_rows else (columns - 1, rows - 1)
    ca, cb = corners[edge, ia], corners[edge, ib]
    na, nb = outs[edge, ia], outs[edge, ib]
    ta, tb = runs[edge, ia], runs[edge, ib]
    length = lengths[edge]
    last, following = (edge + 3) % 4, (edge + 1) % 4
    ea, eb = corners[following, ia], corners[following, ib]
    pa, pb = outs[last, ia], outs[last, ib]
    qa, qb = outs[following, ia], outs[following, ib]
    clear = min(2.5 * blur + 0.3, 0.22 * length)
    low_a, high_a = max(0, math.ceil(min(ca, ea))), min(most_a, math.floor(max(ca, ea)))
    lines = max(0, high_a - low_a + 1)
    most = min(MOST_PROFILES, lines)
    found = 0
    for number in range(most):
        a = low_a + ((2 * number + 1) * lines) // (2 * most)
        b0 = cb - na * (a - ca) / nb
        along = tb * (b0 - cb) + ta * (a - ca)
        t = 2.0 * along / length - 1.0
        b0 += bow * (t * t - 1.0) / nb
        if nb > 0.0:
            low, high = b0 - reach[0] / nb, b0 + reach[1] / nb
        else:
            low, high = b0 + reach[1] / nb, b0 - reach[0] / nb
        # Clear of the edges before and after by `clear`, on the black's side of both.
        for side in range(2):
            slope = pb if side == 0 else qb
            level = pa * (a - ca) - pb * cb if side == 0 else qa * (a - ea) - qb * eb
            if abs(slope) < 1e-9:
                if level > -clear:
                    high = low - 1.0
            elif slope > 0.0:
                high = min(high, (-clear - level) / slope)
            else:
                low = max(low, (-clear - level) / slope)
        # A pixel at the window's end counts by halves, so that none comes or goes at once when the edge shifts a little.
        first, final = max(0, math.ceil(low - 0.5)), min(most_b, math.floor(high + 0.5))
        if final - first < 1 or high - low < 1.0:
            continue
        width = border[0] + (border[1] - border[0]) * along / length
        inside = along - width * tb / nb
        whiteness = 0.0
        for k in range(1, len(marks)):
            if changes[k] != 0.0:
                whiteness += changes[k] * _step((inside - marks[k]) / blur)[0]
        s00 = s01 = s02 = s03 = s11 = s12 = s13 = s22 = s23 = s33 = 0.0
        g0 = g1 = g2 = g3 = gg = 0.0
        black, contrast = levels[0] + levels[1] * t, levels[2] + levels[3] * t
        for b in range(first, final + 1):
            grey = float(image[a, b]) if by_rows else float(image[b, a])
            z = nb * (b - b0) / blur
            f, slope = _step(z)
            if whiteness != 0.0 and z < LIMIT - width / blur:
                f += whiteness * _step(-z - width / blur)[0]
            if grey >= SATURATED and black + contrast * f >= grey:
                continue
            slope /= blur
            turn = z * slope
            share = min(min(b - low, high - b) + 0.5, 1.0)
            in_f, in_slope, in_turn, in_grey = share * f, share * slope, share * turn, share * grey
            s00 += share
            s01 += in_f
            s02 += in_slope
            s03 += in_turn
            s11 += in_f * f
            s12 += in_f * slope
            s13 += in_f * turn
            s22 += in_slope * slope
            s23 += in_slope * turn
            s33 += in_turn * turn
            g0 += in_grey
            g1 += in_grey * f
            g2 += in_grey * slope
            g3 += in_grey * turn
            gg += in_grey * grey
        row = sums[found]
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7] = s00, s01, s02, s03, s11, s12, s13, s22
        row[8], row[9], row[10], row[11], row[12], row[13], row[14] = s23, s33, g0, g1, g2, g3, gg
        places[found] = t
        found += 1
    return found


@compiled
def _solved(
    sums: Array, places: Array, weights: Array, count: int, prior: Array, centre: Array, moments: Array, root: Array, unknowns: Array
) -> bool:
    """Weighted least squares over the profiles, by Cholesky; `root` keeps the factor. False if the normal matrix is singular."""
    moments[:] = 0.0
    for j in range(count):
        t, power = places[j], weights[j]
        for p in range(5):
            for k in range(14):
                moments[p, k] += power * sums[j, k]
            power *= t
    for k in range(UNKNOWNS):
        unknowns[k] = moments[POWER[k], 10 + FUNCTION[k]] + prior[k] * centre[k]
        for m in range(k + 1):
            value = moments[POWER[k] + POWER[m], PAIR[FUNCTION[k], FUNCTION[m]]]
            if k == m:
                value += prior[k]
            for i in range(m):
                value -= root[k, i] * root[m, i]
            if k == m:
                if not value > 1e-9:
                    return False
                root[k, k] = math.sqrt(value)
            else:
                root[k, m] = value / root[m, m]
    _back_substituted(root, unknowns)
    return True


@compiled
def _back_substituted(root: Array, right: Array) -> None:
    for k in range(UNKNOWNS):
        for i in range(k):
            right[k] -= root[k, i] * right[i]
        right[k] /= root[k, k]
    for k in range(UNKNOWNS - 1, -1, -1):
        for i in range(k + 1, UNKNOWNS):
            right[k] -= root[i, k] * right[i]
        right[k] /= root[k, k]


@compiled
def _misfit(row: Array, t: float, unknowns: Array) -> tuple[float, float]:
    """Sum of squared residuals of a profile, and its pull on the edge's place."""
    c0, c1 = unknowns[0] + unknowns[1] * t, unknowns[2] + unknowns[3] * t
    c2, c3 = unknowns[4] + t * (unknowns[5] + t * unknowns[6]), unknowns[7]
    square = row[14] - 2.0 * (c0 * row[10] + c1 * row[11] + c2 * row[12] + c3 * row[13])
    square += c0 * c0 * row[0] + c1 * c1 * row[4] + c2 * c2 * row[7] + c3 * c3 * row[9]
    square += 2.0 * (c0 * (c1 * row[1] + c2 * row[2] + c3 * row[3]) + c1 * (c2 * row[5] + c3 * row[6]) + c2 * c3 * row[8])
    pull = row[12] - c0 * row[2] - c1 * row[5] - c2 * row[7] - c3 * row[8]
    return max(square, 0.0), pull


@compiled
def _levels(sums: Array, count: int, work: Array) -> tuple[float, float]:
    """Black level and contrast: medians of what a straight line through each profile's grey levels against Phi gives."""
    for j in range(count):
        row = sums[j]
        work[j] = (row[0] * row[11] - row[1] * row[10]) / max(row[0] * row[4] - row[1] * row[1], 1e-9)
    contrast = float(np.median(work[:count]))
    for j in range(count):
        work[j] = (sums[j, 10] - contrast * sums[j, 1]) / max(sums[j, 0], 1.0)
    return float(np.median(work[:count])), contrast


@compiled
def _weighed(sums: Array, places: Array, weights: Array, count: int, unknowns: Array, squares: Array) -> tuple[float, float]:
    """Profiles that do not fit lose weight. Returns the variance of a grey level, from those that do; and the largest change of a weight."""
    for j in range(count):
        squares[j] = _misfit(sums[j], places[j], unknowns)[0] / max(sums[j, 0], 1.0)
    scale = max(np.median(squares[:count]), 0.1)
    total = pixels = changed = 0.0
    for j in range(count):
        excess = squares[j] / (MISFIT * scale)
        weight = 1.0 if excess <= 1.0 else 1.0 / (excess * excess)
        changed = max(changed, abs(weight - weights[j]))
        weights[j] = weight
        total += weights[j] * squares[j] * sums[j, 0]
        pixels += weights[j] * sums[j, 0]
    return max(total / max(pixels - UNKNOWNS, 4.0), 0.1), changed


@compiled
def fit_squares(  # noqa: PLR0915
    image: npt.NDArray[np.uint8], corners_px: Array, inner: npt.NDArray[np.bool_], passes: int, fitted: Array, ends: Array, facts: Array
) -> None:
    """Fit the edges of each square.

    Parameters
    ----------
    image : (H, W) grey
    corners_px : (N, 4, 2) to start from, clockwise in the image, within half a pixel (`tracking.detect.approach`)
    inner : (N, 4, n) which cells are black in the row next to the border, along each edge
    passes : at most so many
    fitted : (N, 4, 2) out; corners; NaN where the fit went astray
    ends : (N, 4, 3) out, px^2; of each edge's place at its start and at its end: variance, variance, covariance
    facts : (N, 4, 5) out; of each edge: share of its profiles that fit, contrast and noise in grey levels, blur in px, black in grey levels
    """
    size = inner.shape[2]
    sums, places = np.zeros((MOST_PROFILES + 2, SUMS)), np.zeros(MOST_PROFILES + 2)
    weights, squares = np.zeros(MOST_PROFILES + 2), np.zeros(MOST_PROFILES + 2)
    marks, changes = np.zeros(size), np.zeros(size)
    runs, outs, lengths = np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(4)
    unknowns, moments, root, shift = np.zeros((4, UNKNOWNS)), np.zeros((5, 14)), np.zeros((UNKNOWNS, UNKNOWNS)), np.zeros((2, UNKNOWNS))
    prior, centre = np.zeros(UNKNOWNS), np.zeros(UNKNOWNS)
    blurs, bows, noise, shifts = np.zeros(4), np.zeros(4), np.zeros(4), np.zeros((4, 2))
    for marker in range(len(corners_px)):
        corners = corners_px[marker].copy()
        blurs[:], bows[:], noise[:], unknowns[:] = FIRST_BLUR_PX, 0.0, 4.0, 0.0
        astray, moved = False, 0.0
        for number in range(passes):
            for edge in range(4):
                dx, dy = corners[(edge + 1) % 4, 0] - corners[edge, 0], corners[(edge + 1) % 4, 1] - corners[edge, 1]
                length = lengths[edge] = math.sqrt(dx * dx + dy * dy)
                if not 4.0 <= length <= 1e5:
                    astray = True
                    break
                runs[edge, 0], runs[edge, 1] = dx / length, dy / length
                outs[edge, 0], outs[edge, 1] = dy / length, -dx / length
            for edge in range(4):
                following = (edge + 1) % 4
                # Clockwise and bent by no more than perspective can: else there is no square to fit.
                astray |= runs[edge, 0] * runs[following, 1] - runs[edge, 1] * runs[following, 0] < 0.05
            if astray:
                break
            blur_of_all = np.median(blurs)
            for edge in range(4):
                border = _cells_inside(corners, edge, inner[marker, edge], runs[edge], outs[edge], marks, changes)
                cell = min(border)
                blur = min(blurs[edge], 0.7 * cell)
                spread = 3.0 * blur + 0.5
                # The paper's white margin is known to be one cell wide, and what lies beyond shines in through the blur.
                reach = (min(spread, 0.9 * cell), min(spread, max(cell - 2.2 * blur, 0.4 * cell)))
                found = _profiles(
                    image, corners, edge, runs, outs, lengths, border, marks, changes, blur, reach, bows[edge], unknowns[edge],
                    sums, places,
                )  # fmt: skip
                shifts[edge], facts[marker, edge, 0] = 0.0, 0.0
                if found < FEWEST_PROFILES:
                    continue
                contrast = max(unknowns[edge, 2], 20.0)
                bend = 0.5 * (0.5 * lengths[edge]) ** 2 * BEND_SD / image.shape[1]
                prior[:] = 0.0
                prior[1] = prior[3] = noise[edge] / (SLOPE_SD * contrast) ** 2
                prior[6] = noise[edge] / (bend * contrast) ** 2
                prior[7] = noise[edge] / (BLUR_SD * blur * contrast) ** 2
                centre[6], centre[7] = bows[edge] * contrast, -(blur_of_all - blur) * contrast
                if unknowns[edge, 2] == 0.0:
                    unknowns[edge, 0], unknowns[edge, 2] = _levels(sums, found, squares)
                # Profiles are weighed before they are heard: one that is covered would spoil the fit by which it is judged.
                unknowns[edge, 4:] = 0.0
                _weighed(sums, places, weights, found, unknowns[edge], squares)
                settled = True
                for _ in range(4):
                    settled = _solved(sums, places, weights, found, prior, centre, moments, root, unknowns[edge])
                    if not settled:
                        break
                    noise[edge], changed = _weighed(sums, places, weights, found, unknowns[edge], squares)
                    if changed < 0.1:
                        break
                contrast = unknowns[edge, 2]
                if not settled or not contrast > 4.0:
                    unknowns[edge] = 0.0
                    continue
                o0, o1, o2 = -unknowns[edge, 4] / contrast, -unknowns[edge, 5] / contrast, -unknowns[edge, 6] / contrast
                most = min(0.8 * reach[1], 1.0)
                shifts[edge, 0], shifts[edge, 1] = min(max(o0 - o1 + o2, -most), most), min(max(o0 + o1 + o2, -most), most)
                bows[edge] += min(max(o2, -bend), bend)
                blurs[edge] = min(max(blur - unknowns[edge, 7] / contrast, SHARPEST_PX, 0.5 * blur), BLURRIEST_PX, 2.0 * blur)
                # Neighbouring pixels of a profile may err together: how much more the profiles pull than their pixels' noise would have them.
                pulls = expected = heard = 0.0
                for j in range(found):
                    pull = _misfit(sums[j], places[j], unknowns[edge])[1]
                    pulls += weights[j] * pull * pull
                    expected += weights[j] * sums[j, 7] * noise[edge]
                    heard += weights[j]
                excess = (20.0 + heard * pulls / max(expected, 1e-9)) / (20.0 + max(heard - 4.0, 0.0))
                variance = noise[edge] * excess / (contrast * contrast)
                for end in range(2):
                    # o0 -+ o1 + o2 as a combination of the unknowns, through the normal matrix's inverse.
                    shift[end] = 0.0
                    shift[end, 4], shift[end, 5], shift[end, 6] = 1.0, 2.0 * end - 1.0, 1.0
                    _back_substituted(root, shift[end])
                first, final = shift[0], shift[1]
                ends[marker, edge, 0] = variance * (first[4] - first[5] + first[6]) + FLOOR_PX**2
                ends[marker, edge, 1] = variance * (final[4] + final[5] + final[6]) + FLOOR_PX**2
                ends[marker, edge, 2] = variance * (first[4] + first[5] + first[6])
                facts[marker, edge, 0], facts[marker, edge, 1] = heard / found, contrast
                facts[marker, edge, 2], facts[marker, edge, 3], facts[marker, edge, 4] = math.sqrt(noise[edge]), blurs[edge], unknowns[edge, 0]
            share, moved = 1.0 if number < WHOLE_STEPS else 0.5, 0.0
            for corner in range(4):
                last = (corner + 3) % 4
                determinant = outs[last, 0] * outs[corner, 1] - outs[last, 1] * outs[corner, 0]
                x = (shifts[last, 1] * outs[corner, 1] - shifts[corner, 0] * outs[last, 1]) / determinant
                y = (shifts[corner, 0] * outs[last, 0] - shifts[last, 1] * outs[corner, 0]) / determinant
                moved = max(moved, abs(x), abs(y))
                corners[corner, 0], corners[corner, 1] = corners[corner, 0] + share * x, corners[corner, 1] + share * y
            if moved < STILL_PX:
                break
        if not astray and moved >= STILL_PX:
            # A fit that does not settle is known no better than it still moves.
            ends[marker, :, :2] += moved * moved
        fitted[marker] = corners if not astray else corners * np.nan
