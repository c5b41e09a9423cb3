"""Pages as a PDF of vector paths, one millimetre on the page being one millimetre on the paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from navtwin.files.write import whole_file
from tracking.kit.page import Ink, Page, Stroke, Style, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_INCH, PT_PER_INCH = 25.4, 72.0
#: Line width in mm, grey level, and dashes in line widths.
STYLES: dict[Style, tuple[float, float, tuple[float, ...]]] = {
    "cut": (0.20, 0.0, ()),
    "fold": (0.15, 0.45, (10.0, 7.0)),
    "thin": (0.12, 0.2, ()),
    "check": (0.20, 0.0, ()),
}


def write_pdf(pages: Sequence[Page], path: Path, title: str) -> None:
    """Write the pages. Raises InputRefused where the file cannot be written."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    # Type 42 keeps the text searchable; no date in the file, so that the same sheet is the same file.
    about = {"Title": title, "Creator": "navtwin", "CreationDate": None}
    with whole_file(path) as partial, mpl.rc_context({"pdf.fonttype": 42}), PdfPages(partial, metadata=about) as pdf:
        for page in pages:
            pdf.savefig(figure_of(page))


def figure_of(page: Page) -> Figure:
    """A matplotlib figure of the paper's size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(page.width_mm / MM_PER_INCH, page.height_mm / MM_PER_INCH))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0.0, page.width_mm), ylim=(0.0, page.height_mm))
    axes.set_axis_off()
    for item in page.items:
        if isinstance(item, Ink):
            _fill(axes, item)
        elif isinstance(item, Stroke):
            _line(axes, item)
        else:
            _text(axes, item)
    return figure


def _fill(axes: Axes, ink: Ink) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    loops = [Outline(np.vstack([loop, loop[:1]]), closed=True) for loop in ink.loops]
    axes.add_patch(PathPatch(Outline.make_compound_path(*loops), facecolor="black", linewidth=0.0, snap=False))


def _line(axes: Axes, stroke: Stroke) -> None:
    from matplotlib.lines import Line2D

    width, grey, dashes = STYLES[stroke.style]
    line = Line2D(stroke.points[:, 0], stroke.points[:, 1], color=str(grey), linewidth=width / MM_PER_INCH * PT_PER_INCH, snap=False)
    line.set_solid_capstyle("butt")
    if dashes:
        line.set_linestyle((0.0, dashes))
    axes.add_line(line)


def _text(axes: Axes, words: Words) -> None:
    axes.text(
        *words.at,
        words.text,
        fontsize=words.size_pt,
        rotation=words.angle_deg,
        rotation_mode="anchor",
        ha=words.align,
        va="baseline",
        color=str(words.grey),
        fontweight="bold" if words.bold else "normal",
        parse_math=False,
    )
