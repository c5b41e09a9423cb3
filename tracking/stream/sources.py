"""The twin's sources made of pictures: `camera:ADDRESS`, `video:ADDRESS`, `images:ADDRESS`.

Every address takes the options `record=FOLDER` (keep the pictures, to look for markers again later) and `lossless=1` (as PNG, not JPEG).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from navtwin.nouns import Rig
from tracking.pictures.address import Address, joined, split_options
from tracking.pictures.checks import check_rig
from tracking.pictures.raw import RawRecorder
from tracking.pictures.sources import calibrated, open_pictures
from tracking.stream.live import PictureTracking

#: Options that are taken out of every address before its source sees it.
RECORDING = ("record", "lossless")


def _tracked(kind: str, address: str, case: Any, rig: Rig | None) -> PictureTracking:
    known = calibrated(rig)
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
