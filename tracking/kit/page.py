"""What is on a page, in mm from its lower left corner, x right and y up; and what every page has: title, rulers, check square, what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from tracking.detect.patterns import Bits

Array = npt.NDArray[np.float64]

#: Width and height, mm.
PAPERS = {"A3": (297.0, 420.0), "A4": (210.0, 297.0), "A5": (148.0, 210.0), "Letter": (215.9, 279.4)}
CHECK_MM = 100.0
#: Printers leave this much of the edge white, mm; the rulers' band inside it; the title's height; space between the parts of a page.
EDGE_MM, RULER_MM, TITLE_MM, GAP_MM = 8.0, 11.0, 10.0, 4.0
#: Text of the instructions: size in points, line height in mm, mean width of a letter in mm.
TEXT_PT, LINE_MM, LETTER_MM = 8.5, 4.1, 1.66

Style = Literal["cut", "fold", "thin", "check"]


@dataclass(frozen=True, eq=False)
class Ink:
    """Black areas: loops (K, 2) that run counter-clockwise round the black and clockwise round holes in it."""

    loops: tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line through points (K, 2)."""

    points: Array
    style: Style


@dataclass(frozen=True)
class Words:
    """A line of text: where its baseline begins, is centred or ends."""

    at: tuple[float, float]
    text: str
    size_pt: float = TEXT_PT
    angle_deg: float = 0.0
    align: Literal["left", "center", "right"] = "left"
    grey: float = 0.0
    bold: bool = False


@dataclass(frozen=True, eq=False)
class PlacedMarker:
    """A marker and where its corners are on the page (4, 2), mm."""

    dictionary: str
    id: int
    corners_mm: Array


