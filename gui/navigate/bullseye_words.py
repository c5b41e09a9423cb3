"""What the bullseye says, put into words. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from gui.link.board import Moment
from gui.slices.model import sight_of
from navtwin.nouns import Rig
from navtwin.scene.aim import Aim, Verdict, aim_of, axis_sd_rad, plan_in_reach, tip_sd_mm
from navtwin.scene.model import Plan, Scene

#: A symbol and words for each verdict; colour comes on top of them.
VERDICTS: dict[Verdict, tuple[str, str]] = {
    "inside": ("✓", "ON PATH"),
    "unsure": ("≈", "NOT SURE"),
    "outside": ("✕", "OFF PATH"),
    "past": ("!", "PAST TARGET"),
}


@dataclass(frozen=True)
class AimCard:
    """All that the bullseye shows.

    Attributes
    ----------
    aim : None where the instrument is not known; then `why` says why
    """

    plan: Plan
    instrument: str
    aim: Aim | None
    why: str

    @property
    def verdict(self) -> tuple[str, str]:
        """Symbol and words."""
        if self.aim is None:
            return ("", "UNKNOWN")
        symbol, words = VERDICTS[self.aim.verdict]
        if self.aim.verdict == "unsure" and self.aim.error_mm is None:
            words = "ERROR UNKNOWN"
        return symbol, words

    @property
    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """Name, value and what stands beside it; a value that is not known is a dash, never a number."""
        aim = self.aim
        if aim is None:
            return (("offset", "—", ""), ("angle", "—", ""), ("to target", "—", ""))
        error = "± ?" if aim.error_mm is None else f"± {aim.error_mm:.1f}"
        # A direction of less than what is written would be noise.
        toward = "".join(aim.toward) if aim.off_mm >= 0.05 else ""
        name, mm = _along(aim)
        return (
            ("offset", _number(aim.off_mm), f"{error} mm {toward}".rstrip()),
            ("angle", f"{aim.angle_deg:.1f}", "°"),
            (name, _number(mm), "mm"),
        )


def _along(aim: Aim) -> tuple[str, float]:
    """Which way is still to go along the plan, and how far [mm]: to its entry, to its target, or past that."""
    if aim.to_target_mm < 0.0:
        return "past", -aim.to_target_mm
    if aim.depth_mm < 0.0:
        return "to entry", -aim.depth_mm
    return "to target", aim.to_target_mm


def _number(mm: float) -> str:
    """Never wider than its place: one that were cut short would read as another."""
    return f"{mm:.1f}" if mm < 99.95 else f"{mm:.0f}"


def aim_card(scene: Scene, rig: Rig | None, moment: Moment, plan: Plan | None) -> AimCard | None:
    """The card for this moment; None where the case has no plan. `plan` is the one shown before: it stays until another is clearly nearer."""
    usable = [p for p in scene.plans if p.entry_mm != p.target_mm]
    if not usable:
        return None
    sight = sight_of(scene, moment)
    if sight.T_ct_from_tip is None:
        return AimCard(plan or usable[0], sight.instrument, None, sight.why)
    chosen = plan_in_reach(usable, sight.T_ct_from_tip, plan) or usable[0]
    aim = aim_of(chosen, sight.T_ct_from_tip, tip_sd_mm(scene, rig, moment.state, sight.instrument), axis_sd_rad(rig, sight.instrument))
    return AimCard(chosen, sight.instrument, aim, "")
