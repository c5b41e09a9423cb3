"""Angles from + - x / and sqrt alone, so that their bits depend on no maths library."""

from __future__ import annotations

import math

from navtwin.kernels.jit import query


@query
def angle(cosine_side: float, sine_side: float) -> float:
    """atan2(sine_side, cosine_side), -pi .. pi, to 1e-8 of itself; 0 where both sides are 0."""
    length = math.sqrt(cosine_side * cosine_side + sine_side * sine_side)
    if sine_side == 0.0:
        return 0.0 if cosine_side >= 0.0 else math.pi
    t = sine_side / (length + cosine_side) if cosine_side >= 0.0 else (length - cosine_side) / sine_side
    for _ in range(3):  # t is the tangent of a half, then of a sixteenth of the angle: below 0.2
        t = t / (1.0 + math.sqrt(1.0 + t * t))
    t2 = t * t
    return 16.0 * t * (1.0 - t2 * (1.0 / 3.0 - t2 * (1.0 / 5.0 - t2 * (1.0 / 7.0 - t2 * (1.0 / 9.0 - t2 / 11.0)))))
