"""The markers of one body in a film of it: from a camera, a video or a folder of pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from navtwin.errors import InputRefused
from navtwin.nouns import Body, Rig, SourceEnded
from navtwin.nouns.calibration import Goal
from tracking.body import MarkerBody
from tracking.calibration.measure import MIN_VIEWS
from tracking.calibration.screen import Screen
from tracking.detect.markers import detect_markers
from tracking.pictures.images import ImageSource
from tracking.pictures.sources import open_pictures
from tracking.pose.problem import View
from tracking.rig import T_tracker_from_camera, camera_of

#: A live film ends by itself when each marker has been seen this many times as often as it must.
ENOUGH = 10
#: How long a source may be silent.
SILENCE_S = 10.0

Tell = Callable[[str], None]


def film_body(source: str, body: Body, plan: MarkerBody, rig: Rig, seconds: float, tell: Tell, screen: Screen | None = None) -> list[list[View]]:
    """Look for the body's markers in every picture of a source.

    Parameters
    ----------
    source : `camera:0`, `video:FILE`, `images:FOLDER` ...
    rig : has the cameras' calibrations
    seconds : after which a live source is left, unless every marker has been seen often enough before
    tell : is told, in words, what has been seen and what to show next
    screen : follows it, and may end it

    Returns
    -------
    The views of each exposure

    Raises
    ------
    InputRefused : a rig without cameras, pictures of another size than the calibration's, what the source refuses
    """
    if not rig.camera:
        raise InputRefused("the rig has no camera", "run `navtwin calibrate camera ... --write` first")
    cameras = [(camera_of(camera), T_tracker_from_camera(camera)) for camera in rig.camera]
    views = dict.fromkeys(plan.ids.tolist(), 0)
    film = list[list[View]]()
    with closing(open_pictures(source, rig=rig)) as pictures:
        end = time.monotonic() + seconds
        while not (pictures.live and (time.monotonic() > end or min(views.values()) >= ENOUGH * MIN_VIEWS)):
            exposure = _next(pictures, screen)
            if exposure is None:
                break
            frame = list[View]()
            for picture in exposure:
                if picture.camera >= len(cameras):
                    raise InputRefused(f"the source has a camera {picture.camera}, the rig only {len(cameras)}", "calibrate that camera too")
                camera, stand = cameras[picture.camera]
                if picture.grey.shape != (camera.height_px, camera.width_px):
                    height, width = picture.grey.shape
                    raise InputRefused(
                        f"the pictures are {width} x {height} px, camera '{rig.camera[picture.camera].name}' was calibrated at "
                        f"{camera.width_px} x {camera.height_px}",
                        "film at that size, or calibrate at this one",
                    )
                frame.append(View(detect_markers(picture.grey, body.dictionary), camera, stand))
            film.append(frame)
            for number in views.keys() & {number for view in frame for number in view.markers.ids.tolist()}:
                views[number] += 1
            tell(_guidance(len(film), views))
            if screen is not None:
                found = {p.camera: view.markers for p, view in zip(exposure, frame, strict=True)}
                screen.show(exposure, [c.name for c in rig.camera], lambda p, found=found: ({body.dictionary: found[p.camera]}, ()))  # type: ignore[misc]
                screen.tell(_guidance(len(film), views), views=len(film), **_reached(views))
    return film


def _reached(views: dict[int, int]) -> dict[str, Any]:
    """How often each marker was seen, as fields of `Progress`."""
    wanted = ENOUGH * MIN_VIEWS
    share = sum(min(seen / wanted, 1.0) for seen in views.values()) / len(views)
    return {"goals": tuple(Goal(f"marker {number}", seen, wanted) for number, seen in views.items()), "done_share": share}


def _next(pictures: ImageSource, screen: Screen | None) -> Sequence[Any] | None:
    """The next exposure; None at the end of the film, or where the screen wants no more."""
    silent_since = time.monotonic()
    while time.monotonic() - silent_since < SILENCE_S:
        if screen is not None and screen.attend(live=pictures.live):
            return None
        try:
            item = pictures.read(0.5)
        except SourceEnded:
            return None
        if isinstance(item, (tuple, list)):
            return item
        if item is not None:  # what a phantom says beside its pictures
            silent_since = time.monotonic()
    raise InputRefused(f"{pictures.name} has sent no picture for {SILENCE_S:g} s", "check that it is plugged in and not used by another program")


def _guidance(frames: int, views: dict[int, int]) -> str:
    wanting = [f"{number} ({seen} of {MIN_VIEWS})" for number, seen in views.items() if seen < MIN_VIEWS]
    return f"{frames} frames; " + (
        f"still to show: markers {', '.join(wanting)}" if wanting else "every marker seen; keep turning it slowly, near and far"
    )
