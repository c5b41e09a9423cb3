"""The small files of other programs, and the rig that they go into, for the door. What a file is, its first bytes say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from navtwin.exchange import inspect_points, inspect_tools
from navtwin.exchange.atracsys import looks_like_geometry
from navtwin.exchange.case_points import bring_fcsv, bring_markups, export_fcsv, export_markups
from navtwin.exchange.fcsv import is_fcsv
from navtwin.exchange.hdf5 import GROUP
from navtwin.exchange.hdf5 import MAGIC as HDF5_MAGIC
from navtwin.exchange.inspect_rig import RIG, inspect_rig, looks_like_rig
from navtwin.exchange.rig_bodies import bring_geometry, bring_rom, bring_surgery_body, export_rom
from navtwin.exchange.rig_cameras import bring_camera_text, bring_camera_xml, bring_camera_yaml, export_camera
from navtwin.exchange.rig_plus import bring_plus
from navtwin.exchange.rig_tools import bring_h5, bring_tfm, export_h5, export_plus, export_tfm
from navtwin.exchange.rom import MAGIC as ROM_MAGIC
from navtwin.exchange.surgery_text import looks_like_body, looks_like_camera
from navtwin.exchange.tfm import MAGIC as TFM_MAGIC
from navtwin.files.formats import Format, Peek

_BOM: Final = b"\xef\xbb\xbf"
_CAMERA_KEY: Final = re.compile(rb"^(?:camera_matrix|Camera_Matrix|cameraMatrix|CameraMatrix)\s*:", re.MULTILINE)
_NOT_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def _by(test: Callable[[bytes], bool], text: bool = True) -> Callable[[Peek], bool]:
    """Judges the bytes of a plain file: none of these formats is packed or a folder, and text has no control characters."""

    def recognise(peek: Peek) -> bool:
        if peek.packed or peek.is_folder or not peek.head or (text and _NOT_TEXT.search(peek.head)):
            return False
        return test(peek.head.removeprefix(_BOM))

    return recognise


def _is_markups(head: bytes) -> bool:
    return head.lstrip().startswith(b"{") and b'"markups"' in head and (b"markups-schema" in head or b'"controlPoints"' in head)


def _is_xml(head: bytes, root: bytes) -> bool:
    return head.lstrip().startswith(b"<") and b"<" + root in head


def _is_camera_yaml(head: bytes) -> bool:
    return not head.lstrip().startswith((b"<", b"{")) and _CAMERA_KEY.search(head) is not None


def _is_camera_xml(head: bytes) -> bool:
    return _is_xml(head, b"opencv_storage") and re.search(rb"<(camera_matrix|Camera_Matrix|cameraMatrix|CameraMatrix)[\s>]", head) is not None


FORMATS: tuple[Format, ...] = (
    Format(
        inspect_points.MARKUPS,
        _by(_is_markups),
        inspect_points.inspect_markups,
        brings={"case": bring_markups},
        uses=frozenset({"space", "name"}),
        writes={("case", ".mrk.json"): export_markups},
        writes_with=frozenset({"name", "space"}),
    ),
    Format(
        inspect_points.FCSV,
        _by(is_fcsv),
        inspect_points.inspect_fcsv,
        brings={"case": bring_fcsv},
        uses=frozenset({"space", "name"}),
        writes={("case", ".fcsv"): export_fcsv},
        writes_with=frozenset({"name", "space"}),
    ),
    Format(
        inspect_tools.TFM,
        _by(lambda head: head.startswith(TFM_MAGIC.encode())),
        inspect_tools.inspect_tfm,
        brings={"rig": bring_tfm},
        uses=frozenset({"space", "name"}),
        writes={("rig", ".tfm"): export_tfm},
        writes_with=frozenset({"name", "space"}),
    ),
    Format(
        inspect_tools.H5,
        _by(lambda head: head.startswith(HDF5_MAGIC) and GROUP.encode() in head, text=False),
        inspect_tools.inspect_h5,
        brings={"rig": bring_h5},
        uses=frozenset({"space", "name"}),
        writes={("rig", ".h5"): export_h5},
        writes_with=frozenset({"name", "space"}),
    ),
    Format(
        inspect_tools.PLUS,
        _by(lambda head: _is_xml(head, b"PlusConfiguration")),
        inspect_tools.inspect_plus,
        brings={"rig": bring_plus},
        uses=frozenset({"name"}),
        writes={("rig", ".xml"): export_plus},
        writes_with=frozenset({"name"}),
    ),
    Format(
        inspect_tools.ROM,
        _by(lambda head: len(head) == 752 and head.startswith(ROM_MAGIC), text=False),
        inspect_tools.inspect_rom,
        brings={"rig": bring_rom},
        uses=frozenset({"name"}),
        writes={("rig", ".rom"): export_rom},
        writes_with=frozenset({"name"}),
    ),
    Format(
        inspect_tools.GEOMETRY, _by(looks_like_geometry), inspect_tools.inspect_geometry, brings={"rig": bring_geometry}, uses=frozenset({"name"})
    ),
    Format(
        inspect_tools.SURGERY_BODY,
        _by(looks_like_body),
        inspect_tools.inspect_surgery_body,
        brings={"rig": bring_surgery_body},
        uses=frozenset({"name"}),
    ),
    Format(
        inspect_tools.CAMERA_YAML,
        _by(_is_camera_yaml),
        inspect_tools.inspect_camera_yaml,
        brings={"rig": bring_camera_yaml},
        uses=frozenset({"name"}),
        writes={("rig", ".yml"): export_camera, ("rig", ".yaml"): export_camera},
        writes_with=frozenset({"name"}),
    ),
    Format(
        inspect_tools.CAMERA_XML, _by(_is_camera_xml), inspect_tools.inspect_camera_xml, brings={"rig": bring_camera_xml}, uses=frozenset({"name"})
    ),
    Format(
        inspect_tools.CAMERA_TEXT,
        _by(looks_like_camera),
        inspect_tools.inspect_camera_text,
        brings={"rig": bring_camera_text},
        uses=frozenset({"name"}),
    ),
    Format(RIG, _by(looks_like_rig), inspect_rig, ours="rig"),
)
