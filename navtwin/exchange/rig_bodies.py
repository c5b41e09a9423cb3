"""Marker bodies between a rig and other programs: spheres of NDI and Atracsys tools, printed markers of scikit-surgery and PLUS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from navtwin.errors import InputRefused, nearest
from navtwin.exchange.dictionaries import dictionary_named
from navtwin.exchange.rig_edit import UNKNOWN_SD_MM, UNKNOWN_SD_RAD, edit_rig, rig_at, set_body
from navtwin.nouns import Body, Rig, SquareMarker, read_rig
from navtwin.rigid import Vec3

if TYPE_CHECKING:
    from navtwin.files.formats import Options, Report

#: The format states no axes of its own: those of the tool, as its maker chose them.
_KEPT: Final = "positions are in the tool's own axes, as in the file"


def sphere_body(name: str, markers_mm: Sequence[Vec3]) -> Body:
    """A body of spheres whose noise nobody has measured."""
    return Body(name, UNKNOWN_SD_MM, UNKNOWN_SD_RAD, markers_mm=tuple(markers_mm))


def square_body(name: str, dictionary: str, marker: Sequence[SquareMarker]) -> Body:
    """A body of printed markers whose noise nobody has measured."""
    return Body(name, UNKNOWN_SD_MM, UNKNOWN_SD_RAD, dictionary=dictionary, marker=tuple(marker))


def plus_square(number: int, side_mm: float) -> SquareMarker:
    """A single marker as the ArUco library of PLUS sees it: origin in its middle, x right, y up, z out of the paper."""
    h = side_mm / 2.0
    return SquareMarker(number, ((-h, h, 0.0), (h, h, 0.0), (h, -h, 0.0), (-h, -h, 0.0)))


def put_body(document: Any, body: Body) -> str:
    """Put a body into the rig's document; says what was done."""
    printed = f"{len(body.marker)} printed marker{'' if len(body.marker) == 1 else 's'} of {body.dictionary}"
    what = f"{len(body.markers_mm)} spheres" if body.markers_mm else printed
    if set_body(document, body):
        return f"Body '{body.name}' added with {what}; its noise (sd_mm, sd_rad) is not stated and was guessed: measure it."
    tipped = ", ".join(tool["name"] for tool in document.get("tool", ()) if tool["body"] == body.name and "tip_mm" in tool)
    open_ = f" Its axes may be others now, so calibrate the tips on it anew: {tipped}." if tipped else ""
    return f"Body '{body.name}' has new markers: {what}; its noise stays as it was.{open_}"


def bring_rom(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Take the spheres of an NDI tool as a marker body."""
    from navtwin.exchange.rom import read_rom

    report(f"reading {path.name}")
    return _spheres(to, options.name or path.stem, read_rom(path).markers_mm)


def bring_geometry(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Take the fiducials of an Atracsys geometry as a marker body."""
    from navtwin.exchange.atracsys import read_geometry

    report(f"reading {path.name}")
    return _spheres(to, options.name or path.stem, read_geometry(path).fiducials_mm)


def _spheres(to: Path, name: str, markers_mm: Sequence[Vec3]) -> tuple[str, ...]:
    said: list[str] = []
    edit_rig(to, lambda document: said.append(put_body(document, sphere_body(name, markers_mm))))
    return (*said, f"Its {_KEPT}; the tracker itself solves its pose.")


def bring_surgery_body(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Take an ArUco body of scikit-surgery as a marker body; its dictionary is asked for as `--name BODY:DICTIONARY`."""
    from navtwin.exchange.surgery_text import read_markers

    report(f"reading {path.name}")
    markers, rig = read_markers(path), rig_at(to)
    name, _, word = (options.name or path.stem).partition(":")
    known = next((body.dictionary for body in rig.body if body.name == name), "")
    if not word and not known:
        remedy = f"pass --name {name}:DICTIONARY, for instance {name}:ARUCO_ORIGINAL"
        raise InputRefused(f"{path} does not say of which dictionary its markers are", remedy)
    body = square_body(name, dictionary_named(word, path) if word else known, markers)
    said: list[str] = []
    edit_rig(to, lambda document: said.append(put_body(document, body)))
    return tuple(said)


def export_rom(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the spheres of a body as an NDI tool definition."""
    from navtwin.exchange.rom import rom_of, write_rom

    body = _body(read_rig(path), options.name, path)
    if not body.markers_mm:
        what = "printed markers" if body.marker else "no spheres"
        raise InputRefused(f"body '{body.name}' has {what}, and an NDI tool is made of spheres", "name a body with markers_mm")
    report(f"writing {to.name}")
    rom = rom_of(body.name, body.markers_mm)
    write_rom(to, rom)
    return (
        f"Written: {len(rom.markers_mm)} passive spheres of '{body.name}', rounded to float32.",
        f"A rig does not state how a tool is to be tracked, so this was put in: all spheres face +Z, seen up to {rom.max_angle_deg} degrees, "
        f"{rom.min_markers} needed, errors up to {rom.max_error_mm:g} mm. No NDI tracker has been tried with it: check it in NDI's own program.",
    )


def _body(rig: Rig, name: str | None, path: Path) -> Body:
    names = [body.name for body in rig.body]
    if name is None:
        raise InputRefused(f"{path} has several bodies", f"pass --name with one: {', '.join(names)}")
    found = next((body for body in rig.body if body.name == name), None)
    if found is None:
        raise InputRefused(f"{path} has no body '{name}'", nearest(name, names) if names else "add [[body]] first")
    return found
