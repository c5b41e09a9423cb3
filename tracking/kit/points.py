"""`navtwin markers points`: the page of points that `navtwin assess` asks to touch, at exact distances, with a length to check the print by."""

from __future__ import annotations

import numpy as np

from navtwin.assess.artefact import Artefact
from navtwin.errors import InputRefused
from tracking.kit.page import EDGE_MM, Ink, Page, Stroke, Words, blank_page

STEPS = (
    "Print on thick matte paper at 100 % and measure the check square.",
    "Measure from cross A1 to cross E1 too, as exactly as you can: that is what --check-mm asks for.",
    "Glue it, without a bubble, to something flat and stiff (glass, a tile), the reference's board fixed firmly beside it, above its top row.",
    "Prick each cross lightly with a needle, so that the pointer's tip finds its place.",
    "Then: navtwin assess camera:0 --rig rig.toml --check-mm 160.0 --html report.html (160.0: what your ruler says)",
)
#: Arms of a cross, the dot in its middle, mm.
ARM_MM, CLEAR_MM, DOT_MM = 6.0, 0.8, 0.25


def points_page(artefact: Artefact, paper: str) -> Page:
    """The page: crosses whose middles are the artefact's points, x to the right, y to the top.

    Raises
    ------
    InputRefused : a paper that is too small for the points
    """
    footer = f"{len(artefact.point)} points · {paper}"
    page = blank_page(paper, "Points for navtwin assess", footer, STEPS)
    left, bottom, width, height = page.room
    flat = artefact.positions_mm()[:, :2]
    low, high = flat.min(axis=0) - ARM_MM, flat.max(axis=0) + ARM_MM
    if (high - low > (width, height)).any():
        raise InputRefused(f"paper {paper} is too small for {high[0] - low[0]:.0f} x {high[1] - low[1]:.0f} mm of points", "print on A4")
    middle = np.array([left + width / 2.0, bottom + height / 2.0]) - (low + high) / 2.0
    for point, at in zip(artefact.point, flat + middle, strict=True):
        for way in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)):
            page.items.append(Stroke(at + np.outer((CLEAR_MM, ARM_MM), way), "thin"))
        around = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
        page.items.append(Ink((at + DOT_MM * np.column_stack([np.cos(around), np.sin(around)]),)))
        size = 9.0 if point.name == artefact.centre else 7.0
        page.items.append(Words((float(at[0]) + 2.0, float(at[1]) + 2.0), point.name, size, grey=0.2, bold=point.name == artefact.centre))
    under = f"step {artefact.check_mm / 4.0:.1f} mm; from A1 to E1 {artefact.check_mm:.1f} mm"
    page.items.append(Words((page.width_mm / 2.0, max(bottom + 1.0, EDGE_MM)), under, 7.0, align="center", grey=0.35))
    return page
