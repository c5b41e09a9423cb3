"""A row of the table: a published answer, ours, and whether the difference is one that our own error bar admits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: A difference within this many standard deviations, number by number, is none.
K = 3.0
#: Sd of a corner that was rounded to a whole pixel, px; and of the middle of four of them.
ROUNDED_PX = 12.0**-0.5
#: Where the published answers stand, and what their own sd is taken to be: none of them states one.
SOURCES = {
    "A": "scikit-surgeryarucotracker, tests/test_sksurgeryarucotracker.py; their corners are whole pixels, whose rounding is their sd",
    "B": "scikit-surgeryarucotracker, tests/test_arucotracker_vs_solvepnp.py; scikit-surgerybard, tests/widgets/test_bard_overlay.py; sd as A",
    "C": "scikit-surgerybard, calib.intrinsics.txt and others beside the pictures; their sd is OpenCV's for the same fit",
    "D": "scikit-surgerycalibration, tests/video/test_charuco_plus_chessboard.py: upper limits, after refinement of the corners",
    "-": "nobody: a property that any right answer has",
}


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes
    ----------
    source : key of `SOURCES`
    difference : as a length where the answer is a place
    sd, their_sd : ours as our result states it, and theirs as `SOURCES` says; as lengths likewise
    sds : largest difference of a number over both sds of it together; None where no sd is stated
    found, of : frames (views, pairs) that gave an answer
    passed : None where the difference is told but not judged
    """

    film: str
    what: str
    source: str
    published: str
    ours: str
    difference: str
    sd: str
    their_sd: str
    sds: float | None
    unit: str
    found: int
    of: int
    verdict: str
    passed: bool | None


def compared(film: str, what: str, source: str, published: Array, ours: Array, sd: Array, their_sd: Array, unit: str, frames: tuple[int, int]) -> Row:
    """Numbers against numbers."""
    off = np.asarray(ours - published)
    sds = float((np.abs(off) / np.hypot(sd, their_sd)).max())
    figures = f"{np.linalg.norm(off):.3g}", f"{np.linalg.norm(sd):.2g}", f"{np.linalg.norm(their_sd):.2g}"
    return Row(film, what, source, _text(published), _text(ours), *figures, sds, unit, *frames, *_verdict(sds))


def turned(film: str, what: str, source: str, turn_deg: Array, sd_deg: Array, their_sd_deg: Array, frames: tuple[int, int]) -> Row:
    """Our orientation against a published one: rotation vector from theirs to ours, in camera axes."""
    sds = float((np.abs(turn_deg) / np.hypot(sd_deg, their_sd_deg)).max())
    figures = f"{np.linalg.norm(turn_deg):.3g}", f"{np.linalg.norm(sd_deg):.2g}", f"{np.linalg.norm(their_sd_deg):.2g}"
    return Row(film, what, source, "a matrix", "a matrix", *figures, sds, "deg", *frames, *_verdict(sds))


def counted(film: str, what: str, source: str, published: int, ours: int, frames: tuple[int, int]) -> Row:
    """Something that was found so many times; finding more is no fault."""
    passed = ours >= published
    verdict = "as many" if ours == published else "more" if passed else "fewer"
    return Row(film, what, source, str(published), str(ours), str(ours - published), "", "", None, "", *frames, verdict, passed)


def limited(film: str, what: str, source: str, limit: float, ours: float, unit: str, frames: tuple[int, int]) -> Row:
    """Something that must stay below what is published."""
    passed = ours < limit
    return Row(film, what, source, f"< {limit:g}", f"{ours:.3g}", "", "", "", None, unit, *frames, "below" if passed else "above", passed)


def steady(film: str, what: str, flips: int, step_mm: float, step_deg: float, frames: tuple[int, int]) -> Row:
    """Poses from frame to frame."""
    ours = f"{flips}; {step_mm:.2f} mm, {step_deg:.2f} deg"
    return Row(film, what, "-", "0", ours, "", "", "", None, "", *frames, "no flip" if flips == 0 else "flipped", flips == 0)


def told(film: str, what: str, source: str, published: str, ours: str, unit: str, frames: tuple[int, int]) -> Row:
    """Figures side by side without a verdict."""
    return Row(film, what, source, published, ours, "", "", "", None, unit, *frames, "", None)


def _verdict(sds: float) -> tuple[str, bool]:
    return (f"within {K:g} sd ({sds:.1f})", True) if sds <= K else (f"{sds:.1f} sd apart", False)


def _text(numbers: Array) -> str:
    return " ".join(f"{v:.2f}" for v in np.ravel(numbers))
