"""What the Register place shows, from the words of a real fold: steps, rows, verdicts, checks, what is heard and what stands in the way."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from gui.link.board import Moment
from gui.register.heard import cue_between
from gui.register.model import Course, Wishes, course, last_word, order_of, pointers, sight
from gui.register.obstacle import obstacle
from gui.register.rows import Touches, bar_scale_mm, check_rows, landmark_rows, result_card
from navtwin.nouns import Collect, Register, Reject, Setup, Undo, WorkFailed
from navtwin.scene.tre_map import tre_mm
from tests.gui.register_room import NAMES, Ear, Session

POINTER = Wishes(pointer="pointer")


def begun(**header: str) -> tuple[Session, Ear]:
    ear = Ear()
    return Session(ear, **header), ear


def calibrated() -> tuple[Session, Ear]:
    session, ear = begun()
    session.calibrate()
    return session, ear


def in_use() -> tuple[Session, Ear]:
    session, ear = calibrated()
    session.touch_all()
    session.register()
    session.accept()
    return session, ear


def moment(session: Session, **changes: object) -> Moment:
    plain = Moment(link="up", silence_ns=0, epoch="e", alerts=session.alerts, t_ns=session.now_ns, state=None, setup=session.setup)
    return replace(plain, **changes)  # type: ignore[arg-type]


def now(session: Session, wishes: Wishes = POINTER) -> Course:
    seen = moment(session)
    assert seen.setup is not None
    return course(session.scene, seen, seen.setup, wishes)


def states(found: Course) -> dict[str, str]:
    return {step.title: step.state for step in found.steps}


def test_the_whole_way_one_sentence_after_the_other() -> None:
    """Each step is next exactly once the one before it is done; what is asked for next can be asked for."""
    session, _ = begun()
    assert now(session).headline == "The tip of the pointer is not calibrated"
    assert now(session).primary == "calibrate"
    assert "touch" not in now(session).can
    session.calibrate()
    for n, name in enumerate(NAMES, start=1):
        found = now(session)
        assert (found.headline, found.target, found.primary) == (f"Touch {n}  {name}", name, "touch")
        assert states(found)["Landmarks"] == "now"
        session.touch(name)
    found = now(session)
    assert (found.headline, found.primary) == ("Sweep the bone", "sweep")
    assert "register" not in found.can
    alone = now(session, replace(POINTER, method="landmarks"))
    assert (alone.headline, alone.primary) == ("Compute the registration", "register")
    assert states(alone)["Surface"] == "unused"
    session.order(Collect(what="sweep", tool="pointer", action="start"))
    session.frames(10, session.at("spinous"))
    assert now(session).primary == "sweep"
    assert now(session).touching == "sweep"
    session.order(Collect(what="sweep", tool="pointer", action="stop"))
    assert now(session).primary == "register"
    session.register()
    found = now(session)
    assert (found.headline, found.primary) == ("Accept the registration, or reject it", "accept")
    assert states(found)["Verdict"] == "now"
    assert "check" not in found.can
    session.accept()
    found = now(session)
    assert (found.headline, found.primary) == ("Check: touch a landmark, or the bone", "check")
    assert states(found) == {
        "Pointer's tip": "done", "Landmarks": "done", "Surface": "done", "Registration": "done", "Verdict": "done", "Checks": "now",
    }  # fmt: skip
    session.check("spinous")
    assert states(now(session))["Checks"] == "done"


def test_a_dwell_is_told_as_it_runs() -> None:
    session, _ = calibrated()
    session.order(Collect(what="landmark", tool="pointer", landmark="spinous", action="start", dwell_s=1.0))
    session.frames(30, session.at("spinous"))
    found = now(session)
    assert (found.headline, found.target, found.touching) == ("Hold still on 3  spinous", "spinous", "landmark")
    assert found.share == pytest.approx(29 * 0.016)
    assert found.primary is None
    assert found.can == {"cancel", "calibrate"}
    session.frames(1, None)
    assert "pointer is hidden" in now(session).detail
    assert now(session).share == 0.0


def test_a_refused_registration_can_only_be_rejected() -> None:
    session, _ = calibrated()
    session.touch_all()
    session.touch("spinous", (6.0, 0.0, 0.0))
    session.register()
    found = now(session)
    assert found.headline == "The gate refused this registration"
    assert found.primary == "reject"
    assert "accept" not in found.can
    card = result_card(session.scene, moment(session), session.setup)
    assert card is not None
    assert not card.accepted
    assert any("spinous" in reason for reason in card.reasons)


def rows_of(session: Session, wishes: Wishes = POINTER, touches: Touches | None = None) -> dict[str, object]:
    seen = touches or Touches()
    setup = session.setup
    seen.take(setup)
    found = landmark_rows(session.scene, setup, wishes, now(session, wishes), seen)
    assert bar_scale_mm(found) >= 1.0
    return {row.name: row for row in found}


def test_the_landmark_that_the_others_do_not_confirm_is_marked() -> None:
    session, _ = calibrated()
    session.touch_all()
    session.touch("spinous", (2.0, 0.0, 0.0))
    session.register()
    rows = rows_of(session)
    result = session.setup.registration
    assert result is not None
    at = result.landmarks.index("spinous")
    assert rows["spinous"].worst  # type: ignore[attr-defined]
    assert [name for name, row in rows.items() if row.worst] == ["spinous"]  # type: ignore[attr-defined]
    assert rows["spinous"].left_out_mm == result.left_out_mm[at]  # type: ignore[attr-defined]
    assert rows["spinous"].residual_mm == result.residual_mm[at]  # type: ignore[attr-defined]
    place = next(m.position_mm for m in session.scene.landmarks if m.name == "spinous")
    assert rows["spinous"].expected_mm == pytest.approx(float(tre_mm(result.covariance, result.centroid_mm, [place])[0]))  # type: ignore[attr-defined]


def test_errors_of_a_touch_that_was_taken_again_are_not_shown() -> None:
    session, _ = calibrated()
    session.touch_all()
    session.register()
    touches = Touches()
    assert rows_of(session, touches=touches)["spinous"].residual_mm is not None  # type: ignore[attr-defined]
    session.order(Reject(result="registration"))
    session.register()
    rows_of(session, touches=touches)
    session.accept()
    session.order(Collect(what="landmark", tool="pointer", landmark="spinous", action="start"))
    session.frames(25, session.at("spinous"))
    session.order(Collect(what="landmark", tool="pointer", landmark="spinous", action="stop"))
    again = rows_of(session, touches=touches)
    assert again["spinous"].residual_mm is None  # type: ignore[attr-defined]
    assert again["base"].residual_mm is not None  # type: ignore[attr-defined]


def test_a_landmark_left_out_by_hand_is_not_asked_for_and_not_used() -> None:
    session, _ = calibrated()
    session.touch_all()
    wishes = replace(POINTER, method="landmarks", without=frozenset({"spinous"}))
    found = now(session, wishes)
    order = order_of("register", found, session.setup, wishes)
    assert order == Register(method="landmarks", without=("spinous",))
    session.order(order)
    card = result_card(session.scene, moment(session), session.setup)
    assert card is not None
    assert card.without == ("spinous",)
    assert "left out" in rows_of(session, wishes)["spinous"].touch  # type: ignore[attr-defined]
    too_few = replace(wishes, without=frozenset(NAMES[:4]))
    assert "register" not in now(session, too_few).can


def test_the_result_says_where_it_matters_and_what_residuals_are() -> None:
    session, _ = in_use()
    card = result_card(session.scene, moment(session), session.setup)
    result = session.setup.registration
    assert card is not None
    assert result is not None
    assert not card.pending
    assert [(row.name, row.tre_mm, row.danger_mm) for row in card.errors] == [("canal", result.tre_mm[0], 3.0)]
    assert card.residual == f"{result.fre_mm:.2f} mm RMS over 6 landmarks"
    assert card.surface == ""


def test_checks_are_read_newest_first_with_their_verdict() -> None:
    session, _ = in_use()
    session.check("spinous")
    session.knock((0.0, 5.0, 0.0))
    session.check("spinous")
    rows = check_rows(session.setup, session.now_ns + 2_000_000_000)
    assert [row.verdict for row in rows] == ["failed", "good"]
    assert rows[0].value.startswith("5.")
    assert "has the reference moved?" in rows[0].words
    assert rows[0].ago.startswith("2.")
    assert states(now(session))["Checks"] == "bad"


def test_a_bone_check_inside_says_so() -> None:
    session, _ = in_use()
    place = next(m.position_mm for m in session.scene.landmarks if m.name == "spinous")
    # From where the ball rests on the bone, straight in.
    session.check(at="spinous", off_mm=[-4.0 * (ball - mark) for ball, mark in zip(session.at("spinous"), place, strict=True)])
    row = check_rows(session.setup, session.now_ns)[0]
    assert row.name == "bone, vertebra"
    assert row.value.endswith("inside")


def test_a_chosen_landmark_goes_before_the_next_one() -> None:
    session, _ = calibrated()
    chosen = replace(POINTER, landmark="base")
    assert now(session, chosen).target == "base"
    assert order_of("touch", now(session, chosen), session.setup, chosen) == Collect(
        what="landmark", tool="pointer", action="start", landmark="base", dwell_s=1.0
    )
    session.touch("base")
    assert now(session, chosen).headline == "Touch 4  base again"


def test_in_use_no_landmark_is_touched_unless_it_is_chosen() -> None:
    """Return must not overwrite a landmark when a check is meant."""
    session, _ = in_use()
    assert "touch" not in now(session).can
    assert order_of("check", now(session), session.setup, POINTER) == Collect(what="check", tool="pointer", action="start", dwell_s=1.0)
    chosen = replace(POINTER, landmark="base")
    assert "touch" in now(session, chosen).can
    check = order_of("check", now(session, chosen), session.setup, chosen)
    assert check == Collect(what="check", tool="pointer", action="start", landmark="base", dwell_s=1.0)


def test_the_orders_are_ones_that_the_fold_obeys() -> None:
    session, _ = calibrated()
    for action in ("touch", "cancel", "sweep", "sweep"):
        found = now(session)
        assert action in found.can
        order = order_of(action, found, session.setup, POINTER)  # type: ignore[arg-type]
        assert order is not None
        assert session.order(order).ok
        session.frames(3, session.at("spinous"))
    assert "undo" in now(session).can
    assert session.order(Undo()).ok


def test_the_likeliest_pointer_comes_first() -> None:
    session, _ = begun()
    assert pointers(session.rig, None) == ("pointer", "drill")
    renamed = msgspec.structs.replace(session.rig, tool=tuple(msgspec.structs.replace(t, name=f"x{t.name}") for t in session.rig.tool))
    assert pointers(renamed, None) == ("xpointer", "xdrill")  # by its ball
    assert pointers(None, session.setup) == session.setup.calibrated


def heard(setups: list[Setup]) -> list[str]:
    cues = [cue_between(before, after) for before, after in zip([None, *setups], setups, strict=False)]
    return [cue for cue in cues if cue is not None]


def test_a_touch_is_heard_from_its_beginning_to_its_end() -> None:
    session, ear = calibrated()
    del ear.setups[:-1]
    session.touch("spinous")
    assert heard(ear.setups) == ["began", "taken"]


def test_a_dwell_that_is_broken_begins_again_and_one_that_is_cancelled_is_silent() -> None:
    session, ear = calibrated()
    del ear.setups[:-1]
    session.order(Collect(what="landmark", tool="pointer", landmark="base", action="start", dwell_s=1.0))
    session.frames(20, session.at("base"))
    session.frames(1, None)
    session.frames(20, session.at("base"))
    session.order(Collect(what="landmark", tool="pointer", action="cancel"))
    assert heard(ear.setups) == ["began", "began"]


def test_a_registration_and_its_checks_are_heard() -> None:
    session, ear = calibrated()
    session.touch_all()
    del ear.setups[:-1]
    session.register()
    session.accept()
    session.check("spinous")
    session.knock((0.0, 5.0, 0.0))
    session.check("spinous")
    assert heard(ear.setups) == ["taken", "began", "taken", "began", "refused"]


def test_a_dwell_that_is_given_up_is_heard_as_refused() -> None:
    session, ear = calibrated()
    session.order(Collect(what="landmark", tool="pointer", landmark="base", action="start", dwell_s=1.0))
    del ear.setups[:-1]
    session.now_ns += 31_000_000_000
    session.tick()
    assert heard(ear.setups) == ["refused"]


@pytest.mark.parametrize(
    ("changes", "place", "word"),
    [
        ({"link": "waiting"}, "calibrate", "No session"),
        ({"link": "lost"}, "", "LINK LOST"),
        ({"link": "ended"}, "calibrate", "ended"),
        ({"setup": None}, "", "heard"),
    ],
)
def test_what_stands_in_the_way_is_said_with_where_to_go(changes: dict[str, object], place: str, word: str) -> None:
    session, _ = calibrated()
    found = obstacle(session.scene, moment(session, **changes))
    assert found is not None
    assert found.place == place
    assert word in found.headline
    assert obstacle(session.scene, moment(session)) is None


def test_a_session_is_never_drawn_over_another_case() -> None:
    other, _ = begun(case_hash="another", case_path="cases/other")
    found = obstacle(other.scene, moment(other))
    assert found is not None
    assert found.headline == "The session runs on another case"
    assert "cases/other" in found.detail
    same, _ = begun(case_hash="older")
    found = obstacle(same.scene, moment(same))
    assert found is not None
    assert "changed after the session began" in found.headline


def test_a_case_without_landmarks_sends_one_to_case() -> None:
    session, _ = begun()
    for count, words in ((0, "no landmarks"), (1, "1 landmark"), (2, "2 landmarks")):
        found = obstacle(replace(session.scene, landmarks=session.scene.landmarks[:count]), moment(session))
        assert found is not None
        assert (found.headline, found.place) == (f"The case has {words}", "case")
    assert obstacle(None, moment(session), opening=True).headline == "The case is being read"  # type: ignore[union-attr]
    assert obstacle(None, moment(session)).place == "case"  # type: ignore[union-attr]


def test_a_registration_that_could_not_be_computed_is_heard_as_refused() -> None:
    session, _ = calibrated()
    before = msgspec.structs.replace(session.setup, computing=("registration",))
    assert cue_between(before, session.setup) == "refused"
    assert cue_between(before, before) is None


def test_what_the_core_last_said_is_shown_and_trouble_as_such() -> None:
    session, _ = calibrated()
    session.touch("spinous")
    setup = session.setup
    assert last_word(moment(session), setup, now(session)) == (setup.message, False)
    assert setup.message.startswith("spinous touched")
    session.feed(WorkFailed(request="registration/1", reason="landmarks 'base', 'spinous' coincide in the scan"))
    assert last_word(moment(session), session.setup, now(session)) == ("landmarks 'base', 'spinous' coincide in the scan", True)
    session.order(Collect(what="landmark", tool="pointer", landmark="base", action="start", dwell_s=1.0))
    assert last_word(moment(session), session.setup, now(session)) == ("", False)


def test_whether_a_touch_could_be_taken_is_said() -> None:
    session, ear = calibrated()
    session.frames(3, session.at("spinous"))
    assert sight(moment(session, state=ear.state), "pointer") == ("pointer and reference are seen", True)
    session.frames(1, None)
    assert sight(moment(session, state=ear.state), "pointer") == ("the pointer is not seen", False)
    assert sight(moment(session), "pointer") == ("no frame from the tracker", False)
