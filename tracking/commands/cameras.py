"""`navtwin calibrate camera` and `navtwin calibrate cameras`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from navtwin.errors import InputRefused
from tracking.calibration.reporting import Report
from tracking.calibration.screen import Screen, screen_of
from tracking.commands.folders import check_folder
from tracking.commands.options import ProgressOption, VideoPortOption

if TYPE_CHECKING:
    from navtwin.nouns import Rig
    from tracking.calibration.board_views import Exposure
    from tracking.calibration.camera import CameraCalibration
    from tracking.calibration.stereo import Extrinsics
    from tracking.calibration.targets import Target
    from tracking.camera_model import Camera
    from tracking.pictures.images import ImageSource

Kind = Literal["sheet", "charuco", "chessboard"]
SourceArgument = Annotated[str, typer.Argument(help="camera:0, video:FILE, images:FOLDER[,FOLDER2], or a folder of pictures")]
TargetOption = Annotated[Kind, typer.Option(help="the board: the printed sheet's, another ChArUco board, or a chessboard")]
ColumnsOption = Annotated[int, typer.Option(help="squares across (charuco) or inner corners across (chessboard)")]
RowsOption = Annotated[int, typer.Option(help="squares down, or inner corners down")]
SquareOption = Annotated[float | None, typer.Option(help="side of a square, mm, as measured on the print (the sheet's board: its own 20 mm)")]
MarkerOption = Annotated[float, typer.Option(help="side of a marker in its square, mm (charuco)")]
DictionaryOption = Annotated[str, typer.Option(help="dictionary of the board's markers (charuco)")]
LegacyOption = Annotated[bool, typer.Option("--legacy", help="a charuco board whose first square is white (OpenCV before 4.6, even rows)")]
SizeOption = Annotated[str, typer.Option(help="WIDTHxHEIGHT that a live camera is opened at")]
OutOption = Annotated[Path | None, typer.Option(help="folder of the result and its picture (default: the rig's, or this one)")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


def camera(
    ctx: typer.Context,
    source: SourceArgument,
    name: Annotated[str, typer.Option(help="the camera's name in the rig")] = "camera",
    target: TargetOption = "sheet",
    columns: ColumnsOption = 0,
    rows: RowsOption = 0,
    square_mm: SquareOption = None,
    marker_mm: MarkerOption = 0.0,
    dictionary: DictionaryOption = "5X5_100",
    legacy: LegacyOption = False,
    rig: Annotated[Path | None, typer.Option(help="rig.toml")] = None,
    write: Annotated[bool, typer.Option("--write", help="store the camera in rig.toml, if it is accepted")] = False,
    readout_ms: Annotated[float, typer.Option(help="time from the first row's exposure to the last one's, as the maker states it")] = 0.0,
    size: SizeOption = "1280x720",
    out: OutOption = None,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Calibrate a camera by showing it a board. Exit code 1 where the gate refuses the result."""
    from tracking.calibration.camera import calibrate_camera

    rig = _needed_for_write(rig, write, name)
    check_folder(_folder(out, rig), rig if write else None)
    board = board_of(target, columns, rows, square_mm, marker_mm, dictionary, legacy=legacy)
    screen = screen_of(ctx, "camera", source, progress=progress, video_port=video_port, as_json=as_json)
    kept = _gathered(source, board, [name], _provisional(size, 1) if source.startswith("camera:") else None, quiet=as_json, screen=screen)
    found = calibrate_camera([e[0] for e in kept if 0 in e])
    store = (rig, _storing({name: found}, readout_ms)) if write and rig is not None else None
    camera_report(found, name, [source, board.name]).finish(_folder(out, rig), as_json=as_json, store=store, screen=screen)


