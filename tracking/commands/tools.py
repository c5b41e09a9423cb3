"""`navtwin calibrate tool` and `navtwin calibrate axis`: where a tool's tip is, and which way it points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from navtwin.errors import InputRefused
from tracking.calibration.reporting import Report
from tracking.calibration.results import today
from tracking.calibration.screen import Screen, screen_of
from tracking.commands.folders import check_folder
from tracking.commands.options import ProgressOption, VideoPortOption

if TYPE_CHECKING:
    from navtwin.calibrate import PivotCalibration, SpinCalibration
    from navtwin.nouns import Rig, Tool
    from tracking.calibration.streams import Gathered, PoseStream

Array = npt.NDArray[np.float64]

SourceArgument = Annotated[
    str, typer.Argument(help="log in which it was recorded, or a source: camera:0, video:FILE, images:FOLDER ...", metavar="SOURCE")
]
SecondsOption = Annotated[float | None, typer.Option(help="read no longer than this, s (default: 20 of a live source, all of a recording)")]
RigOption = Annotated[Path, typer.Option(help="rig.toml")]
OutOption = Annotated[Path | None, typer.Option(help="folder of the result and its picture (default: the rig's)")]
WriteOption = Annotated[bool, typer.Option("--write", help="store the result in rig.toml, if it is accepted")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]

#: A tip found twice lies within so many mm, and within so many standard deviations of both together (as in a session).
ANOTHER_MM, ANOTHER_SDS = 3.0, 3.0


def tool(
    ctx: typer.Context,
    source: SourceArgument,
    name: Annotated[str, typer.Option("--tool", help="the tool's name in the rig")],
    rig: RigOption,
    seconds: SecondsOption = None,
    whole: Annotated[bool, typer.Option("--whole", help="use every sighting of a log, not only those collected for a pivot")] = False,
    write: WriteOption = False,
    changed_tool: Annotated[bool, typer.Option("--changed-tool", help="the tool was exchanged or bent: take a tip that lies elsewhere")] = False,
    out: OutOption = None,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Find a tool's tip by pivot calibration. Exit code 1 where the gate refuses it.

    From a live source: seat the tip in a divot and follow what is said, until it suffices. Ctrl-C ends it with what there is.
    """
    from navtwin.calibrate import calibrate_pivot
    from navtwin.nouns import read_rig
    from tracking.calibration.evidence import pivot_picture
    from tracking.calibration.guided import words_of

    check_folder(out or rig.parent, rig if write else None)
    loaded = read_rig(rig)
    entry = tool_of(loaded, name)
    screen = screen_of(ctx, "tool", source, progress=progress, video_port=video_port, as_json=as_json)
    stream, notes = _pivot_stream(source, loaded, entry, seconds, whole=whole, screen=screen)
    found = calibrate_pivot(stream.poses, stream.covariances)
    figures: dict[str, Any] = {
        "tool": name,
        "tip_mm": found.tip_mm,
        "tip_sd_mm": found.tip_sd_mm,
        "covariance": found.covariance,
        "rms_mm": found.rms_mm,
        "poses": int(found.inliers.size),
        "kept": int(found.inliers.sum()),
        "agreeing": int(found.agreeing.sum()),
        "weighted": stream.covariances is not None,
        "angle_deg": found.angle_deg,
        "notes": notes,
        "sphere_apart_mm": found.sphere.apart_mm,
        "sphere_agrees": found.sphere.agrees,
    }
    opinion = {True: f"agrees (within {found.sphere.apart_mm:.2f} mm)", False: "contradicts", None: "cannot tell: the marker moved too little"}
    lines = [
        f"{name}: tip ({numbers(found.tip_mm)}) mm in marker axes, sd {found.tip_sd_mm:.3f} mm per axis",
        f"  {int(found.inliers.sum())} of {found.inliers.size} poses in the fit{_others(found)}, turned by up to {found.angle_deg:.0f} deg",
        f"  residual {found.rms_mm:.3f} mm RMS (how well the poses agree, not how accurate the tip is)",
        f"  second opinion, the sphere that the marker moved on: {opinion[found.sphere.agrees]}",
    ]

    def store(document: Any) -> None:
        stored = _tool_entry(document, name)
        stored["tip_mm"] = [round(float(v), 6) for v in found.tip_mm]
        stored["tip_covariance"] = [float(v) for v in found.covariance[np.triu_indices(3)]]
        stored["calibrated"] = today()

    doubts = () if changed_tool else _another_tool(entry, found)
    verdict, inputs = (found.accepted and not doubts, (*found.reasons, *doubts)), [words_of(source), rig.name]
    report = Report("pivot", name, inputs, verdict, figures, lines, lambda path: pivot_picture(stream.poses, found, path, name))
    report.finish(out or rig.parent, as_json=as_json, store=(rig, store) if write else None, screen=screen)


