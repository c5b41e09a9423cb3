"""What the drill's card says, put into words. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gui.link.board import Moment
from navtwin.bus.words import name_words, printable
from navtwin.nouns import BoneSummary, DrillState, DrillStatus, Wall
from navtwin.scene.palette import BANDS_MM

#: What each status means, in a word or two; FROZEN and UNKNOWN say why instead.
MEANINGS: Final[dict[DrillStatus, str]] = {"OFF": "the drill stands", "READY": "turns, in no bone", "CUTTING": "the twin cuts along"}
#: What to do about those two.
REMEDIES: Final[dict[DrillStatus, str]] = {
    "FROZEN": "The twin does not follow: what you cut now stays in its picture. Stop, mend it, then touch the walls again.",
    "UNKNOWN": "Check the pedal's or the drill's link. Bone near the cutter may be gone: touch it again.",
}
UNKNOWN_WALL, NO_BONE = "unknown: touch it again", "no bone between"


@dataclass(frozen=True)
class WallRow:
    """One structure's wall. `thickness_mm` : None where there is no number; `unknown` : nothing may be read from it."""

    structure: str
    words: str
    thickness_mm: float | None
    unknown: bool

    @property
    def band(self) -> int | None:
        """Place in `BANDS_MM`; as many as there are beyond the last; None without a number."""
        if self.thickness_mm is None:
            return None
        return sum(self.thickness_mm > limit for limit in BANDS_MM)


@dataclass(frozen=True)
class DrillCard:
    """All that the card shows.

    Attributes
    ----------
    status : None where nothing is known: the link is lost, or no state is fresh
    fallback : it is taken to cut by how it moves, not by what it says
    walls, far : structures within reach; and in words those that are not
    can_undo, can_pause, can_resume : which orders make sense now
    """

    instrument: str
    status: DrillStatus | None
    why: str
    remedy: str
    by: str
    fallback: bool
    stretch: str
    removed: str
    walls: tuple[WallRow, ...]
    far: str = ""
    can_undo: bool = False
    can_pause: bool = False
    can_resume: bool = False

    @property
    def told(self) -> str:
        """The card read aloud."""
        walls = (f"{row.structure}: {row.words}" for row in self.walls)
        return ". ".join(
            part for part in (f"{self.instrument} {self.status or 'UNKNOWN'}", self.why, self.by, self.stretch, self.removed, *walls) if part
        )


def drill_card(moment: Moment, before: DrillCard | None) -> DrillCard | None:
    """The card for this moment; None where nothing is drilled in this session.

    Parameters
    ----------
    before : the card shown before: where nothing is known now it stays, with nothing in it
    """
    state = moment.state
    if state is None or moment.link_lost:
        if before is None:
            return None
        why = "the core is not heard" if moment.link_lost else "no fresh state"
        return DrillCard(before.instrument, None, why, "Nothing of the drill is known.", "", False, "", "", ())
    if not state.drills or not state.bones:
        return None
    selected = moment.alerts.health.selected if moment.alerts else ()
    drill = next((d for d in state.drills if d.instrument in selected), state.drills[0])
    return _card(drill, state.bones[0])


def _card(drill: DrillState, bone: BoneSummary) -> DrillCard:
    fallback = drill.by == "contact-speed"
    why = printable(drill.why)
    paused = bool(bone.paused_by)
    far = [name_words(wall.structure) for wall in drill.walls if wall.status == "FAR"]
    undone = f", {bone.undone} taken back" if bone.undone else ""
    return DrillCard(
        instrument=name_words(drill.instrument),
        status=drill.status,
        why=why or (f"paused by {printable(bone.paused_by)}" if paused else MEANINGS.get(drill.status, "")),
        remedy="Press Resume when it may go on." if paused else REMEDIES.get(drill.status, ""),
        by="by contact speed" if fallback else "by spindle",
        fallback=fallback,
        stretch=f"stretch {drill.stretch}{undone}" if drill.stretch or bone.undone else "nothing cut yet",
        removed=f"{volume_words(bone.removed_mm3)} of {name_words(bone.structure)} removed",
        walls=tuple(_row(wall) for wall in drill.walls if wall.status != "FAR"),
        far=f"far: {', '.join(far)}" if far else "",
        can_undo=drill.stretch > 0 and drill.status != "CUTTING",
        can_pause=not paused,
        can_resume=paused,
    )


def _row(wall: Wall) -> WallRow:
    name = name_words(wall.structure)
    if wall.status == "OK" and wall.thickness_mm is not None:
        # Cut, not rounded: no more bone is claimed than there is.
        return WallRow(name, f"{int(wall.thickness_mm * 10.0) / 10.0:.1f} mm", wall.thickness_mm, False)
    words = NO_BONE if wall.status == "NO_BONE" else UNKNOWN_WALL
    return WallRow(name, words, None, words == UNKNOWN_WALL)


def volume_words(volume_mm3: float) -> str:
    """`312 mm³`, `1.25 ml` from a thousand on."""
    return f"{volume_mm3 / 1000.0:.2f} ml" if volume_mm3 >= 999.5 else f"{volume_mm3:.0f} mm³"
