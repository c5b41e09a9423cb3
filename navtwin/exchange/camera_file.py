"""Camera calibrations of OpenCV: FileStorage as YAML and as XML, and ROS's YAML of the same keys.

Only what OpenCV writes for a camera is understood: keys of one line, and matrices. A key that means another lens model is refused. Pixel (0, 0) is
the centre of the first pixel, as in a rig.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.exchange.numerals import numbers
from navtwin.files.guard import read_text, read_xml
from navtwin.files.write import whole_file
from navtwin.nouns import RigCamera

MOST_BYTES: Final = 1024**2
#: Lengths of OpenCV's coefficient lists.
DISTORTION_LENGTHS: Final = (0, 4, 5, 8, 12, 14)
MOST_PIXELS: Final = 100_000
#: Names in use for each thing, the usual one first.
_MATRIX: Final = ("camera_matrix", "Camera_Matrix", "cameraMatrix", "CameraMatrix")
_DISTORTION: Final = ("distortion_coefficients", "Distortion_Coefficients", "distCoeffs", "dist_coeffs", "DistortionCoefficients")
_WIDTH: Final = ("image_width", "image_Width", "imageWidth")
_HEIGHT: Final = ("image_height", "image_Height", "imageHeight")
_RMS: Final = ("avg_reprojection_error", "Avg_Reprojection_Error")
_DATE: Final = ("calibration_time", "calibration_Time")
_PINHOLE: Final = ("plumb_bob", "rational_polynomial", "pinhole")
#: Everything of a matrix but its numbers may stand in any order; the numbers may run over several lines.
_LINE: Final = re.compile(r"([A-Za-z_]\w*)\s*:(?:\s+(.*))?")


@dataclass(frozen=True)
class CameraFile:
    """A camera as a file states it.

    Attributes
    ----------
    size_px : width, height; None where the file does not say
    focal_px, centre_px : x, y
    rms_px : reprojection error of the calibration, where stated
    calibrated : date as it stands in the file, "" if not stated
    """

    size_px: tuple[int, int] | None
    focal_px: tuple[float, float]
    centre_px: tuple[float, float]
    distortion: tuple[float, ...]
    rms_px: float | None = None
    calibrated: str = ""


def read_camera_yaml(path: Path) -> CameraFile:
    """A camera in YAML.

    Raises
    ------
    InputRefused : no camera in it, another lens model, skew, sizes or numbers that are none
    """
    return _camera(path, _yaml(path))


def read_camera_xml(path: Path) -> CameraFile:
    """A camera in OpenCV's XML; refusals as for YAML, and a DOCTYPE."""
    root = read_xml(path, MOST_BYTES)
    if root.tag != "opencv_storage":
        raise InputRefused(f"{path} is XML, but no opencv_storage (its root is {root.tag[:40]})", "name a calibration written by OpenCV")
    fields = dict[str, dict[str, str]]()
    for element in root:
        if element.tag in fields:
            raise InputRefused(f"{path} states {element.tag[:40]} twice", "keep one of the two")
        fields[element.tag] = {"": element.text or ""} | {part.tag: part.text or "" for part in element}
    return _camera(path, fields)


def _yaml(path: Path) -> dict[str, dict[str, str]]:
    """Keys of the file, each with its one-line value under "" and its inner keys."""
    found = dict[str, dict[str, str]]()
    inner, key = dict[str, str](), ""
    open_list = list[str]()
    for n, line in enumerate(read_text(path, MOST_BYTES).splitlines(), 1):
        text = line.strip()
        if open_list:
            open_list.append(text)
            if "]" in text:
                inner[key] = " ".join(open_list)
                open_list = []
            continue
        if not text or text.startswith(("%", "#", "---", "...")):
            continue
        pair = _LINE.fullmatch(text)
        if pair is None:
            # Lists of views and the like: a calibration's record, not the camera.
            continue
        value = pair[2] or ""
        if line[0] not in " \t":
            if pair[1] in found:
                raise InputRefused(f"{path}, line {n}: {pair[1]} stands there twice", "keep one of the two")
            inner, key = found.setdefault(pair[1], {}), ""
        else:
            key = pair[1]
        inner[key] = value
        if "[" in value and "]" not in value:
            open_list = [value]
    if open_list:
        raise InputRefused(f"{path} ends within a list", "copy the file again")
    return found