def axis(
    ctx: typer.Context,
    source: SourceArgument,
    name: Annotated[str, typer.Option("--tool", help="the tool's name in the rig; its tip must have been calibrated")],
    rig: RigOption,
    against: Annotated[str, typer.Option(help="body that the V-block stands still to (default: the tracker itself)")] = "",
    seconds: SecondsOption = None,
    from_s: Annotated[float, typer.Option(help="leave out what the source shows before this, s")] = 0.0,
    to_s: Annotated[float, typer.Option(help="leave out what the source shows after this, s")] = float("inf"),
    write: WriteOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Find a tool's own axis by spinning it in a V-block. Exit code 1 where the gate refuses it.

    From a live source: turn it slowly and follow what is said, until it suffices. Ctrl-C ends it with what there is.
    """
    from navtwin.calibrate import calibrate_spin
    from navtwin.nouns import read_rig
    from tracking.calibration.evidence import spin_picture
    from tracking.calibration.guided import words_of

    check_folder(out or rig.parent, rig if write else None)
    loaded = read_rig(rig)
    entry = tool_of(loaded, name)
    if write and entry.tip_mm is None:
        raise InputRefused(f"the tip of '{name}' is not known, so neither is the front end of its axis", "run `navtwin calibrate tool --write` first")
    screen = screen_of(ctx, "axis", source, progress=progress, video_port=video_port, as_json=as_json)
    poses, notes = _spin_poses(source, loaded, entry, against, seconds, from_s, to_s, screen)
    found = calibrate_spin(poses, entry.tip_mm)
    figures: dict[str, Any] = {
        "tool": name,
        "axis_in_marker": found.axis_in_marker,
        "axis_sd_rad": found.axis_sd_rad,
        "point_mm": found.point_mm,
        "angle_deg": found.angle_deg,
        "rms_mm": found.rms_mm,
        "tip_off_axis_mm": found.tip_off_axis_mm,
        "front_known": found.signed,
        "poses": int(found.inliers.size),
        "kept": int(found.inliers.sum()),
        "agreeing": int(found.agreeing.sum()),
        "notes": notes,
    }
    lines = [
        f"{name}: axis ({numbers(found.axis_in_marker, 5)}) in marker axes, sd {np.degrees(found.axis_sd_rad):.3f} deg",
        f"  {int(found.inliers.sum())} of {found.inliers.size} poses in the fit{_others(found)}, spun by {found.angle_deg:.0f} deg",
        "  which end is the front is not known: calibrate the tip first"
        if found.tip_off_axis_mm is None
        else f"  the tip lies {found.tip_off_axis_mm:.2f} mm beside the axis",
    ]

    def store(document: Any) -> None:
        stored = _tool_entry(document, name)
        stored["axis_in_marker"] = [float(v) for v in found.axis_in_marker / np.linalg.norm(found.axis_in_marker)]
        stored["axis_sd_rad"] = float(f"{found.axis_sd_rad:.4g}")

    verdict, inputs = (found.accepted, found.reasons), [words_of(source), rig.name]
    report = Report("axis", name, inputs, verdict, figures, lines, lambda path: spin_picture(poses, found, path, name))
    report.finish(out or rig.parent, as_json=as_json, store=(rig, store) if write else None, screen=screen)


def _pivot_stream(source: str, rig: Rig, tool: Tool, seconds: float | None, *, whole: bool, screen: Screen | None) -> tuple[PoseStream, list[str]]:
    """Poses of a tool's body while its tip stood still, and notes on them."""
    from tracking.calibration.advice import pivot_advice
    from tracking.calibration.guided import Wanted, collect, is_log, line_beside, words_of

    wanted = Wanted(source, (tool.body,), rig, tool.name)
    (gathered,), notes = collect([wanted], lambda g: pivot_advice(g[0].stream(tool.body)), line_beside(screen), seconds, screen)
    every = gathered.seen_stream(tool.body)
    ordered = gathered.stream(tool.body, ordered_only=True)
    if whole or not (len(ordered) or is_log(source)):
        return every, notes
    if not len(ordered):
        raise InputRefused(f"{words_of(source)} holds no pivot of '{tool.name}'", "collect one, name another tool, or pass --whole")
    return ordered, notes


def _spin_poses(
    source: str, rig: Rig, tool: Tool, against: str, seconds: float | None, from_s: float, to_s: float, screen: Screen | None
) -> tuple[Array, list[str]]:
    """Poses of a tool's body in the axes of what held still while it was spun, and notes on them."""
    from tracking.calibration.advice import Advice, spin_advice
    from tracking.calibration.guided import Wanted, collect, line_beside
    from tracking.calibration.streams import paired

    bodies = (tool.body, against) if against else (tool.body,)

    def poses_of(gathered: Gathered) -> Array:
        body = gathered.seen_stream(tool.body)
        if not against:
            return body.poses
        still, poses = paired(gathered.seen_stream(against), body)
        return np.asarray(np.linalg.inv(still) @ poses)

    def advise(gathered: Gathered) -> Advice:
        try:
            return spin_advice(poses_of(gathered), tool.tip_mm)
        except InputRefused:
            return Advice(f"show {' and '.join(bodies)} to the camera", 0.0)

    wanted = Wanted(source, bodies, rig, from_s=from_s, to_s=to_s)
    (gathered,), notes = collect([wanted], lambda g: advise(g[0]), line_beside(screen), seconds, screen)
    return poses_of(gathered), notes


def _another_tool(known: Tool, found: PivotCalibration) -> tuple[str, ...]:
    """Why the tip may be another tool's: it lies farther from the one stored than both errors allow."""
    if known.tip_mm is None:
        return ()
    variance = float(np.trace(found.covariance)) + (sum(known.tip_covariance[i] for i in (0, 3, 5)) if known.tip_covariance else 0.0)
    apart = float(np.linalg.norm(np.subtract(found.tip_mm, known.tip_mm)))
    if apart <= max(ANOTHER_MM, ANOTHER_SDS * variance**0.5):
        return ()
    return (
        f"the tip lies {apart:.1f} mm from the one stored for '{known.name}': is it the right tool? If it was exchanged or bent, pass --changed-tool",
    )


def _others(found: PivotCalibration | SpinCalibration) -> str:
    more = int(found.agreeing.sum() - found.inliers.sum())
    return f" ({more} noisier ones agree with it)" if more else ""


def tool_of(rig: Rig, name: str) -> Tool:
    """The tool of a rig by its name."""
    for candidate in rig.tool:
        if candidate.name == name:
            return candidate
    raise InputRefused(f"the rig has no tool '{name}'", f"known: {', '.join(t.name for t in rig.tool)}")


def _tool_entry(document: Any, name: str) -> Any:
    return next(entry for entry in document["tool"] if entry["name"] == name)


def numbers(values: Array, digits: int = 3) -> str:
    """Numbers with a few digits, separated by commas."""
    return ", ".join(f"{v:.{digits}f}" for v in values)
