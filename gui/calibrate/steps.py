"""The steps from a rig's drawing to a rig that can be believed: which there are, how each stands, and why. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from gui.calibrate.results import Result
from gui.calibrate.sources import needs_camera
from navtwin.bus.words import name_words
from navtwin.nouns import Body, PivotResult, Rig, RigCamera, Setup, Tool, symmetric

#: `ask`: a verdict waits for the operator. `doubtful`: there is one, and reason to doubt it. `waiting`: another step comes first.
StepState = Literal["done", "ask", "doubtful", "todo", "waiting", "optional", "needless"]
StepKind = Literal["rig", "camera", "cameras", "markers", "pivot", "axis", "latency"]
#: Focus, zoom and mount are not trusted for longer than this.
OLD_DAYS = 90
#: In a camera of its own trade: corners that views outside the fit miss by more are worth a second look, px.
POOR_HELD_OUT_PX = 0.8
OWN_CALIBRATION = "this tracker brings its own calibration"


@dataclass(frozen=True)
class Step:
    """One row of the list.

    Attributes
    ----------
    key : `kind/subject`
    subject : the camera, body or tool; "" where the step has none
    why : why it is done, doubtful, to do or waiting, for people
    figures : (name, value) of what is known, for the step's own page
    """

    key: str
    kind: StepKind
    subject: str
    title: str
    state: StepState
    why: str
    figures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Known:
    """All that the steps are read from.

    Attributes
    ----------
    rig, rig_name : None and "" where there is none
    results : the newest result of each kind and name beside the rig
    setup : the running core's, None where none is heard
    source : of the running core, "" where none runs
    now : for ages
    """

    rig: Rig | None
    rig_name: str = ""
    results: Mapping[tuple[str, str], Result] = field(default_factory=dict)
    setup: Setup | None = None
    source: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def by_camera(self) -> bool:
        """Whether poses come from pictures: the running source tells, else what the rig is made of."""
        if self.source:
            return needs_camera(self.source)
        return self.rig is not None and bool(self.rig.camera or any(b.marker for b in self.rig.body))


def steps_of(known: Known) -> tuple[Step, ...]:
    """All steps, in the order that they are taken."""
    return tuple(_steps(known))


def next_step(steps: tuple[Step, ...]) -> Step | None:
    """The one to take now: a verdict that waits, else the first that can be done; None where nothing is left."""
    for wanted in ("ask", "todo"):
        for step in steps:
            if step.state == wanted:
                return step
    return None


def _steps(known: Known) -> Iterator[Step]:
    yield _rig_step(known)
    if known.rig is None:
        for kind, title in (("camera", "Camera"), ("markers", "Markers"), ("pivot", "Tips"), ("axis", "Axes"), ("latency", "Latency")):
            yield Step(f"{kind}/", kind, "", title, "waiting", "needs a rig first")  # type: ignore[arg-type]
        return
    yield _camera_step(known, known.rig)
    bodies = {b.name: b for b in known.rig.body}
    if known.by_camera:
        yield _cameras_step(known.rig)
        for body in known.rig.body:
            yield _markers_step(known, known.rig, body)
    else:
        yield Step("markers/", "markers", "", "Markers", "needless", OWN_CALIBRATION)
    for tool in known.rig.tool:
        yield _pivot_step(known, known.rig, tool, bodies[tool.body])
    for tool in known.rig.tool:
        yield _axis_step(known, known.rig, tool, bodies[tool.body])
    yield _latency_step(known, known.rig)


def _rig_step(known: Known) -> Step:
    rig = known.rig
    if rig is None:
        return Step("rig/", "rig", "", "Rig", "todo", "there is none: make one, or open one")
    sizes = f"{_count(len(rig.body), 'marker body', 'marker bodies')}, {_count(len(rig.tool), 'tool')}"
    figures = (
        ("file", known.rig_name),
        ("tracker", f"{rig.tracker.name}, {rig.tracker.rate_hz:g} Hz"),
        ("patient's body", name_words(rig.reference)),
        ("bodies", ", ".join(name_words(b.name) for b in rig.body)),
        ("tools", ", ".join(name_words(t.name) for t in rig.tool) or "none"),
        ("cameras", ", ".join(f"{name_words(c.name)} {c.width_px} × {c.height_px}" for c in rig.camera) or "none"),
    )
    if not rig.tool:
        return Step("rig/", "rig", "", "Rig", "doubtful", "it has no tool: nothing would be measured", figures)
    return Step("rig/", "rig", "", "Rig", "done", f"{sizes} in {known.rig_name}", figures)


def _camera_step(known: Known, rig: Rig) -> Step:
    if not known.by_camera:
        return Step("camera/", "camera", "", "Camera", "needless", OWN_CALIBRATION)
    if not rig.camera:
        return Step("camera/", "camera", "", "Camera", "todo", "not calibrated: show it the printed board")
    camera = rig.camera[0]
    state, why = camera_doubt(camera, known.now)
    return Step("camera/", "camera", camera.name, "Camera", state, why, camera_figures(camera, known.now))


def camera_doubt(camera: RigCamera, now: datetime) -> tuple[StepState, str]:
    """Whether a stored camera is to be believed, and why."""
    days = age_days(camera.calibrated, now)
    if camera.held_out_px is None:
        return "doubtful", "how large its error is was not measured: calibrate it here"
    error = f"held-out error {camera.held_out_px:.2f} px"
    if camera.held_out_px > POOR_HELD_OUT_PX:
        return "doubtful", f"{error}: more than {POOR_HELD_OUT_PX:g} px is poor"
    if days is None:
        return "doubtful", f"{error}, on a day that is not stated"
    if days < 0:
        return "doubtful", f"{error}, dated in the future: is this machine's clock right?"
    if days > OLD_DAYS:
        return "doubtful", f"{error}, {days} days ago: focus or mount may have changed"
    return "done", f"{error}, {ago_words(days)}"


def camera_figures(camera: RigCamera, now: datetime) -> tuple[tuple[str, str], ...]:
    """What the rig states of a camera, in words."""
    days = age_days(camera.calibrated, now)
    return (
        ("camera", f"{name_words(camera.name)}, {camera.width_px} × {camera.height_px} px"),
        ("held-out error", _px(camera.held_out_px)),
        ("error in the fit", _px(camera.rms_px)),
        ("focal length", f"{camera.focal_px[0]:.1f} px" + (f" ± {2 * camera.intrinsics_sd[0]:.1f}" if camera.intrinsics_sd else "")),
        ("calibrated", f"{camera.calibrated[:10]}, {ago_words(days)}" if days is not None else "—"),
    )


def _cameras_step(rig: Rig) -> Step:
    title = "Further cameras"
    if not rig.camera:
        return Step("cameras/", "cameras", "", title, "waiting", "calibrate the first camera first")
    if len(rig.camera) == 1:
        return Step("cameras/", "cameras", "", title, "optional", "one camera sees depth worst: a second makes it several times better")
    figures = tuple(
        (name_words(c.name), f"{math.dist(c.T_tracker_from_camera.t_mm, (0, 0, 0)):.1f} mm from {name_words(rig.camera[0].name)}")
        for c in rig.camera
        if c.T_tracker_from_camera is not None
    )
    further = ", ".join(f"{name} {where}" for name, where in figures)
    return Step("cameras/", "cameras", "", title, "done", further, figures)


def _markers_step(known: Known, rig: Rig, body: Body) -> Step:
    key, title = f"markers/{body.name}", f"Markers of {name_words(body.name)}"
    figures = (
        ("markers", f"{len(body.marker)} of {body.dictionary}" if body.marker else f"{len(body.markers_mm)} reflecting spheres"),
        ("error of its pose", f"{body.sd_mm:.2f} mm, {math.degrees(body.sd_rad):.2f}° (sd, where a frame states none)"),
    )
    if not body.marker:
        return Step(key, "markers", body.name, title, "doubtful", "it has no printed markers: a camera cannot see it", figures)
    if not rig.camera:
        return Step(key, "markers", body.name, title, "waiting", "calibrate the camera first", figures)
    result = known.results.get(("markers", body.name))
    if result is None:
        return Step(key, "markers", body.name, title, "todo", f"as planned, not measured: {body.sd_mm:.2f} mm (sd) is assumed", figures)
    return _by_result(Step(key, "markers", body.name, title, "done", f"error {body.sd_mm:.2f} mm (sd)", figures), result, known.now)


def _pivot_step(known: Known, rig: Rig, tool: Tool, body: Body) -> Step:
    key, title, name = f"pivot/{tool.name}", f"Tip of {name_words(tool.name)}", tool.name
    pending = pivot_of(known.setup, name) if known.setup and f"pivot/{name}" in known.setup.pending else None
    if pending is not None:
        word = "accepted by the gate: take it into use?" if pending.accepted else "refused by the gate"
        return Step(key, "pivot", name, title, "ask", word, pivot_figures(pending))
    if known.setup is not None and name in known.setup.calibrated:
        found = pivot_of(known.setup, name)
        if found is not None:
            return Step(key, "pivot", name, title, "done", f"in use in this session, {_sd_words(found.covariance)}", pivot_figures(found))
    if tool.tip_mm is not None:
        if tool.tip_covariance is None:
            return Step(key, "pivot", name, title, "doubtful", "how well it is known is not stated: pivot it", _stored_tip(tool))
        day = known.results.get(("pivot", name))
        when = f", {ago_words((known.now - day.date).days)}" if day and day.date and day.accepted else ""
        return Step(key, "pivot", name, title, "done", f"stored in the rig, {_sd_words(tool.tip_covariance)}{when}", _stored_tip(tool))
    if known.by_camera and not body.marker:
        return Step(key, "pivot", name, title, "waiting", f"body {name_words(body.name)} has no printed markers: a camera cannot see it")
    if known.by_camera and not rig.camera:
        return Step(key, "pivot", name, title, "waiting", "calibrate the camera first")
    return Step(key, "pivot", name, title, "todo", "not known: pivot it in a divot")


def _axis_step(known: Known, rig: Rig, tool: Tool, body: Body) -> Step:
    key, title = f"axis/{tool.name}", f"Axis of {name_words(tool.name)}"
    figures = (("axis known to", f"{math.degrees(tool.axis_sd_rad):.2f}° (sd)"),)
    result = known.results.get(("axis", tool.name))
    if result is not None:
        return _by_result(
            Step(key, "axis", tool.name, title, "done", f"known to {math.degrees(tool.axis_sd_rad):.2f}° (sd)", figures), result, known.now
        )
    if tool.tip_mm is None:
        return Step(key, "axis", tool.name, title, "waiting", "store its tip in the rig first: it says which end is the front", figures)
    if known.by_camera and not (rig.camera and body.marker):
        return Step(key, "axis", tool.name, title, "waiting", "calibrate the camera first", figures)
    return Step(
        key, "axis", tool.name, title, "optional", f"as drawn, {math.degrees(tool.axis_sd_rad):.2f}° (sd) is stated: spin it to measure", figures
    )


def _latency_step(known: Known, rig: Rig) -> Step:
    figures = (("light to arrival", f"{rig.tracker.latency_ms:g} ms"), ("pose is stale after", f"{rig.tracker.max_age_ms:g} ms"))
    said = f"{rig.tracker.latency_ms:g} ms"
    if not known.by_camera:
        return Step("latency/", "latency", "", "Latency", "needless", f"{said}, declared for this tracker", figures)
    if not rig.camera:
        return Step("latency/", "latency", "", "Latency", "waiting", "calibrate the camera first", figures)
    results = [r for (what, _), r in known.results.items() if what == "latency"]
    if not results:
        return Step("latency/", "latency", "", "Latency", "todo", f"{said} is typical, not measured: film the clock", figures)
    newest = max(results, key=lambda r: r.date or datetime.min.replace(tzinfo=UTC))
    return _by_result(Step("latency/", "latency", "", "Latency", "done", said, figures), newest, known.now)


def _by_result(step: Step, result: Result, now: datetime) -> Step:
    """`step` as the result file beside the rig has it."""
    if not result.accepted:
        why = f"the last attempt was refused: {'; '.join(result.reasons) or 'no reason is given'}"
        return Step(step.key, step.kind, step.subject, step.title, "todo", why, step.figures)
    if result.date is None:
        return step
    days = (now - result.date).days
    figures = (*step.figures, ("measured", f"{result.date.date().isoformat()}, {ago_words(days)}"))
    return Step(step.key, step.kind, step.subject, step.title, "done", f"{step.why}, {ago_words(days)}", figures)


def pivot_of(setup: Setup | None, tool: str) -> PivotResult | None:
    """The running core's result for a tool, pending or in use."""
    return next((p for p in setup.pivots if p.tool == tool), None) if setup is not None else None


