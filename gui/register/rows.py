"""The landmarks, the result and the checks as rows to be read. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gui.link.board import Moment
from gui.register.model import Course, Wishes, is_in_use
from navtwin.bus.words import duration_words, name_words
from navtwin.nouns import Check, RegistrationResult, Setup
from navtwin.scene.model import Scene
from navtwin.scene.tre_map import tre_mm

#: A landmark that lies nearer than this to where the others put it is not named the worst, mm: one of them always is the farthest.
WORST_FLOOR_MM = 0.5
#: The bars reach this far at least, mm, so that small errors look small.
LEAST_SCALE_MM = 1.0


@dataclass(frozen=True)
class LandmarkRow:
    """One landmark.

    Attributes
    ----------
    state : `next` is what a touch would take now
    touch : how it was touched, in words
    residual_mm, left_out_mm, expected_mm : in the registration shown; None where that does not know, or knows only of an older touch
    worst : it lies farthest from where the others put it
    wanted : it is to be used by the next registration
    """

    number: int
    name: str
    state: Literal["todo", "next", "touching", "touched"]
    touch: str
    residual_mm: float | None
    left_out_mm: float | None
    expected_mm: float | None
    worst: bool
    wanted: bool


@dataclass(frozen=True)
class ErrorRow:
    """Predicted RMS error of the registration at one critical structure, and that structure's danger limit."""

    name: str
    color: str
    tre_mm: float
    danger_mm: float | None


@dataclass(frozen=True)
class ResultCard:
    """What is known of a registration.

    Attributes
    ----------
    pending : it waits for the operator; else it is in use
    residual, surface : in words, `surface` "" without a sweep
    worst : the landmark that lies farthest from where the others put it, in words
    question, levels : asked before it can be accepted, and what can be answered, where the touches fit other levels as well
    """

    pending: bool
    accepted: bool
    reasons: tuple[str, ...]
    residual: str
    surface: str
    errors: tuple[ErrorRow, ...]
    worst: str
    without: tuple[str, ...]
    question: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckRow:
    """One check: `value` and `verdict` are for large type, `ago` says when."""

    name: str
    value: str
    verdict: Literal["good", "doubtful", "failed"]
    words: str
    ago: str


@dataclass
class Touches:
    """Which touches the registration shown rests on: a landmark that was touched again since has no residual in it."""

    request: str = ""
    _rested_on: dict[str, tuple[float, int]] = field(default_factory=dict)

    def take(self, setup: Setup) -> None:
        """Note what the core says."""
        result = setup.registration
        if result is None:
            self.request = ""
            self._rested_on = {}
        elif result.request != self.request:
            self.request, self._rested_on = result.request, _signs(setup)

    def are_old(self, setup: Setup, name: str) -> bool:
        """Whether a landmark's touch is not the one that the registration rests on."""
        return _signs(setup).get(name) != self._rested_on.get(name)


def _signs(setup: Setup) -> dict[str, tuple[float, int]]:
    return dict(zip(setup.landmarks, zip(setup.spread_mm, setup.landmark_samples, strict=False), strict=False))


def landmark_rows(scene: Scene, setup: Setup, wishes: Wishes, course: Course, touches: Touches) -> tuple[LandmarkRow, ...]:
    """All landmarks of the case, in its order."""
    result, touched = setup.registration, _signs(setup)
    residuals: dict[str, float] = dict(zip(result.landmarks, result.residual_mm, strict=True)) if result else {}
    left_out: dict[str, float | None] = dict(zip(result.landmarks, result.left_out_mm, strict=False)) if result else {}
    worst = _worst(result)
    rows = []
    for n, mark in enumerate(scene.landmarks, start=1):
        old = touches.are_old(setup, mark.name)
        spread, samples = touched.get(mark.name, (0.0, 0))
        rows.append(
            LandmarkRow(
                number=n,
                name=mark.name,
                state="touching"
                if course.touching in ("landmark", "check") and course.target == mark.name
                else "next"
                if course.target == mark.name
                else "touched"
                if mark.name in touched
                else "todo",
                touch=_touch_words(spread, samples, left_out=result is not None and mark.name in result.without) if mark.name in touched else "",
                residual_mm=None if old else residuals.get(mark.name),
                left_out_mm=None if old else left_out.get(mark.name),
                expected_mm=float(tre_mm(result.covariance, result.centroid_mm, [mark.position_mm])[0]) if result else None,
                worst=mark.name == worst and not old,
                wanted=mark.name not in wishes.without,
            )
        )
    return tuple(rows)


def _touch_words(spread_mm: float, samples: int, *, left_out: bool) -> str:
    return f"± {spread_mm:.2f} mm, {samples} samples" + (", left out" if left_out else "")


def bar_scale_mm(rows: tuple[LandmarkRow, ...]) -> float:
    """What the longest bar stands for."""
    return max([LEAST_SCALE_MM, *(v for row in rows for v in (row.residual_mm, row.left_out_mm) if v is not None)])


def result_card(scene: Scene, moment: Moment, setup: Setup) -> ResultCard | None:
    """The registration that waits, or else the one in use; None if there is none."""
    result = setup.registration
    pending = "registration" in setup.pending
    if result is None or not (pending or is_in_use(moment)):
        return None
    looks = {s.name: s for s in scene.structures}
    errors = tuple(
        ErrorRow(name, looks[name].color if name in looks else "#8b979f", tre, looks[name].danger_mm if name in looks else None)
        for name, tre in zip(result.tre_at, result.tre_mm, strict=True)
    )
    worst = _worst(result)
    told = dict(zip(result.landmarks, result.left_out_mm, strict=False)).get(worst)
    return ResultCard(
        pending=pending,
        accepted=result.accepted,
        reasons=result.reasons,
        residual=f"{result.fre_mm:.2f} mm RMS over {len(result.landmarks)} landmarks",
        surface="" if result.surface_rms_mm is None else f"{result.surface_rms_mm:.2f} mm RMS over {setup.sweep_points} points",
        errors=errors,
        worst=f"{name_words(worst)} lies {told:.1f} mm from where the others put it" if told is not None else "",
        without=result.without,
        question=result.level_question if pending and result.accepted else "",
        levels=tuple(sorted((result.level, *(rival.level for rival in result.rivals)))) if result.rivals else (),
    )


def check_rows(setup: Setup, now_ns: int) -> tuple[CheckRow, ...]:
    """The checks, the newest first; `now_ns` is the twin's logical time."""
    return tuple(_check_row(check, now_ns) for check in reversed(setup.checks))


def _check_row(check: Check, now_ns: int) -> CheckRow:
    verdict: Literal["good", "doubtful", "failed"] = "good" if check.good else "failed" if check.failed else "doubtful"
    side = " inside" if check.what == "bone" and check.error_mm < 0.0 else ""
    bound = f"up to {check.bound_mm:.1f} mm is predicted"
    words = {"good": bound, "doubtful": f"{bound}: touch it again", "failed": f"{bound}: has the reference moved?"}[verdict]
    where = f"bone, {name_words(check.name)}" if check.what == "bone" else name_words(check.name)
    return CheckRow(where, f"{abs(check.error_mm):.1f} mm{side}", verdict, words, f"{duration_words(now_ns - check.t_ns)} ago")


def _worst(result: RegistrationResult | None) -> str:
    if result is None:
        return ""
    told = [(mm, name) for name, mm in zip(result.landmarks, result.left_out_mm, strict=False) if mm is not None]
    mm, name = max(told, default=(0.0, ""))
    return name if mm >= WORST_FLOOR_MM else ""
