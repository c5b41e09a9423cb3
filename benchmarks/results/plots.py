"""Histograms and intervals as inline SVG: plain shapes and text, no script, no font from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from results.against import Pair
from results.model import Distribution
from results.words import number

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 640, 150, 12, 12, 18, 34
_TEXT = 'font-family="sans-serif" font-size="11" fill="#444"'


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between; only the powers where those would crowd."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1.0,) if len(decades) > 4 else (1.0, 2.0, 5.0)
    return [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]


def histogram(d: Distribution) -> str:
    """Bars over a logarithmic axis with p50, p99 and the budget marked. Heights are the square roots of counts, so that a rare late frame shows.

    Empty where the distribution has no bars.
    """
    if not d.counts or not any(d.counts):
        return ""
    low = d.edges[0]
    high = max(d.edges[-1], (d.budget or 0.0) * 1.05)
    span = math.log(high / low)
    most = math.sqrt(max(d.counts))
    base = HEIGHT - FOOT

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(math.log(max(value, low) / low) / span, 0.0), 1.0)

    shapes = []
    for k, count in enumerate(d.counts):
        if count:
            left, right = x(d.edges[k]), x(d.edges[k + 1])
            tall = max((base - TOP) * math.sqrt(count) / most, 1.0)
            late = d.budget is not None and d.edges[k] >= d.budget
            told = f"{number(d.edges[k])} to {number(d.edges[k + 1])} {d.unit}: {count}"
            shapes.append(
                f'<rect x="{left:.1f}" y="{base - tall:.1f}" width="{max(right - left - 0.6, 0.6):.1f}" height="{tall:.1f}" '
                f'fill="{"#b3261e" if late else "#3a6ea5"}"><title>{escape(told)}</title></rect>'
            )
    shapes.append(f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH - RIGHT}" y2="{base}" stroke="#888"/>')
    for tick in _ticks(low, high):
        shapes.append(f'<line x1="{x(tick):.1f}" y1="{base}" x2="{x(tick):.1f}" y2="{base + 4}" stroke="#888"/>')
        shapes.append(f'<text x="{x(tick):.1f}" y="{base + 16}" text-anchor="middle" {_TEXT}>{number(tick)}</text>')
    for value, name, colour in ((d.p50, "p50", "#1b3a57"), (d.p99, "p99", "#1b3a57"), (d.budget, "budget", "#b3261e")):
        if value is not None:
            at = x(value)
            anchor = "end" if at > WIDTH - 60 else "start"
            shapes.append(f'<line x1="{at:.1f}" y1="{TOP - 4}" x2="{at:.1f}" y2="{base}" stroke="{colour}" stroke-dasharray="4 3"/>')
            high_up = 10 if name != "p99" else 22
            shapes.append(f'<text x="{at + (-3 if anchor == "end" else 3):.1f}" y="{high_up}" text-anchor="{anchor}" {_TEXT}>{name}</text>')
    unit = f"{d.unit}, n = {number(d.n)}; height: square root of the count"
    shapes.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 3}" text-anchor="end" {_TEXT}>{escape(unit)}</text>')
    return _svg(HEIGHT, f"Histogram of {d.name}", shapes)


def intervals(pairs: Sequence[Pair]) -> str:
    """The factor of each pair with its interval, 1 in the middle; between a third and three times, what is beyond at the edge."""
    drawn = [one for one in pairs if one.factor is not None]
    if not drawn:
        return ""
    half, middle, step = 150.0, WIDTH - 165.0, 18
    height = TOP + step * len(drawn) + 22
    colours = {"better": "#2e7d32", "worse": "#b3261e", "changed": "#8a6d00"}

    def x(factor: float) -> float:
        return middle + half * min(max(math.log(factor) / math.log(3.0), -1.0), 1.0)

    foot = height - 20
    shapes = [f'<line x1="{middle}" y1="{TOP - 8}" x2="{middle}" y2="{foot}" stroke="#888"/>']
    for row, one in enumerate(drawn):
        y, colour = TOP + step * row + 4, colours.get(one.kind, "#777")
        name = one.name if len(one.name) <= 52 else one.name[:51] + "…"
        shapes.append(f'<text x="4" y="{y + 4}" {_TEXT}>{escape(name)}</text>')
        if one.low is not None and one.high is not None:
            shapes.append(f'<line x1="{x(one.low):.1f}" y1="{y}" x2="{x(one.high):.1f}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        shapes.append(f'<circle cx="{x(one.factor or 1.0):.1f}" cy="{y}" r="3.5" fill="{colour}"><title>{one.factor:.3f}</title></circle>')
    for factor, said in ((1 / 3, "1/3"), (0.5, "1/2"), (1.0, "1"), (2.0, "2"), (3.0, "3")):
        shapes.append(f'<text x="{x(factor):.1f}" y="{height - 5}" text-anchor="middle" {_TEXT}>{said}</text>')
    return _svg(height, "Factors between the two runs", shapes)


def _svg(height: int, title: str, shapes: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'
    return f"{head}<title>{escape(title)}</title>{''.join(shapes)}</svg>"
