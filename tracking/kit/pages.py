"""The pages of the kit: calibration board, flat boards, fold-up solids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from tracking.detect.patterns import cells, dictionary_of
from tracking.kit.board import COLUMNS, DICTIONARY, MARGIN_MM, MARKER_MM, ROWS, SQUARE_MM, board
from tracking.kit.bodies import PrintedBody, face_axes
from tracking.kit.net import Piece, unfold
from tracking.kit.page import CHECK_MM, Ink, Page, Stroke, Words, blank_page

Array = npt.NDArray[np.float64]

#: A net is turned in these steps until it fits the paper.
TURN_DEG = 6.0
#: Where the sketch of a solid is seen from (body axes), and how far its handle is drawn (mm), and its scale.
SKETCH_FROM, SKETCH_HANDLE_MM, SKETCH_SCALE = np.array([0.35, 0.45, 1.0]), 26.0, 0.72

BOARD_STEPS = (
    "Print on thick matte paper at 100 % and measure the check square.",
    "Cut round the board, leaving the white edge on it. Glue it, without a bubble, to something flat and stiff: glass, an acrylic plate, a tile.",
    "Show it to the camera: near and far, tilted each way, and into every corner of the picture.",
)
FLAT_STEPS = (
    "Print on thick matte paper at 100 % and measure the check square.",
    "Cut along the outer line and glue it, without a bubble, to a stiff flat plate.",
)
WINDOW_STEP = "The clear middle is free: cut a window into it where you work through the board. Fix the board firmly to the phantom."
TOOL_STEP = "Fix the plate firmly to the tool. It can stand for any body of rig.toml; the table there is commented out."
SOLID_STEPS = (
    "Print on matte card (200 g/m²) at 100 % and measure the check square.",
    "Cut along the solid lines, tabs included. Score the dashed lines with an empty ball pen and a ruler, and fold them away from the print.",
    "Put the handle's rod (wood or carbon, stiff) through the cross of the face without a marker; glue it to the inside of the far face too.",
    "Glue each tab under the face whose number it bears. A core of foam or cork cut to size keeps the faces flat.",
)
TWO_PIECES_STEP = "It comes in two pieces, a page each: fold both, then glue piece B on the ten outer tabs of piece A."
MEASURE_STEP = (
    "Then measure it: navtwin calibrate markers camera:0 --body {name} --rig rig.toml --check-mm 100.0 --write (100.0: what your ruler says)"
)


def board_page(paper: str, number: str) -> Page:
    """The ChArUco calibration board."""
    title = "Calibration board"
    page = blank_page(paper, title, f"ChArUco {COLUMNS} x {ROWS}, squares {SQUARE_MM:g} mm, {DICTIONARY} · {paper} · {number}", BOARD_STEPS)
    left, bottom, width, height = page.room
    need = np.array([COLUMNS, ROWS]) * SQUARE_MM
    if need[0] > width or need[1] + MARGIN_MM > height:
        raise InputRefused(f"paper {paper} is too small for the calibration board", "print on A4 or Letter")
    middle = np.array([left + width / 2.0, bottom + height - need[1] / 2.0])
    black = list[Array]()
    for square in board()[1:]:
        corners = square.corners_mm[:, :2] + middle
        if square.marker is None:
            black.append(corners[::-1])
        else:
            page.marker(DICTIONARY, square.marker, square.cells, corners)
    page.items.append(Ink(tuple(black)))
    under = f"square {SQUARE_MM:.1f} mm, marker {MARKER_MM:.1f} mm"
    page.items.append(Words((middle[0], middle[1] - need[1] / 2.0 - 4.5), under, 7.0, align="center", grey=0.35))
    return page


def body_pages(body: PrintedBody, paper: str, numbers: Sequence[str]) -> list[Page]:
    """A page for each piece of the body's net.

    Raises
    ------
    InputRefused : the paper is too small for it
    """
    pieces, solid = unfold(body), len(body.faces) > 1
    measure = MEASURE_STEP.format(name=body.name)
    steps = [*SOLID_STEPS, *([TWO_PIECES_STEP] if len(pieces) > 1 else []), measure] if solid else [*FLAT_STEPS, _flat_step(body), measure]
    pages = []
    for n, (piece, number) in enumerate(zip(pieces, numbers, strict=True)):
        which = f", piece {'AB'[n]}" if len(pieces) > 1 else ""
        footer = f"{body.dictionary}, markers {body.ids[0]}-{body.ids[-1]}, side {body.side_mm:.1f} mm · {paper} · {number}"
        page = blank_page(paper, f"“{body.name}”: {body.shape}{which}", footer, steps)
        _add_piece(page, body, _fitted(piece, page, body.name, paper))
        if solid:
            _add_sketch(page, body)
        pages.append(page)
    return pages


def pieces_of(body: PrintedBody) -> int:
    return sum(parent is None for parent in body.parents)


def _flat_step(body: PrintedBody) -> str:
    return WINDOW_STEP if body.name == "ref" else TOOL_STEP


def _fitted(piece: Piece, page: Page, name: str, paper: str) -> Piece:
    """The piece where it fits the page, turned no further than it must be."""
    left, bottom, width, height = page.room
    for degrees in sorted(np.arange(-180.0, 180.0, TURN_DEG), key=abs):
        turned = piece.moved(np.radians(degrees), np.zeros(2))
        low, high = turned.points().min(axis=0), turned.points().max(axis=0)
        if (high - low <= (width, height)).all():
            # Against the check square rather than in the middle: printers are truest away from the edges.
            return turned.moved(0.0, np.array([left + (width - high[0] - low[0]) / 2.0, bottom + height - high[1]]))
    raise InputRefused(f"paper {paper} is too small for body '{name}'", "print on A4 or Letter, or leave it out with --parts")


def _add_piece(page: Page, body: PrintedBody, piece: Piece) -> None:
    for tab, face in zip(piece.tabs, piece.under, strict=True):
        meets = ", ".join(map(str, body.faces[face].ids)) or "handle"
        page.items.append(Stroke(tab, "cut"))
        page.items.append(Words(_tuple(tab.mean(axis=0)), f"under {meets}", 5.0, _upright_deg(tab[3] - tab[0]), "center", 0.45))
    page.items += [Stroke(fold, "fold") for fold in piece.folds]
    page.items += [Stroke(cut, "cut") for cut in piece.cuts]
    for number, outline, corners in zip(piece.faces, piece.outlines, piece.corners, strict=True):
        for marker_id, quad in zip(body.faces[number].ids, corners, strict=True):
            page.marker(body.dictionary, marker_id, cells(body.dictionary, marker_id), quad)
            page.items.append(_label(body, marker_id, outline, quad))
        if not body.faces[number].ids:
            _add_handle_mark(page, outline)


def _label(body: PrintedBody, marker_id: int, outline: Array, quad: Array) -> Words:
    """Name and number, outside the marker's quiet zone: in the fifth corner of a pentagon, else below the marker."""
    up = (quad[0] - quad[3]) / body.side_mm
    cell = body.side_mm / dictionary_of(body.dictionary).size
    if len(outline) == 5:
        apex = outline[np.argmax(outline @ up)]
        at = apex - 6.5 * up
    else:
        below = quad[2:].mean(axis=0)
        margin = float(((below - outline) @ up).max())
        at = below - min(margin - 0.7, cell + 2.4) * up
    degrees = float(np.degrees(np.arctan2(-up[0], up[1])))
    return Words(_tuple(at), f"{body.name} {marker_id}", 5.0, degrees, "center", 0.5)


