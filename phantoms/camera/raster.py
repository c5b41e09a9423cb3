"""Kernels: projection through a lens, and exact area coverage of what is printed on planes.

Regions are bounded by directed edges. Each edge is cut into pieces of a few pixels, each end projected exactly, and each piece adds the signed area
between itself and the pixels' right borders; a running sum along the row then is the covered share of every pixel, to rounding. What is left is the
sagitta of a piece of a curved line: `PIECE_PX`^2 / (8 R), a thousandth of a pixel for the strongest lenses.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

PIECE_PX = 4.0
MOST_PIECES = 4096
#: Pieces are cut off this far outside the image, where what cutting does to them cannot reach it.
MARGIN_PX = 8
NEAREST_MM = 1.0


@compiled
def distort(lens: F64, x: float, y: float) -> tuple[float, float]:
    """Image point, px, of the ray (x, y, 1). Beyond the model's limit it goes on straight, so that nothing folds back into the image."""
    r = math.sqrt(x * x + y * y)
    stretch = 1.0
    if r > lens[12]:
        stretch = r / lens[12]
        x, y, r = x / stretch, y / stretch, lens[12]
    s = r * r
    radial = (1.0 + s * (lens[4] + s * (lens[5] + s * lens[8]))) / (1.0 + s * (lens[9] + s * (lens[10] + s * lens[11])))
    u = x * radial + 2.0 * lens[6] * x * y + lens[7] * (s + 2.0 * x * x)
    v = y * radial + lens[6] * (s + 2.0 * y * y) + 2.0 * lens[7] * x * y
    return lens[0] * u * stretch + lens[2], lens[1] * v * stretch + lens[3]


@compiled
def project_points(lens: F64, points: F64) -> F64:
    """(N, 2) px of points (N, 3) in camera axes; NaN where the lens cannot see."""
    out = np.full((points.shape[0], 2), np.nan)
    for n in range(points.shape[0]):
        z = points[n, 2]
        x, y = points[n, 0] / z, points[n, 1] / z
        if z > 0.0 and x * x + y * y <= lens[12] * lens[12]:
            out[n, 0], out[n, 1] = distort(lens, x, y)
    return out


@compiled
def moved(motion: F64, t: float, p: F64, out: F64) -> None:
    """A body's point `p` in camera axes, `t` seconds from mid-exposure.

    `motion` (18,): rotation by rows, position, angular velocity (rad/s, camera axes, about the body's origin), velocity (mm/s).
    """
    ax = motion[0] * p[0] + motion[1] * p[1] + motion[2] * p[2]
    ay = motion[3] * p[0] + motion[4] * p[1] + motion[5] * p[2]
    az = motion[6] * p[0] + motion[7] * p[1] + motion[8] * p[2]
    wx, wy, wz = motion[12] * t, motion[13] * t, motion[14] * t
    angle = math.sqrt(wx * wx + wy * wy + wz * wz)
    if angle > 0.0:
        # Rodrigues: a cos + (w x a) sin + w (w.a)(1 - cos), with w the unit axis.
        wx, wy, wz = wx / angle, wy / angle, wz / angle
        c, s = math.cos(angle), math.sin(angle)
        along = (wx * ax + wy * ay + wz * az) * (1.0 - c)
        ax, ay, az = (
            ax * c + (wy * az - wz * ay) * s + wx * along,
            ay * c + (wz * ax - wx * az) * s + wy * along,
            az * c + (wx * ay - wy * ax) * s + wz * along,
        )
    out[0] = ax + motion[9] + motion[15] * t
    out[1] = ay + motion[10] + motion[16] * t
    out[2] = az + motion[11] + motion[17] * t


@compiled
def image_of(lens: F64, motion: F64, readout_s: float, t: float, p: F64, work: F64) -> tuple[float, float]:
    """Where a body's point is exposed, px. A row is exposed later the lower it is, so its time and the point's row are found together."""
    moved(motion, t, p, work)
    x, y = distort(lens, work[0] / work[2], work[1] / work[2])
    if readout_s > 0.0:
        for _ in range(12):
            row = min(max(y, -MARGIN_PX), lens[13] + MARGIN_PX)
            moved(motion, t + readout_s * (row / (lens[13] - 1.0) - 0.5), p, work)
            before = y
            x, y = distort(lens, work[0] / work[2], work[1] / work[2])
            if abs(y - before) < 1e-6:
                break
    return x, y


@compiled
def _frozen(motions: F64, t: float) -> F64:
    """Motions (B, 18) of bodies that stand where they are at time `t`: turned and shifted once, not at every point."""
    out, p, moved_to, origin = np.zeros_like(motions), np.zeros(3), np.empty(3), np.empty(3)
    for b in range(motions.shape[0]):
        moved(motions[b], t, p, origin)
        out[b, 9:12] = origin
        for axis in range(3):
            p[axis] = 1.0
            moved(motions[b], t, p, moved_to)
            p[axis] = 0.0
            for i in range(3):
                out[b, 3 * i + axis] = moved_to[i] - origin[i]
    return out


