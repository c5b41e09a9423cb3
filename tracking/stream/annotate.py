"""A picture with what tracking makes of it drawn in: corners and numbers of the markers, axes and status of every body."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from navtwin.nouns import Rig, Sighting, SourceEnded, TrackerFrame
from navtwin.rigid import Rigid
from tracking.camera_model import Camera
from tracking.detect.markers import Markers, which_dictionary
from tracking.opencv import cv2
from tracking.pictures.images import Grey, ImageSource
from tracking.rig import T_tracker_from_camera, camera_of
from tracking.stream.tracker import MarkerTracker

Colour = tuple[int, int, int]
Picture8 = npt.NDArray[np.uint8]
#: BGR: markers, refused bodies, text, and the axes x, y, z of a body.
GREEN, ORANGE, WHITE, DARK = (80, 220, 80), (40, 140, 255), (255, 255, 255), (30, 30, 30)
AXES: tuple[Colour, Colour, Colour] = ((60, 60, 255), (60, 255, 60), (255, 120, 60))
#: A line of the caption, and a letter of it, are about so large, px.
LINE_PX, LETTER_PX = 20, 7.2
#: Axes are drawn this share of the body's extent, mm at least.
AXIS_SHARE, AXIS_MM = 0.6, 10.0
#: Fixed-point bits of OpenCV's drawing: corners are drawn to a sixteenth of a pixel.
SHIFT = 4


def annotated(grey: Grey, frame: TrackerFrame, found: dict[str, Markers], rig: Rig, camera: int = 0) -> Picture8:
    """Draw a frame on the picture of one of the rig's cameras.

    Parameters
    ----------
    grey : (H, W) uint8
    found : the markers found in this picture, by dictionary (`MarkerTracker.found[camera]`)

    Returns
    -------
    (H + K, W, 3) uint8, BGR: the picture, and a caption below with a line or more for each body
    """
    canvas = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    for markers in found.values():
        for number, corners in zip(markers.ids.tolist(), markers.corners_px, strict=True):
            _outline(canvas, corners, number)
    lens, T_camera_from_tracker = camera_of(rig.camera[camera]), T_tracker_from_camera(rig.camera[camera]).inverse()
    extents = {body.name: np.ptp([c for m in body.marker for c in m.corners_mm], axis=0).max() for body in rig.body if body.marker}
    for sighting in frame.sightings:
        if sighting.pose is not None:
            T_camera_from_body = T_camera_from_tracker @ sighting.pose.rigid(target="tracker", source="body")
            _axes(canvas, T_camera_from_body, lens, max(AXIS_MM, AXIS_SHARE * float(extents[sighting.body])), sighting.body)
    return np.vstack([canvas, _caption(frame, canvas.shape[1])])


def words_of(sighting: Sighting) -> str:
    """A body's line: status, misfit, corners, distance and what was said of it."""
    words = [f"{sighting.body}: {sighting.status}"]
    if sighting.pose is not None:
        words.append(f"{np.linalg.norm(sighting.pose.t_mm):.1f} mm away")
    if sighting.rms_px is not None:
        words.append(f"{sighting.rms_px:.2f} px" + (f" = {sighting.rms_mm:.3f} mm" if sighting.rms_mm is not None else "") + " rms")
    if sighting.corners:
        words.append(f"{sighting.corners} corners")
    if sighting.ambiguity is not None and sighting.corners:
        words.append(f"ambiguity {sighting.ambiguity:.2f}")
    return ", ".join([*words, sighting.reason] if sighting.reason else words)


def strangers_in(grey: Grey, found: dict[str, Markers]) -> str:
    """What to say of a picture that shows none of the rig's markers and others instead, "" if nothing. (A stream says it by `Strangers`.)"""
    if any(len(markers.ids) for markers in found.values()):
        return ""
    name, count = next(iter(which_dictionary(grey)), ("", 0))
    are = "is" if count == 1 else "are"
    return (
        f"none of the rig's markers is in this picture, but {count} of {name} {are}: the rig names another dictionary or other numbers"
        if name
        else ""
    )


