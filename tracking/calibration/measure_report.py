"""What a body's measurement leaves behind: a result file, a picture of the evidence, and the corners in `rig.toml`."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from navtwin.files.rig_file import change_rig
from tracking.calibration.evidence import save
from tracking.calibration.measure import MIN_VIEWS, SHIFT_LIMIT_MM, BodyMeasurement
from tracking.calibration.results import named_entry, replace_text, result_path, today

#: How each source of the scale is told.
SCALE_WORDS = {"cameras": "seen by two cameras", "ruler": "measured with a ruler", "plan": "taken from the plan: one camera cannot see it"}


def report_of(name: str, source: str, when: datetime, m: BodyMeasurement) -> dict[str, Any]:
    """The figures as plain words and numbers; what is not known is left out."""
    markers = []
    for row, number in enumerate(m.plan.ids.tolist()):
        figures = {
            "id": number,
            "views": int(m.views[row]),
            "shift_mm": float(m.shift_mm[row]),
            "tilt_deg": float(m.tilt_deg[row]),
            "bend_mm": float(m.bend_mm[row]),
            "corner_sd_mm": float(m.corner_sd_mm[row]),
            "corners_mm": [[float(v) for v in corner] for corner in m.body.corners_mm[row]],
        }
        markers.append(_known(figures))
    top = {
        "what": "markers",
        "body": name,
        "date": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": source,
        "accepted": m.accepted,
        "reasons": list(m.reasons),
        "frames_read": m.frames_read,
        "frames": m.frames,
        "off_plan_rms_mm": m.rms_mm,
        "scale_percent": 100.0 * (m.scale - 1.0),
        "scale_sd_percent": 100.0 * m.scale_sd,
        "scale_from": SCALE_WORDS[m.scale_from],
        "rms_px": m.rms_px,
        "held_out_px": m.held_out_px,
        "plan_held_out_px": m.plan_held_out_px,
        "sd_mm": m.sd_mm,
        "sd_rad": m.sd_rad,
    }
    return {**_known(top), "marker": markers}


def _known(figures: dict[str, Any]) -> dict[str, Any]:
    rounded = {key: round(value, 6) if isinstance(value, float) else value for key, value in figures.items()}
    return {key: value for key, value in rounded.items() if not (isinstance(value, float) and math.isnan(value))}


def write_result(rig: Path, name: str, source: str, when: datetime, m: BodyMeasurement) -> Path:
    """Write `markers-NAME-DATE.toml` and the picture `.png` beside the rig; returns the former's path."""
    import tomlkit

    path = result_path(rig.parent, "markers", name, when)
    replace_text(path, tomlkit.dumps(report_of(name, source, when, m)))
    _draw(path.with_suffix(".png"), name, m)
    return path


def storing(name: str, m: BodyMeasurement) -> Callable[[Any], None]:
    """What puts the measured corners and the body's error into a rig's document."""

    def change(document: Any) -> None:
        entry = named_entry(document, "body", name)
        entry["sd_mm"], entry["sd_rad"] = round(m.sd_mm, 4), round(m.sd_rad, 6)
        entry["calibrated"] = today()
        for marker in entry["marker"]:
            row = m.body.ids.tolist().index(marker["id"])
            marker["corners_mm"] = [[round(float(v), 4) for v in corner] for corner in m.body.corners_mm[row]]

    return change


def store(rig: Path, name: str, m: BodyMeasurement) -> None:
    """Put the measured corners and the body's error into `rig.toml`, keeping its comments and layout."""
    change_rig(rig, storing(name, m))


def _draw(path: Path, name: str, m: BodyMeasurement) -> None:
    """Bars for each marker: off the plan by so many mm and degrees, bent by, seen so often."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 7.0), dpi=100, layout="constrained")
    panels = figure.subplots(2, 2)
    labels = [str(number) for number in m.plan.ids.tolist()]
    bars = (
        ("off the plan, mm (bar: ± 2 sd)", m.shift_mm, 2.0 * m.corner_sd_mm, None),
        ("turned against the plan, deg", m.tilt_deg, None, None),
        ("corner off its flat square, mm", m.bend_mm, None, None),
        ("frames that show it and another", m.views, None, MIN_VIEWS),
    )
    for axes, (title, heights, spread, least) in zip(panels.flat, bars, strict=True):
        short = [least is not None and value < least for value in heights]
        axes.bar(labels, heights, yerr=spread, color=["#c0392b" if s else "#2e6f9e" for s in short], capsize=3.0)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("marker", fontsize=9)
        axes.grid(axis="y", alpha=0.3)
        if least is not None:
            axes.axhline(least, color="#c0392b", linewidth=1.0, linestyle="--", label=f"needed: {least}")
            axes.legend(fontsize=8)
    verdict = "accepted" if m.accepted else "refused: " + "; ".join(m.reasons[:3]) + (" ..." if len(m.reasons) > 3 else "")
    scale = f"scale {100.0 * (m.scale - 1.0):+.2f} % ± {200.0 * m.scale_sd:.2f} ({SCALE_WORDS[m.scale_from]})"
    errors = f"new frames: {m.held_out_px:.2f} px, with the plan {m.plan_held_out_px:.2f} px"
    figure.suptitle(f"{name}: {m.rms_mm:.2f} mm RMS off the plan, {scale}\n{errors}\n{verdict}", fontsize=10, wrap=True)
    save(figure, path)


def summary(name: str, m: BodyMeasurement) -> list[str]:
    """What the command says, line by line."""
    worst = max(range(len(m.shift_mm)), key=lambda row: m.shift_mm[row])
    lines = [
        f"{name}: {m.frames} of {m.frames_read} frames used; the print is {m.rms_mm:.3f} mm RMS off the plan",
        f"  farthest: marker {m.plan.ids[worst]}, {m.shift_mm[worst]:.2f} mm and {m.tilt_deg[worst]:.2f} deg (limit {SHIFT_LIMIT_MM:g} mm)",
        f"  scale {100.0 * (m.scale - 1.0):+.3f} % ± {200.0 * m.scale_sd:.3f} (2 sd), {SCALE_WORDS[m.scale_from]}",
        f"  new frames: {m.held_out_px:.3f} px RMS; with the plan {m.plan_held_out_px:.3f} px",
        f"  corners known to {max((sd for sd in m.corner_sd_mm if math.isfinite(sd)), default=math.nan):.3f} mm (1 sd, the worst marker)",
    ]
    return [*lines, "  accepted" if m.accepted else f"  refused: {'; '.join(m.reasons)}"]
