"""What was drilled in a session, as its log has it: the strokes, what was taken back, and the bone itself as it was kept now and then.

A stretch that was taken back is not in the bone any more, though its strokes stay in the log. The order in which strokes are cut does not matter to
the bone, so that of any moment is: the strokes up to then but for those that were taken back by then (ADR 18 and 19).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import BoneState, BoneUndone, Carved, PoseRows
from navtwin.record.format import Record
from navtwin.record.read import decode, read_log
from navtwin.record.summary import JUMP_NS

I64 = npt.NDArray[np.int64]
#: What is read of a log.
CHANNELS: Final = ("/input", "/output/carved", "/bone")
_NEVER: Final = np.iinfo(np.int64).max
#: An input that brings drilled bone says so behind its two numbers.
_BROUGHT: Final = b'"kind":"bone-state"'
_SAID_BY: Final = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """The bone itself as it was after input `seq`: kept by the session, or brought to its beginning from an earlier one."""

    seq: int
    t_ns: int
    state: BoneState
    brought: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """An input that changed the bone, and the hash that the bone then had; `undone` is the stretch that was taken back."""

    seq: int
    t_ns: int
    hash: str
    undone: int | None = None


@dataclass(frozen=True)
class DrilledLog:
    """The drilling of a session: N strokes, in order.

    Attributes
    ----------
    name : of the log
    structure : that was drilled
    seq, t_ns : (N,) int64, of the inputs with which they were cut
    undone : (N,) int64, `seq` of the input that took a stroke back; beyond any for one that stayed
    stretch, instrument : (N,) int64, its stretch, and the place of its tool in `instruments`
    ways : (N, 2, 12) float64, T_ct_from_tip where it began and ended
    turns : every change
    kept : bone to start from
    faults : kept bone that cannot be read, in words
    times : (since, zero), ns: from `since` on, the session's seconds are counted from `zero`
    last_seq, last_ns : of the inputs
    """

    name: str
    structure: str
    seq: I64
    t_ns: I64
    undone: I64
    stretch: I64
    instrument: I64
    ways: npt.NDArray[np.float64]
    instruments: tuple[str, ...]
    turns: tuple[Turn, ...]
    kept: tuple[Kept, ...]
    faults: tuple[str, ...]
    times: tuple[tuple[int, int], ...]
    last_seq: int
    last_ns: int

    @classmethod
    def read(cls, path: str | Path) -> DrilledLog:
        """Read a finished log.

        Raises
        ------
        InputRefused : nothing was drilled in it, or it cannot be opened
        LogDamaged : cut, altered, not finished or of another version
        """
        return cls.of(read_log(path, CHANNELS), Path(path).name)

    @classmethod
    def of(cls, records: Iterable[Record], name: str) -> DrilledLog:
        """Put the records of a log together; they come in file order, and of `CHANNELS` at least. Raises as `read`."""
        gathered = _Gathered(name)
        for record in records:
            gathered.take(record)
        return gathered.together()

    def turn_at(self, t_ns: int) -> Turn | None:
        """The last change up to a time; None before the first."""
        count = int(np.searchsorted(self._turns_ns, t_ns, side="right"))
        return self.turns[count - 1] if count else None

    def seq_at(self, t_ns: int) -> int:
        """The last input up to a time with which the bone changed or was kept; 0 before the first."""
        turn = self.turn_at(t_ns)
        kept = (kept.seq for kept in self.kept if kept.t_ns <= t_ns)
        return max((*kept, *(() if turn is None else (turn.seq,))), default=0)

    @cached_property
    def _turns_ns(self) -> I64:
        return np.array([turn.t_ns for turn in self.turns], np.int64)

    def brought_by(self, seq: int) -> Kept | None:
        """The drilled bone that the session began with."""
        return next((kept for kept in reversed(self.kept) if kept.brought and kept.seq <= seq), None)

    def left_to_cut(self, have: int, want: int) -> I64 | None:
        """The strokes that make of the bone after input `have` that after input `want`; None where it holds some that were taken back meanwhile."""
        brought = self.brought_by(want)
        if have > want or (brought is not None and have < brought.seq):
            return None
        held = (self.seq <= have) & (self.undone > have)
        if brought is not None:
            held &= self.seq > brought.seq
        if (held & (self.undone <= want)).any():
            return None
        return np.flatnonzero((self.seq > have) & (self.seq <= want) & (self.undone > want))

    def at_seconds(self, seconds: float) -> int:
        """The log's time so long after the session's first input, ns; where the clock was set, no time passed."""
        found = self.times[0][1]
        for since_ns, zero_ns in self.times:
            if since_ns <= zero_ns + round(seconds * 1e9):
                found = zero_ns
        return found + round(seconds * 1e9)

    def seconds(self, t_ns: int) -> float:
        """Inverse of `at_seconds`."""
        return (t_ns - next(zero for since, zero in reversed(self.times) if since <= max(t_ns, self.times[0][0]))) * 1e-9


@dataclass
class _Gathered:
    """A log's drilling while it is read."""

    name: str
    structure: str = ""
    strokes: list[tuple[int, int, int, int]] = field(default_factory=list)
    ways: list[tuple[PoseRows, PoseRows]] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    instruments: dict[str, int] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)
    last_seq: int = 0
    last_ns: int = 0

    def take(self, record: Record) -> None:
        if record.channel == "/input":
            self._time(record.t_ns)
            self.last_seq = record.seq
            if _BROUGHT in record.data[:_SAID_BY]:
                self._keep(record, brought=True)
        elif record.channel == "/bone":
            self._keep(record, brought=False)
        elif record.channel == "/output/carved":
            body: Carved | BoneUndone = decode(record, self.name)
            self._of(body.structure)
            if isinstance(body, Carved):
                self._stroke(record, body)
            else:
                self._undo(record, body)

    def _time(self, t_ns: int) -> None:
        if not self.times:
            self.times.append((t_ns, t_ns))
        elif t_ns - self.last_ns > JUMP_NS:
            # The setup of a recording is played in the past: where the clock jumps to the present, no time passes.
            self.times.append((t_ns, self.times[-1][1] + t_ns - self.last_ns))
        self.last_ns = t_ns

    def _of(self, structure: str) -> None:
        if self.structure not in ("", structure):
            raise InputRefused(f"{self.name} has drilling of '{self.structure}' and of '{structure}'", "read it with the version that wrote it")
        self.structure = structure

    def _stroke(self, record: Record, body: Carved) -> None:
        tool = self.instruments.setdefault(body.instrument, len(self.instruments))
        self.strokes.append((record.seq, record.t_ns, body.stretch, tool))
        self.ways.append((body.earlier, body.now))
        self.undone.append(_NEVER)
        self.turns.append(Turn(record.seq, record.t_ns, body.hash))

    def _undo(self, record: Record, body: BoneUndone) -> None:
        for n in reversed(range(len(self.strokes))):
            if self.undone[n] == _NEVER:
                if self.strokes[n][2] < body.stretch:
                    break
                self.undone[n] = record.seq
        self.turns.append(Turn(record.seq, record.t_ns, body.hash, undone=body.stretch))

    def _keep(self, record: Record, *, brought: bool) -> None:
        try:
            noun = decode(record, self.name)
        except LogDamaged as damage:
            self.faults.append(f"the bone kept with input {record.seq} is left out: {damage.problem}")
            return
        state: BoneState = noun.body if brought else noun
        self._of(state.structure)
        self.kept.append(Kept(record.seq, record.t_ns, state, brought))
        if brought:
            self.turns.append(Turn(record.seq, record.t_ns, state.hash))

    def together(self) -> DrilledLog:
        if not self.structure:
            raise InputRefused(f"nothing was drilled in {self.name}", "name the log of a session with a drill and a structure that has carve_mm")
        strokes = np.array(self.strokes, np.int64).reshape(-1, 4)
        return DrilledLog(
            name=self.name,
            structure=self.structure,
            seq=strokes[:, 0],
            t_ns=strokes[:, 1],
            undone=np.array(self.undone, np.int64),
            stretch=strokes[:, 2],
            instrument=strokes[:, 3],
            ways=np.array(self.ways, np.float64).reshape(-1, 2, 12),
            instruments=tuple(self.instruments),
            turns=tuple(self.turns),
            kept=tuple(self.kept),
            faults=tuple(self.faults),
            times=tuple(self.times) or ((0, 0),),
            last_seq=self.last_seq,
            last_ns=self.last_ns,
        )