def cameras(
    ctx: typer.Context,
    source: SourceArgument,
    rig: Annotated[Path, typer.Option(help="rig.toml; cameras that it has keep their intrinsics, the others are calibrated along")],
    target: TargetOption = "sheet",
    columns: ColumnsOption = 0,
    rows: RowsOption = 0,
    square_mm: SquareOption = None,
    marker_mm: MarkerOption = 0.0,
    dictionary: DictionaryOption = "5X5_100",
    legacy: LegacyOption = False,
    names: Annotated[str, typer.Option(help="the source's cameras in order, separated by commas (default: all of the rig's)")] = "",
    baseline_mm: Annotated[
        float | None, typer.Option(help="distance between the first two lenses, measured, to check the board's scale with")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="store the cameras in rig.toml, if they are accepted")] = False,
    size: SizeOption = "1280x720",
    out: OutOption = None,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Find where further cameras stand, from a board that they see at the same time. Exit code 1 where the gate refuses the result."""
    from navtwin.nouns import read_rig
    from tracking.calibration.stereo import calibrate_cameras

    loaded = read_rig(rig)
    check_folder(_folder(out, rig), rig if write else None)
    chosen = names.split(",") if names else [c.name for c in loaded.camera]
    if len(chosen) < 2 or len(set(chosen)) != len(chosen) or (loaded.camera and chosen[0] != loaded.camera[0].name):
        first = f", '{loaded.camera[0].name}' first" if loaded.camera else ""
        raise InputRefused(f"'{names}' does not name two different cameras or more{first}", "pass --names FIRST,SECOND in the order of the source")
    board = board_of(target, columns, rows, square_mm, marker_mm, dictionary, legacy=legacy)
    if not board.one_way_up:
        raise InputRefused(f"a {board.name} looks the same half a turn round", "use a charuco board, or a chessboard with one even and one odd side")
    live = source.startswith("camera:")
    screen = screen_of(ctx, "cameras", source, progress=progress, video_port=video_port, as_json=as_json)
    kept = _gathered(source, board, chosen, _provisional(size, len(chosen)) if live else None, quiet=as_json, screen=screen)
    models, alone = _models(kept, chosen, loaded)
    found = calibrate_cameras(kept, models, baseline_mm=baseline_mm)
    folder, said = _folder(out, rig), list[str]()
    for name, one in alone.items():
        report = camera_report(one, name, [source, board.name])
        path = report.save(folder)
        said += report.lines
        if screen is None:
            report.show(path, as_json=False, to_error=as_json)
    reasons = [f"camera '{name}': {why}" for name, one in alone.items() for why in one.reasons] + list(found.reasons)
    report = _cameras_report(found, chosen, [source, board.name, rig.name], tuple(reasons))
    if screen is not None:
        report = replace(report, lines=[*said, *report.lines])
    report.finish(folder, as_json=as_json, store=(rig, _storing(alone, 0.0, chosen, found)) if write else None, screen=screen)


def board_of(kind: Kind, columns: int, rows: int, square_mm: float | None, marker_mm: float, dictionary: str, *, legacy: bool) -> Target:
    """The board that the options describe."""
    from tracking.calibration.targets import charuco, chessboard, sheet_target

    if kind == "sheet":
        if columns or rows or marker_mm:
            raise InputRefused("the sheet's board has its own columns and rows", "pass --target charuco or --target chessboard for another board")
        return sheet_target(square_mm)
    if not (columns and rows and square_mm):
        raise InputRefused(f"a {kind} board needs --columns, --rows and --square-mm", "count and measure them on the print")
    return charuco(columns, rows, square_mm, marker_mm, dictionary, legacy=legacy) if kind == "charuco" else chessboard(columns, rows, square_mm)


def _gathered(source: str, board: Target, names: Sequence[str], rig: Rig | None, *, quiet: bool, screen: Screen | None) -> list[Exposure]:
    from tracking.calibration.board_progress import BoardScreen
    from tracking.calibration.board_views import gather

    pictures = _opened(source, rig)
    try:
        if pictures.cameras < len(names):
            raise InputRefused(
                f"{source} has pictures of {pictures.cameras} camera(s), {len(names)} are to be calibrated", "name one source for each"
            )
        follows = BoardScreen(screen, names, live=pictures.live) if screen else None
        say = _nothing if screen else lambda line: typer.echo(line, err=quiet)
        kept = gather(pictures, board, say, keep_all=_is_pictures(source), screen=follows)
    finally:
        pictures.close()
    if not kept:
        raise InputRefused(f"no {board.name} is in any picture of {source}", "name the board that was shown, and show it whole")
    if screen is not None:
        screen.compute(f"computing from {len(kept)} views")
    return kept


def _nothing(line: str) -> None:
    """Where a screen follows, the screen says it."""


def _is_pictures(source: str) -> bool:
    return source.startswith("images:") or Path(source).is_dir()


def _opened(source: str, rig: Rig | None) -> ImageSource:
    from tracking.pictures.sources import open_pictures

    if Path(source).is_dir():
        source = f"images:{source}"
    elif Path(source).is_file():
        source = f"video:{source}"
    return open_pictures(source, None, rig)


def _provisional(size: str, count: int) -> Rig:
    """A rig to open cameras with that have no calibration yet."""
    from navtwin.nouns import Body, Pose, Rig, RigCamera, Tracker

    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise InputRefused(f"'{size}' is no size of a picture", "write it as 1280x720")
    w, h = int(width), int(height)
    beside = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    unknown = tuple(
        RigCamera(
            name=f"camera {n}",
            width_px=w,
            height_px=h,
            focal_px=(float(w), float(w)),
            centre_px=((w - 1) / 2.0, (h - 1) / 2.0),
            T_tracker_from_camera=beside if n else None,
        )
        for n in range(count)
    )
    tracker = Tracker(name="camera", rate_hz=30.0, latency_ms=50.0)
    return Rig(reference="board", tracker=tracker, body=(Body(name="board", sd_mm=1.0, sd_rad=0.01),), tool=(), camera=unknown)


def _models(kept: list[Exposure], names: list[str], rig: Rig) -> tuple[list[Camera], dict[str, CameraCalibration]]:
    """Intrinsics of each camera: the rig's, or from its own views; and the calibrations that were made for it."""
    from tracking.calibration.camera import calibrate_camera
    from tracking.rig import camera_of

    known = {c.name: c for c in rig.camera}
    alone = {name: calibrate_camera([e[n] for e in kept if n in e]) for n, name in enumerate(names) if name not in known}
    return [alone[name].camera if name in alone else camera_of(known[name]) for name in names], alone


