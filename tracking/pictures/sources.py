"""Pictures by address: `camera:0`, `camera:NAME:...` (another room's camera), `video:FILE`, `images:FOLDER`; and the twin's sources made of them.

Every address takes the options `record=FOLDER` (keep the pictures, to look for markers again later) and `lossless=1` (as PNG, not JPEG).
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Rig
from tracking.pictures.address import Address, joined, split_options
from tracking.pictures.images import ImageSource, OpenCamera
from tracking.pictures.raw import RawRecorder
from tracking.stream.checks import check_rig
from tracking.stream.live import PictureTracking

#: Options that are taken out of every address before its source sees it.
RECORDING = ("record", "lossless")
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

        return open_camera(rest, _needed(rig))
    word, _, tail = name.partition(":")
    offers: dict[str, EntryPoint] = {e.name: e for e in entry_points(group="navtwin.cameras")}
    if word not in offers:
        raise InputRefused(f"'{word}' is neither a camera's number nor an installed camera", nearest(word, (*offers, "0")))
    opener: OpenCamera = offers[word].load()
    return opener(joined(tail, options), case, rig)


def _needed(rig: Rig | None) -> Rig:
    if rig is None:
        raise InputRefused("a camera cannot be opened without its calibration", "pass a rig with --rig FILE")
    return rig


def _tracked(kind: str, address: str, case: Any, rig: Rig | None) -> PictureTracking:
    known = _needed(rig)
    check_rig(known)
    name, options = split_options(address)
    recording = Address((name,), {key: options.pop(key) for key in RECORDING if key in options})
    pictures = open_pictures(f"{kind}:{joined(name, options)}", case, known)
    try:
        recorder = RawRecorder(Path(folder), lossless=recording.yes("lossless")) if (folder := recording.options.get("record")) else None
    except BaseException:
        pictures.close()
        raise
    return PictureTracking(pictures, known, recorder)


def open_camera_source(address: str, case: Any = None, rig: Rig | None = None) -> PictureTracking:
    """The source `camera:ADDRESS`. Raises InputRefused."""
    return _tracked("camera", address, case, rig)


def open_video_source(address: str, case: Any = None, rig: Rig | None = None) -> PictureTracking:
    """The source `video:ADDRESS`. Raises InputRefused."""
    return _tracked("video", address, case, rig)


def open_images_source(address: str, case: Any = None, rig: Rig | None = None) -> PictureTracking:
    """The source `images:ADDRESS`. Raises InputRefused."""
    return _tracked("images", address, case, rig)
