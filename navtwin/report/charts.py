"""Distance over time, drawn as SVG with its text left as text."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.report.against_truth import LimitSteps
from navtwin.report.judge import CAUTION, CONTACT, DANGER, Floats, Levels, Times, TrueSeries
from navtwin.report.session import PairSeries, Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import LineStyleType

Bools = npt.NDArray[np.bool_]

#: Shades of the levels: the alarm colours, thinned so that black print keeps them apart. The style sheet names the same.
LEVEL_FILL = {CAUTION: "#fdeebb", DANGER: "#f6c4bd", CONTACT: "#d98880"}
LEVEL_NAME = {CAUTION: "CAUTION", DANGER: "DANGER", CONTACT: "CONTACT"}
CAUTION_LINE, DANGER_LINE = "#b58100", "#c62828"
MEASURED, BOUND, TRUE, INK, FAINT = "#2271b3", "#9cc4e4", "#111111", "#24313d", "#c9d1d8"
WIDTH_IN, PANEL_IN, EDGES_IN = 9.6, 2.05, 0.95
#: Text is measured in the font that matplotlib carries with it, the widest of these, and set in the page's own.
DRAWN_IN, SET_IN = "DejaVu Sans", "Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Panel:
    """One instrument part against one structure."""

    series: PairSeries
    levels: Levels | None
    truth: TrueSeries | None
    limits: LimitSteps


def distance_chart(name: str, panels: Sequence[Panel], session: Session) -> str:
    """An inline `<svg>`: one panel per pair, common time axis, numbered scene marks above the first.

    Parameters
    ----------
    name : of the structure; also keeps the ids of several charts in one page apart
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": DRAWN_IN, "font.size": 8.5, "hatch.linewidth": 0.6}):
        figure = Figure(figsize=(WIDTH_IN, EDGES_IN + PANEL_IN * len(panels)))
        axes: list[Axes] = list(figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0])
        height = EDGES_IN + PANEL_IN * len(panels)
        figure.subplots_adjust(left=0.062, right=0.915, top=1.0 - 0.42 / height, bottom=0.47 / height, hspace=0.24)
        top_mm, bottom_mm = _range(panels)
        for ax, panel in zip(axes, panels, strict=True):
            _draw(ax, panel, session, bottom_mm, top_mm)
        axes[-1].set_xlabel("seconds since navigation began")
        axes[0].set_xlim(0.0, max(session.seconds(session.end_ns), 1e-3))
        _draw_marks(axes, session)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Title": f"Distance to {name} over time"})
    return _inline(stream.getvalue(), f"Distance to {name} over time")


def _range(panels: Sequence[Panel]) -> tuple[float, float]:
    """Millimetres shown: some way beyond the caution limit, and down to the deepest value (at most 4 mm inside)."""
    caution = max(float(p.limits.caution_mm.max()) for p in panels)
    lowest = [-0.6]
    for panel in panels:
        lowest += [float(v[np.isfinite(v)].min()) - 0.4 for v in (panel.series.distance_mm, panel.series.bound_mm) if np.isfinite(v).any()]
    return max(6.0, 3.0 * caution), max(-4.0, min(lowest))


def _draw(ax: Axes, panel: Panel, session: Session, bottom_mm: float, top_mm: float) -> None:
    if panel.levels is not None:
        _draw_levels(ax, panel.levels, session)
    _draw_limits(ax, panel.limits, session)
    if panel.truth is not None:
        inside = (panel.truth.t_ns >= session.start_ns) & (panel.truth.t_ns <= session.end_ns)
        _line(ax, _seconds(panel.truth.t_ns[inside], session), panel.truth.distance_mm[inside], top_mm, TRUE, 0.8, (0, (3, 2)), 4)
    t_s = _seconds(panel.series.t_ns, session)
    _line(ax, t_s, panel.series.bound_mm, top_mm, BOUND, 0.9, "-", 3)
    _line(ax, t_s, panel.series.distance_mm, top_mm, MEASURED, 1.3, "-", 3)
    ax.axhline(0.0, color=INK, linewidth=0.7, zorder=2)
    ax.set_ylim(bottom_mm, top_mm)
    ax.set_ylabel("mm", rotation=0, ha="right", va="center")
    ax.set_title(f"{panel.series.instrument} · {panel.series.part}", loc="left", fontsize=9.0, fontweight="bold", color=INK, pad=3)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(FAINT)
    ax.tick_params(color=FAINT, labelcolor=INK, labelbottom=True)