def _camera(path: Path, fields: Mapping[str, Mapping[str, str]]) -> CameraFile:
    model = _word(fields, ("distortion_model", "camera_model"))
    if model and model not in _PINHOLE:
        raise InputRefused(f"{path} has the lens model '{model[:40]}'", "only OpenCV's pinhole model is known: calibrate with it")
    if any(name in fields for name in ("fisheye_model", "xi")) and _word(fields, ("fisheye_model",)) != "0":
        raise InputRefused(f"{path} is of a fisheye or omnidirectional camera", "only OpenCV's pinhole model is known: calibrate with it")
    shape, values = _matrix(path, fields, _MATRIX)
    if shape != (3, 3):
        raise InputRefused(f"{path}: the camera matrix is {shape[0]} x {shape[1]}", "it must be 3 x 3")
    lengths, distortion = _matrix(path, fields, _DISTORTION) if any(name in fields for name in _DISTORTION) else ((0, 0), ())
    if lengths[0] not in (0, 1) and lengths[1] != 1:
        raise InputRefused(f"{path}: the distortion coefficients are {lengths[0]} x {lengths[1]}", "they must be one row or one column")
    size = [_whole(path, fields, names) for names in (_WIDTH, _HEIGHT)]
    if (size[0] is None) != (size[1] is None):
        raise InputRefused(f"{path} states only one side of the image", "add the other")
    rms = _word(fields, _RMS)
    return camera_of(
        path,
        values,
        distortion,
        None if size[0] is None or size[1] is None else (size[0], size[1]),
        rms_px=numbers(rms, path, "the reprojection error", 1)[0] if rms else None,
        calibrated=_word(fields, _DATE),
    )


def camera_of(
    path: Path,
    matrix: Sequence[float],
    distortion: Sequence[float],
    size_px: tuple[int, int] | None,
    rms_px: float | None = None,
    calibrated: str = "",
) -> CameraFile:
    """A camera from nine numbers, row by row, and its coefficients; what a rig cannot hold is refused."""
    fx, skew, cx, a, fy, cy, b, c, one = matrix
    if (skew, a, b, c, one) != (0.0, 0.0, 0.0, 0.0, 1.0) or fx <= 0.0 or fy <= 0.0:
        raise InputRefused(f"{path}: {list(matrix)} is no camera matrix without skew", "it must be fx 0 cx 0 fy cy 0 0 1, in pixels")
    if len(distortion) not in DISTORTION_LENGTHS:
        raise InputRefused(f"{path} has {len(distortion)} distortion coefficients", f"OpenCV writes {', '.join(map(str, DISTORTION_LENGTHS[1:]))}")
    if size_px is not None and not (0.0 <= cx < size_px[0] and 0.0 <= cy < size_px[1]):
        raise InputRefused(
            f"{path}: the principal point ({cx:g}, {cy:g}) lies outside the {size_px[0]} x {size_px[1]} image",
            "use the calibration made at this size",
        )
    return CameraFile(size_px, (fx, fy), (cx, cy), tuple(distortion), rms_px, calibrated)


def _word(fields: Mapping[str, Mapping[str, str]], names: Sequence[str]) -> str:
    """The value of the first of these keys that is there, unquoted."""
    return next((fields[name].get("", "").strip().strip("\"'").strip() for name in names if name in fields), "")


def _whole(path: Path, fields: Mapping[str, Mapping[str, str]], names: Sequence[str]) -> int | None:
    word = _word(fields, names)
    if not word:
        return None
    if not re.fullmatch(r"\d{1,6}", word) or not 0 < int(word) <= MOST_PIXELS:
        raise InputRefused(f"{path}: {names[0]} is '{word[:20]}'", "it is a number of pixels")
    return int(word)


def _matrix(path: Path, fields: Mapping[str, Mapping[str, str]], names: Sequence[str]) -> tuple[tuple[int, int], tuple[float, ...]]:
    name = next((name for name in names if name in fields), None)
    if name is None:
        raise InputRefused(f"{path} has no {names[0]}", "name a calibration of one camera, written by OpenCV")
    parts = fields[name]
    if parts.get("dt", "d").strip("\"' ") not in ("d", "f"):
        raise InputRefused(f"{path}: {name} holds no plain numbers (dt: {parts['dt'][:20]})", "write it as a matrix of doubles")
    sides = [parts.get(side, "").strip() for side in ("rows", "cols")]
    if not all(re.fullmatch(r"\d{1,3}", side) for side in sides):
        raise InputRefused(f"{path}: {name} states no rows and cols", "write it as OpenCV does")
    rows, cols = int(sides[0]), int(sides[1])
    data = parts.get("data", "").strip().removeprefix("[").removesuffix("]")
    return (rows, cols), numbers(data, path, f"the data of {name}", rows * cols)


def write_camera_yaml(path: Path, camera: RigCamera) -> None:
    """A camera of a rig as OpenCV's FileStorage reads it; numbers read back to the last bit."""
    (fx, fy), (cx, cy) = camera.focal_px, camera.centre_px
    lines = ["%YAML:1.0", "---"]
    if camera.calibrated:
        lines.append(f'calibration_time: "{re.sub(r"[^0-9A-Za-z:. +-]", "", camera.calibrated)}"')
    lines += [f"image_width: {camera.width_px}", f"image_height: {camera.height_px}"]
    lines += _yaml_matrix("camera_matrix", 3, (fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0))
    if camera.distortion:
        lines += _yaml_matrix("distortion_coefficients", 1, camera.distortion)
    if camera.rms_px is not None:
        lines.append(f"avg_reprojection_error: {camera.rms_px!r}")
    with whole_file(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _yaml_matrix(name: str, rows: int, values: Sequence[float]) -> list[str]:
    data = ", ".join(map(repr, values))
    return [f"{name}: !!opencv-matrix", f"   rows: {rows}", f"   cols: {len(values) // rows}", "   dt: d", f"   data: [ {data} ]"]
