"""A fault in the fold's own time: the theatre's frames and ticks in the order in which they would come, with no clock and no socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from navtwin.nouns import Accept, AlertSet, Command, Event, EventBody, State, Tick, ToolSelect
from navtwin.twin import new_memory, step
from phantoms.faults.injectors import STREAMS, Bodies
from phantoms.faults.source import rng_of
from phantoms.faults.table import find
from phantoms.faults.theatre import RATE_HZ, Theatre
from tests.twin.world import HEADER, MS

BEGIN_NS = 3_000 * MS
#: Of 2026: after the theatre's calibration.
ANCHOR_NS = 1_780_000_000_000_000_000
QUIET_S = 1.5


@dataclass
class Told:
    """What was said, with the fold's time; and what of it was said of which frame."""

    alerts: list[tuple[int, AlertSet]] = field(default_factory=list)
    states: list[tuple[int, State]] = field(default_factory=list)

    def signal_ms(self, name: str) -> float | None:
        """From the injection to the first alarm of the fault's; None where none came."""
        names = find(name).signal.names
        times = [t for t, alerts in self.alerts if t >= BEGIN_NS and any(a.alarm in names for a in alerts.technical)]
        return (times[0] - BEGIN_NS) / MS if times else None


def perform(name: str, seed: int, *, faulty: bool = True) -> tuple[Theatre, Told, int]:
    """A session in which the fault comes at `BEGIN_NS`; the theatre, all that was said, and when the fault ended, ns."""
    rng = rng_of(name, seed)
    theatre = Theatre(rng)
    injector = STREAMS[name](rng, Bodies("drill", "pointer", "ref"))
    end_ns = BEGIN_NS + round(find(name).lasts_s * 1e9)
    memory = new_memory(theatre.scene, theatre.rig, msgspec.structs.replace(HEADER, utc_anchor_ns=ANCHOR_NS))
    told = Told()
    for seq, (t_ns, body) in enumerate(_events(theatre, injector if faulty else None, end_ns), start=1):
        for message in step(theatre.scene, memory, Event(seq=seq, t_ns=t_ns, body=body)):
            if isinstance(message.body, AlertSet):
                told.alerts.append((t_ns, message.body))
            elif isinstance(message.body, State) and memory.last_capture_ns is not None:
                told.states.append((memory.last_capture_ns, message.body))
    return theatre, told, end_ns


def _events(theatre: Theatre, injector: object, end_ns: int) -> Iterator[tuple[int, EventBody]]:
    first_ns = BEGIN_NS - round(QUIET_S * 1e9)
    last_ns = end_ns + round(QUIET_S * 1e9)
    yield first_ns, theatre.registration
    yield first_ns, Command(who="test", id="1", order=Accept(result="registration"))
    yield first_ns, Command(who="test", id="2", order=ToolSelect(tools=("drill",)))
    due = list[tuple[int, int, EventBody]]()
    for k in range(1, round((last_ns - first_ns) * 1e-9 * RATE_HZ)):
        capture_ns = first_ns + round(k * 1e9 / RATE_HZ)
        frame = theatre.frame(capture_ns)
        frames = injector(frame, capture_ns - BEGIN_NS) if callable(injector) and BEGIN_NS <= capture_ns < end_ns else [frame]
        due += [(f.t_arrival_ns, 1, f) for f in frames]
    due += [(t_ns, 0, Tick()) for t_ns in range(first_ns + 10 * MS, last_ns, 10 * MS)]
    for t_ns, _, body in sorted(due, key=lambda entry: entry[:2]):
        yield t_ns, body