def annotate(pictures: ImageSource, rig: Rig, out: Path, exposure: int = 0, camera: int = 0) -> tuple[TrackerFrame, str]:
    """Track in the pictures up to the exposure of this index (from 0), and save that one annotated.

    Returns
    -------
    its tracker frame, and a word on markers that the rig does not have, "" if there is none to say

    Raises
    ------
    InputRefused : the pictures end before, show another camera only, or do not fit the rig; a file that cannot be written
    """
    tracker, seen = MarkerTracker(rig, pictures.name), -1
    while True:
        try:
            item = pictures.read(5.0)
        except SourceEnded as ended:
            raise InputRefused(f"{pictures.name} has {seen + 1} exposures, so none of index {exposure}", "name an earlier one") from ended
        if item is None:
            raise InputRefused(f"no picture came from {pictures.name} in 5 s", "check the camera")
        if not isinstance(item, tuple | list):
            continue
        frame, seen = tracker.track(item), seen + 1
        if seen == exposure:
            break
    picture = next((p for p in item if p.camera == camera), None)
    if picture is None:
        raise InputRefused(f"exposure {exposure} of {pictures.name} has no picture of camera {camera}", "name another camera or exposure")
    found = tracker.found.get(camera, {})
    save(out, annotated(picture.grey, frame, found, rig, camera))
    return frame, strangers_in(picture.grey, found)


def save(out: Path, canvas: Picture8) -> None:
    """Write a picture; the file's name says the kind."""
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputRefused(f"{out.name} is neither .png nor .jpg", "name a picture file")
    data = cv2.imencode(out.suffix, canvas)[1].tobytes()
    with whole_file(out) as partial:
        partial.write_bytes(data)


def _outline(canvas: Picture8, corners_px: npt.NDArray[np.float64], number: int) -> None:
    points = np.round(corners_px * (1 << SHIFT)).astype(np.int32)
    cv2.polylines(canvas, [points.reshape(-1, 1, 2)], True, GREEN, 1, cv2.LINE_AA, SHIFT)
    # The first corner is marked, so that a marker read in the wrong turn is seen.
    x, y = np.round(corners_px[0]).astype(int).tolist()
    cv2.circle(canvas, (x, y), 3, AXES[0], -1, cv2.LINE_AA)
    x, y = np.round(corners_px.mean(axis=0)).astype(int).tolist()
    _text(canvas, str(number), (x - 5 * len(str(number)), y + 5), 0.5, GREEN)


def _axes(canvas: Picture8, T_camera_from_body: Rigid, lens: Camera, length_mm: float, name: str) -> None:
    ends = T_camera_from_body.apply(np.vstack([np.zeros(3), np.eye(3) * length_mm]))
    if not (ends[:, 2] > 1.0).all():
        return
    pixels = cv2.projectPoints(ends, np.zeros(3), np.zeros(3), lens.matrix, lens.distortion if lens.distortion.size else None)[0].reshape(-1, 2)
    if not (np.abs(pixels) < 1e5).all():
        return
    points = np.round(pixels * (1 << SHIFT)).astype(int)
    for end, colour in zip(points[1:], AXES, strict=True):
        cv2.line(canvas, points[0].tolist(), end.tolist(), colour, 2, cv2.LINE_AA, SHIFT)
    x, y = np.round(pixels[0]).astype(int).tolist()
    _text(canvas, name, (x + 6, y - 6), 0.5, WHITE)


def _caption(frame: TrackerFrame, width_px: int) -> Picture8:
    """What is said of each body, in lines that fit."""
    lines = [
        (line, GREEN if sighting.pose else ORANGE)
        for sighting in frame.sightings
        for line in textwrap.wrap(words_of(sighting), max(20, round((width_px - 16) / LETTER_PX)), subsequent_indent="    ")
    ]
    strip = np.full((LINE_PX * len(lines) + 10, width_px, 3), DARK, np.uint8)
    for row, (line, colour) in enumerate(lines):
        _text(strip, line, (8, LINE_PX * (row + 1)), 0.45, colour)
    return strip


def _text(canvas: Picture8, words: str, at: tuple[int, int], size: float, colour: Colour) -> None:
    """Light letters with a dark rim: readable on paper and in shadow alike."""
    plain, (x, y) = words.encode("ascii", "replace").decode(), at
    for dx, dy, shade in ((-1, 0, DARK), (1, 0, DARK), (0, -1, DARK), (0, 1, DARK), (0, 0, colour)):
        cv2.putText(canvas, plain, (x + dx, y + dy), cv2.FONT_HERSHEY_SIMPLEX, size, shade, 1, cv2.LINE_AA)
