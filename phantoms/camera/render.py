"""Pictures of marker scenes, with nothing left to chance that is not asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from phantoms.camera.develop import REACH_SDS, add_spot, defocus, expose, taps
from phantoms.camera.lens import Lens
from phantoms.camera.optics import Optics
from phantoms.camera.raster import fill, images_of, paint
from phantoms.camera.scene import Occluder, Packed, Scene, bodies_of, pack

F32 = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]
#: left, top, right, bottom of a part of the image, px; right and bottom lie outside.
Box = tuple[int, int, int, int]

DEFAULT_BACKGROUND_DN = 120.0
#: How far things may move from one rendered instant of an exposure to the next, how many instants there may be, and what counts as standing still.
INSTANT_PX, INSTANTS, STILL_PX = 1.0, (3, 64), 0.05
_NONE = np.zeros((1, 1), np.float32)


class Backdrop:
    """What stands behind the scene, sharp as it is, and defocused as often as asked: one backdrop serves a whole film."""

    def __init__(self, image_dn: npt.ArrayLike) -> None:
        self.sharp: F32 = np.ascontiguousarray(image_dn, dtype=np.float32)
        self._blurred: dict[float, F32] = {}

    def seen(self, blur_px: float) -> F32:
        """(H, W) light, defocused; not to be written to."""
        if blur_px == 0.0:
            return self.sharp
        if blur_px not in self._blurred:
            self._blurred[blur_px] = defocus(self.sharp, taps(blur_px))
        return self._blurred[blur_px]


def render(
    lens: Lens,
    scene: Scene,
    optics: Optics | None = None,
    rng: np.random.Generator | None = None,
    background: npt.ArrayLike | Backdrop | None = None,
    occluders: Sequence[Occluder] = (),
) -> Grey:
    """One exposure.

    Sheets are painted from back to front, each pixel covered by the exact share of it that lies inside (`raster`). Where two sheets meet inside a
    pixel, shares are composed as if independent. A sheet that reaches behind the camera is left out; what moves keeps the order of mid-exposure.

    Parameters
    ----------
    scene : bodies, as `Placed` or (T_camera_from_body (4, 4), sheets)
    rng : makes the noise; needed if `optics` asks for any
    background : (H, W) grey levels, or a `Backdrop` that is kept for many exposures; None is even grey

    Returns
    -------
    (H, W) uint8. Numbers of equal seeds give equal pictures, to the bit.

    Raises
    ------
    InputRefused : noise without `rng`; a background of another size; a pose that is not a finite (4, 4)
    """
    optics = optics or Optics()
    noisy = optics.noise_dn > 0.0 or optics.shot_dn > 0.0
    if noisy and rng is None:
        raise InputRefused("the rendered camera was asked for noise but not given a generator", "pass rng=numpy.random.default_rng(seed)")
    backdrop = background if isinstance(background, Backdrop) else _backdrop(lens, background)
    if backdrop.sharp.shape != (lens.height_px, lens.width_px):
        raise InputRefused(f"the background has shape {backdrop.sharp.shape}", f"pass one of ({lens.height_px}, {lens.width_px})")
    packed = pack(lens, bodies_of(scene), optics)
    light = backdrop.seen(optics.blur_px).copy()
    margin = 2 + math.ceil(REACH_SDS * optics.blur_px)
    count = _instants(lens, packed, optics)
    for box in _parts(lens, packed, occluders, margin):
        _lit(light, box, backdrop.sharp, lens, packed, optics, occluders, margin, count)
    field = _field(lens.width_px, lens.height_px, optics.gain, optics.vignette, optics.slope)
    if optics.glare:
        for spot in optics.glare:
            add_spot(light, spot.x_px, spot.y_px, spot.sd_px, spot.peak_dn)
    key = np.uint64(0) if rng is None else rng.integers(2**64, dtype=np.uint64)
    return np.asarray(expose(light, field, key, optics.noise_dn, optics.shot_dn, optics.gamma))


def _backdrop(lens: Lens, background: npt.ArrayLike | None) -> Backdrop:
    if background is None:
        return _even(lens.width_px, lens.height_px)
    return Backdrop(background)


@lru_cache(maxsize=4)
def _even(width: int, height: int) -> Backdrop:
    return Backdrop(np.full((height, width), DEFAULT_BACKGROUND_DN, np.float32))


@lru_cache(maxsize=8)
def _field(width: int, height: int, gain: float, vignette: float, slope: tuple[float, float]) -> F32:
    """Factor on the light of each pixel, (H, W); (1, 1) where it is 1 everywhere."""
    if gain == 1.0 and vignette == 0.0 and slope == (0.0, 0.0):
        return _NONE
    x = np.linspace(-1.0, 1.0, width)[None, :]
    y = np.linspace(-1.0, 1.0, height)[:, None]
    aspect = width / height
    square = (x * x * aspect * aspect + y * y) / (aspect * aspect + 1.0)
    return np.asarray(gain * (1.0 - vignette * square) * (1.0 + slope[0] * x + slope[1] * y), dtype=np.float32)


def _parts(lens: Lens, packed: Packed, occluders: Sequence[Occluder], margin: int) -> list[Box]:
    """Disjoint parts of the image that hold all that is painted, with `margin` px about it."""
    spans = [packed.extents_px[packed.owner == owner] for owner in np.unique(packed.owner)]
    edges = [(*e[:, :2].min(axis=0), *e[:, 2:].max(axis=0)) for e in spans]
    edges += [(*o.polygon_px.min(axis=0), *o.polygon_px.max(axis=0)) for o in occluders]
    boxes = list[Box]()
    for left, top, right, bottom in edges:
        box = (
            max(math.floor(min(left, lens.width_px)) - margin, 0),
            max(math.floor(min(top, lens.height_px)) - margin, 0),
            min(math.ceil(max(right, 0.0)) + margin + 1, lens.width_px),
            min(math.ceil(max(bottom, 0.0)) + margin + 1, lens.height_px),
        )
        if box[0] < box[2] and box[1] < box[3]:
            boxes.append(box)
    return _merged(boxes)


def _merged(boxes: list[Box]) -> list[Box]:
    """The same, with boxes that overlap replaced by the one about them."""
    apart = list[Box]()
    for box in boxes:
        joined = box
        while touching := [b for b in apart if b[0] < joined[2] and joined[0] < b[2] and b[1] < joined[3] and joined[1] < b[3]]:
            apart = [b for b in apart if b not in touching]
            every = [joined, *touching]
            joined = (min(b[0] for b in every), min(b[1] for b in every), max(b[2] for b in every), max(b[3] for b in every))
        apart.append(joined)
    return apart


def _instants(lens: Lens, packed: Packed, optics: Optics) -> int:
    """In how many instants the exposure is rendered."""
    if optics.exposure_ms == 0.0 or not np.any(packed.motions[:, 12:]):
        return 1
    if optics.sub_exposures is not None:
        return optics.sub_exposures
    smear_px, half_s = 0.0, optics.exposure_ms / 2e3
    for owner in np.unique(packed.owner):
        corner, along, down, warp = np.moveaxis(packed.sheets[packed.owner == owner], 1, 0)
        points = np.concatenate([corner, corner + along, corner + down, corner + along + down + warp])
        start, end = (images_of(lens.packed, packed.motions[owner], 0.0, t_s, points) for t_s in (-half_s, half_s))
        smear_px = max(smear_px, float(np.nanmax(np.linalg.norm(end - start, axis=1))))
    return int(np.clip(np.ceil(smear_px / INSTANT_PX), *INSTANTS)) if smear_px > STILL_PX else 1


def _lit(
    light: F32, box: Box, sharp: F32, lens: Lens, packed: Packed, optics: Optics, occluders: Sequence[Occluder], margin: int, count: int
) -> None:  # fmt: skip
    """Put the light of one part of the image, averaged over the exposure and defocused, into `light`."""
    # Defocus mixes in what lies around, so a wider part is painted than is put in.
    left, top = max(box[0] - margin, 0), max(box[1] - margin, 0)
    behind = sharp[top : min(box[3] + margin, lens.height_px), left : min(box[2] + margin, lens.width_px)]
    total = np.zeros_like(behind)
    for n in range(count):
        canvas = behind.copy()
        t_s = optics.exposure_ms / 1e3 * ((n + 0.5) / count - 0.5)
        paint(
            canvas, left, top, lens.packed, packed.motions, optics.readout_ms / 1e3, t_s, packed.sheets, packed.owner, packed.order,
            packed.signs, packed.greys, packed.edges, packed.starts, lens.width_px, lens.height_px,
        )  # fmt: skip
        total += canvas
    total /= np.float32(count)
    for occluder in occluders:
        polygon = np.ascontiguousarray(occluder.polygon_px, dtype=np.float64)
        fill(total, left, top, polygon, occluder.grey_dn, lens.width_px, lens.height_px)
    if optics.blur_px > 0.0:
        total = defocus(total, taps(optics.blur_px))
    light[box[1] : box[3], box[0] : box[2]] = total[box[1] - top : box[3] - top, box[0] - left : box[2] - left]
