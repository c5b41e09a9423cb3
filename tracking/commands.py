"""`navtwin calibrate`: calibrations from recordings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from navtwin.calibrate import PivotCalibration
    from navtwin.nouns import Pose, Rig

calibrate_app = typer.Typer(no_args_is_help=True, help="Calibrate from a recording.")


@calibrate_app.callback()
def _group() -> None:
    """Calibrate from a recording."""


@calibrate_app.command("tool")
def tool(
    log: Annotated[Path, typer.Argument(help="log in which the tool was pivoted")],
    name: Annotated[str, typer.Option("--tool", help="the tool's name in the rig")],
    rig: Annotated[Path, typer.Option(help="rig.toml")],
    whole: Annotated[bool, typer.Option("--whole", help="use every sighting of the log, not only those collected for a pivot")] = False,
    write: Annotated[bool, typer.Option("--write", help="store the tip in rig.toml, if it is accepted")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Find a tool's tip by pivot calibration. Exit code 1 where the gate refuses it."""
    from navtwin.calibrate import calibrate_pivot
    from navtwin.nouns import read_rig

    loaded = read_rig(rig)
    body = _body_of(loaded, name)
    poses = [p.rigid(target="tracker", source=f"marker/{body}").matrix() for p in _poses(log, name, body, whole=whole)]
    if not poses:
        raise InputRefused(f"{log.name} holds no pivot of '{name}'", "collect one, name another tool, or pass --whole")
    found = calibrate_pivot(poses)
    _show(name, found, as_json=as_json)
    if not found.accepted:
        raise typer.Exit(1)
    if write:
        _store(rig, name, found)
        typer.echo(f"stored in {rig}")


def _body_of(rig: Rig, name: str) -> str:
    for candidate in rig.tool:
        if candidate.name == name:
            return candidate.body
    raise InputRefused(f"the rig has no tool '{name}'", f"known: {', '.join(t.name for t in rig.tool)}")


def _poses(log: Path, tool_name: str, body: str, *, whole: bool) -> Iterator[Pose]:
    """The poses of the tool's marker body while a pivot of it was being collected, or all of them."""
    from navtwin.nouns import Collect, Command, TrackerFrame
    from navtwin.record.read import inputs

    collecting = whole
    for event in inputs(log):
        if isinstance(event.body, Command) and isinstance(event.body.order, Collect) and not whole:
            order = event.body.order
            collecting = order.action == "start" and order.what == "pivot" and order.tool == tool_name
        elif isinstance(event.body, TrackerFrame) and collecting:
            yield from (s.pose for s in event.body.sightings if s.body == body and s.pose is not None)


def _show(name: str, found: PivotCalibration, *, as_json: bool) -> None:
    import json

    if as_json:
        report = {
            "tool": name,
            "tip_mm": found.tip_mm.tolist(),
            "tip_sd_mm": found.tip_sd_mm,
            "covariance": found.covariance.tolist(),
            "rms_mm": found.rms_mm,
            "poses": int(found.inliers.size),
            "kept": int(found.inliers.sum()),
            "angle_deg": found.angle_deg,
            "accepted": found.accepted,
            "reasons": list(found.reasons),
        }
        typer.echo(json.dumps(report, indent=2))
        return
    tip = ", ".join(f"{v:.3f}" for v in found.tip_mm)
    typer.echo(f"{name}: tip ({tip}) mm in marker axes, sd {found.tip_sd_mm:.3f} mm per axis")
    typer.echo(f"  {int(found.inliers.sum())} of {found.inliers.size} poses kept, turned by up to {found.angle_deg:.0f} deg")
    typer.echo(f"  residual {found.rms_mm:.3f} mm RMS (how well the poses agree, not how accurate the tip is)")
    typer.echo("  accepted" if found.accepted else f"  refused: {'; '.join(found.reasons)}")


def _store(rig: Path, name: str, found: PivotCalibration) -> None:
    """Write the tip into rig.toml, keeping its comments and layout."""
    import numpy as np
    import tomlkit

    document: Any = tomlkit.parse(rig.read_text(encoding="utf-8"))
    for entry in document["tool"]:
        if entry["name"] == name:
            entry["tip_mm"] = [round(float(v), 6) for v in found.tip_mm]
            entry["tip_covariance"] = [float(v) for v in found.covariance[np.triu_indices(3)]]
    partial = rig.with_name(rig.name + ".partial")
    partial.write_text(tomlkit.dumps(document), encoding="utf-8")
    os.replace(partial, rig)  # noqa: PTH105


@calibrate_app.command("camera")
def camera() -> None:
    """Calibrate a camera. Not in this version: it is refused."""
    raise InputRefused(
        "camera calibration is not in this version", "calibrate with OpenCV or PLUS for now; recorded poses need no camera calibration"
    )


@calibrate_app.command("markers")
def markers() -> None:
    """Measure a marker body's true geometry. Not in this version: it is refused."""
    raise InputRefused(
        "measuring a marker body is not in this version", "enter its marker positions into rig.toml as drawn or as the maker states them"
    )
