"""How an outline shows how deep it runs under the bone: the deeper, the fainter, dashed and then dotted."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """Depths up to `to_mm`: how opaque the line is, and its dashes in widths of the line, () for none."""

    to_mm: float
    opacity: float
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Depths:
    """Bands from the surface down; over `fading_mm` the glass of a silhouette fades to a third."""

    bands: tuple[Band, ...]
    fading_mm: float


_DASHED, _DOTTED = (4.0, 3.0), (1.0, 2.6)
#: For paths through bone that stays; and where a burr goes through it, whose millimetres count.
COARSE = Depths((Band(2.0, 1.0), Band(15.0, 0.85, _DASHED), Band(35.0, 0.6, _DASHED), Band(math.inf, 0.45, _DOTTED)), 50.0)
FINE = Depths((Band(1.0, 1.0), Band(3.0, 0.9, _DASHED), Band(8.0, 0.65, _DASHED), Band(math.inf, 0.45, _DOTTED)), 10.0)


def band_words(depths: Depths) -> tuple[str, ...]:
    """`to 2 mm` for each band, `deeper` for the last."""
    return tuple(f"to {band.to_mm:g} mm" if math.isfinite(band.to_mm) else "deeper" for band in depths.bands)