def _add_handle_mark(page: Page, outline: Array) -> None:
    centre = outline.mean(axis=0)
    page.items += [Stroke(centre + np.array(arm), "thin") for arm in ([(-4.0, 0.0), (4.0, 0.0)], [(0.0, -4.0), (0.0, 4.0)])]
    page.items.append(Words(_tuple(centre + np.array((0.0, 6.0))), "handle here", 7.0, align="center", grey=0.3))


def _add_sketch(page: Page, body: PrintedBody) -> None:
    """The folded body as seen from its front, in the check square, with the numbers of its faces. (No pattern: a camera must not take it for one.)"""
    back = SKETCH_FROM / np.linalg.norm(SKETCH_FROM)
    right = np.cross((0.0, 1.0, 0.0), back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    middle = np.array([page.check[0] + CHECK_MM / 2.0, page.check[1] + CHECK_MM / 2.0 - 6.0])

    def flat(points: Array) -> Array:
        return np.asarray(np.stack([points @ right, points @ up], axis=-1) * SKETCH_SCALE + middle)

    shown = [(face.ids, flat(face.outline_mm)) for face in body.faces if face_axes(face.outline_mm)[2] @ back > 0.05]
    for ids, outline in shown:
        page.items.append(Stroke(np.vstack([outline, outline[:1]]), "thin"))
        page.items.append(Words(_tuple(outline.mean(axis=0) - (0.0, 1.5)), ", ".join(map(str, ids)), 10.0, align="center", grey=0.2))
    handle = body.faces[-1].outline_mm.mean(axis=0)
    along = flat(handle * np.linspace(1.0, 1.0 + SKETCH_HANDLE_MM / np.linalg.norm(handle), 100)[:, None])
    # The handle leaves by a face that is turned away: what lies behind the others is not drawn.
    free = along[~np.any([_inside(along, outline) for _, outline in shown], axis=0)]
    page.items += [Stroke(free[[0, -1]], "check"), Words((free[-1, 0] + 3.0, free[-1, 1] + 1.0), "handle, tip this way", 7.0, grey=0.3)]


def _inside(points: Array, outline: Array) -> npt.NDArray[np.bool_]:
    """Which points lie in a convex outline that goes round counter-clockwise."""
    edge = np.roll(outline, -1, axis=0) - outline
    arm = points[:, None] - outline
    return np.asarray((edge[:, 0] * arm[..., 1] - edge[:, 1] * arm[..., 0] >= 0.0).all(axis=1))


def _upright_deg(along: Array) -> float:
    """The direction of a line of text along `along`, never upside down."""
    degrees = float(np.degrees(np.arctan2(along[1], along[0])))
    return degrees - 180.0 * round(degrees / 180.0)


def _tuple(point: Array) -> tuple[float, float]:
    return float(point[0]), float(point[1])
