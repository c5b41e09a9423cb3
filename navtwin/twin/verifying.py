"""How long the registration in use has not been verified.

A patient reference that was knocked shows in no residual, of the tracker or of the registration: the chain goes on from the wrong place. Only a touch
of a point whose place is known tells. Until the next one, time is all that there is to go by.
"""

from __future__ import annotations

from collections.abc import Iterator

from navtwin.nouns import Priority
from navtwin.twin.memory import Memory

MIN_NS = 60_000_000_000


def verify_alarms(memory: Memory) -> Iterator[tuple[str, str, Priority, str]]:
    """VERIFY_DUE: low once `verify_every_min` of the rig has passed without a good touch of a landmark, medium after twice that."""
    if memory.registration is None:
        return
    verified = memory.verified_ns
    since_ns = memory.now_ns - (memory.registered_ns if verified is None else verified)
    limit_ns = round(memory.rig.verify_every_min * MIN_NS)
    if since_ns < limit_ns:
        return
    minutes = since_ns // MIN_NS
    detail = f"not verified since registering, {minutes} min ago" if verified is None else f"last verified {minutes} min ago"
    yield "VERIFY_DUE", "patient", "medium" if since_ns >= 2 * limit_ns else "low", detail
