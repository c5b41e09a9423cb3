"""What stands between the scene and its picture, besides the lens: all of it off unless asked for."""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.errors import InputRefused
from navtwin.rigid import Vec3

Twist = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Glare:
    """A reflected lamp: a round spot of light added to the picture, `peak_dn` at its middle, of Gaussian shape; beyond 255 it saturates."""

    x_px: float
    y_px: float
    sd_px: float
    peak_dn: float


@dataclass(frozen=True)
class Optics:
    """Exposure, blur, light and sensor.

    Attributes
    ----------
    blur_px : sd of the defocus, Gaussian, px
    noise_dn : sd of the read noise, grey levels
    shot_dn : sd of the photon noise of a pixel at 255, grey levels; it falls with the square root of the light
    exposure_ms : for how long each row is exposed; 0 freezes all motion
    sub_exposures : in how many instants that is rendered; None: in as many as keep each from the next by a pixel at most (3 to 64)
    readout_ms : from the first row's exposure to the last one's; 0 is a global shutter. Times count from the middle row's mid-exposure
    motion : angular velocity (rad/s, about each body's origin) and velocity (mm/s) in camera axes, of every body without a motion of its own
    gain : factor on all light of the scene
    vignette : share of the light that is lost in the image's corners (it falls with the square of the distance from the middle)
    slope : how much brighter the right and the bottom border are than the middle, as shares
    light, ambient : unit vector from the scene to a lamp, camera axes; a sheet gets `ambient` + (1 - ambient) max(0, cosine). None: even light
    glare : reflected lamps
    gamma : grey levels are 255 (L / 255)^(1 / gamma); 1 is a linear camera
    """

    blur_px: float = 0.0
    noise_dn: float = 0.0
    shot_dn: float = 0.0
    exposure_ms: float = 0.0
    sub_exposures: int | None = None
    readout_ms: float = 0.0
    motion: Twist | None = None
    gain: float = 1.0
    vignette: float = 0.0
    slope: tuple[float, float] = (0.0, 0.0)
    light: Vec3 | None = None
    ambient: float = 0.5
    glare: tuple[Glare, ...] = ()
    gamma: float = 1.0

    def __post_init__(self) -> None:
        for name in ("blur_px", "noise_dn", "shot_dn", "exposure_ms", "readout_ms", "gain"):
            if not getattr(self, name) >= 0.0:
                raise InputRefused(f"{name} = {getattr(self, name)} of the rendered camera is negative or NaN", "pass 0 or more")
        if (self.sub_exposures is not None and self.sub_exposures < 1) or not self.gamma > 0.0:
            raise InputRefused("the rendered camera needs at least one sub-exposure and a gamma above 0", "leave them at None and 1")
