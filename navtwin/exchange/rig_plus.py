"""A device-set file of PLUS as bodies, camera and tips of a rig."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from navtwin.errors import InputRefused
from navtwin.exchange.camera_file import read_camera_yaml
from navtwin.exchange.dictionaries import dictionary_named
from navtwin.exchange.plus import VALID, PlusConfiguration, PlusTool, PlusTransform, read_plus
from navtwin.exchange.rig_bodies import plus_square, put_body, sphere_body, square_body
from navtwin.exchange.rig_cameras import put_camera, rig_camera
from navtwin.exchange.rig_edit import edit_rig, rig_at
from navtwin.exchange.rig_tools import put_tip, tip_of_plus, tips_for
from navtwin.exchange.rom import read_rom
from navtwin.nouns import Body, Rig, Tool

if TYPE_CHECKING:
    from navtwin.files.formats import Options, Report

Change = Callable[[Any], list[str]]
_UPRIGHT: Final = "It is taken for granted that a pattern is the same way up in PLUS as in OpenCV: look at one pose before you rely on it."


def beside(path: Path, named: str) -> Path | None:
    """The file that a configuration names, if it lies in the configuration's own folder or below; None otherwise."""
    wanted = Path(named.replace("\\", "/"))
    home = path.absolute().parent.resolve()
    if wanted.is_absolute() or ":" in named or not wanted.parts:
        return None
    try:
        found = (home / wanted).resolve()
        return found if found.is_relative_to(home) and found.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def bring_plus(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Put what a device-set file states into a rig: printed markers and NDI tools as bodies, the camera, tips; with `--name` that tool's tip only."""
    report(f"reading {path.name}")
    found, rig = read_plus(path), rig_at(to)
    changes: list[Change] = list(_tips(path, found, rig, options.name, to))
    said: list[str] = []
    if options.name is None:
        bodies = _bodies(path, found, said)
        if len({body.name for body in bodies}) != len(bodies):
            raise InputRefused(f"{path} has tools of one name on several devices", "keep one device")
        changes = [*(_adding(body) for body in bodies), *_camera(path, found, rig, to, said), *changes]
        if any(body.marker for body in bodies):
            said.append(_UPRIGHT)
    if not changes:
        raise InputRefused(f"{path} holds nothing that this rig takes{f' ({said[0]})' if said else ''}", "look at it with navtwin inspect")

    def change(document: Any) -> None:
        for one in changes:
            said.extend(one(document))

    edit_rig(to, change)
    return (*said, *_left_out(found, rig, options.name))


def _tips(path: Path, found: PlusConfiguration, rig: Rig, name: str | None, to: Path) -> Iterator[Change]:
    for one, tool in tips_for(path, found.transforms, rig, name, to):
        if one.status in ("", VALID):
            yield _tip(path, one, tool)
        elif name is not None:
            raise InputRefused(f"{path}: {one.name} is marked {one.status}", "calibrate it in PLUS first")


def _tip(path: Path, one: PlusTransform, tool: Tool) -> Change:
    T_marker_from_tip, mended = tip_of_plus(path, one, tool)
    more = [mended] if mended else []
    if one.date:
        more.append(f"{one.name} is dated {one.date}.")
    return lambda document: [*put_tip(document, tool, T_marker_from_tip, one.error_mm), *more]


def _adding(body: Body) -> Change:
    return lambda document: [put_body(document, body)]


def _bodies(path: Path, found: PlusConfiguration, said: list[str]) -> list[Body]:
    return [body for tool in found.tools if (body := _body(path, tool, said)) is not None]


def _body(path: Path, tool: PlusTool, said: list[str]) -> Body | None:
    if tool.marker_id is not None and tool.side_mm is not None:
        return square_body(tool.name, dictionary_named(tool.dictionary, path), [plus_square(tool.marker_id, tool.side_mm)])
    if not tool.rom_file:
        return None
    file = beside(path, tool.rom_file)
    if file is None:
        said.append(f"Tool '{tool.name}' is described by {tool.rom_file}, which does not lie in the folder of {path.name}; bring it in by itself.")
        return None
    return sphere_body(tool.name, read_rom(file).markers_mm)


def _camera(path: Path, found: PlusConfiguration, rig: Rig, to: Path, said: list[str]) -> list[Change]:
    if not found.cameras:
        return []
    device, named = found.cameras[0]
    file = beside(path, named)
    if file is None:
        said.append(f"The camera of {device} is calibrated in {named}, which does not lie in the folder of {path.name}; bring it in by itself.")
        return []
    if rig.camera:
        said.append(f"{to.name} already has camera '{rig.camera[0].name}': bring {file.name} in by itself to change it.")
        return []
    calibration = read_camera_yaml(file)
    camera = rig_camera(file, calibration, rig, None, device or file.stem, to)
    return [lambda document: [put_camera(document, camera, calibration.calibrated)]]


def _left_out(found: PlusConfiguration, rig: Rig, name: str | None) -> Iterator[str]:
    if name is not None:
        return
    used = {id(one) for one, _ in tips_for(Path(), found.transforms, rig, None, Path()) if one.status in ("", VALID)}
    rest = [f"{one.name}{f' ({one.status})' if one.status not in ('', VALID) else ''}" for one in found.transforms if id(one) not in used]
    if rest:
        yield f"Not used, as it is not valid or no tool is named like it: {', '.join(rest)}. Give a tip to a tool with --name TOOL."
