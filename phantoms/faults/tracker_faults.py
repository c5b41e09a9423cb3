"""Rows of the table: what the tracker and its stream can do."""

from __future__ import annotations

from phantoms.faults.fault import Fault, Signal
from phantoms.faults.limits import LOST_MS, SEEN_MS, WHY_LOST, WHY_SEEN

_STREAM, _IGTL = "a live stream of frames", "matrices sent by OpenIGTLink"
_HELD = "until it ends the drill's distances are unknown, its level held as last known"


def _alarm(*names: str, words: tuple[str, ...] = ()) -> Signal:
    return Signal("alarm", names, words)


def _matrix(name: str, what: str) -> Fault:
    after = f"the pose is refused in words by the source; {_HELD}; known again with the next rigid pose"
    return Fault(name, "tracker", what, _IGTL, _alarm("POSE_REFUSED"), LOST_MS, WHY_LOST, after)


TRACKER_FAULTS = (
    Fault(
        "occlusion",
        "tracker",
        "An arm hides the drill's markers.",
        _STREAM,
        _alarm("TRACKING_LOST"),
        LOST_MS,
        WHY_LOST,
        f"{_HELD}; known again when it is seen",
    ),
    Fault(
        "reference-hidden",
        "tracker",
        "A drape hides the patient's reference.",
        _STREAM,
        _alarm("REFERENCE_LOST"),
        LOST_MS,
        WHY_LOST,
        "every distance is unknown until it is seen again",
    ),
    Fault(
        "planar-flip",
        "tracker",
        "A flat marker's pose flips to its mirror at the line of sight.",
        _STREAM,
        _alarm("POSE_REFUSED"),
        LOST_MS,
        WHY_LOST,
        f"the flipped pose is not used; {_HELD}; believed again when it turns back",
    ),
    Fault(
        "swapped-ids",
        "tracker",
        "Drill and pointer come under each other's names.",
        _STREAM,
        _alarm("BODIES_EXCHANGED"),
        LOST_MS,
        WHY_LOST,
        f"neither is believed; {_HELD}; believed again when both are back, or after both were hidden",
    ),
    _matrix("nan", "The drill's matrix holds NaN."),
    _matrix("shear", "The drill's matrix shears."),
    _matrix("scale", "The drill's matrix scales."),
    _matrix("reflection", "The drill's matrix is left-handed."),
    Fault(
        "frozen-camera",
        "tracker",
        "The same poses come again and again under new stamps.",
        _STREAM,
        _alarm("SOURCE_FROZEN"),
        500.0,
        "300 of the very same numbers, a frame and tick 50, transport 100, and 50 to spare",
        "every distance is unknown until the poses move again",
        lasts_s=1.5,
    ),
    Fault(
        "repeated-stamps",
        "tracker",
        "Every frame bears the same time stamp.",
        _STREAM,
        _alarm("TIME_FAULT"),
        SEEN_MS,
        WHY_SEEN,
        "the frames are not used: stale after max_age, then every distance is unknown; known again with honest stamps",
    ),
    Fault(
        "backwards-stamps",
        "tracker",
        "The stamps jump back by 0.3 to 5 s.",
        _STREAM,
        _alarm("TIME_FAULT"),
        SEEN_MS,
        WHY_SEEN,
        "as for repeated stamps",
        lasts_s=0.25,
    ),
    Fault(
        "future-stamps",
        "tracker",
        "The stamps jump ahead by 50 ms to an hour.",
        _STREAM,
        _alarm("TIME_FAULT"),
        SEEN_MS,
        WHY_SEEN,
        "as for repeated stamps",
    ),
    Fault(
        "drifting-stamps",
        "tracker",
        "The device's clock runs 1 to 4 % too fast or too slow.",
        _STREAM,
        _alarm("TIME_FAULT"),
        4500.0,
        "the drift is told of at 25, which 1 % takes 2500 to make; four windows of 250 to be sure of it; transport 100, and 900 to spare",
        "a fast clock ends in the future, a slow one in poses too old: neither is navigated by",
        lasts_s=5.0,
    ),
    Fault(
        "tracker-unplugged",
        "tracker",
        "The tracker falls silent and comes back.",
        _STREAM,
        _alarm("SOURCE_STALE"),
        LOST_MS,
        WHY_LOST,
        "every distance is unknown; known again with its frames",
    ),
    Fault(
        "camera-frozen",
        "tracker",
        "The camera repeats one picture under new stamps.",
        "pictures of the rendered camera, before the detector",
        _alarm("REFERENCE_LOST", "SOURCE_FROZEN"),
        600.0,
        "three equal pictures and the one behind 200 at 20 a second, then max_age 200, detection and a tick 100, transport 100",
        "pictures that repeat are not looked at: every distance is unknown until the picture changes",
        lasts_s=1.5,
    ),
    Fault(
        "camera-unplugged",
        "tracker",
        "The camera's cable is pulled.",
        "pictures of the rendered camera, before the detector",
        _alarm("SOURCE_STALE", "SOURCE_FAILED"),
        400.0,
        "max_age 200 of a camera, a picture, its detection and a tick 100, transport 100",
        "every distance is unknown; the core stays up and says why",
    ),
    Fault(
        "sender-restarted",
        "tracker",
        "The OpenIGTLink sender ends, and starts anew with its clock at another time.",
        _IGTL,
        _alarm("SOURCE_STALE", "REFERENCE_LOST"),
        LOST_MS,
        WHY_LOST,
        "connected again by itself; known again with its first frames",
        lasts_s=0.7,
    ),
)