@compiled
def images_of(lens: F64, motion: F64, readout_s: float, t: float, points: F64) -> F64:
    """(N, 2) px of a body's points (N, 3), each in the row that exposes it."""
    out, work = np.empty((points.shape[0], 2)), np.empty(3)
    for n in range(points.shape[0]):
        out[n, 0], out[n, 1] = image_of(lens, motion, readout_s, t, points[n], work)
    return out


@compiled
def cover(area: F32, ax: float, ay: float, bx: float, by: float, sign: float) -> None:
    """Add one straight piece to `area`, whose running sum along a row is the covered share; x and y count pixels from the buffer's border."""
    if ay == by:
        return
    if ay > by:
        ax, ay, bx, by, sign = bx, by, ax, ay, -sign
    slope = (bx - ax) / (by - ay)
    x, y, row = ax, ay, int(ay)
    while y < by:
        if row + 1.0 < by:
            y_next = row + 1.0
            x_next = ax + slope * (y_next - ay)
        else:
            y_next, x_next = by, bx
        height = sign * (y_next - y)
        low, high = min(x, x_next), max(x, x_next)
        first, last = int(low), int(high)
        if first == last:
            inside = 0.5 * (low + high) - first
            area[row, first] += height * (1.0 - inside)
            area[row, first + 1] += height * inside
        else:
            per_px = height / (high - low)
            left = low
            for column in range(first, last + 1):
                right = min(column + 1.0, high)
                share = (right - left) * per_px
                inside = 0.5 * (left + right) - column
                area[row, column] += share * (1.0 - inside)
                area[row, column + 1] += share * inside
                left = right
        x, y, row = x_next, y_next, row + 1


@compiled
def _on_sheet(sheet: F64, u: float, v: float, p: F64) -> None:
    """Body point at (u, v) of a sheet (4, 3): its corner, its two sides, and how far its fourth corner is off their parallelogram."""
    for i in range(3):
        p[i] = sheet[0, i] + u * sheet[1, i] + v * sheet[2, i] + u * v * sheet[3, i]


@compiled
def _walk(
    lens: F64, motion: F64, readout_s: float, t: float, sheet: F64, edges: F64, sign: float, area: F32, box: I64, work: F64, extent: F64
) -> None:
    """Go along the edges (E, 4) of one sheet. With an `area` they are added to it, cut off at `box`; without (0 rows), they widen `extent`."""
    p = work[3:]
    for e in range(edges.shape[0]):
        _on_sheet(sheet, edges[e, 0], edges[e, 1], p)
        ax, ay = image_of(lens, motion, readout_s, t, p, work)
        _on_sheet(sheet, edges[e, 2], edges[e, 3], p)
        bx, by = image_of(lens, motion, readout_s, t, p, work)
        pieces = int(min(max(math.ceil(math.hypot(bx - ax, by - ay) / PIECE_PX), 1.0), MOST_PIECES))
        for k in range(1, pieces + 1):
            if k < pieces:
                share = k / pieces
                _on_sheet(sheet, edges[e, 0] + share * (edges[e, 2] - edges[e, 0]), edges[e, 1] + share * (edges[e, 3] - edges[e, 1]), p)
                x, y = image_of(lens, motion, readout_s, t, p, work)
            else:
                x, y = bx, by
            if area.shape[0] == 0:
                extent[0], extent[1] = min(extent[0], x), min(extent[1], y)
                extent[2], extent[3] = max(extent[2], x), max(extent[3], y)
            else:
                cover(
                    area,
                    min(max(ax + 0.5, box[0]), box[2]) - box[0],
                    min(max(ay + 0.5, box[1]), box[3]) - box[1],
                    min(max(x + 0.5, box[0]), box[2]) - box[0],
                    min(max(y + 0.5, box[1]), box[3]) - box[1],
                    sign,
                )
            ax, ay = x, y


@compiled
def extents(lens: F64, motions: F64, readout_s: float, half_s: float, sheets: F64, owner: I64, edges: F64, starts: I64) -> F64:
    """(S, 4) least and greatest x and y, px, that each sheet's outline reaches between the exposure's start and end."""
    out, work, nothing, box = np.empty((len(owner), 4)), np.empty(6), np.empty((0, 0), np.float32), np.zeros(4, np.int64)
    for s in range(len(owner)):
        out[s, 0] = out[s, 1] = np.inf
        out[s, 2] = out[s, 3] = -np.inf
        for k in range(-1, 2):
            if k == 0 or half_s > 0.0:
                _walk(lens, motions[owner[s]], readout_s, k * half_s, sheets[s], edges[starts[s, 0] : starts[s, 1]], 1.0, nothing, box, work, out[s])
    return out