def pivot_figures(found: PivotResult) -> tuple[tuple[str, str], ...]:
    """A pivot in words. Its residual says how well the poses agree, and is told as that."""
    x, y, z = found.tip_mm
    return (
        ("tip known to", _sd_words(found.covariance)),
        ("along x, y, z of the marker", ", ".join(f"{math.sqrt(max(0.0, found.covariance[n])):.2f}" for n in (0, 3, 5)) + " mm (sd)"),
        ("in its worst direction", f"{worst_sd_mm(found.covariance):.2f} mm (sd)"),
        ("tip in marker axes", f"{x:.2f}, {y:.2f}, {z:.2f} mm"),
        ("poses agree within", f"{found.rms_mm:.2f} mm RMS (not how accurate the tip is)"),
        ("poses", f"{found.samples}"),
    )


def _stored_tip(tool: Tool) -> tuple[tuple[str, str], ...]:
    assert tool.tip_mm is not None
    x, y, z = tool.tip_mm
    known = (("tip known to", _sd_words(tool.tip_covariance)),) if tool.tip_covariance else ()
    return (*known, ("tip in marker axes", f"{x:.2f}, {y:.2f}, {z:.2f} mm"))


def sd_mm(covariance: tuple[float, ...]) -> float:
    """RMS of the standard deviations along three axes, from (xx xy xz yy yz zz), mm."""
    xx, _, _, yy, _, zz = covariance
    return math.sqrt(max(0.0, (xx + yy + zz) / 3.0))


def worst_sd_mm(covariance: tuple[float, ...]) -> float:
    """Standard deviation along the direction in which it is largest, mm."""
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(symmetric(covariance, 3))[-1])))


def _sd_words(covariance: tuple[float, ...]) -> str:
    return f"{sd_mm(covariance):.2f} mm (sd)"


def age_days(calibrated: str, now: datetime) -> int | None:
    """Whole days since an ISO date; None where it is none."""
    try:
        date = datetime.fromisoformat(calibrated)
    except ValueError:
        return None
    return (now - (date if date.tzinfo else date.replace(tzinfo=UTC))).days


def ago_words(days: int) -> str:
    """`today`, `yesterday`, `12 days ago`; what lies ahead is said too, for a clock is wrong then."""
    if days < 0:
        return "dated in the future"
    return "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"


def _px(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f} px"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
