"""What a file of transforms, tools or cameras is, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from navtwin.errors import InputRefused
from navtwin.files.formats import Inspection
from navtwin.rigid import Vec3

if TYPE_CHECKING:
    from navtwin.exchange.camera_file import CameraFile
    from navtwin.exchange.itk import ItkTransform
    from navtwin.exchange.plus import PlusConfiguration, PlusTool, PlusTransform
    from navtwin.files.formats import Options

TFM, H5, PLUS = "transform of ITK (text)", "transform of ITK (HDF5)", "PLUS device set"
ROM, GEOMETRY, SURGERY_BODY = "tool definition of NDI", "tool geometry of Atracsys", "scikit-surgery ArUco body"
CAMERA_YAML, CAMERA_XML, CAMERA_TEXT = "camera of OpenCV (YAML)", "camera of OpenCV (XML)", "scikit-surgery camera"
_MOST_LISTED: Final = 40


def inspect_tfm(path: Path, options: Options) -> Inspection:
    """Kinds, direction and the rigid transform, or how far from one."""
    from navtwin.exchange.tfm import read_tfm

    return _transforms(TFM, path, read_tfm(path))


def inspect_h5(path: Path, options: Options) -> Inspection:
    """The same, in HDF5."""
    from navtwin.exchange.hdf5 import read_h5

    return _transforms(H5, path, read_h5(path))


def _transforms(kind: str, path: Path, found: Sequence[ItkTransform]) -> Inspection:
    from navtwin.exchange.itk import T_parent_from_node

    facts = [
        ("transforms", ", ".join(one.kind for one in found)),
        ("axes", "LPS (ITK has no other)"),
        ("unit", "mm"),
        ("direction", "FromParent, as ITK resamples images; points move by its inverse, which follows"),
    ]
    doubts = ["Of a tool it does not say in which axes it held the marker: it is brought in with --name TOOL and --space RAS (3D Slicer) or LPS."]
    try:
        T, mended = T_parent_from_node(path, found, parent="parent", node="node")
        facts += [("rotation", f"{_angle_deg(T.q_wxyz[0]):.3f} degrees"), ("translation", f"{_place(T.t_mm)} mm")]
        doubts += [mended] if mended else []
    except InputRefused as refused:
        doubts.append(f"It cannot be a tool's tip: {refused}")
    return Inspection(kind, tuple(facts), tuple(doubts))


def _angle_deg(w: float) -> float:
    return math.degrees(2.0 * math.acos(min(1.0, abs(w))))


def _place(p: Sequence[float]) -> str:
    return f"({', '.join(f'{v:.4g}' for v in p)})"


def inspect_plus(path: Path, options: Options) -> Inspection:
    """Devices, tools, cameras and coordinate definitions, and what a rig cannot use."""
    from navtwin.exchange.plus import VALID, read_plus

    found = read_plus(path)
    facts = [
        ("name", found.name or "none"),
        ("version", found.version or "not stated"),
        ("direction", "p_To = Matrix p_From, mm"),
        *((f"device {name}", kind) for name, kind in found.devices[:_MOST_LISTED]),
        *((f"tool {tool.name}", _tool(tool)) for tool in found.tools[:_MOST_LISTED]),
        *((f"camera of {device}", file) for device, file in found.cameras[:_MOST_LISTED]),
        *((one.name, _transform(path, one)) for one in found.transforms[:_MOST_LISTED]),
    ]
    if found.ports:
        facts.append(("OpenIGTLink ports", ", ".join(found.ports)))
    bad = [one.name for one in found.transforms if one.status not in ("", VALID)]
    doubts = [f"Not valid, so not used: {', '.join(bad)}."] if bad else []
    return Inspection(PLUS, tuple(facts), (*doubts, *_unused(found)))


def _tool(tool: PlusTool) -> str:
    if tool.marker_id is not None:
        return f"marker {tool.marker_id} of {tool.dictionary or 'no stated dictionary'}, {tool.side_mm:g} mm"
    stated = [f"{what} {value}" for what, value in (("RomFile", tool.rom_file), ("PortName", tool.port)) if value]
    return ", ".join(stated) or f"tracked by {tool.device}"


def _transform(path: Path, one: PlusTransform) -> str:
    from navtwin.exchange.nearly_rigid import nearly_rigid

    stated = [one.status or "no status", *([f"error {one.error_mm:g} mm"] if one.error_mm is not None else []), *([one.date] if one.date else [])]
    try:
        T, _ = nearly_rigid(one.array(), target=one.target, source=one.source, where=one.name)
        return f"rigid, origin at {_place(T.t_mm)} mm; {', '.join(stated)}"
    except InputRefused as refused:
        return f"not rigid ({refused.problem.partition(': ')[2] or refused.problem}); {', '.join(stated)}"


def _unused(found: PlusConfiguration) -> tuple[str, ...]:
    doubts = []
    if found.landmarks:
        doubts.append(f"{found.landmarks} phantom landmarks stay behind: they are in the phantom's axes, not in a CT's.")
    tips = [one for one in found.transforms if one.source.lower().endswith("tip") or one.target.lower().endswith("tip")]
    rest = [one.name for one in found.transforms if one not in tips]
    if rest:
        doubts.append(f"A rig has no place for {', '.join(rest)}; it takes tips of tools.")
    if any(one.error_mm is None for one in tips):
        doubts.append("A tip without Error has no stated uncertainty, and is not navigated by until it has one.")
    return tuple(doubts)


def inspect_rom(path: Path, options: Options) -> Inspection:
    """Markers, type and limits of an NDI tool."""
    from navtwin.exchange.rom import MAIN_TYPES, MARKER_TYPES, read_rom

    rom = read_rom(path)
    facts = (
        ("tool", MAIN_TYPES.get(rom.main_type, f"type {rom.main_type}")),
        ("part number", rom.part_number or "not stated"),
        ("maker", rom.maker or "not stated"),
        ("axes", "of the tool; mm"),
        *_markers(rom.markers_mm),
        ("kind of marker", MARKER_TYPES.get(rom.marker_type, f"type {rom.marker_type}")),
        ("pose is given", f"with {rom.min_markers} markers or more, seen up to {rom.max_angle_deg} degrees, errors up to {rom.max_error_mm:g} mm"),
        ("checksum", "fits"),
    )
    return Inspection(ROM, facts, _alike(rom.markers_mm))


def inspect_geometry(path: Path, options: Options) -> Inspection:
    """Fiducials of an Atracsys geometry."""
    from navtwin.exchange.atracsys import read_geometry

    found = read_geometry(path)
    facts = (("id", found.id or "not stated"), ("axes", "of the marker; mm"), *_markers(found.fiducials_mm), ("divots", str(found.divots)))
    return Inspection(GEOMETRY, facts, _alike(found.fiducials_mm))


def _markers(points_mm: Sequence[Vec3]) -> tuple[tuple[str, str], ...]:
    return (("markers", str(len(points_mm))), *((f"marker {n}", _place(point)) for n, point in enumerate(points_mm, 1)))


def _alike(points_mm: Sequence[Vec3]) -> tuple[str, ...]:
    close = [math.dist(a, b) for n, a in enumerate(points_mm) for b in points_mm[:n]]
    if min(close) < 1.0:
        return (f"Two of its markers are {min(close):.2g} mm apart: no tracker can tell them.",)
    return ()


def inspect_surgery_body(path: Path, options: Options) -> Inspection:
    """Numbers and sides of an ArUco body."""
    from navtwin.exchange.surgery_text import read_markers

    markers = read_markers(path)
    sides = sorted({round(math.dist(marker.corners_mm[0], marker.corners_mm[1]), 3) for marker in markers})
    facts = (
        ("markers", ", ".join(str(marker.id) for marker in markers)),
        ("sides", ", ".join(f"{side:g}" for side in sides) + " mm"),
        ("axes", "of the body"),
    )
    return Inspection(SURGERY_BODY, facts, ("It does not say of which dictionary its markers are: it is brought in with --name BODY:DICTIONARY.",))


def inspect_camera_yaml(path: Path, options: Options) -> Inspection:
    """Size, lens and date of a camera."""
    from navtwin.exchange.camera_file import read_camera_yaml

    return _camera(CAMERA_YAML, read_camera_yaml(path))


def inspect_camera_xml(path: Path, options: Options) -> Inspection:
    """The same, in XML."""
    from navtwin.exchange.camera_file import read_camera_xml

    return _camera(CAMERA_XML, read_camera_xml(path))


def inspect_camera_text(path: Path, options: Options) -> Inspection:
    """The same, in the text of scikit-surgery."""
    from navtwin.exchange.surgery_text import read_camera

    return _camera(CAMERA_TEXT, read_camera(path))


def _camera(kind: str, found: CameraFile) -> Inspection:
    facts = (
        ("image", f"{found.size_px[0]} x {found.size_px[1]} px" if found.size_px else "not stated"),
        ("focal lengths", f"{_place(found.focal_px)} px"),
        ("principal point", f"{_place(found.centre_px)} px, (0, 0) the centre of the first pixel"),
        ("distortion", f"k1 k2 p1 p2 ...: {_place(found.distortion)}" if found.distortion else "none"),
        ("reprojection error", f"{found.rms_px:g} px" if found.rms_px is not None else "not stated"),
        ("calibrated", found.calibrated or "not stated"),
    )
    doubts = () if found.size_px else ("It does not state the size of its images, so it fits only a camera that a rig has: --name CAMERA.",)
    return Inspection(kind, facts, doubts)
