"""`navtwin calibrate`: the group, and the calibrations that rest on recorded poses: tool, axis, hand-eye, time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from navtwin.errors import InputRefused
from tracking.calibration.reporting import Report
from tracking.commands.cameras import camera, cameras
from tracking.commands.latency import latency
from tracking.commands.look import look
from tracking.commands.markers import measure

if TYPE_CHECKING:
    from navtwin.nouns import Rig, Tool

Array = npt.NDArray[np.float64]

calibrate_app = typer.Typer(no_args_is_help=True, help="Calibrate from a recording or a live camera.")
LogArgument = Annotated[Path, typer.Argument(help="log in which it was recorded")]
RigOption = Annotated[Path, typer.Option(help="rig.toml")]
OutOption = Annotated[Path | None, typer.Option(help="folder of the result and its picture (default: the rig's)")]
WriteOption = Annotated[bool, typer.Option("--write", help="store the result in rig.toml, if it is accepted")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


@calibrate_app.callback()
def _group() -> None:
    """Calibrate from a recording or a live camera."""


calibrate_app.command("camera")(camera)
calibrate_app.command("cameras")(cameras)
calibrate_app.command("latency")(latency)
calibrate_app.command("look")(look)
calibrate_app.command("markers")(measure)


@calibrate_app.command("tool")
def tool(
    log: LogArgument,
    name: Annotated[str, typer.Option("--tool", help="the tool's name in the rig")],
    rig: RigOption,
    whole: Annotated[bool, typer.Option("--whole", help="use every sighting of the log, not only those collected for a pivot")] = False,
    write: WriteOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find a tool's tip by pivot calibration. Exit code 1 where the gate refuses it."""
    from navtwin.calibrate import calibrate_pivot
    from navtwin.nouns import read_rig
    from tracking.calibration.evidence import pivot_picture
    from tracking.calibration.logged import pivot_poses

    entry = tool_of(read_rig(rig), name)
    poses = pivot_poses(log, name, entry.body, whole=whole)
    if not len(poses):
        raise InputRefused(f"{log.name} holds no pivot of '{name}'", "collect one, name another tool, or pass --whole")
    found = calibrate_pivot(poses)
    figures: dict[str, Any] = {
        "tool": name,
        "tip_mm": found.tip_mm,
        "tip_sd_mm": found.tip_sd_mm,
        "covariance": found.covariance,
        "rms_mm": found.rms_mm,
        "poses": int(found.inliers.size),
        "kept": int(found.inliers.sum()),
        "angle_deg": found.angle_deg,
        "sphere_apart_mm": found.sphere.apart_mm,
        "sphere_agrees": found.sphere.agrees,
    }
    opinion = {True: f"agrees (within {found.sphere.apart_mm:.2f} mm)", False: "contradicts", None: "cannot tell: the marker moved too little"}
    lines = [
        f"{name}: tip ({_numbers(found.tip_mm)}) mm in marker axes, sd {found.tip_sd_mm:.3f} mm per axis",
        f"  {int(found.inliers.sum())} of {found.inliers.size} poses kept, turned by up to {found.angle_deg:.0f} deg",
        f"  residual {found.rms_mm:.3f} mm RMS (how well the poses agree, not how accurate the tip is)",
        f"  second opinion, the sphere that the marker moved on: {opinion[found.sphere.agrees]}",
    ]

    def store(document: Any) -> None:
        entry = _tool_entry(document, name)
        entry["tip_mm"] = [round(float(v), 6) for v in found.tip_mm]
        entry["tip_covariance"] = [float(v) for v in found.covariance[np.triu_indices(3)]]

    report = Report(
        "pivot", name, [log.name, rig.name], (found.accepted, found.reasons), figures, lines, lambda path: pivot_picture(poses, found, path, name)
    )
    report.finish(out or rig.parent, as_json=as_json, store=(rig, store) if write else None)


@calibrate_app.command("axis")
def axis(
    log: LogArgument,
    name: Annotated[str, typer.Option("--tool", help="the tool's name in the rig; its tip must have been calibrated")],
    rig: RigOption,
    against: Annotated[str, typer.Option(help="body that the V-block stands still to (default: the tracker itself)")] = "",
    from_s: Annotated[float, typer.Option(help="leave out what the log holds before this, s")] = 0.0,
    to_s: Annotated[float, typer.Option(help="leave out what the log holds after this, s")] = float("inf"),
    write: WriteOption = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find a tool's own axis by spinning it in a V-block. Exit code 1 where the gate refuses it."""
    from navtwin.calibrate import calibrate_spin
    from navtwin.nouns import read_rig
    from tracking.calibration.evidence import spin_picture
    from tracking.calibration.logged import paired, stream

    loaded = read_rig(rig)
    entry = tool_of(loaded, name)
    if write and entry.tip_mm is None:
        raise InputRefused(f"the tip of '{name}' is not known, so neither is the front end of its axis", "run `navtwin calibrate tool --write` first")
    body = stream(log, entry.body, from_s, to_s)
    poses = body.poses
    if against:
        still, poses = paired(stream(log, against, from_s, to_s), body)
        poses = np.linalg.inv(still) @ poses
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
    }
    lines = [
        f"{name}: axis ({_numbers(found.axis_in_marker, 5)}) in marker axes, sd {np.degrees(found.axis_sd_rad):.3f} deg",
        f"  {int(found.inliers.sum())} of {found.inliers.size} poses kept, spun by {found.angle_deg:.0f} deg",
        "  which end is the front is not known: calibrate the tip first"
        if found.tip_off_axis_mm is None
        else f"  the tip lies {found.tip_off_axis_mm:.2f} mm beside the axis",
    ]

    def store(document: Any) -> None:
        stored = _tool_entry(document, name)
        stored["axis_in_marker"] = [float(v) for v in found.axis_in_marker / np.linalg.norm(found.axis_in_marker)]
        stored["axis_sd_rad"] = float(f"{found.axis_sd_rad:.4g}")

    report = Report(
        "axis", name, [log.name, rig.name], (found.accepted, found.reasons), figures, lines, lambda path: spin_picture(poses, found, path, name)
    )
    report.finish(out or rig.parent, as_json=as_json, store=(rig, store) if write else None)