@dataclass(eq=False)
class Page:
    """One page under construction."""

    width_mm: float
    height_mm: float
    items: list[Ink | Stroke | Words] = field(default_factory=list)
    markers: list[PlacedMarker] = field(default_factory=list)

    @property
    def check(self) -> tuple[float, float]:
        """Lower left corner of the check square."""
        return EDGE_MM + RULER_MM, self.height_mm - EDGE_MM - TITLE_MM - CHECK_MM

    @property
    def room(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of what is free below the check square."""
        left = bottom = EDGE_MM + RULER_MM
        return left, bottom, self.width_mm - EDGE_MM - left, self.check[1] - GAP_MM - bottom

    def marker(self, dictionary: str, number: int, black: Bits, corners_mm: Array) -> None:
        self.items.append(Ink(pattern_loops(black, corners_mm)))
        self.markers.append(PlacedMarker(dictionary, number, corners_mm))


def blank_page(paper: str, title: str, footer: str, steps: Sequence[str]) -> Page:
    """A page with all but its subject.

    Raises
    ------
    InputRefused : a paper that is not known, or too small for the check square
    """
    if paper not in PAPERS:
        raise InputRefused(f"there is no paper size '{paper}'", nearest(paper, PAPERS))
    page = Page(*PAPERS[paper])
    if min(page.room[2] - CHECK_MM, page.room[3]) < CHECK_MM / 3.0:
        raise InputRefused(f"paper {paper} is too small for the check square and a marker body", "print on A4 or Letter")
    page.items += [
        Words((EDGE_MM + RULER_MM, page.height_mm - EDGE_MM - 5.0), title, 14.0, bold=True),
        Words((page.width_mm - EDGE_MM, page.height_mm - EDGE_MM - 5.0), footer, 7.0, align="right", grey=0.35),
    ]
    _add_rulers(page)
    _add_check_square(page)
    _add_steps(page, steps)
    return page


def _add_rulers(page: Page) -> None:
    """Millimetres along the lower and the left edge, from a common zero."""
    zero = EDGE_MM + RULER_MM
    for axis, length in enumerate((page.width_mm, page.height_mm)):
        for mm in range(int(length - zero - EDGE_MM) + 1):
            tick = 4.0 if mm % 10 == 0 else 2.8 if mm % 5 == 0 else 1.8
            ends = np.array([(zero + mm, EDGE_MM), (zero + mm, EDGE_MM + tick)])
            page.items.append(Stroke(ends[:, ::-1] if axis else ends, "thin"))
            if mm % 10 == 0:
                at = (zero + mm, EDGE_MM + 4.8)
                page.items.append(Words((EDGE_MM + 6.6, zero + mm) if axis else at, str(mm), 6.0, 90.0 * axis, "center", 0.2))
    page.items.append(Words((EDGE_MM - 0.5, EDGE_MM + 0.3), "mm", 6.0, grey=0.2))


def _add_check_square(page: Page) -> None:
    x, y = page.check
    square = np.array([(x, y), (x + CHECK_MM, y), (x + CHECK_MM, y + CHECK_MM), (x, y + CHECK_MM), (x, y)])
    page.items.append(Stroke(square, "check"))
    middle = x + CHECK_MM / 2.0
    page.items += [
        Words((middle, y + CHECK_MM - 8.0), "CHECK SQUARE: 100.0 mm each way", 11.0, align="center", bold=True),
        Words((middle, y + CHECK_MM - 14.0), "Measure me, from line to line, across and upwards.", 8.5, align="center"),
        Words((middle, y + CHECK_MM - 18.5), "If I am not 100.0 mm, print again at 100 % (“actual size”),", 8.5, align="center"),
        Words((middle, y + CHECK_MM - 23.0), "not “fit to page”. Do not use a page of another size.", 8.5, align="center"),
        Words((middle, y + 2.0), "100.0 mm", 8.0, align="center", grey=0.3),
        Words((x + 4.5, y + CHECK_MM / 2.0), "100.0 mm", 8.0, 90.0, "center", 0.3),
    ]


def _add_steps(page: Page, steps: Sequence[str]) -> None:
    """What to do, to the right of the check square."""
    x, top = page.check[0] + CHECK_MM + GAP_MM, page.check[1] + CHECK_MM - 4.0
    letters = int((page.width_mm - EDGE_MM - x) / LETTER_MM)
    page.items.append(Words((x, top), "What to do", 11.0, bold=True))
    lines = [line for n, step in enumerate(steps, 1) for line in [*textwrap.wrap(f"{n}. {step}", letters, subsequent_indent="    "), ""]]
    y = top - 1.5 * LINE_MM
    for line in lines:
        if line:
            page.items.append(Words((x, y), line))
        y -= LINE_MM if line else 0.4 * LINE_MM
    if y < page.check[1] - GAP_MM:
        raise InputRefused(f"what to do does not fit beside the check square ({len(lines)} lines)", "print on wider paper")


def pattern_loops(black: Bits, corners_mm: Array) -> tuple[Array, ...]:
    """The black cells of a pattern as few large areas, so that no hairline shows between neighbouring cells.

    Parameters
    ----------
    black : (n, n), row 0 at the top
    corners_mm : (4, 2) top left, top right, bottom right, bottom left

    Returns
    -------
    loops (K, 2), counter-clockwise round black, clockwise round holes
    """
    n = len(black)
    ahead: dict[tuple[int, int], list[tuple[int, int]]] = {}
    padded = np.pad(black, 1)
    for row, column in np.argwhere(black):
        # The cell's edges that border white, in grid corners (column, row), black on the left as seen on the page (rows run down).
        c, r = int(column), int(row)
        sides = (
            ((c, r), (c, r + 1), (0, -1)),
            ((c, r + 1), (c + 1, r + 1), (1, 0)),
            ((c + 1, r + 1), (c + 1, r), (0, 1)),
            ((c + 1, r), (c, r), (-1, 0)),
        )
        for begin, end, (down, right) in sides:
            if not padded[r + 1 + down, c + 1 + right]:
                ahead.setdefault(begin, []).append(end)
    loops = []
    while ahead:
        loop = [min(ahead)]
        while loop[-1] in ahead:
            ends = ahead[loop[-1]]
            # Where two black cells touch at a corner, turn left: the loop stays on its own cell.
            ends.sort(key=lambda end, path=loop: _turn(path, end))  # type: ignore[misc]
            step = ends.pop(0)
            if not ends:
                del ahead[loop[-1]]
            loop.append(step)
        loops.append(_straightened(np.array(loop[:-1], dtype=np.float64)))
    top_left, top_right, _, bottom_left = corners_mm
    return tuple(top_left + loop[:, :1] / n * (top_right - top_left) + loop[:, 1:] / n * (bottom_left - top_left) for loop in loops)


def _turn(path: list[tuple[int, int]], end: tuple[int, int]) -> int:
    """-1 to the left, 0 straight on, 1 to the right, as seen on the page, where rows run down."""
    if len(path) < 2:
        return 0
    (ax, ay), (bx, by), (cx, cy) = path[-2], path[-1], end
    return int(np.sign((bx - ax) * (cy - by) - (by - ay) * (cx - bx)))


def _straightened(loop: Array) -> Array:
    """Corners only."""
    before, after = loop - np.roll(loop, 1, axis=0), np.roll(loop, -1, axis=0) - loop
    return np.asarray(loop[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]])
