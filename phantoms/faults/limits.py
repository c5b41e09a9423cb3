"""What the deadlines of the table are made of, ms."""

from __future__ import annotations

from typing import Final

#: From the core's socket to the operator's client, both of which a busy machine may wake late.
TRANSPORT_MS: Final = 100.0
#: Frame, latency and tick: what a condition that one frame shows takes to become an alarm.
FRAME_MS: Final = 50.0
#: How old a pose may be: a loss is alarmed once the last one is older.
MAX_AGE_MS: Final = 100.0

SEEN_MS: Final = FRAME_MS + TRANSPORT_MS
LOST_MS: Final = MAX_AGE_MS + FRAME_MS + TRANSPORT_MS
#: An operator's end says so itself once no alert set has come for 250 ms; then its own turn.
LINK_MS: Final = 250.0 + 50.0 + 50.0

WHY_SEEN: Final = "a frame, its latency and a tick 50, transport on a busy machine 100"
WHY_LOST: Final = "max_age 100, a frame, its latency and a tick 50, transport on a busy machine 100"
WHY_LINK: Final = "250 without an alert set, of which one was just due (50), and the client's own turn 50"
WHY_RIGHT: Final = "longest silence between two alert sets (50 apart): below the 250 at which the link counts as lost"
