"""What each place says of itself: what to do next, and why it is or is not ready."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from gui.desktop.readiness import NOTHING_WATCHED, Facts, readiness
from gui.link.board import Moment
from navtwin.nouns import Covariance6, Pose, RegistrationResult, TechnicalAlarm
from navtwin.scene.model import Landmark
from tests.bus.fake_core import SETUP
from tests.gui.room import DANGER_S, HIDDEN_S, Desk, rig, scene

ONE: Covariance6 = tuple(float(i in (0, 6, 11, 15, 18, 20)) for i in range(21))  # type: ignore[assignment]
RESULT = RegistrationResult(
    request="registration/1", accepted=True, reasons=(), pose=Pose(q_wxyz=(1, 0, 0, 0), t_mm=(0, 0, 0)), fre_mm=0.4, landmarks=("a", "b", "c"),
    residual_mm=(0.3, 0.4, 0.5), covariance=ONE, centroid_mm=(0, 0, 0), tre_at=("aorta", "spinal_canal"), tre_mm=(0.9, 1.4),
)  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def heard(desk: Desk, t_s: float = DANGER_S, **setup: object) -> Moment:
    """A moment in which the core is up and has said how set-up stands."""
    desk.tell(t_s)
    desk.hear("setup", msgspec.structs.replace(SETUP, **setup))
    return desk.board.moment()


def test_with_nothing_open_there_is_one_thing_to_do(desk: Desk):
    standings = readiness(Facts(None, None, desk.board.moment()))
    assert standings["case"].standing == "next"
    assert {standings[place].standing for place in ("register", "navigate")} == {"blocked"}
    assert standings["navigate"].words == "open a case first"


def test_a_case_that_watches_nothing_is_never_shown_as_well(desk: Desk):
    bare = replace(scene(), structures=tuple(s for s in scene().structures if s.role != "critical"))
    standings = readiness(Facts(bare, rig(), heard(desk)))
    assert standings["case"].standing == standings["navigate"].standing == "warning"
    assert NOTHING_WATCHED in standings["case"].words
    assert standings["navigate"].words == NOTHING_WATCHED


def test_unknown_distances_are_no_tick(desk: Desk):
    known = readiness(Facts(scene(), rig(), heard(desk)))["navigate"]
    hidden = readiness(Facts(scene(), rig(), heard(Desk(), HIDDEN_S)))["navigate"]
    assert (known.standing, hidden.standing) == ("done", "warning")
    assert hidden.words.startswith("0 of")


def test_over_a_lost_link_nothing_is_said_to_be_done_that_the_core_alone_knows(desk: Desk):
    heard(desk, registration=RESULT, pending=())
    desk.clock.ns += 400_000_000
    standings = readiness(Facts(scene(), rig(), desk.board.moment()))
    assert {standings[place].standing for place in ("register", "navigate")} == {"blocked"}


def test_a_core_on_another_case_is_a_warning(desk: Desk):
    standings = readiness(Facts(scene(), rig(), heard(desk), other_case="the running session works on another case: knee"))
    assert standings["navigate"].standing == "warning"
    assert "knee" in standings["navigate"].words


def test_registration_is_told_by_its_expected_error_and_not_by_its_residual(desk: Desk):
    words = readiness(Facts(scene(), rig(), heard(desk, registration=RESULT, pending=())))["register"].words
    assert "1.4 mm, at spinal canal" in words
    assert "0.4" not in words


def test_a_failed_check_takes_the_tick_away(desk: Desk):
    moment = heard(desk, registration=RESULT, pending=())
    failed = TechnicalAlarm(id="CHECK_FAILED/patient", alarm="CHECK_FAILED", subject="patient", priority="medium", since_ns=0, text="", remedy="")
    assert moment.alerts is not None
    doubted = replace(moment, alerts=msgspec.structs.replace(moment.alerts, technical=(failed,)))
    assert readiness(Facts(scene(), rig(), moment))["register"].standing == "done"
    assert readiness(Facts(scene(), rig(), doubted))["register"].standing == "warning"


def test_each_step_of_registering_says_what_comes_next(desk: Desk):
    marked = replace(scene(), landmarks=(Landmark("left_process", (0, 0, 0)), Landmark("right_process", (9, 0, 0))))

    def words(**setup: object) -> str:
        return readiness(Facts(marked, rig(), heard(desk, registration=None, pending=(), **setup)))["register"].words

    assert "calibrate the pointer" in words(calibrated=(), landmarks=())
    assert words(calibrated=("drill",), landmarks=()) == "touch left process (0 of 2 touched)"
    assert words(calibrated=("drill",), landmarks=("left_process",)) == "touch right process (1 of 2 touched)"
    assert words(calibrated=("drill",), landmarks=("left_process", "right_process"), sweep_points=0).startswith("sweep")
    assert words(calibrated=("drill",), landmarks=("left_process", "right_process"), sweep_points=9).startswith("compute")
    waiting = heard(desk, registration=RESULT, pending=("registration",))
    assert "accept or reject" in readiness(Facts(marked, rig(), waiting))["register"].words


def test_a_tool_without_a_tip_is_named(desk: Desk):
    assert "drill" in readiness(Facts(scene(), rig(), heard(desk, calibrated=())))["calibrate"].words
    assert readiness(Facts(scene(), rig(), heard(desk, calibrated=("drill",))))["calibrate"].standing == "done"
