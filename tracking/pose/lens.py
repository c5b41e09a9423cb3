"""Lens distortion and its removal, one corner at a time, compiled.

The model is OpenCV's: rational radial, tangential (Brown and Conrady), thin prism, tilted sensor. One ray at a time, for a
few dozen corners: arrays of temporaries would cost more than the sums.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

Array = npt.NDArray[np.float64]

#: Newton steps until a corner counts as one that no ray can hit.
STEPS = 20
#: Distance in pixels at which a ray is good enough.
CLOSE_PX = 1e-9
#: Rays further from the axis than this (tangent of the angle) are outside any calibration.
WIDEST = 4.0


@compiled
def _pixel(x: float, y: float, lens: Array, out: Array) -> None:
    """Pixel of the ray (x, y, 1) into out[:2], and its derivatives by x and y into out[2:] (u by x, u by y, v by x, v by y)."""
    k1, k2, p1, p2, k3, k4, k5, k6 = lens[4], lens[5], lens[6], lens[7], lens[8], lens[9], lens[10], lens[11]
    s1, s2, s3, s4 = lens[12], lens[13], lens[14], lens[15]
    r2 = x * x + y * y
    top, bottom = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3)), 1.0 + r2 * (k4 + r2 * (k5 + r2 * k6))
    radial = top / bottom
    slope = ((k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3)) - radial * (k4 + r2 * (2.0 * k5 + r2 * 3.0 * k6))) / bottom  # of radial, by r2
    a = x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x) + r2 * (s1 + r2 * s2)
    b = y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y + r2 * (s3 + r2 * s4)
    prism_a, prism_b = s1 + 2.0 * r2 * s2, s3 + 2.0 * r2 * s4
    ax = radial + 2.0 * x * x * slope + 2.0 * p1 * y + 6.0 * p2 * x + 2.0 * x * prism_a
    ay = 2.0 * x * y * slope + 2.0 * p1 * x + 2.0 * p2 * y + 2.0 * y * prism_a
    bx = 2.0 * x * y * slope + 2.0 * p1 * x + 2.0 * p2 * y + 2.0 * x * prism_b
    by = radial + 2.0 * y * y * slope + 6.0 * p1 * y + 2.0 * p2 * x + 2.0 * y * prism_b
    m = lens[16:25]
    w = m[6] * a + m[7] * b + m[8]
    u, v = (m[0] * a + m[1] * b + m[2]) / w, (m[3] * a + m[4] * b + m[5]) / w
    ua, ub, va, vb = (m[0] - u * m[6]) / w, (m[1] - u * m[7]) / w, (m[3] - v * m[6]) / w, (m[4] - v * m[7]) / w
    out[0], out[1] = lens[0] * u + lens[2], lens[1] * v + lens[3]
    out[2], out[3] = lens[0] * (ua * ax + ub * bx), lens[0] * (ua * ay + ub * by)
    out[4], out[5] = lens[1] * (va * ax + vb * bx), lens[1] * (va * ay + vb * by)


@compiled
def pixels(rays: Array, lens: Array) -> Array:
    """(K, 2) pixels of the rays (x, y, 1), given as (K, 2), through the lens (`Camera.lens`)."""
    found, out = np.empty((len(rays), 2)), np.empty(6)
    for k in range(len(rays)):
        _pixel(rays[k, 0], rays[k, 1], lens, out)
        found[k] = out[:2]
    return found


@compiled
def rays(seen_px: Array, lens: Array) -> tuple[Array, Array]:
    """The rays that hit the given pixels, by Newton's method from the undistorted place.

    Parameters
    ----------
    seen_px : (K, 2) pixels
    lens : (25,) `Camera.lens`

    Returns
    -------
    rays : (K, 2) x and y of the ray (x, y, 1), camera axes; NaN where no ray within the lens's reach hits the pixel
    slopes : (K, 2, 2) derivative of the pixel by the ray, px
    """
    found, slopes, out = np.empty((len(seen_px), 2)), np.empty((len(seen_px), 2, 2)), np.empty(6)
    for k in range(len(seen_px)):
        x, y, close = (seen_px[k, 0] - lens[2]) / lens[0], (seen_px[k, 1] - lens[3]) / lens[1], False
        for _ in range(STEPS):
            _pixel(x, y, lens, out)
            du, dv = seen_px[k, 0] - out[0], seen_px[k, 1] - out[1]
            determinant = out[2] * out[5] - out[3] * out[4]
            # A fold of the distortion: beyond it the model has turned back, and what it says of the pixel is no picture of anything.
            if not (determinant > 0.0 and x * x + y * y < WIDEST * WIDEST):
                break
            if du * du + dv * dv < CLOSE_PX * CLOSE_PX:
                close = True
                break
            x, y = x + (out[5] * du - out[3] * dv) / determinant, y + (out[2] * dv - out[4] * du) / determinant
        found[k, 0], found[k, 1] = (x, y) if close else (np.nan, np.nan)
        slopes[k, 0, 0], slopes[k, 0, 1], slopes[k, 1, 0], slopes[k, 1, 1] = out[2], out[3], out[4], out[5]
    return found, slopes
