"""`camera:phantom:SCRIPT[:SEED]`: the rendered camera in place of a real one, with the commands and the truth that its script plays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from navtwin.assess.plan import Design
from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Rig, SourceEnded, SourceItem
from phantoms.camera.assess import film_assess
from phantoms.camera.pedicle import film_pedicle
from phantoms.camera.render import Grey
from phantoms.camera.scripts import OPTICS, Studio, film_board, film_body, film_pivot, film_spin
from phantoms.camera.stand import HEIGHT_PX, WIDTH_PX, stood
from phantoms.camera.take import CameraTruth, Take

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

#: The scripts, and what is named behind them.
SCRIPTS: Final = {"board": "", "body": "NAME", "pivot": "TOOL", "spin": "TOOL", "pedicle": "", "assess": ""}
OPTIONS: Final = ("lens", "cameras", "height", "readout", "exposure")
#: Further ones of the script `assess`: how much is touched.
ASSESS_OPTIONS: Final = ("places", "repeats", "points")
DEFAULT_SEED: Final = 1
MOST_CAMERAS: Final = 4
HEIGHTS: Final = (240, 4320)


@dataclass(frozen=True, eq=False, slots=True)
class Image:
    """One exposure of one camera, as every source of pictures gives it.

    Attributes
    ----------
    camera : its index among the rig's cameras
    number : the exposure's number in the script
    t_capture_ns, t_arrival_ns : the script's clock; capture is the middle of the exposure
    stamp : the script knows the time of capture
    grey : (H, W) uint8
    """

    camera: int
    number: int
    t_capture_ns: int
    t_arrival_ns: int
    stamp: Literal["host"]
    grey: Grey


class CameraPhantom:
    """A script before rendered cameras. It is not live: pictures carry the script's own clock, and `truth` says what is really so."""

    live = False

    def __init__(self, take: Take) -> None:
        self.name = f"camera:phantom:{take.name}:{take.seed}"
        self.setup_ns = take.setup_ns
        self.take = take
        self._played = take.played()

    @property
    def cameras(self) -> int:
        """How many cameras film it."""
        return len(self.take.truth.lenses)

    @property
    def truth(self) -> CameraTruth:
        """What calibrations should find and what poses should be."""
        return self.take.truth

    def read(self, timeout_s: float) -> tuple[Image, ...] | SourceItem:
        """One exposure of all cameras, or the noun that comes next; at once. Raises SourceEnded behind the last."""
        item = next(self._played, None)
        if item is None:
            raise SourceEnded(self.name)
        if not isinstance(item, int):
            return item
        capture_ns, arrival_ns = int(self.take.capture_ns[item]), int(self.take.arrival_ns[item])
        return tuple(Image(c, item, capture_ns, arrival_ns, "host", self.take.picture(c, item)) for c in range(self.cameras))

    def close(self) -> None:
        """Forget the rest; reading on raises SourceEnded."""
        self._played = iter(())


def open_camera(rest: str, case: Scene | None = None, rig: Rig | None = None) -> CameraPhantom:
    """Open `board`, `body:NAME`, `pivot:TOOL`, `spin:TOOL`, `pedicle` or `assess`, each with an optional `:SEED` (`phantom:` before it or not).

    Options, behind a question mark, as in `board?cameras=2&height=720`: `cameras`, how many; `height` of their images, px,
    where it is not the rig's; `readout`, ms, of a rolling shutter; `exposure`, ms; `lens=rig` films through the rig's own cameras. Otherwise the
    device has lenses of its own, which no rig knows, so that a calibration finds something out. `assess` also takes `places` (`middle,left`),
    `repeats` and `points`, which have to be what `navtwin assess` is asked for.

    Raises
    ------
    InputRefused : an unknown script or option, a seed or number that is none, a name that the rig does not have, a missing case or rig
    """
    text, _, tail = rest.removeprefix("phantom:").partition("?")
    script, *words = text.split(":")
    if script not in SCRIPTS:
        raise InputRefused(f"there is no phantom '{script}' for the rendered camera", nearest(script, SCRIPTS))
    wants = SCRIPTS[script]
    form = f"camera:phantom:{script}{':' + wants if wants else ''}[:SEED]"
    name = words.pop(0) if wants and words else ""
    if (wants and not name) or len(words) > 1:
        raise InputRefused(f"'{rest}' is not {form}", f"write {form}")
    if words and not (words[0].isascii() and words[0].isdigit()):
        raise InputRefused(f"'{words[0]}' is no seed", f"write {form} with a whole number, or leave it out")
    options = _options(tail, (*OPTIONS, *ASSESS_OPTIONS) if script == "assess" else OPTIONS)
    studio = _studio(options, rig, int(words[0]) if words else DEFAULT_SEED)
    return CameraPhantom(film_assess(studio, _design(options)) if script == "assess" else _take(script, name, studio, case))


