"""Put what came in into `rig.toml`, keeping its comments and layout; what would not be a rig any more is not written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from navtwin.errors import InputRefused, nearest
from navtwin.files.rig_file import change_rig
from navtwin.nouns import Body, Rig, RigCamera, Tool, read_rig
from navtwin.rigid import Vec3

#: Noise of a body's pose until it has been measured: no file of other programs states it. Those of a printed body, the widest that navtwin knows.
UNKNOWN_SD_MM: Final = 0.3
UNKNOWN_SD_RAD: Final = 0.005
_NOT_STATED: Final = "not stated by the file: a guess, until it is measured"


def rig_at(to: Path) -> Rig:
    """The rig that is to be added to.

    Raises
    ------
    InputRefused : there is none, or it has a fault
    """
    if not to.is_file():
        remedy = "write one first with navtwin rig FOLDER or navtwin markers sheet, then name its rig.toml"
        raise InputRefused(f"there is no rig {to}, and this file cannot make one: it does not state the tracker's latency", remedy)
    return read_rig(to)


def edit_rig(to: Path, change: Callable[[Any], None]) -> Rig:
    """Change `rig.toml` through tomlkit's document; the result takes its place only if it is a rig.

    Raises
    ------
    InputRefused : the file cannot be read or written, or the result has a fault
    """

    def changed(document: Any) -> None:
        _refuse_inline(document, to)
        change(document)

    rig_at(to)
    return change_rig(to, changed)


def _refuse_inline(document: Any, to: Path) -> None:
    """Entries written as `body = [{...}]` are as good as [[body]], but nothing can be added to them that a person could still read."""
    import tomlkit

    for key in ("body", "tool", "camera"):
        found = document.get(key)
        if found is None or isinstance(found, tomlkit.items.AoT):
            continue
        if len(found):
            raise InputRefused(f"{to} holds {key} as a list in braces, which cannot be added to", f"write each of them as a [[{key}]] table")
        if key == "camera":
            del document[key]


def tool_named(rig: Rig, name: str, to: Path) -> Tool:
    """The tool of that name; refused with the nearest known name."""
    for tool in rig.tool:
        if tool.name == name:
            return tool
    raise InputRefused(f"{to} has no tool '{name}'", nearest(name, [t.name for t in rig.tool]) if rig.tool else "add [[tool]] with its parts first")


def set_tip(document: Any, tool: str, tip_mm: Vec3, axis: Vec3 | None, sd_mm: float | None) -> None:
    """Store a tool's tip, its axis if the file states one, and its uncertainty; one that belonged to an older tip is taken out."""
    entry = next(one for one in document["tool"] if one["name"] == tool)
    _put(entry, "tip_mm", list(tip_mm))
    if axis is not None:
        _put(entry, "axis_in_marker", list(axis))
    if sd_mm is not None:
        _put(entry, "tip_covariance", [sd_mm**2, 0.0, 0.0, sd_mm**2, 0.0, sd_mm**2])
    elif "tip_covariance" in entry:
        del entry["tip_covariance"]
    # The date was that of the tip before; files of other programs state none.
    entry.pop("calibrated", None)


def _put(entry: Any, key: str, value: Any) -> None:
    """Set a value of a table, before its sub-tables ([[tool.part]]): behind them it would be theirs."""
    import tomlkit

    if key in entry:
        entry[key] = value
        return
    below = {name: entry.pop(name) for name in [k for k, v in entry.items() if isinstance(v, tomlkit.items.AoT | tomlkit.items.Table)]}
    entry[key] = value
    for name, table in below.items():
        entry.append(name, table)


def set_body(document: Any, body: Body) -> bool:
    """Add a marker body, or give one that is there its new markers; its noise stays. Returns whether it is new."""
    import tomlkit

    entry, new = _entry(document, "body", body.name)
    if new:
        entry["sd_mm"], entry["sd_rad"] = body.sd_mm, body.sd_rad
        for key in ("sd_mm", "sd_rad"):
            entry[key].comment(_NOT_STATED)
    for key in ("markers_mm", "dictionary", "marker", "calibrated"):
        entry.pop(key, None)
    if body.markers_mm:
        entry["markers_mm"] = _rows(body.markers_mm)
    if body.marker:
        entry["dictionary"] = body.dictionary
        markers = tomlkit.aot()
        for marker in body.marker:
            table = tomlkit.table()
            table["id"] = marker.id
            table["corners_mm"] = [list(corner) for corner in marker.corners_mm]
            markers.append(table)
        entry["marker"] = markers
    return new


def _rows(points_mm: Iterable[Vec3]) -> Any:
    import tomlkit

    rows = tomlkit.array()
    for point in points_mm:
        rows.append(list(point))
    return rows.multiline(True)


def set_camera(document: Any, camera: RigCamera) -> bool:
    """Add a camera, or give one that is there new numbers; where it stands and how its rows are read out stays. Returns whether it is new."""
    entry, new = _entry(document, "camera", camera.name)
    for key in ("distortion", "intrinsics_sd", "rms_px", "held_out_px", "calibrated"):
        entry.pop(key, None)
    stated = {
        "width_px": camera.width_px,
        "height_px": camera.height_px,
        "focal_px": list(camera.focal_px),
        "centre_px": list(camera.centre_px),
        "distortion": list(camera.distortion) or None,
        "rms_px": camera.rms_px,
        "calibrated": camera.calibrated or None,
    }
    for key, value in stated.items():
        if value is not None:
            _put(entry, key, value)
    return new


def _entry(document: Any, table: str, name: str) -> tuple[Any, bool]:
    """The entry of that name in an array of tables, made at its end if there is none, and whether it was made."""
    import tomlkit

    if table not in document:
        document.add(tomlkit.nl())
        document[table] = tomlkit.aot()
    for entry in document[table]:
        if entry["name"] == name:
            return entry, False
    entry = tomlkit.table()
    entry["name"] = name
    document[table].append(entry)
    return document[table][-1], True
