"""What a calibrated camera would see of a case: for each pixel how deep the nearest structure lies, and which one it is. For training data.

Each pixel's ray is cast through the lens against the surfaces themselves, so both images are exact for them and for the lens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from navtwin.rigid import Rigid
from navtwin.scene.batches import in_batches
from navtwin.scene.lens import NEAREST_MM, Lens
from navtwin.scene.lens_rays import pixel_rays
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

#: A grey value of the depth image, mm: a PNG of 16 bits then reaches 6.5 m.
DEPTH_STEP_MM: Final = 0.1
_MOST_DEPTH: Final = 65535
#: Segmentation images have 8 bits, and 0 is nothing.
MOST_STRUCTURES: Final = 255


@dataclass(frozen=True, eq=False)
class SyntheticView:
    """One view.

    Attributes
    ----------
    depth_mm : (rows, columns) float32, along the camera's optical axis; NaN where there is nothing, or the lens brings no ray
    labels : (rows, columns) uint8, number of the structure that is nearest; 0 where none is
    names : the structures, from number 1 on
    """

    depth_mm: F32
    labels: U8
    names: tuple[str, ...]


def synthetic_view(structures: Sequence[tuple[str, Surface]], lens: Lens, T_camera_from_ct: Rigid) -> SyntheticView:
    """Look at structures through a lens.

    Parameters
    ----------
    structures : names and surfaces (ct, mm); they are numbered from 1 in this order, and of two equally near the first is seen

    Raises
    ------
    InputRefused : more structures than the segmentation image can number
    """
    if len(structures) > MOST_STRUCTURES:
        raise InputRefused(f"{len(structures)} structures cannot be numbered in 8 bits", f"leave some out: {MOST_STRUCTURES} are the most")
    own = pixel_rays(lens).reshape(-1, 3)
    # Turned by hand: a ray has no place, and lengths are kept, so that t along it is the depth along the axis over z = 1.
    T_ct_from_camera = T_camera_from_ct.inverse()
    ways = np.ascontiguousarray(own @ np.array(T_ct_from_camera.rotation).T)
    lengths = np.linalg.norm(own, axis=1)
    eye = np.broadcast_to(np.array(T_ct_from_camera.t_mm), ways.shape)
    depth, labels = np.full(len(ways), np.inf), np.zeros(len(ways), np.uint8)
    for number, (_, surface) in enumerate(structures, start=1):
        hit = np.full(len(ways), np.inf)
        in_batches(partial(_cast, surface, eye, ways, hit), len(ways))
        nearer = hit / lengths < depth  # NaN, where there is no ray, is never nearer
        nearer &= hit / lengths > NEAREST_MM
        depth[nearer] = (hit / lengths)[nearer]
        labels[nearer] = number
    depth[~np.isfinite(depth)] = np.nan
    size = (lens.height_px, lens.width_px)
    return SyntheticView(depth.astype(np.float32).reshape(size), labels.reshape(size), tuple(name for name, _ in structures))


def _cast(surface: Surface, eye: F64, ways: F64, to: F64, part: slice) -> None:
    to[part] = surface.first_hit(eye[part], ways[part]).distance_mm


def write_depth(view: SyntheticView, to: Path) -> int:
    """Write the depths: `.npy` as float32 in mm, NaN where there is nothing; `.png` as 16 bits in steps of DEPTH_STEP_MM, 0 where there is nothing.

    Returns
    -------
    How many pixels lie deeper than the PNG can say, and are left at 0 in it

    Raises
    ------
    InputRefused : another ending; the file cannot be written
    """
    if to.suffix.lower() == ".npy":
        with whole_file(to) as unfinished, unfinished.open("wb") as stream:
            np.save(stream, view.depth_mm)
        return 0
    _png_only(to, "a depth image", " or .npy")
    steps = np.round(np.nan_to_num(view.depth_mm.astype(np.float64), nan=0.0) / DEPTH_STEP_MM)
    too_deep = steps > _MOST_DEPTH
    steps[too_deep] = 0.0
    _write_png(steps.astype(np.uint16), to, {"Depth unit": f"{DEPTH_STEP_MM} mm; 0 is nothing"})
    return int(np.count_nonzero(too_deep))


def write_labels(view: SyntheticView, to: Path) -> None:
    """Write the segmentation as a PNG of 8 bits: 0 is nothing, and each structure's number is its place among `names`, from 1 on.

    Raises
    ------
    InputRefused : another ending; the file cannot be written
    """
    _png_only(to, "a segmentation image", "")
    _write_png(view.labels, to, {"Structures": json.dumps(dict(enumerate(view.names, start=1)))})


def write_facts(view: SyntheticView, lens: Lens, T_camera_from_ct: Rigid, to: Path, more: dict[str, Any]) -> None:
    """Write beside the images, as JSON, what a reader of them needs: the camera, where it stood, the numbers, the unit, and `more`."""
    facts = {
        "structures": {str(n): name for n, name in enumerate(view.names, start=1)},
        "depth": {"along": "optical axis", "png_step_mm": DEPTH_STEP_MM, "npy": "mm", "nothing": {"png": 0, "npy": "NaN"}},
        "camera": {
            "width_px": lens.width_px,
            "height_px": lens.height_px,
            "focal_px": lens.focal_px.tolist(),
            "centre_px": lens.centre_px.tolist(),
            "distortion": lens.coefficients.tolist(),
        },
        "T_camera_from_ct": T_camera_from_ct.matrix().tolist(),
        "axes": "ct: DICOM LPS, mm; camera: x right, y down, z forward, mm; pixel (0, 0) is the centre of the first pixel",
        **more,
    }
    with whole_file(to) as unfinished:
        unfinished.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _png_only(to: Path, what: str, otherwise: str) -> None:
    if to.suffix.lower() != ".png":
        raise InputRefused(f"cannot write {what} as '{to.name}'", f"end the name with .png{otherwise}")


def _write_png(grey: npt.NDArray[Any], to: Path, said: dict[str, str]) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for key, text in said.items():
        info.add_text(key, text)
    with whole_file(to) as unfinished:
        Image.fromarray(grey).save(unfinished, format="PNG", pnginfo=info)