def _take(script: str, name: str, studio: Studio, case: Scene | None) -> Take:
    if script == "board":
        return film_board(studio)
    if script == "pedicle":
        return film_pedicle(studio, case)
    return {"body": film_body, "pivot": film_pivot, "spin": film_spin}[script](studio, name)


def _design(options: dict[str, str]) -> Design:
    """How much is touched: as `navtwin assess` asks by default, unless it is said otherwise."""
    places = tuple(options["places"].split(",")) if "places" in options else Design().places
    repeats, points = _whole(options, "repeats", 2, 100), _whole(options, "points", 4, 1000)
    return Design(places=places, repeats=repeats or Design().repeats, points=points or 0)


def _options(tail: str, known: tuple[str, ...]) -> dict[str, str]:
    options = dict[str, str]()
    for pair in tail.split("&") if tail else ():
        key, _, value = pair.partition("=")
        if key not in known:
            raise InputRefused(f"the rendered camera has no option '{key}'", nearest(key, known))
        options[key] = value
    if options.get("lens", "own") not in ("own", "rig"):
        raise InputRefused(f"option lens={options['lens']} is neither own nor rig", "correct it, or leave it out")
    return options


def _studio(options: dict[str, str], rig: Rig | None, seed: int) -> Studio:
    cameras = _whole(options, "cameras", 1, MOST_CAMERAS)
    as_rig = options.get("lens") == "rig"
    height = _whole(options, "height", *HEIGHTS) or (HEIGHT_PX if as_rig else _opened_at(rig))
    lenses, places = stood(rig, cameras, height, as_rig=as_rig)
    # Defocus belongs to the optics and is fewer pixels wide where pixels are larger.
    optics = replace(OPTICS, blur_px=max(OPTICS.blur_px * lenses[0].height_px / HEIGHT_PX, 0.4))
    if "readout" in options:
        optics = replace(optics, readout_ms=_milliseconds(options, "readout"))
    if "exposure" in options:
        optics = replace(optics, exposure_ms=_milliseconds(options, "exposure"))
    return Studio(lenses, places, optics, rig, seed)


def _opened_at(rig: Rig | None) -> int:
    """The height of the device's pictures, px: what the rig's first camera is opened at, as a real one would be."""
    if rig is None or not rig.camera:
        return HEIGHT_PX
    width, height = rig.camera[0].width_px, rig.camera[0].height_px
    if not HEIGHTS[0] <= height <= HEIGHTS[1] or width != round(WIDTH_PX * height / HEIGHT_PX):
        raise InputRefused(
            f"the rendered camera does not make pictures of {width} x {height} px",
            f"use {WIDTH_PX} x {HEIGHT_PX} or another size of the same shape, or film through the rig's own lens with ?lens=rig",
        )
    return height


def _whole(options: dict[str, str], key: str, least: int, most: int) -> int | None:
    text = options.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise InputRefused(f"option {key}={text} is no whole number from {least} to {most}", "correct it, or leave it out")
    return int(text)


def _milliseconds(options: dict[str, str], key: str) -> float:
    try:
        value = float(options[key])
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1000.0:
        raise InputRefused(f"option {key}={options[key]} is no time in ms from 0 to 1000", "correct it, or leave it out")
    return value
