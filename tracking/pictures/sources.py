"""Pictures by address: `camera:0`, `camera:NAME:...` (another room's camera), `video:FILE`, `images:FOLDER`."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Rig
from tracking.pictures.address import joined, split_options
from tracking.pictures.images import ImageSource, OpenCamera

KINDS = ("camera", "images", "video")


def open_pictures(address: str, case: Any = None, rig: Rig | None = None) -> ImageSource:
    """Open `KIND:REST` for its pictures.

    Parameters
    ----------
    case : what a rendered camera shows; real ones need none
    rig : the calibration; cameras of this machine need it, recordings take their rate and latency from it

    Raises
    ------
    InputRefused : another kind, or what the source refuses
    """
    kind, colon, rest = address.partition(":")
    if not colon or kind not in KINDS:
        raise InputRefused(f"'{address}' gives no pictures", f"write KIND:NAME with KIND one of {', '.join(KINDS)}")
    if kind == "video":
        from tracking.pictures.video import open_video

        return open_video(rest, rig)
    if kind == "images":
        from tracking.pictures.folder import open_images

        return open_images(rest, rig)
    return _camera(rest, case, rig)


def _camera(rest: str, case: Any, rig: Rig | None) -> ImageSource:
    name, options = split_options(rest)
    if name[:1].isdigit():
        from tracking.pictures.camera import open_camera

        return open_camera(rest, calibrated(rig))
    word, _, tail = name.partition(":")
    offers: dict[str, EntryPoint] = {e.name: e for e in entry_points(group="navtwin.cameras")}
    if word not in offers:
        raise InputRefused(f"'{word}' is neither a camera's number nor an installed camera", nearest(word, (*offers, "0")))
    opener: OpenCamera = offers[word].load()
    return opener(joined(tail, options), case, rig)


def calibrated(rig: Rig | None) -> Rig:
    """The rig, or a refusal where there is none."""
    if rig is None:
        raise InputRefused("a camera cannot be opened without its calibration", "pass a rig with --rig FILE")
    return rig
