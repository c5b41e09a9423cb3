"""The sheet of points that `navtwin markers points` prints: crosses on a grid, glued on a flat plate beside the reference's board."""

from __future__ import annotations

from navtwin.assess.artefact import Artefact, ArtefactPoint

COLUMNS, ROWS, STEP_MM = "ABCDE", 4, 40.0
#: How far a point of a good print on a flat plate is off its place, each axis (1 sd), beyond the scale that the ruler tells.
PRINT_SD_MM = 0.1
CHECK_MM, RULER_SD_MM = 160.0, 0.1
CENTRE = "C2"


def printed_sheet() -> Artefact:
    """Its points: x to the right, y to the top, z out of the paper; the origin in the middle. A1 to E1, its top row, are the ruler's length apart."""
    points = tuple(
        ArtefactPoint(f"{column}{row + 1}", (STEP_MM * (n - (len(COLUMNS) - 1) / 2.0), STEP_MM * ((ROWS - 1) / 2.0 - row), 0.0))
        for row in range(ROWS)
        for n, column in enumerate(COLUMNS)
    )
    return Artefact("printed sheet of points", CENTRE, points, sd_mm=PRINT_SD_MM, check_mm=CHECK_MM, check_sd_mm=RULER_SD_MM)
