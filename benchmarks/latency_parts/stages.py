"""From what was noted to samples of each stage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latency_parts.core import Notes
from latency_parts.receiver import ALERTS, ARRIVAL, PUBLISH, RECEIVED, STATE, STEP, TOPIC, Acks, Rows

Floats = npt.NDArray[np.float64]

JUDGED = "step begun -> alerts judged"
TO_ALERT, TO_STATE, TO_DONE = "pose in -> alert received", "pose in -> state received", "pose in -> frame done with"
ACKNOWLEDGED, BACK = "alert received -> acknowledged set received", "pose in -> acknowledged set received"
#: In the order of the way.
STAGES = (
    "pose due -> handed over by the source",
    "handed over -> step begun",
    JUDGED,
    "alerts judged -> alert published",
    "alert published -> received",
    TO_ALERT,
    TO_STATE,
    "step begun -> frame done with",
    TO_DONE,
    ACKNOWLEDGED,
    BACK,
)


def samples(notes: Notes, rows: Rows, acks: Acks, begun_ns: int, ended_ns: int) -> dict[str, Floats]:
    """Milliseconds of each stage, in the order of their time, of frames that were due within [begun_ns, ended_ns).

    Alert sets that only repeat themselves between frames have no pose behind them and are no samples.
    """
    due, handed, begun, done = (np.array(x, dtype=np.int64) for x in (notes.due_ns, notes.handed_ns, notes.begun_ns, notes.done_ns))
    stepped = np.array(notes.stepped_ns, dtype=np.int64)
    counts = (due >= begun_ns) & (due < ended_ns)
    frames = rows[(rows[:, ARRIVAL] >= begun_ns) & (rows[:, ARRIVAL] < ended_ns)]
    alerts, states = frames[frames[:, TOPIC] == ALERTS], frames[frames[:, TOPIC] == STATE]
    at = np.searchsorted(stepped, alerts[:, ARRIVAL])
    back = np.array([row for row in acks.done if begun_ns <= row[0] < ended_ns], dtype=np.int64).reshape(-1, 4)
    same = np.flatnonzero(counts[: len(begun)])
    within = (stepped >= begun_ns) & (stepped < ended_ns)
    taken = (
        (handed - due)[counts],
        begun[same] - handed[same],
        alerts[:, STEP] - begun[at],
        alerts[:, PUBLISH] - alerts[:, STEP],
        alerts[:, RECEIVED] - alerts[:, PUBLISH],
        alerts[:, RECEIVED] - alerts[:, ARRIVAL],
        states[:, RECEIVED] - states[:, ARRIVAL],
        (done - begun)[within],
        (done - stepped)[within],
        back[:, 3] - back[:, 1],
        back[:, 3] - back[:, 0],
    )
    return {name: took * 1e-6 for name, took in zip(STAGES, taken, strict=True) if len(took)}
