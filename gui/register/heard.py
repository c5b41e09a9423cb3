"""What is to be heard while eyes are on the patient: read off what changes in the core's words. No Qt, no sound."""

from __future__ import annotations

from navtwin.nouns import Setup
from navtwin.sound.cues import CueName

CANCELLED = "collection cancelled"


def cue_between(before: Setup | None, after: Setup) -> CueName | None:
    """The cue that leads from one word of the core to the next; None for none."""
    if before is None:
        return None
    was, now = before.collecting.partition(" ")[0], after.collecting.partition(" ")[0]
    if now in ("landmark", "check") and after.dwell_share > 0.0 and not (was == now and before.dwell_share > 0.0):
        return "began"
    if now == "sweep" and was != "sweep":
        return "began"
    if was and not now and was != "pivot":
        return None if after.message == CANCELLED else _ended(was, before, after)
    result = after.registration
    if "registration" in after.pending and result is not None and (before.registration is None or before.registration.request != result.request):
        return "taken" if result.accepted else "refused"
    if "registration" in before.computing and not {"registration"} & {*after.computing, *after.pending}:
        return "refused"
    return None


def _ended(what: str, before: Setup, after: Setup) -> CueName:
    if what == "check":
        return "taken" if after.checks[len(after.checks) - 1 :] != before.checks[len(before.checks) - 1 :] and after.checks[-1].good else "refused"
    if what == "sweep":
        return "taken" if after.sweep_points > before.sweep_points else "refused"
    touched = (after.landmarks, after.spread_mm, after.landmark_samples) != (before.landmarks, before.spread_mm, before.landmark_samples)
    return "taken" if touched else "refused"