@calibrate_app.command("hand-eye")
def hand_eye(
    log: LogArgument,
    body: Annotated[str, typer.Option(help="the moving body, as the tracker sees it")],
    against: Annotated[str, typer.Option(help="the board or body, as seen by what moves with the first (a camera, a second tracker)")],
    other: Annotated[Path | None, typer.Option("--other", help="log of the second stream, if it is another")] = None,
    offset_ms: Annotated[float, typer.Option(help="add to the second stream's times (from `calibrate time`)")] = 0.0,
    out: Annotated[Path | None, typer.Option(help="folder of the result and its picture (default: this one)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the transform between a tracked body and what is fixed to it. Exit code 1 where the gate refuses it."""
    from navtwin.calibrate import calibrate_robot_world
    from tracking.calibration.evidence import hand_eye_picture
    from tracking.calibration.logged import paired, stream

    a, seen = paired(stream(log, body), stream(other or log, against), offset_ns=round(offset_ms * 1e6))
    # The second stream says where the board is for the eye; robot-world wants where the eye is for the board.
    found = calibrate_robot_world(a, np.linalg.inv(seen))
    figures: dict[str, Any] = {
        "T_body_from_eye": found.X,
        "covariance": found.covariance,
        "sd_mm": found.sd_mm,
        "sd_rad": found.sd_rad,
        "T_tracker_from_target": found.Y,
        "held_out_mm": found.held_out_mm,
        "held_out_rad": found.held_out_rad,
        "rms_mm": found.rms_mm,
        "rms_rad": found.rms_rad,
        "poses": int(found.inliers.size),
        "kept": int(found.inliers.sum()),
        "angle_deg": found.angle_deg,
    }
    lines = [
        f"the eye in axes of '{body}': at ({_numbers(found.X[:3, 3])}) mm, sd {found.sd_mm:.2f} mm and {np.degrees(found.sd_rad):.3f} deg",
        f"  {int(found.inliers.sum())} of {found.inliers.size} poses kept, turned by up to {found.angle_deg:.0f} deg",
        f"  held-out misfit {found.held_out_mm:.2f} mm and {np.degrees(found.held_out_rad):.2f} deg per axis",
    ]
    inputs = [log.name, *([other.name] if other else []), f"offset {offset_ms:g} ms"]
    Report(
        "hand-eye", f"{body}-{against}", inputs, (found.accepted, found.reasons), figures, lines, lambda path: hand_eye_picture(a, found, path)
    ).finish(out or Path(), as_json=as_json)


@calibrate_app.command("time")
def time(
    log: LogArgument,
    body: Annotated[str, typer.Option(help="body of the first stream")],
    against: Annotated[str, typer.Option(help="body of the second stream, moved by the same hand")],
    other: Annotated[Path | None, typer.Option("--other", help="log of the second stream, if it is another")] = None,
    widest_s: Annotated[float, typer.Option(help="widest offset that is searched, s")] = 2.0,
    out: Annotated[Path | None, typer.Option(help="folder of the result and its picture (default: this one)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the time offset between two streams that saw one motion. Exit code 1 where the gate refuses it."""
    from navtwin.calibrate import time_offset
    from tracking.calibration.evidence import time_picture
    from tracking.calibration.logged import stream

    first, second = stream(log, body), stream(other or log, against)
    # Two logs have clocks of their own: each is counted from its start, and the starts are told.
    starts = (int(first.t_ns[0]), int(second.t_ns[0])) if other else (0, 0)
    found = time_offset(first.t_ns - starts[0], first.poses, second.t_ns - starts[1], second.poses, widest_s)
    figures: dict[str, Any] = {
        "offset_ns": found.offset_ns + starts[0] - starts[1],
        "offset_from_starts_ns": found.offset_ns if other else None,
        "sd_ns": found.sd_ns,
        "explained": found.explained,
        "overlap_s": found.overlap_s,
    }
    where = "after each log is counted from its first sighting" if other else "on the log's clock"
    lines = [
        f"add {found.offset_ns / 1e6:+.3f} ms to the times of '{against}' (sd {found.sd_ns / 1e6:.3f} ms), {where}",
        f"  {found.explained:.1%} of the motion explained over {found.overlap_s:.1f} s",
    ]
    inputs = [log.name, *([other.name] if other else [])]
    Report("time", f"{body}-{against}", inputs, (found.accepted, found.reasons), figures, lines, lambda path: time_picture(found, path)).finish(
        out or Path(), as_json=as_json
    )


def tool_of(rig: Rig, name: str) -> Tool:
    """The tool of a rig by its name."""
    for candidate in rig.tool:
        if candidate.name == name:
            return candidate
    raise InputRefused(f"the rig has no tool '{name}'", f"known: {', '.join(t.name for t in rig.tool)}")


def _tool_entry(document: Any, name: str) -> Any:
    return next(entry for entry in document["tool"] if entry["name"] == name)


def _numbers(values: Array, digits: int = 3) -> str:
    return ", ".join(f"{v:.{digits}f}" for v in values)
