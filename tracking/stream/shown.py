"""Pictures for people to look at: grey JPEGs no larger than a screen wants, with the markers that were found in them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from navtwin.errors import NavtwinError
from navtwin.nouns.video import VideoFrame, VideoMarker
from tracking.detect.markers import Markers
from tracking.opencv import cv2
from tracking.pictures.images import Grey, Picture

#: The longer side of what is shown, at most, px; and how well it is kept, of 100.
LONGEST_SIDE_PX, QUALITY = 1280, 80

Found = Mapping[str, Markers]


class Shown(msgspec.Struct, frozen=True, tag_field="kind", tag="shown"):
    """One camera's picture, made fit to be looked at.

    Attributes
    ----------
    camera : its index in the rig
    frame : all of its header that the picture itself tells; times are the picture's own, its session and its bodies are for others to fill in
    """

    camera: int
    frame: VideoFrame
    jpeg: bytes


def jpeg_of(grey: Grey) -> tuple[bytes, int, int]:
    """A JPEG of an (H, W) picture, and its width and height in px."""
    height, width = grey.shape
    share = min(1.0, LONGEST_SIDE_PX / max(width, height))
    if share < 1.0:
        grey = cv2.resize(grey, (max(1, round(width * share)), max(1, round(height * share))), interpolation=cv2.INTER_AREA)
    whole, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not whole:
        raise NavtwinError(f"a picture of {width} x {height} px could not be made a JPEG", "report it with the camera's name")
    return data.tobytes(), grey.shape[1], grey.shape[0]


def shown(picture: Picture, camera: str, number: int, found: Found, points_px: Sequence[tuple[float, float]] = ()) -> Shown:
    """A picture as it is shown.

    Parameters
    ----------
    camera : the camera's name
    number : of the exposure, which its tracker frame has too
    found : markers in it, by dictionary
    points_px : other points found in it
    """
    jpeg, width, height = jpeg_of(picture.grey)
    markers = tuple(
        VideoMarker(id=identity, dictionary=dictionary, corners_px=tuple((float(x), float(y)) for x, y in corners))  # type: ignore[arg-type]
        for dictionary, markers in found.items()
        for identity, corners in zip(markers.ids.tolist(), markers.corners_px.tolist(), strict=True)
    )
    frame = VideoFrame(
        epoch="",
        camera=camera,
        number=number,
        t_capture_ns=picture.t_capture_ns,
        t_arrival_ns=picture.t_arrival_ns,
        t_publish_ns=picture.t_arrival_ns,
        width_px=width,
        height_px=height,
        full_width_px=picture.grey.shape[1],
        full_height_px=picture.grey.shape[0],
        markers=markers,
        points_px=tuple(points_px),
    )
    return Shown(picture.camera, frame, jpeg)


class PictureMaker:
    """A thread that makes pictures fit to be looked at, the newest exposure only, so that tracking never waits for it.

    Parameters
    ----------
    names : the cameras'
    say : takes each picture, in the thread
    """

    def __init__(self, names: Sequence[str], say: Callable[[Shown], None]) -> None:
        self._names, self._say = tuple(names), say
        self._changed = threading.Condition()
        self._offered: tuple[Sequence[Picture], int, Mapping[int, Found]] | None = None
        self._ending = False
        self._thread: threading.Thread | None = None

    def offer(self, pictures: Sequence[Picture], number: int, found: Mapping[int, Found]) -> None:
        """Hand over an exposure; what was offered before and is not begun is forgotten. The first starts the thread."""
        with self._changed:
            self._offered = (pictures, number, found)
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Make what was offered last, and end."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._offered is not None or self._ending)
                if self._offered is None:
                    return
                (pictures, number, found), self._offered = self._offered, None
            # Where nobody listens any more, the thread that answers finds out by itself.
            with suppress(BrokenPipeError):
                for picture in pictures:
                    self._say(shown(picture, self._names[picture.camera], number, found.get(picture.camera, {})))
