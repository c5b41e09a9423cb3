"""What may be drawn over a picture, and why the rest may not: judged by the picture's own poses, never by newer ones. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gui.link.board import MS, Moment
from navtwin.bus.words import duration_words, name_words, printable
from navtwin.nouns import Covariance3, PivotResult, Pose, Rig, RigCamera, Setup, Tool
from navtwin.nouns.tracking import TrackerStatus
from navtwin.nouns.video import VideoBody, VideoFrame
from navtwin.rigid import Rigid, Vec3
from navtwin.scene.model import Scene

#: An overlay comes and goes in this time; it is gone well within the fifth of a second that it may take.
FADE_NS: Final = 150 * MS
#: No new picture for this long, and the one that is shown says so.
NO_PICTURE_NS: Final = 250 * MS
#: A picture may seem this much younger than the session: how late its time is told.
AHEAD_NS: Final = 250 * MS

SEEN_WORDS: Final[dict[TrackerStatus, str]] = {"OUT_OF_VIEW": "out of view", "OUT_OF_VOLUME": "out of the volume", "INVALID": "no valid pose"}


@dataclass(frozen=True)
class Context:
    """All but the picture that decides what may be drawn, at one moment of the screen's clock.

    Attributes
    ----------
    other_rig : the session is known to run with another rig than the one that is open
    """

    moment: Moment
    scene: Scene | None
    rig: Rig | None
    other_rig: bool = False


@dataclass(frozen=True)
class Verdict:
    """What may be drawn over one picture.

    Attributes
    ----------
    why : why nothing that hangs on the patient may be drawn, "" if it may
    wrong : that is because it would be another patient's, session's or registration's: it must go at once, and not fade
    camera : the lens that the picture was taken through, None where it is not known
    T_camera_from_ct, T_camera_from_ref : None unless the patient may be drawn
    tips : T_camera_from_tip of the instruments that were seen and are calibrated
    hidden : the others, and why
    """

    why: str
    wrong: bool = False
    camera: RigCamera | None = None
    T_camera_from_ct: Rigid | None = None
    T_camera_from_ref: Rigid | None = None
    tips: dict[str, Rigid] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)


def age_ns(frame: VideoFrame, moment: Moment) -> int:
    """How long ago a picture was taken, in session time: the same on every machine, and right for a recording that is played slowly."""
    return moment.t_ns - frame.t_capture_ns


def judge(frame: VideoFrame, context: Context) -> Verdict:
    """Judge one picture, the first missing link first."""
    if context.other_rig:
        return Verdict("the session runs with another rig", wrong=True)
    rig, camera, fault = _lens(frame, context.rig)
    if rig is None or camera is None:
        return Verdict(fault)
    why, wrong = _registered(frame, context)
    setup = context.moment.setup
    if context.moment.link_lost or frame.epoch != context.moment.epoch:
        return Verdict(why, wrong, camera)
    late = _late(rig, age_ns(frame, context.moment))
    if late:
        return Verdict(late, wrong, camera)
    # An instrument hangs on no registration: seen on its own tip, it tells whether its calibration is right.
    tips, hidden = _tips(frame, rig, setup)
    if why or setup is None or setup.registration is None:
        return Verdict(why, wrong, camera, tips=tips, hidden=hidden)
    reference = next((b for b in frame.bodies if b.body == rig.reference), None)
    if reference is None or reference.pose is None:
        return Verdict(f"reference {_why_unseen(reference)}", camera=camera, tips=tips, hidden=hidden)
    T_camera_from_ref = reference.pose.rigid(target="camera", source="ref")
    T_ref_from_ct = setup.registration.pose.rigid(target="ct", source="ref").inverse()
    return Verdict("", False, camera, T_camera_from_ref @ T_ref_from_ct, T_camera_from_ref, tips, hidden)


def _lens(frame: VideoFrame, rig: Rig | None) -> tuple[Rig | None, RigCamera | None, str]:
    if rig is None:
        return None, None, "no rig is open: the camera's lens is not known"
    camera = next((c for c in rig.camera if c.name == frame.camera), None)
    if camera is None:
        return rig, None, f"camera {printable(frame.camera)} is not calibrated in this rig"
    if (camera.width_px, camera.height_px) != (frame.full_width_px, frame.full_height_px):
        calibrated = f"{camera.width_px} x {camera.height_px}"
        return rig, None, f"the picture is {frame.full_width_px} x {frame.full_height_px} px, the calibration for {calibrated}"
    return rig, camera, ""


def _late(rig: Rig, age_ns: int) -> str:
    """A picture is taken to be late beyond the rig's max_age and its own latency."""
    if age_ns < -AHEAD_NS:
        return "the picture's time is not the session's"
    limit_ms = rig.tracker.max_age_ms + rig.tracker.latency_ms
    return f"the picture is {duration_words(age_ns)} old" if age_ns > limit_ms * MS else ""


