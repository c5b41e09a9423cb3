"""`navtwin calibrate hand-eye` and `navtwin calibrate time`: what is fixed to each other, and how far two clocks are apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from tracking.calibration.reporting import Report
from tracking.calibration.screen import Screen, screen_of
from tracking.commands.folders import check_folder
from tracking.commands.options import ProgressOption, VideoPortOption
from tracking.commands.tools import JsonOption, SecondsOption, SourceArgument, numbers

if TYPE_CHECKING:
    from tracking.calibration.advice import Advice
    from tracking.calibration.streams import PoseStream

OtherOption = Annotated[str | None, typer.Option("--other", help="log or source of the second stream, if it is another")]
RigOption = Annotated[Path | None, typer.Option(help="rig.toml; sources of pictures need it")]
OtherRigOption = Annotated[Path | None, typer.Option("--other-rig", help="rig.toml of the second source, if it is another")]
OutOption = Annotated[Path | None, typer.Option(help="folder of the result and its picture (default: this one)")]


def hand_eye(
    ctx: typer.Context,
    source: SourceArgument,
    body: Annotated[str, typer.Option(help="the moving body, as the tracker sees it")],
    against: Annotated[str, typer.Option(help="the board or body, as seen by what moves with the first (a camera, a second tracker)")],
    other: OtherOption = None,
    rig: RigOption = None,
    other_rig: OtherRigOption = None,
    seconds: SecondsOption = None,
    offset_ms: Annotated[float, typer.Option(help="add to the second stream's times (from `calibrate time`)")] = 0.0,
    out: OutOption = None,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Find the transform between a tracked body and what is fixed to it. Exit code 1 where the gate refuses it."""
    from navtwin.calibrate import calibrate_robot_world
    from tracking.calibration.advice import hand_eye_advice
    from tracking.calibration.evidence import hand_eye_picture
    from tracking.calibration.streams import paired

    check_folder(out or Path())
    offset_ns = round(offset_ms * 1e6)
    screen = screen_of(ctx, "hand-eye", source, progress=progress, video_port=video_port, as_json=as_json)
    streams = (source, body, rig), (other, against, other_rig or rig)
    first, second, notes = _both(*streams, lambda a, b: hand_eye_advice(a, b, offset_ns), seconds, screen)
    a, seen = paired(first, second, offset_ns=offset_ns)
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
        "notes": notes,
    }
    lines = [
        f"the eye in axes of '{body}': at ({numbers(found.X[:3, 3])}) mm, sd {found.sd_mm:.2f} mm and {np.degrees(found.sd_rad):.3f} deg",
        f"  {int(found.inliers.sum())} of {found.inliers.size} poses kept, turned by up to {found.angle_deg:.0f} deg",
        f"  held-out misfit {found.held_out_mm:.2f} mm and {np.degrees(found.held_out_rad):.2f} deg per axis",
    ]
    inputs = [*_inputs(source, other), f"offset {offset_ms:g} ms"]
    Report(
        "hand-eye", f"{body}-{against}", inputs, (found.accepted, found.reasons), figures, lines, lambda path: hand_eye_picture(a, found, path)
    ).finish(out or Path(), as_json=as_json, screen=screen)


def time(
    ctx: typer.Context,
    source: SourceArgument,
    body: Annotated[str, typer.Option(help="body of the first stream")],
    against: Annotated[str, typer.Option(help="body of the second stream, moved by the same hand")],
    other: OtherOption = None,
    rig: RigOption = None,
    other_rig: OtherRigOption = None,
    seconds: SecondsOption = None,
    widest_s: Annotated[float, typer.Option(help="widest offset that is searched, s")] = 2.0,
    out: OutOption = None,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Find the time offset between two streams that saw one motion. Exit code 1 where the gate refuses it."""
    from navtwin.calibrate import time_offset
    from tracking.calibration.advice import time_advice
    from tracking.calibration.evidence import time_picture

    check_folder(out or Path())
    screen = screen_of(ctx, "time", source, progress=progress, video_port=video_port, as_json=as_json)
    first, second, notes = _both((source, body, rig), (other, against, other_rig or rig), time_advice, seconds, screen)
    # Two logs have clocks of their own: each is counted from its start, and the starts are told.
    starts = (int(first.t_ns[0]), int(second.t_ns[0])) if other else (0, 0)
    found = time_offset(first.t_ns - starts[0], first.poses, second.t_ns - starts[1], second.poses, widest_s)
    figures: dict[str, Any] = {
        "offset_ns": found.offset_ns + starts[0] - starts[1],
        "offset_from_starts_ns": found.offset_ns if other else None,
        "sd_ns": found.sd_ns,
        "explained": found.explained,
        "overlap_s": found.overlap_s,
        "notes": notes,
    }
    where = "after each log is counted from its first sighting" if other else "on the log's clock"
    lines = [
        f"add {found.offset_ns / 1e6:+.3f} ms to the times of '{against}' (sd {found.sd_ns / 1e6:.3f} ms), {where}",
        f"  {found.explained:.1%} of the motion explained over {found.overlap_s:.1f} s",
    ]
    verdict = (found.accepted, found.reasons)
    report = Report("time", f"{body}-{against}", _inputs(source, other), verdict, figures, lines, lambda path: time_picture(found, path))
    report.finish(out or Path(), as_json=as_json, screen=screen)


def _both(
    one: tuple[str, str, Path | None],
    two: tuple[str | None, str, Path | None],
    advise: Callable[[PoseStream, PoseStream], Advice],
    seconds: float | None,
    screen: Screen | None,
) -> tuple[PoseStream, PoseStream, list[str]]:
    """The streams of two bodies, each named by source, body and rig; the second source may be the first. And notes on them."""
    from navtwin.nouns import read_rig
    from tracking.calibration.guided import Wanted, collect, line_beside

    (source, body, rig), (other, against, other_rig) = one, two
    loaded = None if rig is None else read_rig(rig)
    if other is None:
        wanted = [Wanted(source, (body, against), loaded)]
    else:
        wanted = [Wanted(source, (body,), loaded), Wanted(other, (against,), None if other_rig is None else read_rig(other_rig))]
    gathered, notes = collect(wanted, lambda g: advise(g[0].stream(body), g[-1].stream(against)), line_beside(screen), seconds, screen)
    return gathered[0].seen_stream(body), gathered[-1].seen_stream(against), notes


def _inputs(source: str, other: str | None) -> list[str]:
    from tracking.calibration.guided import words_of

    return [words_of(source), *([words_of(other)] if other else [])]
