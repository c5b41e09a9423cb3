"""PLUS device-set configuration, `.xml`: the coordinate definitions, tools and cameras that it states.

Format: PLUS user manual (DeviceOpticalMarkerTracker, CoordinateDefinitions) and vtkIGSIOTransformRepository. `Matrix` is row by row,
p_To = M p_From, mm. The validity of a transform is read under `Status` and written under `Valid`: both are taken, both are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.exchange.numerals import number, numbers, words_of
from navtwin.files.guard import read_xml
from navtwin.files.write import whole_file

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_BYTES: Final = 1024**2
#: A device set has a few of each; more are no device set.
MOST_ENTRIES: Final = 200
VALID: Final = "OK"


@dataclass(frozen=True)
class PlusTransform:
    """One coordinate definition: p_target = matrix p_source, mm.

    Attributes
    ----------
    source, target : PLUS's `From` and `To`
    matrix : (4, 4) row by row; may scale (Image to Probe is in mm per pixel)
    status : "OK", another word of PLUS, or "" where nothing is stated
    error_mm : what the calibration that made it states; PLUS itself does not use it
    date : as it stands in the file, "" if not stated
    persistent : kept when PLUS saves the configuration; None if not stated
    """

    source: str
    target: str
    matrix: tuple[float, ...]
    status: str = ""
    error_mm: float | None = None
    date: str = ""
    persistent: bool | None = None

    @property
    def name(self) -> str:
        return f"{self.source}To{self.target}"

    def array(self) -> npt.NDArray[np.float64]:
        """(4, 4)."""
        return np.array(self.matrix).reshape(4, 4)


@dataclass(frozen=True)
class PlusTool:
    """A tracked tool of a device; what is not stated is empty.

    Attributes
    ----------
    device, device_type : the device that tracks it
    marker_id, side_mm, dictionary : of a printed ArUco marker
    rom_file : of NDI trackers
    port : `PortName`
    """

    name: str
    device: str
    device_type: str
    marker_id: int | None = None
    side_mm: float | None = None
    dictionary: str = ""
    rom_file: str = ""
    port: str = ""


@dataclass(frozen=True)
class PlusConfiguration:
    """What a device-set file states, as far as a rig can use it; `devices` are (id, type), `cameras` (device, calibration file)."""

    name: str
    version: str
    devices: tuple[tuple[str, str], ...]
    tools: tuple[PlusTool, ...]
    cameras: tuple[tuple[str, str], ...]
    transforms: tuple[PlusTransform, ...]
    ports: tuple[str, ...]
    landmarks: int


def read_plus(path: Path) -> PlusConfiguration:
    """Read a device-set file.

    Raises
    ------
    InputRefused : no PLUS configuration, a DOCTYPE, a transform that is stated twice or with its inverse, numbers that are none
    """
    root = read_xml(path, MOST_BYTES)
    if root.tag != "PlusConfiguration":
        raise InputRefused(f"{path} is XML, but no PlusConfiguration (its root is {root.tag[:40]})", "name a device-set file of PLUS")
    device_set = root.find("./DataCollection/DeviceSet")
    devices = root.findall("./DataCollection/Device")
    transforms = root.findall("./CoordinateDefinitions/Transform")
    tools = [(device, source) for device in devices for source in device.findall("./DataSources/DataSource") if _is_tool(source)]
    if max(len(devices), len(transforms), len(tools)) > MOST_ENTRIES:
        raise InputRefused(f"{path} has more than {MOST_ENTRIES} devices, tools or transforms", "it is no device set")
    return PlusConfiguration(
        name="" if device_set is None else device_set.get("Name", ""),
        version=root.get("version", ""),
        devices=tuple((d.get("Id", ""), d.get("Type", "")) for d in devices),
        tools=_distinct(path, tuple(_tool(path, device, source) for device, source in tools)),
        cameras=tuple((d.get("Id", ""), d.get("CameraCalibrationFile", "")) for d in devices if d.get("CameraCalibrationFile")),
        transforms=_one_way(path, [_transform(path, element) for element in transforms]),
        ports=tuple(server.get("ListeningPort", "18944") for server in root.findall("./PlusOpenIGTLinkServer")),
        landmarks=len(root.findall("./PhantomDefinition/Geometry/Landmarks/Landmark")),
    )


def _is_tool(source: Element) -> bool:
    return source.get("Type", "Tool").lower() == "tool"


def _tool(path: Path, device: Element, source: Element) -> PlusTool:
    name = source.get("Id", "").strip()
    if not name:
        raise InputRefused(f"{path}: a tool of device '{device.get('Id', '')}' has no Id", "name it")
    marker, side = source.get("MarkerId"), source.get("MarkerSizeMm")
    if (marker is None) != (side is None):
        raise InputRefused(f"{path}: tool '{name}' needs both MarkerId and MarkerSizeMm, or neither", "add what is missing")
    side_mm = None if side is None else number(side, path, f"MarkerSizeMm of '{name}'")
    if marker is not None and not (marker.strip().isdecimal() and len(marker.strip()) < 8):
        raise InputRefused(f"{path}: MarkerId of '{name}' is '{marker[:20]}'", "it is a whole number")
    if side_mm is not None and not 0.0 < side_mm < 10_000.0:
        raise InputRefused(f"{path}: MarkerSizeMm of '{name}' is {side_mm:g}", "it is the length of a side in mm")
    return PlusTool(
        name=name,
        device=device.get("Id", ""),
        device_type=device.get("Type", ""),
        marker_id=None if marker is None else int(marker),
        side_mm=side_mm,
        dictionary=device.get("MarkerDictionary", "") if marker is not None else "",
        rom_file=source.get("RomFile", ""),
        port=source.get("PortName", ""),
    )


def _distinct(path: Path, tools: tuple[PlusTool, ...]) -> tuple[PlusTool, ...]:
    """PLUS itself allows one name on two devices only if one is a replay of the other; a rig allows no name twice."""
    for n, tool in enumerate(tools):
        for other in tools[:n]:
            if other.name == tool.name and other.device == tool.device:
                raise InputRefused(f"{path}: device '{tool.device}' has two tools named '{tool.name}'", "give each its own name")
    return tools


def _transform(path: Path, element: Element) -> PlusTransform:
    source, target = element.get("From", "").strip(), element.get("To", "").strip()
    where = f"Transform from '{source}' to '{target}'"
    if not source or not target or source == target:
        raise InputRefused(f"{path}: a {where}", "it needs From and To, and two different ones")
    status, valid = element.get("Status", "").strip().upper(), element.get("Valid", "").strip().upper()
    words = [word for word in (status, valid) if word]
    error, persistent = element.get("Error"), element.get("Persistent")
    return PlusTransform(
        source=source,
        target=target,
        matrix=numbers(element.get("Matrix", ""), path, f"the matrix of {where}", 16),
        # Of two words that disagree the worse one counts.
        status=next((word for word in words if word != VALID), words[0] if words else ""),
        error_mm=number(error, path, f"Error of {where}") if error and error.strip() else None,
        date=element.get("Date", ""),
        persistent=None if persistent is None else persistent.strip().upper() == "TRUE",
    )


def _one_way(path: Path, transforms: Sequence[PlusTransform]) -> tuple[PlusTransform, ...]:
    """Each pair of frames once and in one direction: PLUS refuses the inverse of what it has, and so do we."""
    seen = dict[frozenset[str], PlusTransform]()
    for one in transforms:
        pair = frozenset((one.source, one.target))
        if pair in seen:
            again = "twice" if seen[pair].source == one.source else "in both directions"
            raise InputRefused(f"{path} states {seen[pair].name} {again}", "keep one of the two")
        seen[pair] = one
    return tuple(transforms)


def write_plus(path: Path, transforms: Sequence[PlusTransform]) -> None:
    """Write coordinate definitions as a device-set file without devices; numbers read back to the last bit."""
    from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

    root = Element("PlusConfiguration", {"version": "2.9"})
    definitions = SubElement(root, "CoordinateDefinitions")
    for one in _one_way(path, transforms):
        rows = (words_of(one.matrix[row : row + 4]) for row in range(0, 16, 4))
        stated = {"From": one.source, "To": one.target, "Matrix": "   ".join(rows)}
        if one.error_mm is not None:
            stated["Error"] = repr(one.error_mm)
        if one.date:
            stated["Date"] = one.date
        if one.persistent is not None:
            stated["Persistent"] = "TRUE" if one.persistent else "FALSE"
        if one.status:
            stated |= {"Status": one.status, "Valid": one.status}
        SubElement(definitions, "Transform", stated)
    indent(root)
    with whole_file(path) as partial:
        ElementTree(root).write(partial, encoding="utf-8", xml_declaration=False)