def _registered(frame: VideoFrame, context: Context) -> tuple[str, bool]:
    """Why the patient's anatomy may not be drawn whatever the picture shows, and whether it would be wrong and not only lost."""
    moment, scene = context.moment, context.scene
    if moment.link_lost:
        return ("the core is not heard" if moment.link != "ended" else "the session has ended"), False
    if frame.epoch != moment.epoch:
        return "the picture is of another session", True
    if scene is None:
        return "no case is open", True
    setup = moment.setup
    if setup is None:
        return "nothing is known of the registration yet", True
    if setup.case_hash and setup.case_hash != scene.case_hash:
        return "the session runs on another case", True
    if "registration" in setup.pending:
        return "a registration waits to be accepted", True
    if setup.registration is None or not setup.registration.accepted:
        return "not registered", True
    if moment.alerts is None or moment.alerts.health.registration in ("off", "warn"):
        return "not registered", True
    if moment.alerts.health.registration == "bad":
        return "the registration is in doubt: a known point is not where it should be", True
    return "", False


def _tips(frame: VideoFrame, rig: Rig, setup: Setup | None) -> tuple[dict[str, Rigid], dict[str, str]]:
    tips, hidden = dict[str, Rigid](), dict[str, str]()
    bodies = {b.body: b for b in frame.bodies}
    pending = setup.pending if setup else ()
    pivots = {p.tool: p for p in (setup.pivots if setup else ()) if p.accepted and f"pivot/{p.tool}" not in pending}
    for tool in rig.tool:
        seen = bodies.get(tool.body)
        tip = _tip_mm(tool, pivots.get(tool.name), setup)
        if seen is None or seen.pose is None:
            hidden[tool.name] = _why_unseen(seen)
        elif tip is None:
            hidden[tool.name] = "not calibrated"
        else:
            tips[tool.name] = _marker_in(seen.pose, tool) @ tip_frame(tool, tip)
    return tips, hidden


def _tip_mm(tool: Tool, pivot: PivotResult | None, setup: Setup | None) -> Vec3 | None:
    """The tip in use: the session's own calibration, else the rig's; none while it is not known which."""
    if pivot is not None:
        return pivot.tip_mm
    if setup is None or f"pivot/{tool.name}" in setup.pending:
        return None
    stored: Covariance3 | None = tool.tip_covariance
    return tool.tip_mm if stored is not None else None


def _marker_in(pose: Pose, tool: Tool) -> Rigid:
    return pose.rigid(target="camera", source=f"marker/{tool.body}")


def tip_frame(tool: Tool, tip_mm: Vec3) -> Rigid:
    """T_marker_from_tip with the tip's +Z along the tool's axis; any turn about it will do, parts being round."""
    z = tool.axis_in_marker
    k = min(range(3), key=lambda i: abs(z[i]))
    helper = (float(k == 0), float(k == 1), float(k == 2))
    x = _unit(_cross(helper, z))
    y = _cross(z, x)
    rows = ((x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2]))
    return Rigid(rows, tip_mm, f"marker/{tool.body}", f"tip/{tool.name}")


def _cross(a: Vec3, b: Vec3) -> Vec3:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _unit(v: Vec3) -> Vec3:
    length = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) ** 0.5
    return (v[0] / length, v[1] / length, v[2] / length)


def _why_unseen(body: VideoBody | None) -> str:
    if body is None:
        return "hidden"
    words = SEEN_WORDS.get(body.status, "hidden")
    return f"{words} ({printable(body.reason)})" if body.reason else words


@dataclass
class Fade:
    """The overlay's opacity by the display's clock: it comes and goes in `FADE_NS`, and goes at once where it would be wrong."""

    opacity: float = 0.0
    _at_ns: int | None = None

    def step(self, now_ns: int, *, wanted: bool, at_once: bool = False) -> float:
        """The opacity at `now_ns`, on its way to 1 or to 0."""
        passed = 0.0 if self._at_ns is None else max(0, now_ns - self._at_ns) / FADE_NS
        self._at_ns = now_ns
        self.opacity = min(1.0, self.opacity + passed) if wanted else max(0.0, self.opacity - passed)
        if at_once:
            self.opacity = 0.0
        return self.opacity


def differs(path: str, ours: Path | None) -> bool:
    """Whether a session's rig file is another one than ours. One that is not on this machine tells nothing."""
    theirs = Path(path)
    return bool(path) and ours is not None and theirs.is_file() and theirs.resolve() != ours.resolve()


def hidden_words(verdict: Verdict, selected: tuple[str, ...]) -> str:
    """`drill: hidden` for the instruments in use that are not drawn, "" where all are."""
    named = [f"{name_words(name)}: {why}" for name, why in verdict.hidden.items() if not selected or name in selected]
    return "   ".join(named)
