"""What the rendered camera can film. Each script gives a `Take` from a seed; equal seeds give equal takes, to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Body, Rig, Tool
from phantoms.camera.background import cloth
from phantoms.camera.bodies import PrintError, make_body
from phantoms.camera.gestures import board_views, pivoted, spun, turned_about
from phantoms.camera.lens import Lens
from phantoms.camera.optics import Optics
from phantoms.camera.patterns import board
from phantoms.camera.sheets import Sheet, printed
from phantoms.camera.take import CameraTruth, Take, Track
from phantoms.motion import Poses
from phantoms.rig import DRAWN_TIP, MadeTool, make_tools

Array = npt.NDArray[np.float64]

#: Of a good webcam in a well-lit room.
OPTICS = Optics(blur_px=0.7, noise_dn=1.6, shot_dn=3.0, exposure_ms=8.0, vignette=0.22, slope=(0.06, -0.04))
RATE_HZ, BOARD_HZ, TURNING_HZ = 30.0, 10.0, 10.0
#: Exposures of the board in each of its poses.
HELD = 2
#: From mid-exposure to arrival where no rig states it.
LATENCY_MS = 40.0
#: Where tools are pivoted and spun, tracker axes: below the middle of the picture, so that the markers are in it.
DIVOT_MM = (0.0, 95.0, 430.0)
#: Which stream of a seed's numbers each thing is made with; tools as in `phantoms.performance`.
TOOLS_STREAM, PRINT_STREAM, SCENE_STREAM, VIEWS_STREAM = (2, 2), (5,), (6,), (4,)


@dataclass(frozen=True, eq=False)
class Studio:
    """Cameras, optics and rig that a script is filmed with."""

    lenses: tuple[Lens, ...]
    places: tuple[Array, ...]
    optics: Optics
    rig: Rig | None
    seed: int

    def rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])

    def needs_rig(self, script: str) -> Rig:
        if self.rig is None:
            raise InputRefused(f"the rendered camera's script '{script}' films what a rig describes", "pass --rig rig.toml")
        return self.rig


def film_board(studio: Studio) -> Take:
    """The calibration board of the printed sheet in 40 poses, still in each for two exposures: who calibrates waits until it is held still."""
    paper, *prints = board()
    # The paper goes round from its top left as seen from its front.
    sheet = printed(paper.corners_mm, [(p.corners_mm, p.cells, p.marker) for p in prints])
    views = board_views(studio.lenses[0], len(studio.lenses) > 1, studio.rng(*VIEWS_STREAM))
    views = Poses(np.repeat(views.rotation, HELD, axis=0), np.repeat(views.t_mm, HELD, axis=0))
    return calm(studio, "board", _times(len(views), BOARD_HZ), {"board": Track.open(views)}, {"board": (sheet,)}, {}, at_rest=True)


def film_body(studio: Studio, name: str) -> Take:
    """A body of the rig, as a printer really made it, turned so that all its markers are seen in overlapping groups."""
    body = named(studio.needs_rig("body"), name)
    made = make_body(body, PrintError(), studio.rng(*PRINT_STREAM))
    times = _times(420, TURNING_HZ)
    track = Track.open(turned_about(made.corners_mm, times / 1e9))
    return calm(studio, f"body:{name}", times, {name: track}, {name: made.sheets}, {name: (made.ids, made.corners_mm)})


def film_pivot(studio: Studio, name: str) -> Take:
    """A tool pivoted about its hidden tip for 14 s."""
    return _film_tool(studio, "pivot", name, 14.0)


def film_spin(studio: Studio, name: str) -> Take:
    """A tool spun about its hidden axis for 10 s."""
    return _film_tool(studio, "spin", name, 10.0)


def _film_tool(studio: Studio, script: str, name: str, duration_s: float) -> Take:
    rig = studio.needs_rig(script)
    tool = {t.name: t for t in rig.tool}.get(name)
    if tool is None:
        raise InputRefused(f"the rig has no tool '{name}'", nearest(name, [t.name for t in rig.tool]))
    made = made_tool(studio, rig, tool)
    body = make_body(named(rig, tool.body))
    times = _times(round(duration_s * RATE_HZ), RATE_HZ)
    gesture = {"pivot": pivoted, "spin": spun}[script]
    track = Track.open(gesture(made, np.array(DIVOT_MM), times / 1e9))
    truth = {tool.body: (body.ids, body.corners_mm)}
    return calm(studio, f"{script}:{name}", times, {tool.body: track}, {tool.body: body.sheets}, truth, {name: made})


def made_tool(studio: Studio, rig: Rig, tool: Tool) -> MadeTool:
    """The tool as the rehearsal of this seed has it; one that it does not know is as the rig says, or 150 mm long."""
    if tool.name in DRAWN_TIP:
        return make_tools(rig, studio.rng(*TOOLS_STREAM))[tool.name]
    axis = np.array(tool.axis_in_marker)
    return MadeTool(150.0 * axis if tool.tip_mm is None else np.array(tool.tip_mm), axis)


def named(rig: Rig, name: str) -> Body:
    """A body of the rig by its name."""
    for body in rig.body:
        if body.name == name:
            return body
    raise InputRefused(f"the rig has no marker body '{name}'", nearest(name, [b.name for b in rig.body]))


def calm(
    studio: Studio,
    name: str,
    capture_ns: npt.NDArray[np.int64],
    tracks: Mapping[str, Track],
    sheets: Mapping[str, tuple[Sheet, ...]],
    corners: Mapping[str, tuple[tuple[int, ...], Array]],
    tools: Mapping[str, MadeTool] | None = None,
    *,
    at_rest: bool = False,
) -> Take:
    """A take without nouns, every exposure delivered; `at_rest` where things are held still in each pose."""
    optics = replace(studio.optics, exposure_ms=0.0, readout_ms=0.0) if at_rest else studio.optics
    latency_ms = studio.rig.tracker.latency_ms if studio.rig is not None else LATENCY_MS
    backdrops = tuple(cloth(lens, studio.rng(*SCENE_STREAM, n)) for n, lens in enumerate(studio.lenses))
    truth = CameraTruth(studio.lenses, studio.places, corners, tools or {}, tracks)
    return Take(name, studio.seed, capture_ns, capture_ns + round(latency_ms * 1e6), sheets, truth, optics, backdrops)


def _times(count: int, rate_hz: float) -> npt.NDArray[np.int64]:
    return np.round((np.arange(count) + 1.0) * 1e9 / rate_hz).astype(np.int64)