@compiled
def paint(
    canvas: F32, left: int, top: int, lens: F64, motions: F64, readout_s: float, t: float, sheets: F64, owner: I64, order: I64,
    signs: F64, greys: F64, edges: F64, starts: I64, width: int, height: int,
) -> None:  # fmt: skip
    """Paint sheets, the farthest first, onto a part of the image whose first pixel is (`left`, `top`).

    `greys` (S, 2): paper and ink; `signs` (S,): 1 where the front is seen, -1 the back; `starts` (S, 3): where a sheet's outline begins and ends in
    `edges`, and where its ink ends (its ink begins where the outline ends).
    """
    work, extent, nothing, box = np.empty(6), np.empty(4), np.empty((0, 0), np.float32), np.zeros(4, np.int64)
    rows, columns = canvas.shape
    at_t = _frozen(motions, t) if readout_s == 0.0 else motions
    for n in range(len(order)):
        s = order[n]
        motion, sheet = at_t[owner[s]], sheets[s]
        outline, ink = edges[starts[s, 0] : starts[s, 1]], edges[starts[s, 1] : starts[s, 2]]
        extent[0] = extent[1] = np.inf
        extent[2] = extent[3] = -np.inf
        _walk(lens, motion, readout_s, t, sheet, outline, 1.0, nothing, box, work, extent)
        box[0] = int(max(math.floor(extent[0] + 0.5), -MARGIN_PX))
        box[1] = int(max(math.floor(extent[1] + 0.5), -MARGIN_PX))
        box[2] = int(min(math.ceil(extent[2] + 0.5), width + MARGIN_PX))
        box[3] = int(min(math.ceil(extent[3] + 0.5), height + MARGIN_PX))
        if box[2] <= max(box[0], left) or box[3] <= max(box[1], top) or box[0] >= left + columns or box[1] >= top + rows:
            continue
        paper = np.zeros((box[3] - box[1] + 1, box[2] - box[0] + 2), np.float32)
        _walk(lens, motion, readout_s, t, sheet, outline, signs[s], paper, box, work, extent)
        printed = signs[s] > 0.0 and len(ink) > 0
        black = np.zeros(paper.shape if printed else (1, 1), np.float32)
        if printed:
            _walk(lens, motion, readout_s, t, sheet, ink, 1.0, black, box, work, extent)
        for row in range(box[1], box[3]):
            if not top <= row < top + rows:
                continue
            of_paper, of_ink = 0.0, 0.0
            for column in range(box[0], min(box[2], left + columns)):
                of_paper += paper[row - box[1], column - box[0]]
                if printed:
                    of_ink += black[row - box[1], column - box[0]]
                if column >= left and of_paper > 1e-6:
                    under = canvas[row - top, column - left]
                    canvas[row - top, column - left] = under + of_paper * (greys[s, 0] - under) + of_ink * (greys[s, 1] - greys[s, 0])


@compiled
def fill(canvas: F32, left: int, top: int, polygon: F64, grey: float, width: int, height: int) -> None:
    """Paint a polygon (K, 2), px, over a part of the image, its edges covered exactly; it may go round either way but not cross itself."""
    rows, columns = canvas.shape
    low_x, low_y = max(math.floor(polygon[:, 0].min() + 0.5), -MARGIN_PX), max(math.floor(polygon[:, 1].min() + 0.5), -MARGIN_PX)
    high_x, high_y = min(math.ceil(polygon[:, 0].max() + 0.5), width + MARGIN_PX), min(math.ceil(polygon[:, 1].max() + 0.5), height + MARGIN_PX)
    if high_x <= low_x or high_y <= low_y:
        return
    area = np.zeros((int(high_y - low_y) + 1, int(high_x - low_x) + 2), np.float32)
    for k in range(len(polygon)):
        a, b = polygon[k], polygon[(k + 1) % len(polygon)]
        pieces = int(min(max(math.ceil(math.hypot(b[0] - a[0], b[1] - a[1]) / PIECE_PX), 1.0), MOST_PIECES))
        for n in range(pieces):
            f, g = n / pieces, (n + 1) / pieces
            cover(
                area,
                min(max(a[0] + f * (b[0] - a[0]) + 0.5, low_x), high_x) - low_x,
                min(max(a[1] + f * (b[1] - a[1]) + 0.5, low_y), high_y) - low_y,
                min(max(a[0] + g * (b[0] - a[0]) + 0.5, low_x), high_x) - low_x,
                min(max(a[1] + g * (b[1] - a[1]) + 0.5, low_y), high_y) - low_y,
                1.0,
            )
    for row in range(int(low_y), int(high_y)):
        covered = 0.0
        for column in range(int(low_x), int(high_x)):
            covered += area[row - int(low_y), column - int(low_x)]
            if 0 <= row - top < rows and 0 <= column - left < columns:
                canvas[row - top, column - left] += min(abs(covered), 1.0) * (grey - canvas[row - top, column - left])
