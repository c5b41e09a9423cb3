"""Pictures of the evidence behind a calibration. Each is drawn off screen and written as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.calibrate import HandEye, PivotCalibration, SpinCalibration, TimeOffset
from navtwin.calibrate.poses import nearest_rotation, vectors_of
from navtwin.files.write import whole_file
from tracking.calibration.camera import CameraCalibration
from tracking.calibration.coverage import CELLS_X, CELLS_Y, MIN_TILT_DEG
from tracking.calibration.screen_clock import Latency
from tracking.calibration.stereo import Extrinsics

Array = npt.NDArray[np.float64]

#: Colours that stay apart for the colour-blind (Okabe and Ito), and the verdict's.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
GOOD, BAD = "#009E73", "#D55E00"


def _figure(title: str, accepted: bool, reasons: tuple[str, ...], panels: int, width: float = 4.6) -> tuple[Any, list[Any]]:
    import textwrap

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = textwrap.wrap("accepted" if accepted else "refused: " + "; ".join(reasons), int(width * panels * 13))
    top = 0.55 + 0.19 * len(lines)
    figure = Figure(figsize=(width * panels, 4.1 + top), dpi=110)
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    share = 1.0 - top / (4.1 + top)
    figure.text(0.012, 1.0 - 0.3 / (4.1 + top), title, fontsize=12, weight="bold", va="center")
    figure.text(0.012, share + 0.012, "\n".join(lines), fontsize=9.5, va="bottom", color=GOOD if accepted else BAD)
    figure.set_layout_engine("tight", rect=(0.0, 0.0, 1.0, share), w_pad=2.0)
    return figure, axes


def save(figure: Any, path: Path) -> None:
    """Write a figure as PNG. Raises InputRefused where the file cannot be written."""
    with whole_file(path) as partial:
        figure.savefig(partial, format="png")


def camera_picture(found: CameraCalibration, path: Path, name: str) -> None:
    """Coverage map with residuals, tilts and distances, error of each view."""
    title = f"Camera {name}: {len(found.views)} views, held-out error {found.held_out_px:.2f} px, fitted {found.rms_px:.2f} px"
    figure, (image, tilt, views) = _figure(title, found.accepted, found.reasons, 3)
    shown = np.ma.masked_equal(found.coverage.cells, 0)
    extent = (-0.5, found.width_px - 0.5, found.height_px - 0.5, -0.5)
    image.imshow(shown, extent=extent, cmap="Blues", vmin=0, vmax=max(float(np.percentile(found.coverage.cells, 90)), 1.0) * 1.6, aspect="equal")
    image.set_facecolor("#F6D5C6")
    pixels, off = np.concatenate(found.seen_px), np.concatenate(found.residuals_px)
    some = slice(None, None, max(1, len(pixels) // 900))
    longest = 0.05 * found.width_px / max(float(np.percentile(np.linalg.norm(off, axis=1), 95)), 1e-9)
    image.quiver(*pixels[some].T, *(off[some] * longest).T, angles="xy", scale_units="xy", scale=1.0, width=0.0025, color="#333333")
    image.set_title(f"corners and their errors (x {longest:.0f});\norange: no corner in this part of the image", fontsize=9)
    image.set_xlabel("x, px")
    image.set_ylabel("y, px")
    image.set_xticks(np.linspace(0, found.width_px, CELLS_X // 2 + 1))
    image.set_yticks(np.linspace(0, found.height_px, CELLS_Y // 2 + 1))
    angle = np.arctan2(found.coverage.normal_xy[:, 1], found.coverage.normal_xy[:, 0])
    lean = np.degrees(np.arcsin(np.clip(np.linalg.norm(found.coverage.normal_xy, axis=1), 0.0, 1.0)))
    dots = tilt.scatter(lean * np.cos(angle), -lean * np.sin(angle), c=found.coverage.distance_mm, cmap="viridis", s=40, edgecolor="white")
    ring = np.linspace(0.0, 2.0 * np.pi, 100)
    tilt.plot(MIN_TILT_DEG * np.cos(ring), MIN_TILT_DEG * np.sin(ring), "--", color="#888888", lw=1)
    reach = max(45.0, 1.1 * float(lean.max()))
    tilt.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="board faces left / right, deg", ylabel="board faces down / up, deg")
    tilt.set_title(f"tilts (dashed: {MIN_TILT_DEG:.0f} deg)", fontsize=9)
    figure.colorbar(dots, ax=tilt, label="distance, board units (mm)", shrink=0.8)
    _error_bars(views, found.view_rms_px, found.held_out_px, len(found.rejected))
    save(figure, path)


def cameras_picture(found: Extrinsics, path: Path) -> None:
    """The cameras from above, and the error of each view."""
    held_out = f"held-out error {found.held_out_px:.2f} px, {found.epipolar_px:.2f} px off epipolar lines"
    title = f"{len(found.cameras)} cameras: {len(found.views)} views, {held_out}"
    figure, (above, views) = _figure(title, found.accepted, found.reasons, 2)
    places = [np.eye(4), *(T.matrix() for T in found.T_tracker_from_camera)]
    size = 0.35 * max(float(found.baseline_mm.max()), 1e-6)
    for number, (place, camera) in enumerate(zip(places, found.cameras, strict=True)):
        half = camera.width_px / camera.matrix[0, 0] / 2.0
        corners = np.array([(0.0, 0.0, 0.0), (-half * size, 0.0, size), (half * size, 0.0, size), (0.0, 0.0, 0.0)])
        drawn = corners @ place[:3, :3].T + place[:3, 3]
        colour = COLOURS[number % len(COLOURS)]
        above.plot(drawn[:, 0], drawn[:, 2], color=colour)
        sd = "" if number == 0 else f": {found.baseline_mm[number - 1]:.2f} mm away, sd {found.baseline_sd_mm[number - 1]:.2f} mm"
        above.plot(*place[[0, 2], 3], "o", color=colour, label=f"camera {number}{sd}")
    above.set(xlabel="x (right), mm", ylabel="z (forward), mm")
    above.set_aspect("equal", adjustable="datalim")
    above.margins(0.2)
    above.grid(alpha=0.3)
    above.set_title("the cameras from above", fontsize=9)
    above.legend(fontsize=8, loc="upper center")
    _error_bars(views, found.view_rms_px, found.held_out_px, len(found.rejected))
    save(figure, path)


def _error_bars(axes: Any, view_rms_px: Array, held_out_px: float, rejected: int) -> None:
    axes.bar(np.arange(len(view_rms_px)), view_rms_px, color=COLOURS[0])
    axes.axhline(held_out_px, color=BAD, ls="--", lw=1.2, label=f"held out {held_out_px:.2f} px")
    axes.set(xlabel="view", ylabel="RMS error, px", ylim=(0.0, 1.2 * float(view_rms_px.max())))
    axes.set_title(f"error of each view; {rejected} left out", fontsize=9)
    axes.legend(fontsize=8, loc="upper right")


def pivot_picture(poses: Array, found: PivotCalibration, path: Path, name: str) -> None:
    """Where each pose puts the tip, by quarter of the collection; residual against angle; the directions the tool took."""
    title = f"Tip of {name}: sd {found.tip_sd_mm:.3f} mm per axis, {int(found.inliers.sum())} of {found.inliers.size} poses"
    figure, (scatter, residual, cone) = _figure(title, found.accepted, found.reasons, 3)
    off = poses[:, :3, :3] @ found.tip_mm + poses[:, :3, 3] - found.pivot_mm
    quarter = np.arange(len(off)) * 4 // len(off)
    # The plane in which the tip scatters most.
    plane = np.linalg.svd(off[found.inliers], full_matrices=False)[2][:2]
    flat = off @ plane.T
    for number in range(4):
        chosen = (quarter == number) & found.inliers
        scatter.plot(*flat[chosen].T, ".", ms=4, color=COLOURS[number], alpha=0.6, label=f"quarter {number + 1}")
        if chosen.any():
            scatter.plot(*flat[chosen].mean(axis=0), "X", ms=11, color=COLOURS[number], mec="black")
    reach = 1.3 * max(float(np.abs(flat[found.inliers]).max()), 0.05)
    scatter.set(xlabel="mm", ylabel="mm", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    scatter.set_title("tip about the pivot (crosses: mean of each quarter)", fontsize=9)
    scatter.legend(fontsize=7)
    middle = poses[:, :3, :3].mean(axis=0)
    turn = np.degrees(np.linalg.norm(vectors_of(poses[:, :3, :3] @ nearest_rotation(middle).T), axis=1))
    length = np.linalg.norm(off, axis=1)
    residual.plot(turn[found.inliers], length[found.inliers], ".", ms=4, color=COLOURS[0], alpha=0.6, label="kept")
    if not found.inliers.all():
        out = np.minimum(length[~found.inliers], 4.0 * length[found.inliers].max())
        residual.plot(turn[~found.inliers], out, "x", ms=5, color=BAD, label="left out of the fit")
    residual.set(xlabel="turn from the middle, deg", ylabel="tip from the pivot, mm", ylim=(0.0, None))
    residual.set_title("residual against turn (should be level)", fontsize=9)
    residual.legend(fontsize=8)
    ways = vectors_of(poses[:, :3, :3] @ nearest_rotation(middle).T)
    main = ways @ np.linalg.svd(ways - ways.mean(axis=0), full_matrices=False)[2][:2].T
    cone.plot(*np.degrees(main).T, "-", lw=0.5, color="#AAAAAA")
    cone.scatter(*np.degrees(main).T, c=quarter, cmap=_quarters(), s=7)
    cone.set(xlabel="tilt across the widest direction, deg", ylabel="tilt across the second, deg", aspect="equal")
    cone.set_title(f"how the tool was tilted (up to {found.angle_deg:.0f} deg between poses)", fontsize=9)
    cone.margins(0.1)
    save(figure, path)


def spin_picture(poses: Array, found: SpinCalibration, path: Path, name: str) -> None:
    """Where each pose points the axis, and the spin covered."""
    sd = np.degrees(found.axis_sd_rad)
    figure, (tilt, spin) = _figure(f"Axis of {name}: sd {sd:.3f} deg, spun by {found.angle_deg:.0f} deg", found.accepted, found.reasons, 2)
    pointed = poses[:, :3, :3] @ found.axis_in_marker
    fixed = pointed[found.inliers].mean(axis=0)
    across = np.linalg.svd(fixed[None])[2][1:]
    flat = np.degrees(pointed @ across.T)
    order = np.arange(len(flat)) * 4 // len(flat)
    for number in range(4):
        chosen = (order == number) & found.inliers
        tilt.plot(*flat[chosen].T, ".", ms=4, color=COLOURS[number], alpha=0.6, label=f"quarter {number + 1}")
    reach = 1.1 * max(float(np.abs(flat[found.agreeing]).max()), 1e-3)
    if not found.inliers.all():
        out = np.clip(flat[~found.inliers], -reach, reach)
        tilt.plot(*out.T, "x", ms=5, color=BAD, alpha=0.7, label="left out of the fit")
    tilt.set(xlabel="deg", ylabel="deg", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    tilt.locator_params(nbins=5)
    tilt.set_title("where each pose points the axis", fontsize=9)
    tilt.legend(fontsize=7)
    side = np.linalg.svd(found.axis_in_marker[None])[2][1]
    mark = poses[:, :3, :3] @ side @ across.T
    angle = np.degrees(np.unwrap(np.arctan2(mark[:, 1], mark[:, 0])))
    spin.plot(np.arange(len(angle)), angle - angle[0], color=COLOURS[0])
    spin.set(xlabel="pose", ylabel="spin, deg")
    spin.set_title("how the tool was spun", fontsize=9)
    spin.grid(alpha=0.3)
    save(figure, path)


def hand_eye_picture(A: Array, found: HandEye, path: Path) -> None:
    """How the bodies were turned, and the error bars beside the held-out misfit."""
    title = f"Hand-eye: sd {found.sd_mm:.2f} mm, {np.degrees(found.sd_rad):.3f} deg; {int(found.inliers.sum())} of {found.inliers.size} kept"
    figure, (turns, bars) = _figure(title, found.accepted, found.reasons, 2)
    vectors = np.degrees(vectors_of(A[0, :3, :3].T @ A[:, :3, :3]))
    main = vectors @ np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)[2][:2].T
    turns.plot(*main[found.inliers].T, "o", ms=5, color=COLOURS[0], label="kept")
    turns.plot(*main[~found.inliers].T, "x", color=BAD, label="left out")
    turns.set(xlabel="turn about the first axis, deg", ylabel="turn about the second axis, deg", aspect="equal")
    turns.set_title("how the bodies were turned (a line is not enough)", fontsize=9)
    turns.legend(fontsize=8)
    sd = np.sqrt(np.diag(found.covariance))
    labels = [f"turn {a}, 0.1 deg" for a in "xyz"] + [f"shift {a}, mm" for a in "xyz"]
    bars.barh(np.arange(6), [*(np.degrees(sd[:3]) * 10.0), *sd[3:]], color=[COLOURS[1]] * 3 + [COLOURS[2]] * 3)
    bars.set_yticks(np.arange(6), labels)
    bars.invert_yaxis()
    bars.set_title(f"standard deviations; held out: {found.held_out_mm:.2f} mm, {np.degrees(found.held_out_rad):.2f} deg per axis", fontsize=9)
    save(figure, path)


def time_picture(found: TimeOffset, path: Path) -> None:
    """Misfit against trial offset."""
    title = f"Time offset: {found.offset_ns / 1e6:+.2f} ms, sd {found.sd_ns / 1e6:.2f} ms"
    figure, (wide, near) = _figure(title, found.accepted, found.reasons, 2)
    for axes in (wide, near):
        if len(found.curve):
            axes.plot(found.curve[:, 0], 100.0 * found.curve[:, 1], color=COLOURS[0])
        axes.axvline(found.offset_ns / 1e9, color=BAD, ls="--", lw=1)
        axes.set(xlabel="trial offset, s", ylabel="motion left unexplained, %", ylim=(0.0, None))
        axes.grid(alpha=0.3)
    at = found.offset_ns / 1e9
    near.set_xlim(at - 0.15, at + 0.15)
    wide.set_title("one deep valley is wanted", fontsize=9)
    near.set_title("about the offset", fontsize=9)
    save(figure, path)


def _quarters() -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap(COLOURS)


def latency_picture(found: Latency, path: Path) -> None:
    """Each picture's latency, in order and as a histogram."""
    title = f"Latency: {found.latency_ms:.1f} ms, sd {found.sd_ms:.1f} ms a picture"
    figure, (run, share) = _figure(title, found.accepted, found.reasons, 2)
    run.plot(found.readings_ms, ".", ms=4, color=COLOURS[0])
    run.set(xlabel="picture", ylabel="light to arrival, ms")
    share.hist(found.readings_ms, bins=30, color=COLOURS[1])
    share.set(xlabel="light to arrival, ms", ylabel="pictures")
    for axes, line in ((run, run.axhline), (share, share.axvline)):
        line(found.latency_ms, color=BAD, ls="--", lw=1)
        axes.grid(alpha=0.3)
    run.set_title("a drift or steps mean that pictures queue", fontsize=9)
    share.set_title(f"the screen adds a spread of its own period; {found.unread} pictures were not legible", fontsize=9)
    save(figure, path)
