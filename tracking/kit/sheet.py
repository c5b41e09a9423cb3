"""`navtwin markers sheet`: a printable kit of marker bodies, and the rig that describes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from navtwin.errors import InputRefused, nearest
from navtwin.files.write import whole_file
from tracking.detect.patterns import cells, dictionary_of
from tracking.kit.board import COLUMNS, ROWS
from tracking.kit.board import DICTIONARY as BOARD_WORDS
from tracking.kit.bodies import PrintedBody, cube, dodecahedron, flat_board, reference_board
from tracking.kit.page import PAPERS, Page
from tracking.kit.pages import board_page, body_pages, pieces_of
from tracking.kit.pdf import write_pdf
from tracking.kit.rig_text import REFERENCE, SPARE, TOOLS, rig_text

BOARD = "board"
#: Every other square of the calibration board carries a marker, numbered from 0.
BOARD_MARKERS = COLUMNS * ROWS // 2
#: The kit's bodies in the order of their numbers: name, how it is made, how many markers it has.
BODIES: dict[str, tuple[Callable[[str, str, int, int], PrintedBody], int]] = {
    REFERENCE: (reference_board, 6),
    "pointer": (dodecahedron, 11),
    "drill": (cube, 5),
    SPARE: (flat_board, 4),
}
PARTS = (BOARD, *BODIES)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A kit: its pages, its bodies and their rig."""

    paper: str
    pages: tuple[Page, ...]
    bodies: tuple[PrintedBody, ...]
    rig: str


def make_sheet(paper: str = "A4", dictionary: str = "APRILTAG_36h11", parts: Sequence[str] = PARTS, first_id: int = 0) -> Sheet:
    """Lay out a kit.

    A body has the same numbers whichever parts are printed with it, so that a page printed again fits the rig.

    Parameters
    ----------
    paper : A4, Letter, A3, A5
    dictionary : of the bodies' markers
    parts : of `PARTS`
    first_id : number of the kit's first marker: a second kit in the same room needs others

    Raises
    ------
    InputRefused : an unknown paper, dictionary or part, none at all, numbers that the dictionary does not have, a paper that is too small
    """
    paper = {name.lower(): name for name in PAPERS}.get(paper.lower(), paper)
    words = dictionary_of(dictionary)
    for part in parts:
        if part not in PARTS:
            raise InputRefused(f"the kit has no part '{part}'", nearest(part, PARTS))
    if not parts:
        raise InputRefused("no part of the kit was asked for", f"name some of {', '.join(PARTS)}")
    if first_id < 0:
        raise InputRefused(f"the first marker's number is {first_id}", "pass 0 or more")
    count = sum(markers for _, markers in BODIES.values())
    if first_id <= (last := BOARD_MARKERS - 1) and cells(words.name, first_id).tobytes() == cells(BOARD_WORDS, first_id).tobytes():
        raise InputRefused(
            f"markers {first_id} to {min(last, first_id + count - 1)} of {words.name} are the calibration board's",
            f"choose another dictionary, or pass --first-id {BOARD_MARKERS}",
        )
    bodies, number = [], first_id
    for name, (make, count) in BODIES.items():
        if name in parts:
            if number + count > len(words.black):
                raise InputRefused(
                    f"body '{name}' needs markers {number} to {number + count - 1}, but dictionary {words.name} has 0 to {len(words.black) - 1}",
                    "choose a dictionary with more markers, or a smaller --first-id",
                )
            bodies.append(make(name, words.name, words.size, number))
        number += count
    total = (BOARD in parts) + sum(pieces_of(body) for body in bodies)
    numbers = [f"page {n} of {total}" for n in range(1, total + 1)]
    pages = [board_page(paper, numbers[0])] if BOARD in parts else []
    for body in bodies:
        pages += body_pages(body, paper, numbers[len(pages) : len(pages) + pieces_of(body)])
    return Sheet(paper, tuple(pages), tuple(bodies), rig_text(bodies) if _makes_a_rig(bodies) else "")


def _makes_a_rig(bodies: Sequence[PrintedBody]) -> bool:
    """A rig needs the reference and a tool."""
    names = {body.name for body in bodies}
    return REFERENCE in names and not names.isdisjoint(TOOLS)


def write_sheet(sheet: Sheet, out: Path, rig: Path | None, *, force: bool = False) -> None:
    """Write the PDF, and the rig where one is asked for.

    Raises
    ------
    InputRefused : a folder that is not there, a file that is there already, a rig without a reference and a tool
    """
    if rig is not None and not sheet.rig:
        raise InputRefused(f"these parts make no rig: it needs {REFERENCE} and one of {', '.join(TOOLS)}", "ask for them too, or pass --no-rig")
    if rig is not None and out.resolve() == rig.resolve():
        raise InputRefused(f"{out} would be both the sheet and its rig", "name two files")
    for path in [out, *([rig] if rig is not None else [])]:
        if not path.absolute().parent.is_dir():
            raise InputRefused(f"there is no folder {path.absolute().parent}", "make it, or write elsewhere")
        if path.is_dir():
            raise InputRefused(f"{path} is a folder", "name a file")
        if path.exists() and not force:
            raise InputRefused(f"{path} is already there", "pass --force to write over it, or name another file")
    write_pdf(sheet.pages, out, f"navtwin marker sheet, {sheet.paper}")
    if rig is not None:
        with whole_file(rig) as partial:
            partial.write_text(sheet.rig, encoding="utf-8")
