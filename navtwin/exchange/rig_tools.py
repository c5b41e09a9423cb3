"""Tips of tools between a rig and other programs: PLUS's coordinate definitions and ITK's transforms.

PLUS's stylus tip has its origin at the tip and -Z towards the marker, as a rig's tip axes have: the third column of T_marker_from_tip is the tool's
axis, its translation the tip. A turn about that axis means nothing to round parts. The pivot calibrations of PLUS and SlicerIGT measure no shaft:
they let the axis run from the marker's origin to the tip. Such an axis must not take the place of one that was measured.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from navtwin.errors import InputRefused
from navtwin.exchange.itk import ItkTransform, T_parent_from_node, from_parent, turned_axes
from navtwin.exchange.nearly_rigid import nearly_rigid
from navtwin.exchange.plus import VALID, PlusTransform, write_plus
from navtwin.exchange.rig_edit import edit_rig, rig_at, set_tip, tool_named
from navtwin.nouns import Rig, Tool, read_rig
from navtwin.rigid import Mat3, Rigid, Vec3

if TYPE_CHECKING:
    from navtwin.files.formats import Options, Report

_UNTURNED: Final[Mat3] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
#: Six printed digits leave an axis known to some 1e-5.
_SAME_WAY_RAD: Final = 1e-3
_AXES: Final = "pass --space RAS where 3D Slicer holds it (it turns x and y round on saving), --space LPS where the numbers are in marker axes"


def tip_of_plus(path: Path, one: PlusTransform, tool: Tool) -> tuple[Rigid, str]:
    """T_marker_from_tip of a coordinate definition, whichever way round it stands, and a sentence if it was mended."""
    marker, tip = f"marker/{tool.body}", f"tip/{tool.name}"
    where = f"{path}: {one.name}"
    if _is_tip(one.source, tool) or not _is_tip(one.target, tool):
        return nearly_rigid(one.array(), target=marker, source=tip, where=where)
    T_tip_from_marker, said = nearly_rigid(one.array(), target=tip, source=marker, where=where)
    return T_tip_from_marker.inverse(), said


def _is_tip(frame: str, tool: Tool) -> bool:
    return frame.lower().endswith("tip") or (frame.lower() == tool.name.lower() != tool.body.lower())


def tips_for(path: Path, transforms: Sequence[PlusTransform], rig: Rig, name: str | None, to: Path) -> list[tuple[PlusTransform, Tool]]:
    """Which coordinate definition is whose tip: by the names of tools and bodies, or the only tip there is for the tool `name`.

    Raises
    ------
    InputRefused : no such tool, or none or several tips for it
    """
    if name is None:
        return [(one, tool) for tool in rig.tool if (one := _tip_of(tool, transforms, rig)) is not None]
    tool = tool_named(rig, name, to)
    tips = [one for one in transforms if one.source.lower().endswith("tip") or one.target.lower().endswith("tip")]
    chosen = _tip_of(tool, transforms, rig) or (tips[0] if len(tips) == 1 else None)
    if chosen is None:
        there = ", ".join(one.name for one in tips) or "none"
        raise InputRefused(f"{path} has {len(tips)} tips for tool '{name}' ({there})", "keep one, or name the rig's tools and bodies as PLUS does")
    return [(chosen, tool)]


def _tip_of(tool: Tool, transforms: Sequence[PlusTransform], rig: Rig) -> PlusTransform | None:
    """The one definition between a tool's body and a tip of the tool's name; else of the body's name, where no other tool hangs on it."""
    body, name = tool.body.lower(), tool.name.lower()
    alone = sum(other.body == tool.body for other in rig.tool) == 1
    for frames in ({f"{name}tip", name} - {body}, {f"{body}tip"} if alone else set[str]()):
        # PLUS begins every frame with a capital.
        found = [one for one in transforms if body in (pair := {one.source.lower(), one.target.lower()}) and pair & frames]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def put_tip(document: Any, tool: Tool, T_marker_from_tip: Rigid, error_mm: float | None) -> list[str]:
    """Put a tip into the rig's document; sentences on what was taken and what is open."""
    tip = T_marker_from_tip.t_mm
    axis, said_of_axis = _axis(T_marker_from_tip)
    said = [f"Tool '{tool.name}': tip at ({tip[0]:.3f}, {tip[1]:.3f}, {tip[2]:.3f}) mm in the axes of '{tool.body}'."]
    if axis is None:
        said.append(f"{said_of_axis}, so axis_in_marker of '{tool.name}' stays as it was.")
    else:
        said.append(f"Its axis, from the handle out through the tip: ({axis[0]:.4f}, {axis[1]:.4f}, {axis[2]:.4f}).")
    # An error of 0 would make the error bar of every distance too small.
    stated = error_mm if error_mm is not None and error_mm > 0.0 else None
    if stated is not None:
        said.append(f"Its stated error of {stated:g} mm was taken as standard deviation in every direction.")
    else:
        said.append(f"No uncertainty is stated, so '{tool.name}' is not navigated by yet: add tip_covariance, or run navtwin calibrate tool.")
    set_tip(document, tool.name, tip, axis, stated)
    return said


def _axis(T_marker_from_tip: Rigid) -> tuple[Vec3 | None, str]:
    """The tool's axis, marker axes; None, and why, where the file holds none that was measured."""
    if T_marker_from_tip.rotation == _UNTURNED:
        return None, "The file states no direction (its rotation is none)"
    axis = np.array([row[2] for row in T_marker_from_tip.rotation])
    tip = np.array(T_marker_from_tip.t_mm)
    along = float(axis @ tip)
    if along <= 0.0:
        return None, "The tip's -Z does not point towards the marker (check it)"
    if float(np.linalg.norm(np.cross(axis, tip))) <= _SAME_WAY_RAD * along:
        return None, "The file's direction only leads from the marker's origin to the tip, as pivot calibrations put it: no shaft was measured"
    length = float(np.linalg.norm(axis))
    # Zero without a sign, for a person will read it.
    x, y, z = ((axis if abs(length - 1.0) < 5e-7 else axis / length) + 0.0).tolist()
    return (x, y, z), ""


