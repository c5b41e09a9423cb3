"""Go to the drilled bone of any moment of a log: from kept bone, or from where one is, by the strokes between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, LogDamaged, NavtwinError
from navtwin.nouns import BoneState, Cutter, PoseRows, Rig
from navtwin.record.drilled import I64, DrilledLog

#: Strokes between two looks at whether to go on.
_BREATH: Final = 64


class Bone(Protocol):
    """The part of `navtwin.scene.carvable.Carvable` that is cut here."""

    @property
    def hash(self) -> str: ...
    def take(self, state: BoneState) -> None: ...
    def sweep(self, cutter: Cutter, earlier: PoseRows | None, now: PoseRows) -> float: ...


@dataclass(frozen=True, slots=True)
class Sought:
    """Where a search ended.

    Attributes
    ----------
    t_ns : of the last change up to the time asked for; None before the first
    seq : of that change's input, 0 before the first
    strokes : how many were cut to get there
    notes : what was passed over, in words
    """

    t_ns: int | None
    seq: int
    strokes: int
    notes: tuple[str, ...] = ()


class Stopped(Exception):
    """Asked to stop on the way; the bone is at no moment of the session, and the next search begins from kept bone."""


class Seeker:
    """Brings one bone to moments of one session.

    Parameters
    ----------
    bone : changed in place; owned by the seeker from now on
    whole : the bone as it is in the case, before any drilling
    cutters : of the tools that the session was drilled with, by the tools' names

    Raises
    ------
    InputRefused : the session drilled bone of another case, structure or grid
    """

    def __init__(self, log: DrilledLog, bone: Bone, whole: BoneState, cutters: Mapping[str, Cutter]) -> None:
        if log.structure != whole.structure:
            raise InputRefused(f"in {log.name} '{log.structure}' was drilled, not '{whole.structure}'", "pass the case of that session")
        for kept in log.kept:
            refuse_other_bone(kept.state, whole, log.name)
        self.log, self._bone, self._whole = log, bone, whole
        self._cutters = cutters
        self._at: int | None = None

    def seek(self, t_ns: int, go_on: Callable[[], bool] = lambda: True) -> Sought:
        """Bring the bone to how it was at a time of the log.

        Parameters
        ----------
        go_on : asked now and then; False stops

        Raises
        ------
        LogDamaged : the strokes in the log do not lead to the bone that the session had: some are lost, or another cutter or other code cut them
        InputRefused : it was drilled with a tool that has no cutter here
        Stopped
        """
        turn, want = self.log.turn_at(t_ns), self.log.seq_at(t_ns)
        begun, strokes, notes = self._nearest(want)
        self._at = None
        for n, stroke in enumerate(strokes):
            if n % _BREATH == 0 and not go_on():
                raise Stopped
            earlier, now = (_rows(row) for row in self.log.ways[stroke])
            self._bone.sweep(self._cutter(self.log.instruments[self.log.instrument[stroke]]), earlier, now)
        if turn is not None and begun < turn.seq and self._bone.hash != turn.hash:
            raise LogDamaged(
                f"{self.log.name}: cut again, the bone after input {turn.seq} is not as it was ({self._bone.hash}, then {turn.hash})",
                "strokes are lost, or another cutter or other code cut them: look at a later moment, or with the rig and the version of that session",
            )
        self._at = want
        return Sought(None if turn is None else turn.t_ns, 0 if turn is None else turn.seq, len(strokes), (*self.log.faults, *notes))

    def _nearest(self, want: int) -> tuple[int, I64, list[str]]:
        """Bring the bone to the moment from which the fewest strokes are left to cut; that, those, and what could not be used."""
        found = [] if self._at is None else [(self._at, self._whole, True)]
        found += [(kept.seq, kept.state, False) for kept in reversed(self.log.kept)]
        if self.log.brought_by(want) is None:
            found.append((0, self._whole, False))
        ways = [(left, *start) for start in found if (left := self.log.left_to_cut(start[0], want)) is not None]
        notes = list[str]()
        for left, seq, state, here in sorted(ways, key=lambda way: (len(way[0]), -way[1])):
            if here:
                return seq, left, notes
            try:
                self._take(state)
            except NavtwinError as refused:
                notes.append(f"the bone kept with input {seq} is passed over: {refused.problem}")
                continue
            return seq, left, notes
        raise LogDamaged(f"{self.log.name} has no bone to start from: {'; '.join(notes) or 'all of it is lost'}", "look at a later moment")

    def _cutter(self, tool: str) -> Cutter:
        if tool not in self._cutters:
            raise InputRefused(f"{self.log.name} was drilled with '{tool}', which has no cutter in this rig", "pass the rig of that session")
        return self._cutters[tool]

    def _take(self, state: BoneState) -> None:
        self._bone.take(state)
        if self._bone.hash != state.hash:
            raise InputRefused(f"it has the hash {self._bone.hash}, not {state.hash}", "take another")


def refuse_other_bone(state: BoneState, mine: BoneState, name: str) -> None:
    """Refuse drilled bone of another case, structure or grid, in words. Raises InputRefused."""
    if state.structure != mine.structure:
        raise InputRefused(f"{name} has drilled '{state.structure}', and here '{mine.structure}' can be drilled", "pass the case of that session")
    if state.side_mm != mine.side_mm:
        raise InputRefused(
            f"{name} has '{state.structure}' drilled on a grid of {state.side_mm:g} mm, and here its grid is of {mine.side_mm:g} mm",
            f"set carve_mm = {state.side_mm:g} as it was, or start from whole bone",
        )
    if state.case_hash != mine.case_hash:
        raise InputRefused(f"{name} has drilled bone of another case, or of this one as it was before", "pass the case as it was in that session")


def cutters_of(rig: Rig) -> dict[str, Cutter]:
    """The cutters of a rig's tools, by the tools' names."""
    return {tool.name: tool.cutter for tool in rig.tool if tool.cutter is not None}


def _rows(row: npt.NDArray[np.float64]) -> PoseRows:
    return cast(PoseRows, tuple(row.tolist()))
