"""The way from a picture back into the room: for each pixel, the ray that a calibrated lens brings there."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.scene.lens import Lens

F64 = npt.NDArray[np.float64]

#: A ray is right when its image is nearer to its pixel than this.
TOLERANCE_PX: Final = 1e-6
#: Corrections that are tried. Each leaves the share of the error by which the lens differs there from a pinhole, at most about 0.7.
MOST_STEPS: Final = 60
#: Where on a ray the point lies whose image is taken: beyond what is too near to have one.
FAR_MM: Final = 1000.0


def rays(lens: Lens, pixels: npt.ArrayLike) -> F64:
    """Directions whose images are the pixels given.

    The pinhole is corrected by what the whole model says of its image, again and again (fixed point; as in OpenCV's undistortPoints).

    Parameters
    ----------
    pixels : (N, 2) px, pixel (0, 0) is the centre of the first pixel

    Returns
    -------
    (N, 3) camera axes, z = 1; NaN where the model brings no ray: beyond the field that it holds for
    """
    wanted = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
    found = np.ones((len(wanted), 3))
    found[:, :2] = (wanted - lens.centre_px) / lens.focal_px
    open_rows = np.arange(len(wanted))
    for _ in range(MOST_STEPS):
        guess = _within(lens, found[open_rows])
        off = wanted[open_rows] - lens.project(FAR_MM * guess)
        found[open_rows, :2] = guess[:, :2] + off / lens.focal_px
        open_rows = open_rows[~(np.abs(off).max(axis=1) < TOLERANCE_PX)]
        if not len(open_rows):
            break
    found[open_rows] = np.nan
    return found


def pixel_rays(lens: Lens) -> F64:
    """(rows, columns, 3) the ray of each pixel of the picture, z = 1; NaN where the lens brings none."""
    columns, rows = np.meshgrid(np.arange(lens.width_px, dtype=np.float64), np.arange(lens.height_px, dtype=np.float64))
    return rays(lens, np.stack((columns, rows), axis=-1)).reshape(lens.height_px, lens.width_px, 3)


def _within(lens: Lens, directions: F64) -> F64:
    """The same, drawn in to where the model holds: a first guess may lie beyond it when the ray itself does not."""
    aside = np.hypot(directions[:, 0], directions[:, 1])
    shrink = np.minimum(1.0, 0.999 * lens.limit / np.maximum(aside, 1e-12))
    drawn = directions.copy()
    drawn[:, :2] *= shrink[:, None]
    return drawn