def _needed_for_write(path: Path | None, write: bool, name: str) -> Path | None:
    from navtwin.nouns import read_rig

    if path is None:
        if write:
            raise InputRefused("--write needs a rig", "pass --rig rig.toml")
        return None
    there = [c.name for c in read_rig(path).camera]
    if write and there and name not in there:
        raise InputRefused(
            f"{path.name} has camera '{there[0]}' already, and where '{name}' stands beside it is not known",
            f"use `navtwin calibrate cameras --names {there[0]},{name}`, which finds both, or --name {there[0]} to calibrate that one anew",
        )
    return path


def _folder(out: Path | None, rig: Path | None) -> Path:
    return out or (rig.parent if rig is not None else Path())


def camera_report(found: CameraCalibration, name: str, inputs: list[str]) -> Report:
    """Figures, lines and picture of a camera's calibration."""
    from tracking.calibration.camera import NAMES
    from tracking.calibration.evidence import camera_picture

    values = [found.matrix[0, 0], found.matrix[1, 1], found.matrix[0, 2], found.matrix[1, 2], *found.distortion]
    lines = [f"{name}: {found.width_px} x {found.height_px} px, {len(found.views)} views"]
    lines += [f"  {word} {value:.5g} (sd {sd:.2g})" for word, value, sd in zip(NAMES, values, found.sd, strict=False)]
    lines.append(f"  held-out error {found.held_out_px:.3f} px ({found.rms_px:.3f} px in the fit); distortion {found.model}")
    lines += [f"  left out: {view}: {why}" for view, why in found.rejected]
    lines += [f"  note: {note}" for note in found.notes]
    verdict = (found.accepted, found.reasons)
    return Report("camera", name, inputs, verdict, _camera_figures(found), lines, lambda path: camera_picture(found, path, name))


