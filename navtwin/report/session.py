"""A session as plain arrays: what the twin said, what was true, who did what, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.nouns import AlertSet, Header, Mark, PivotResult, Reading, RegistrationResult, State, TrueSetup
from navtwin.report.drill_notes import Drilling
from navtwin.report.drill_truths import DrillTruth
from navtwin.report.episodes import AlertRow, CommandRow, TechnicalRow
from navtwin.report.judge import Floats, Levels, Times, TrueSeries
from navtwin.report.verified import Verification


@dataclass(frozen=True)
class Frames:
    """The tracker's frames in order of arrival: device number, event sequence, times (N,)."""

    number: npt.NDArray[np.int64]
    seq: npt.NDArray[np.int64]
    t_capture_ns: Times
    t_arrival_ns: Times
    t_event_ns: Times


@dataclass(frozen=True)
class PairSeries:
    """One instrument part against one critical structure, a sample per published state; NaN where unknown.

    Attributes
    ----------
    t_ns (N,) : time of capture
    status (N,) : DistanceStatus words
    """

    id: str
    structure: str
    instrument: str
    part: str
    t_ns: Times
    distance_mm: Floats
    bound_mm: Floats
    sd_mm: Floats
    speed_mm_s: Floats
    status: npt.NDArray[np.str_]


@dataclass(frozen=True)
class TipSeries:
    """An instrument's tip in ct, navigation only: times (N,), positions (N, 3), mm, and unit axes (N, 3), from the handle out through the tip."""

    frame: npt.NDArray[np.int64]
    t_ns: Times
    t_event_ns: Times
    position_mm: Floats
    axis: Floats


@dataclass(frozen=True)
class Session:
    """All that the report is made of.

    Attributes
    ----------
    start_ns, end_ns : the navigation phase; equal where there was none
    pairs, levels, truth : by `structure/instrument/part`, critical structures only where the twin speaks
    allowances : per pair (times of publication, measured - bound in mm) wherever both were known
    tips, true_tips : by instrument
    true_drills : by instrument, where the source states what a drill really did
    pivots, registration : the last ones that the gate accepted; `refused` are the others
    nearest : per critical structure, its reading with the smallest measured distance
    closest, closest_alerts, closest_ns : the state with the smallest measured distance to a critical structure, the alerts in force then, and when
        the twin said it, on the log's clock
    stamps : per event sequence (frame arrived or None, step done, published), host monotonic, ns
    drilling : None where there was nothing to drill with or into
    verification : None where nothing was registered, and in logs of before this was noted
    """

    header: Header
    frames: Frames
    start_ns: int
    end_ns: int
    pairs: dict[str, PairSeries]
    levels: dict[str, Levels]
    allowances: dict[str, tuple[Times, Floats]]
    truth: dict[str, TrueSeries]
    tips: dict[str, TipSeries]
    true_tips: dict[str, TipSeries]
    true_drills: dict[str, DrillTruth]
    alerts: tuple[AlertRow, ...]
    technical: tuple[TechnicalRow, ...]
    commands: tuple[CommandRow, ...]
    pivots: dict[str, PivotResult]
    registration: RegistrationResult | None
    refused: tuple[PivotResult | RegistrationResult, ...]
    true_setup: TrueSetup | None
    nearest: dict[str, Reading]
    closest: State | None
    closest_alerts: AlertSet | None
    stamps: dict[int, tuple[int | None, int, int]]
    drilling: Drilling | None = None
    closest_ns: int = 0
    verification: Verification | None = None

    @property
    def marks(self) -> list[tuple[int, str]]:
        """Bookmarks of the navigation phase: (time, label)."""
        return [(c.t_ns, c.order.label) for c in self.commands if isinstance(c.order, Mark) and self.start_ns <= c.t_ns <= self.end_ns]

    def seconds(self, t_ns: int) -> float:
        """Since the start of navigation."""
        return (t_ns - self.start_ns) * 1e-9
