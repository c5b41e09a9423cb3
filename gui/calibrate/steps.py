"""The steps from a rig's drawing to a rig that can be believed: which there are, how each stands, and why. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from gui.calibrate.results import Result
from gui.calibrate.sources import needs_camera
from gui.calibrate.words import age_days, ago_words, camera_figures, count_words, pivot_figures, sd_mm, sd_words, stored_tip
from navtwin.bus.words import name_words
from navtwin.nouns import Body, PivotResult, Rig, RigCamera, Setup, Tool

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
    sizes = f"{count_words(len(rig.body), 'marker body', 'marker bodies')}, {count_words(len(rig.tool), 'tool')}"
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
    planned = Step(key, "markers", body.name, title, "todo", f"as planned, not measured: {body.sd_mm:.2f} mm (sd) is assumed", figures)
    result = known.results.get(("markers", body.name))
    held = result is not None and _alike(result, "sd_mm", body.sd_mm, 1e-4)
    return _by_result(planned, result, known.now, f"error {body.sd_mm:.2f} mm (sd)" if held else "")


def _pivot_step(known: Known, rig: Rig, tool: Tool, body: Body) -> Step:
    key, title, name = f"pivot/{tool.name}", f"Tip of {name_words(tool.name)}", tool.name
    pending = pivot_of(known.setup, name) if known.setup and f"pivot/{name}" in known.setup.pending else None
    if pending is not None:
        word = "accepted by the gate: take it into use?" if pending.accepted else "refused by the gate"
        return Step(key, "pivot", name, title, "ask", word, pivot_figures(pending))
    if known.setup is not None and name in known.setup.calibrated:
        found = pivot_of(known.setup, name)
        if found is not None:
            return Step(key, "pivot", name, title, "done", f"in use in this session, {sd_words(found.covariance)}", pivot_figures(found))
    if tool.tip_mm is not None:
        if tool.tip_covariance is None:
            return Step(key, "pivot", name, title, "doubtful", "how well it is known is not stated: pivot it", stored_tip(tool))
        day = known.results.get(("pivot", name))
        held = day is not None and _alike(day, "tip_sd_mm", sd_mm(tool.tip_covariance), 1e-3 * sd_mm(tool.tip_covariance) + 1e-6)
        when = f", {ago_words((known.now - day.date).days)}" if held and day is not None and day.date is not None else ""
        return Step(key, "pivot", name, title, "done", f"stored in the rig, {sd_words(tool.tip_covariance)}{when}", stored_tip(tool))
    if known.by_camera and not body.marker:
        return Step(key, "pivot", name, title, "waiting", f"body {name_words(body.name)} has no printed markers: a camera cannot see it")
    if known.by_camera and not rig.camera:
        return Step(key, "pivot", name, title, "waiting", "calibrate the camera first")
    return Step(key, "pivot", name, title, "todo", "not known: pivot it in a divot")


def _axis_step(known: Known, rig: Rig, tool: Tool, body: Body) -> Step:
    key, title = f"axis/{tool.name}", f"Axis of {name_words(tool.name)}"
    figures = (("axis known to", f"{math.degrees(tool.axis_sd_rad):.2f}° (sd)"),)
    if tool.tip_mm is None:
        return Step(key, "axis", tool.name, title, "waiting", "store its tip in the rig first: it says which end is the front", figures)
    if known.by_camera and not (rig.camera and body.marker):
        return Step(key, "axis", tool.name, title, "waiting", "calibrate the camera first", figures)
    sd = f"{math.degrees(tool.axis_sd_rad):.2f}° (sd)"
    drawn = Step(key, "axis", tool.name, title, "optional", f"as drawn, {sd} is stated: spin it to measure", figures)
    result = known.results.get(("axis", tool.name))
    held = result is not None and _alike(result, "axis_sd_rad", tool.axis_sd_rad, 1e-3 * tool.axis_sd_rad)
    return _by_result(drawn, result, known.now, f"known to {sd}" if held else "")


def _latency_step(known: Known, rig: Rig) -> Step:
    figures = (("light to arrival", f"{rig.tracker.latency_ms:g} ms"), ("pose is stale after", f"{rig.tracker.max_age_ms:g} ms"))
    said = f"{rig.tracker.latency_ms:g} ms"
    if not known.by_camera:
        return Step("latency/", "latency", "", "Latency", "needless", f"{said}, declared for this tracker", figures)
    if not rig.camera:
        return Step("latency/", "latency", "", "Latency", "waiting", "calibrate the camera first", figures)
    typical = Step("latency/", "latency", "", "Latency", "todo", f"{said} is typical, not measured: film the clock", figures)
    results = [r for (what, _), r in known.results.items() if what == "latency"]
    newest = max(results, key=lambda r: r.date or datetime.min.replace(tzinfo=UTC), default=None)
    held = newest is not None and _alike(newest, "latency_ms", rig.tracker.latency_ms, 0.051)
    return _by_result(typical, newest, known.now, said if held else "")


def _by_result(step: Step, result: Result | None, now: datetime, held: str) -> Step:
    """`step`, which knows the rig alone, with the result beside the rig; `held` says what the rig holds of that result, "" where it does not."""
    if result is None:
        return step
    ago = ago_words((now - result.date).days) if result.date is not None else "on a day that is not stated"
    if not result.accepted:
        return replace(step, why=f"the last attempt was refused: {'; '.join(result.reasons) or 'no reason is given'}")
    if not held:
        return replace(step, why=f"measured {ago}, but this rig does not hold that result: {step.why}")
    return replace(step, state="done", why=f"{held}, {ago}", figures=(*step.figures, ("measured", ago)))


def _alike(result: Result, figure: str, value: float, within: float) -> bool:
    """Whether a result's figure is the one that the rig holds, as rounded there."""
    return figure in result.numbers and abs(result.numbers[figure] - value) <= within


def pivot_of(setup: Setup | None, tool: str) -> PivotResult | None:
    """The running core's result for a tool, pending or in use."""
    return next((p for p in setup.pivots if p.tool == tool), None) if setup is not None else None
