"""Calibrated cameras between a rig and OpenCV's files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navtwin.errors import InputRefused, nearest
from navtwin.exchange.camera_file import CameraFile, read_camera_xml, read_camera_yaml, write_camera_yaml
from navtwin.exchange.rig_edit import edit_rig, rig_at, set_camera
from navtwin.exchange.surgery_text import read_camera
from navtwin.nouns import Rig, RigCamera, read_rig

if TYPE_CHECKING:
    from navtwin.files.formats import Options, Report


def rig_camera(path: Path, found: CameraFile, rig: Rig, name: str | None, default: str, to: Path) -> RigCamera:
    """A camera of a file as the rig's camera `name`.

    Raises
    ------
    InputRefused : it would be a further camera, whose place the file does not state; or nobody knows the size of its images
    """
    names = [camera.name for camera in rig.camera]
    if name is None and names:
        raise InputRefused(f"{to} already has {', '.join(names)}", f"pass --name {names[0]} to give that camera these numbers")
    name = name or default
    before = next((camera for camera in rig.camera if camera.name == name), None)
    if names and before is None:
        remedy = f"a further camera is added by navtwin calibrate camera; {nearest(name, names)}"
        raise InputRefused(f"{path} does not state where camera '{name}' stands beside '{names[0]}'", remedy)
    size = found.size_px or (None if before is None else (before.width_px, before.height_px))
    if size is None:
        raise InputRefused(
            f"{path} does not state the size of the images", "add image_width and image_height, or pass --name with a camera of the rig"
        )
    if not (0.0 <= found.centre_px[0] < size[0] and 0.0 <= found.centre_px[1] < size[1]):
        raise InputRefused(f"{path}: the principal point lies outside {size[0]} x {size[1]} px", "use the calibration made at this image size")
    return RigCamera(
        name, size[0], size[1], found.focal_px, found.centre_px, found.distortion, rms_px=found.rms_px, calibrated=_iso(found.calibrated)
    )  # fmt: skip


def _iso(text: str) -> str:
    """A date that a rig may keep; what OpenCV's sample writes is no ISO date."""
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def put_camera(document: Any, camera: RigCamera, dated: str) -> str:
    """Put a camera into the rig's document; says what was done."""
    new = set_camera(document, camera)
    what = "added" if new else "has new numbers; where it stands stays as it was"
    when = f", calibrated {dated}" if dated else ""
    size, focal = f"{camera.width_px} x {camera.height_px} px", f"{camera.focal_px[0]:.1f} {camera.focal_px[1]:.1f}"
    return f"Camera '{camera.name}' {what} ({size}, focal lengths {focal}{when})."


def _bring(path: Path, to: Path, options: Options, report: Report, read: Callable[[Path], CameraFile]) -> tuple[str, ...]:
    report(f"reading {path.name}")
    found, rig = read(path), rig_at(to)
    camera = rig_camera(path, found, rig, options.name, path.stem, to)
    said: list[str] = []
    edit_rig(to, lambda document: said.append(put_camera(document, camera, found.calibrated)))
    return (*said, "The file states no standard deviations of these numbers (intrinsics_sd): navtwin calibrate camera finds them.")


def bring_camera_yaml(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Take OpenCV's or ROS's YAML as a camera."""
    return _bring(path, to, options, report, read_camera_yaml)


def bring_camera_xml(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Take OpenCV's XML as a camera."""
    return _bring(path, to, options, report, read_camera_xml)


def bring_camera_text(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Take scikit-surgery's text as new numbers of a camera whose size is known."""
    return _bring(path, to, options, report, read_camera)


def export_camera(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write a camera of a rig as OpenCV's YAML."""
    rig = read_rig(path)
    names = [camera.name for camera in rig.camera]
    if not names:
        raise InputRefused(f"{path} has no camera", "calibrate one first: navtwin calibrate camera ... --write")
    if options.name is None and len(names) > 1:
        raise InputRefused(f"{path} has several cameras", f"pass --name with one: {', '.join(names)}")
    camera = next((camera for camera in rig.camera if camera.name == (options.name or names[0])), None)
    if camera is None:
        raise InputRefused(f"{path} has no camera '{options.name}'", nearest(options.name or "", names))
    report(f"writing {to.name}")
    write_camera_yaml(to, camera)
    lost = " Where it stands, standard deviations and readout stay behind."
    return (f"Written: camera '{camera.name}' as OpenCV's FileStorage reads it.{lost}",)