def _seconds(t_ns: Times, session: Session) -> Floats:
    return np.asarray((t_ns - session.start_ns) * 1e-9, dtype=np.float64)


def _line(ax: Axes, t_s: Floats, mm: Floats, top_mm: float, color: str, width: float, style: LineStyleType, z: int) -> None:
    """A line without what lies far above the panel: it would only weigh the file down."""
    ax.plot(t_s, np.where(mm < 1.6 * top_mm, mm, np.nan), color=color, linewidth=width, linestyle=style, zorder=z)


def _draw_levels(ax: Axes, levels: Levels, session: Session) -> None:
    """Shade each spell by its level and name it; hatch what was unknown."""
    ends = np.append(levels.t_ns[1:], session.end_ns)
    for start, end, rank in zip(levels.t_ns, ends, levels.rank, strict=True):
        if rank >= CAUTION:
            ax.axvspan(session.seconds(int(start)), session.seconds(int(end)), color=LEVEL_FILL[int(rank)], linewidth=0.0, zorder=0)
    for start, end in _runs(~levels.known, levels, session):
        ax.axvspan(start, end, facecolor="none", edgecolor="#8a949c", hatch="////", linewidth=0.0, zorder=1)
    total = session.seconds(session.end_ns)
    for rank, name in LEVEL_NAME.items():
        for start, end in _runs(levels.rank == rank, levels, session):
            share = (end - start) / total
            if share > 0.012:
                upright = share < 0.068
                ax.text(
                    (start + end) / 2,
                    0.955,
                    name,
                    transform=ax.get_xaxis_transform(),
                    rotation=90 if upright else 0,
                    ha="center",
                    va="top",
                    fontsize=6.2 if upright else 6.8,
                    color=INK,
                    zorder=6,
                )


def _runs(so: Bools, levels: Levels, session: Session) -> list[tuple[float, float]]:
    """Maximal stretches (s, s) of the step function in which `so` (N,) is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], so, [False])).astype(np.int8)))
    times = np.append(levels.t_ns, session.end_ns)
    return [(session.seconds(int(times[a])), session.seconds(int(times[b]))) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _draw_limits(ax: Axes, limits: LimitSteps, session: Session) -> None:
    t_s = np.append(np.maximum(_seconds(limits.t_ns, session), 0.0), session.seconds(session.end_ns))
    lines = ((limits.caution_mm, CAUTION_LINE, "caution", "bottom"), (limits.danger_mm, DANGER_LINE, "danger", "top"))
    for mm, color, name, side in lines:
        ax.step(t_s, np.append(mm, mm[-1]), where="post", color=color, linewidth=1.0, zorder=2)
        # Limits may lie close together: their names stand above and below.
        ax.text(1.006, float(mm[-1]), f"{name} {mm[-1]:g}", transform=ax.get_yaxis_transform(), color=color, va=side, fontsize=7.5)


def _draw_marks(axes: Sequence[Axes], session: Session) -> None:
    for number, (t_ns, _) in enumerate(session.marks, start=1):
        x = session.seconds(t_ns)
        for ax in axes:
            ax.axvline(x, color="#9aa5ae", linewidth=0.7, linestyle=(0, (1, 2)), zorder=1.5)
        axes[0].annotate(
            str(number),
            (x, 1.0),
            xycoords=axes[0].get_xaxis_transform(),
            xytext=(0, 17),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7.0,
            color=INK,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": "#9aa5ae", "linewidth": 0.7},
            annotation_clip=False,
        )


def _inline(svg: str, title: str) -> str:
    """The bare element: no XML prologue, no ids that nothing refers to (several charts share the page), scalable, named for screen readers."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    used = set(re.findall(r"#([\w.-]+)[\")]", svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda m: m.group(0) if m.group(1) in used else "", svg)
    svg = svg.replace(f"'{DRAWN_IN}'", SET_IN)
    svg = re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", svg)
    svg = re.sub(r'^<svg([^>]*?) height="[^"]*"', r"<svg\1", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
