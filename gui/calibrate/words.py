"""What a rig and a pivot hold, in words and figures for people. No Qt."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from navtwin.bus.words import name_words
from navtwin.nouns import PivotResult, RigCamera, Tool, symmetric

#: (name, value) below each other.
Rows = tuple[tuple[str, str], ...]


def camera_figures(camera: RigCamera, now: datetime) -> Rows:
    """What the rig states of a camera, in words."""
    days = age_days(camera.calibrated, now)
    return (
        ("camera", f"{name_words(camera.name)}, {camera.width_px} × {camera.height_px} px"),
        ("held-out error", px_words(camera.held_out_px)),
        ("error in the fit", px_words(camera.rms_px)),
        ("focal length", f"{camera.focal_px[0]:.1f} px" + (f" ± {2 * camera.intrinsics_sd[0]:.1f}" if camera.intrinsics_sd else "")),
        ("calibrated", f"{camera.calibrated[:10]}, {ago_words(days)}" if days is not None else "—"),
    )


def pivot_figures(found: PivotResult) -> Rows:
    """A pivot in words. Its residual says how well the poses agree, and is told as that."""
    x, y, z = found.tip_mm
    return (
        ("tip known to", sd_words(found.covariance)),
        ("along x, y, z of the marker", ", ".join(mm_words(math.sqrt(max(0.0, found.covariance[n]))) for n in (0, 3, 5)) + " mm (sd)"),
        ("in its worst direction", f"{mm_words(worst_sd_mm(found.covariance))} mm (sd)"),
        ("tip in marker axes", f"{x:.2f}, {y:.2f}, {z:.2f} mm"),
        ("poses agree within", f"{found.rms_mm:.2f} mm RMS (not how accurate the tip is)"),
        ("poses", f"{found.samples}"),
    )


def stored_tip(tool: Tool) -> Rows:
    """The tip that a rig holds, in words."""
    assert tool.tip_mm is not None
    x, y, z = tool.tip_mm
    known = (("tip known to", sd_words(tool.tip_covariance)),) if tool.tip_covariance else ()
    return (*known, ("tip in marker axes", f"{x:.2f}, {y:.2f}, {z:.2f} mm"))


def sd_mm(covariance: tuple[float, ...]) -> float:
    """RMS of the standard deviations along three axes, from (xx xy xz yy yz zz), mm."""
    xx, _, _, yy, _, zz = covariance
    return math.sqrt(max(0.0, (xx + yy + zz) / 3.0))


def mm_words(value: float) -> str:
    """A length with as many digits as it is worth."""
    return f"{value:.{2 if abs(value) < 10.0 else 1 if abs(value) < 100.0 else 0}f}"


def worst_sd_mm(covariance: tuple[float, ...]) -> float:
    """Standard deviation along the direction in which it is largest, mm."""
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(symmetric(covariance, 3))[-1])))


def sd_words(covariance: tuple[float, ...]) -> str:
    """How well a tip is known: RMS over the three axes."""
    sd = sd_mm(covariance)
    return f"{mm_words(sd)} mm (sd)" if sd >= 0.005 else "under 0.01 mm (sd)"


def age_days(calibrated: str, now: datetime) -> int | None:
    """Whole days since an ISO date; None where it is none."""
    try:
        date = datetime.fromisoformat(calibrated)
    except ValueError:
        return None
    return (now - (date if date.tzinfo else date.replace(tzinfo=UTC))).days


def ago_words(days: int) -> str:
    """`today`, `yesterday`, `12 days ago`; what lies ahead is said too, for a clock is wrong then."""
    if days < 0:
        return "dated in the future"
    return "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"


def px_words(value: float | None) -> str:
    """An error in the picture, a dash where it is not known."""
    return "—" if value is None else f"{value:.3f} px"


def count_words(number: int, one: str, many: str = "") -> str:
    """`1 tool`, `2 tools`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
