"""Pictures of an assessment: errors over the tracker's volume, distances by length, the tip against the pointer's lean."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from navtwin.assess.assessment import Assessment
from navtwin.assess.tables import headline_fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, RED = "#24313d", "#c9d1d8", "#c62828"
COLOURS = ("#2271b3", "#b58100", "#2e7d4f", "#8e44ad", "#c62828", "#4a6572", "#d35400")


@dataclass(frozen=True)
class Plot:
    """A title and an inline `<svg>`."""

    title: str
    svg: str


def plots_of(found: Assessment) -> tuple[Plot, ...]:
    """The pictures of the page."""
    return (
        Plot(
            f"Over the tracker's volume: mean error as area, bias as arrow, {_arrow_times(found):,.0f} times its length",
            _svg(_volume(found), "volume"),
        ),
        Plot("Point to point: error against length", _svg(_by_length(found), "lengths")),
        Plot("Where the tip seems to go as the pointer leans and turns", _svg(_by_lean(found), "leans")),
    )


def _volume(found: Assessment) -> Figure:
    """From above (x, z) and from the side (z, y): the tracker at the origin looks along z, y is down."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.2))
    above, side = figure.subplots(1, 2)
    fitted = found.fits[headline_fit(found)]
    largest = max(error.mean_mm for error in fitted.points.values())
    times = _arrow_times(found)
    for n, (place, error) in enumerate(fitted.points.items()):
        at = found.at_tracker_mm[place]
        step = times * np.array(found.T_tracker_from_artefact[place].rotation) @ np.array(error.bias_mm)
        for axes, h, v in ((above, 0, 2), (side, 2, 1)):
            label = f"{place} {error.mean_mm:.2f} mm"
            colour = COLOURS[n % len(COLOURS)]
            axes.scatter(at[h], at[v], s=40.0 + 360.0 * error.mean_mm / largest, color=colour, alpha=0.35, linewidth=0.0, label=label)
            axes.annotate("", (at[h] + step[h], at[v] + step[v]), (at[h], at[v]), arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.3})
    for axes, labels in ((above, ("x, mm: right", "z, mm: away")), (side, ("z, mm: away", "y, mm: down"))):
        axes.plot([0.0], [0.0], marker="s", color=INK, markersize=7)
        axes.annotate("tracker", (0.0, 0.0), textcoords="offset points", xytext=(7, 5), fontsize=7.5, color=INK)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.12)
        _quiet(axes)
    side.invert_yaxis()
    legend = side.legend(fontsize=7.5, frameon=False, loc="upper left")
    for handle in legend.legend_handles:
        handle.set_sizes([40.0])
    figure.tight_layout()
    return figure


def _arrow_times(found: Assessment) -> float:
    """By how much arrows are drawn longer than they are: the longest a tenth of what is shown, in round numbers."""
    longest = max(error.bias_length_mm for error in found.fits[headline_fit(found)].points.values())
    shown = float(np.linalg.norm(list(found.at_tracker_mm.values()), axis=1).max())
    return float(10.0 ** np.floor(np.log10(0.2 * shown / max(longest, 1e-6))))


def _by_length(found: Assessment) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.2))
    axes = figure.subplots()
    for n, (place, error) in enumerate(found.lengths.items()):
        axes.plot(error.lengths_mm, error.errors_mm, ".", markersize=3.0, color=COLOURS[n % len(COLOURS)], label=place, alpha=0.7)
    axes.axhline(0.0, color=INK, linewidth=0.7)
    longest = max(max(e.lengths_mm) for e in found.lengths.values())
    axes.plot([0.0, longest], [0.0, 1e-6 * found.all_lengths.scale_ppm * longest], color=RED, linewidth=1.0, label="scale")
    axes.set_xlabel("certified distance, mm")
    axes.set_ylabel("error, mm")
    axes.legend(fontsize=7.5, frameon=False, ncols=4)
    _quiet(axes)
    figure.tight_layout()
    return figure


def _by_lean(found: Assessment) -> Figure:
    from matplotlib.figure import Figure

    names = sorted({axis for leans in found.leans.values() for axis in leans})
    figure = Figure(figsize=(9.6, 3.0))
    if not names:
        figure.text(0.5, 0.5, "no touch with a leaning pointer", ha="center", color=INK)
        return figure
    for axes, name in zip(figure.subplots(1, len(names), sharey=True, squeeze=False)[0], names, strict=True):
        for n, (place, leans) in enumerate(found.leans.items()):
            if name in leans:
                order = np.argsort(leans[name].angles_deg)
                angle, off = np.array(leans[name].angles_deg)[order], np.linalg.norm(leans[name].offsets_mm, axis=1)[order]
                axes.plot(angle, off, "o-", color=COLOURS[n % len(COLOURS)], markersize=3.5, linewidth=0.9, label=place)
        axes.set_title(name, fontsize=9.0, color=INK)
        axes.set_xlabel("deg")
        _quiet(axes)
    figure.axes[0].set_ylim(bottom=0.0)
    figure.axes[0].set_ylabel("from the mean, mm")
    figure.axes[-1].legend(fontsize=7.0, frameon=False)
    figure.tight_layout()
    return figure


def _quiet(axes: Axes) -> None:
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    for edge in ("left", "bottom"):
        axes.spines[edge].set_color(FAINT)
    axes.tick_params(color=FAINT, labelcolor=INK, labelsize=8)


def _svg(figure: Figure, salt: str) -> str:
    """The bare element, the same for the same figures, and as wide as the page allows."""
    from matplotlib import rc_context

    stream = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    svg = stream.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'id="([\w.-]+)"', rf'id="{salt}-\1"', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{salt}-", svg)
    return re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", re.sub(r'^<svg([^>]*?) height="[^"]*"', r"<svg\1", svg))
