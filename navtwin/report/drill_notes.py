"""What a log says of drilling, record by record: stretches, walls, breaches, and when the twin did not follow the drill."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from navtwin.nouns import BoneState, BoneSummary, BoneUndone, Carved, DrillState, DrillStatus, Spindle, State, Wall

#: Structure and instrument.
Pair = tuple[str, str]


@dataclass(frozen=True)
class Stretch:
    """From where a drill began to cut to where it stopped; times on the log's clock.

    Attributes
    ----------
    removed_mm3 : as it was cut; `undone_ns` tells when it was taken back in the twin, None where it was not
    """

    number: int
    instrument: str
    start_ns: int
    end_ns: int
    removed_mm3: float
    strokes: int
    undone_ns: int | None = None


@dataclass(frozen=True)
class Spell:
    """While the twin did not follow a drill that may have cut, or could not tell whether it did; `why` in words."""

    instrument: str
    status: DrillStatus
    why: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Thinnest:
    """The least bone that was left between a drill and one critical structure.

    Attributes
    ----------
    least_mm : None where it was never known
    instrument, at_ns : whose, and when; "" and None with it
    unknown_ns, bare_ns : for how long it was within reach and not known; and with no bone between while it cut
    """

    structure: str
    least_mm: float | None = None
    instrument: str = ""
    at_ns: int | None = None
    unknown_ns: int = 0
    bare_ns: int = 0


@dataclass(frozen=True)
class Breach:
    """A critical structure that a cutting drill was in: since when, and how much of it, mm^3."""

    structure: str
    since_ns: int
    volume_mm3: float


@dataclass(frozen=True)
class Drilling:
    """All that a log says of drilling.

    Attributes
    ----------
    bone : as it was last; None where no state named one
    begun_from : the session whose drilled bone this one began with, "" for whole bone
    cutting : (instrument, from, to), ns, each time that it cut
    told : by (structure, instrument), the walls that were known: (frame, mm), in order
    """

    bone: BoneSummary | None
    begun_from: str
    stretches: tuple[Stretch, ...]
    spells: tuple[Spell, ...]
    thinnest: tuple[Thinnest, ...]
    breaches: tuple[Breach, ...]
    cutting: tuple[tuple[str, int, int], ...]
    told: dict[Pair, list[tuple[int, float]]]


@dataclass
class _Open:
    """What a drill has been since a time."""

    state: DrillState
    start_ns: int
    last_ns: int


@dataclass
class DrillNotes:
    """Notes being taken, in the order of the log."""

    bone: BoneSummary | None = None
    begun_from: str = ""
    stretches: dict[int, Stretch] = field(default_factory=dict)
    spells: list[Spell] = field(default_factory=list)
    thinnest: dict[str, Thinnest] = field(default_factory=dict)
    breaches: dict[str, Breach] = field(default_factory=dict)
    cutting: list[tuple[str, int, int]] = field(default_factory=list)
    told: dict[Pair, list[tuple[int, float]]] = field(default_factory=dict)
    _open: dict[str, _Open] = field(default_factory=dict)
    _said: dict[str, bool] = field(default_factory=dict)

    def take_start(self, state: BoneState) -> None:
        """The session begins with drilled bone."""
        self.begun_from = state.session or "an earlier session"

    def take_spindle(self, order: Spindle) -> bool:
        """A drill says whether it turns; whether that is news, for it is said again all the time."""
        if self._said.get(order.tool) == order.on:
            return False
        self._said[order.tool] = order.on
        return True

    def take_carved(self, body: Carved | BoneUndone, t_ns: int) -> None:
        """A stroke, or a stretch that was taken back."""
        if isinstance(body, BoneUndone):
            for number, before in self.stretches.items():
                if number >= body.stretch and before.undone_ns is None:
                    self.stretches[number] = replace(before, undone_ns=t_ns)
            return
        known = self.stretches.get(body.stretch)
        if known is None:
            self.stretches[body.stretch] = Stretch(body.stretch, body.instrument, t_ns, t_ns, body.removed_mm3, 1)
        else:
            removed_mm3, strokes = known.removed_mm3 + body.removed_mm3, known.strokes + 1
            self.stretches[body.stretch] = replace(known, end_ns=t_ns, removed_mm3=removed_mm3, strokes=strokes)

    def take_state(self, state: State, t_ns: int) -> None:
        """The twin after a frame."""
        for bone in state.bones:
            self.bone = bone
            for trespass in bone.trespasses:
                first = self.breaches.get(trespass.structure)
                if trespass.volume_mm3 > 0.0:
                    self.breaches[trespass.structure] = Breach(trespass.structure, first.since_ns if first else t_ns, trespass.volume_mm3)
        for drill in state.drills:
            before = self._open.get(drill.instrument)
            since_ns = t_ns if before is None else before.last_ns
            for wall in drill.walls:
                if wall.thickness_mm is not None:
                    self.told.setdefault((wall.structure, drill.instrument), []).append((state.frame, wall.thickness_mm))
                self._take_wall(wall, drill, t_ns, t_ns - since_ns)
            if before is not None and (before.state.status, before.state.why) == (drill.status, drill.why):
                before.last_ns = t_ns
                continue
            if before is not None:
                self._close(before, t_ns)
            self._open[drill.instrument] = _Open(drill, t_ns, t_ns)

    def _take_wall(self, wall: Wall, drill: DrillState, t_ns: int, lasted_ns: int) -> None:
        known = self.thinnest.get(wall.structure, Thinnest(wall.structure))
        if wall.status == "UNKNOWN":
            known = replace(known, unknown_ns=known.unknown_ns + lasted_ns)
        elif wall.status == "NO_BONE" and drill.status == "CUTTING":
            known = replace(known, bare_ns=known.bare_ns + lasted_ns)
        elif wall.thickness_mm is not None and (known.least_mm is None or wall.thickness_mm < known.least_mm):
            known = replace(known, least_mm=wall.thickness_mm, instrument=drill.instrument, at_ns=t_ns)
        if wall.status != "FAR":
            self.thinnest[wall.structure] = known

    def _close(self, was: _Open, t_ns: int) -> None:
        drill = was.state
        if drill.status == "CUTTING":
            self.cutting.append((drill.instrument, was.start_ns, t_ns))
        elif drill.status in ("FROZEN", "UNKNOWN"):
            self.spells.append(Spell(drill.instrument, drill.status, drill.why, was.start_ns, t_ns))

    def finish(self) -> Drilling | None:
        """All of it; None where there was nothing to drill with or into."""
        for was in self._open.values():
            self._close(was, was.last_ns)
        self._open.clear()
        if self.bone is None and not self.stretches:
            return None
        return Drilling(
            bone=self.bone,
            begun_from=self.begun_from,
            stretches=tuple(stretch for _, stretch in sorted(self.stretches.items())),
            spells=tuple(sorted(self.spells, key=lambda spell: spell.start_ns)),
            thinnest=tuple(thin for _, thin in sorted(self.thinnest.items())),
            breaches=tuple(breach for _, breach in sorted(self.breaches.items())),
            cutting=tuple(sorted(self.cutting, key=lambda span: span[1])),
            told=self.told,
        )