def bring_itk(path: Path, to: Path, options: Options, transforms: Sequence[ItkTransform]) -> tuple[str, ...]:
    """Take a transform saved by Slicer or ITK (FromParent) as the tip of the tool `--name`."""
    rig = rig_at(to)
    if options.name is None:
        raise InputRefused(f"{path} does not say whose transform it is", f"pass --name with a tool of {to}: {_names(rig)}")
    tool = tool_named(rig, options.name, to)
    if options.space not in ("LPS", "RAS"):
        raise InputRefused(f"{path} does not say in which axes it held the marker", _AXES)
    T_marker_from_tip, mended = T_parent_from_node(path, transforms, parent=f"marker/{tool.body}", node=f"tip/{tool.name}")
    if options.space == "RAS":
        T_marker_from_tip = turned_axes(T_marker_from_tip)
    said: list[str] = [mended] if mended else []
    edit_rig(to, lambda document: said.extend(put_tip(document, tool, T_marker_from_tip, None)))
    return tuple(said)


def bring_tfm(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """As `bring_itk`, from text."""
    from navtwin.exchange.tfm import read_tfm

    report(f"reading {path.name}")
    return bring_itk(path, to, options, read_tfm(path))


def bring_h5(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """As `bring_itk`, from HDF5."""
    from navtwin.exchange.hdf5 import read_h5

    report(f"reading {path.name}")
    return bring_itk(path, to, options, read_h5(path))


def _names(rig: Rig) -> str:
    return ", ".join(tool.name for tool in rig.tool) or "it has none"


def tip_frame(rig: Rig, tool: Tool) -> Rigid:
    """T_marker_from_tip of a tool with a tip, as the navigation uses it."""
    from navtwin.twin.memory import tip_of

    if tool.tip_mm is None:
        raise InputRefused(f"tool '{tool.name}' has no tip", "calibrate it first: navtwin calibrate tool ... --write")
    return tip_of(rig, tool.name, tool.tip_mm, tool.tip_covariance or (0.0,) * 6).T_marker_from_tip


def export_plus(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the tips of a rig's tools as PLUS's coordinate definitions."""
    rig = read_rig(path)
    tools = [tool_named(rig, options.name, path)] if options.name else [tool for tool in rig.tool if tool.tip_mm is not None]
    if not tools:
        raise InputRefused(f"{path} has no tool with a tip", "calibrate one first: navtwin calibrate tool ... --write")
    report(f"writing {to.name}")
    written = [_plus_tip(rig, tool) for tool in tools]
    write_plus(to, written)
    return (
        f"Written: {', '.join(one.name for one in written)} (p_To = Matrix p_From, mm; -Z of the tip towards the marker).",
        "Frames begin with a capital, as PLUS makes them. Parts, cameras, marker bodies and covariances stay behind.",
    )


def _plus_tip(rig: Rig, tool: Tool) -> PlusTransform:
    source, target = (word[:1].upper() + word[1:] for word in (f"{tool.name}Tip", tool.body))
    # PLUS parts a transform's name at its one "To" before anything but a lower-case letter.
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+", source + target) or len(re.findall(r"To(?=[^a-z])", f"{source}To{target}")) != 1:
        raise InputRefused(f"tool '{tool.name}' on body '{tool.body}' has a name that PLUS cannot carry", "use letters and digits, without 'To'")
    matrix = tuple(float(value) for value in tip_frame(rig, tool).matrix().ravel())
    return PlusTransform(source, target, matrix, VALID, _largest_sd_mm(tool), persistent=True)


def _largest_sd_mm(tool: Tool) -> float | None:
    """The tip's standard deviation in its worst direction."""
    if tool.tip_covariance is None:
        return None
    xx, xy, xz, yy, yz, zz = tool.tip_covariance
    return float(np.sqrt(max(0.0, np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])[-1])))


def export_tfm(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the tip of a tool as ITK's text."""
    from navtwin.exchange.tfm import write_tfm

    transform, said = _itk_tip(path, options)
    report(f"writing {to.name}")
    write_tfm(to, [transform])
    return said


def export_h5(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the tip of a tool as ITK's HDF5."""
    from navtwin.exchange.hdf5 import write_h5

    transform, said = _itk_tip(path, options)
    report(f"writing {to.name}")
    write_h5(to, [transform])
    return said


def _itk_tip(path: Path, options: Options) -> tuple[ItkTransform, tuple[str, ...]]:
    rig = read_rig(path)
    if options.name is None:
        raise InputRefused(f"{path} has several things that could be a transform", f"pass --name with a tool: {_names(rig)}")
    tool = tool_named(rig, options.name, path)
    if options.space not in ("LPS", "RAS"):
        raise InputRefused("a transform file does not say in which axes it holds the marker", _AXES)
    T = tip_frame(rig, tool)
    shown = turned_axes(T) if options.space == "RAS" else T
    kept = "3D Slicer shows the marker's own axes" if options.space == "RAS" else "the numbers are in the marker's own axes"
    said = f"Written: the tip of '{tool.name}' in '{tool.body}', as ITK keeps it (FromParent); {kept}. Bring it back with --space {options.space}."
    return from_parent(shown), (said,)