def _camera_figures(found: CameraCalibration) -> dict[str, Any]:
    """What a report says of a camera's calibration."""
    from tracking.calibration.camera import NAMES

    return {
        "width_px": found.width_px,
        "height_px": found.height_px,
        "focal_px": found.matrix[[0, 1], [0, 1]],
        "centre_px": found.matrix[[0, 1], [2, 2]],
        "distortion": found.distortion,
        "parameters": NAMES[: len(found.sd)],
        "intrinsics_sd": found.sd,
        "model": found.model,
        "held_out_px_by_model": found.tried,
        "rms_px": found.rms_px,
        "held_out_px": found.held_out_px,
        "views": found.views,
        "view_rms_px": found.view_rms_px,
        "views_rejected": [f"{name}: {why}" for name, why in found.rejected],
        "cells_seen_share": found.coverage.share,
        "regions_without_board": found.coverage.missing,
        "tilts_deg": found.coverage.tilt_deg,
        "distances_mm": found.coverage.distance_mm,
        "notes": found.notes,
    }


def _storing(
    alone: dict[str, CameraCalibration], readout_ms: float, names: Sequence[str] = (), placed: Extrinsics | None = None
) -> Callable[[Any], None]:
    """What changes a rig's document: intrinsics of the cameras calibrated by themselves, and where further ones stand."""
    from tracking.calibration.results import named_entry, plain_value

    def change(document: Any) -> None:
        for name in names or alone:
            entry = named_entry(document, "camera", name)
            if name in alone:
                entry.update(plain_value({**_stored(alone[name]), "readout_ms": readout_ms}))
        if placed is not None:
            for name, T in zip(names[1:], placed.T_tracker_from_camera, strict=True):
                named_entry(document, "camera", name)["T_tracker_from_camera"] = plain_value({"q_wxyz": T.q_wxyz, "t_mm": T.t_mm})

    return change


def _stored(found: CameraCalibration) -> dict[str, Any]:
    """A camera as the rig states it."""
    return {
        "width_px": found.width_px,
        "height_px": found.height_px,
        "focal_px": found.matrix[[0, 1], [0, 1]].round(4),
        "centre_px": found.matrix[[0, 1], [2, 2]].round(4),
        "distortion": found.distortion.round(8),
        "intrinsics_sd": [float(f"{v:.4g}") for v in found.sd],
        "rms_px": round(found.rms_px, 4),
        "held_out_px": round(found.held_out_px, 4),
        "calibrated": datetime.now(UTC).replace(microsecond=0).isoformat(),
    }


def _cameras_report(found: Extrinsics, names: list[str], inputs: list[str], reasons: tuple[str, ...]) -> Report:
    from tracking.calibration.evidence import cameras_picture

    figures: dict[str, Any] = {
        "cameras": names,
        "T_tracker_from_camera": [{"q_wxyz": T.q_wxyz, "t_mm": T.t_mm} for T in found.T_tracker_from_camera],
        "covariance": found.covariance,
        "baseline_mm": found.baseline_mm,
        "baseline_sd_mm": found.baseline_sd_mm,
        "rms_px": found.rms_px,
        "held_out_px": found.held_out_px,
        "epipolar_px": found.epipolar_px,
        "views": found.views,
        "views_rejected": [f"{name}: {why}" for name, why in found.rejected],
    }
    lines = [
        f"{name}: {far:.2f} mm from {names[0]} (sd {sd:.2f} mm), at ({', '.join(f'{v:.2f}' for v in T.t_mm)}) mm in the tracker's axes"
        for name, T, far, sd in zip(names[1:], found.T_tracker_from_camera, found.baseline_mm, found.baseline_sd_mm, strict=True)
    ]
    lines.append(f"  held-out error {found.held_out_px:.3f} px, off epipolar lines {found.epipolar_px:.3f} px ({found.rms_px:.3f} px in the fit)")
    lines += [f"  left out: {view}: {why}" for view, why in found.rejected]
    return Report("cameras", "-".join(names), inputs, (not reasons, reasons), figures, lines, lambda path: cameras_picture(found, path))
