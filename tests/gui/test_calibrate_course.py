"""A calibration's lines folded into what is shown and may be pressed; and a pivot's clock against what the core says. No Qt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gui.calibrate.course import NO_PICTURE_NS, NOTHING_STORED, UNSEEN_NS, Course
from gui.calibrate.figures import figure_rows, figure_words
from gui.calibrate.pivoting import COUNT_IN_NS, SILENT_NS, Pivoting, S
from gui.link.board import Moment
from navtwin.nouns import Accept, Collect, InstrumentState, PivotResult, Reject, Setup, State, encode
from navtwin.nouns.calibration import CalibrationEnded, CalibrationVerdict, Figure, Progress
from tests.gui.room import CLEAR_S, said, with_health

SETUP = Setup(collecting="", samples=0, calibrated=(), landmarks=(), spread_mm=(), sweep_points=0, pending=())
GOOD = PivotResult(
    request="pivot/drill/1", tool="drill", accepted=True, reasons=(), tip_mm=(0, -150, 0),
    covariance=(0.04, 0, 0, 0.01, 0, 0.0025), rms_mm=0.2, samples=300,
)  # fmt: skip


ALERTS = said(CLEAR_S)[1]


def line(noun: Any) -> str:
    return encode(noun).decode()


def progress(phase: Any = "collecting", **more: Any) -> str:
    return line(Progress(what="camera", phase=phase, words="hold still", **more))


def verdict(accepted: bool = True, **more: Any) -> str:
    return line(CalibrationVerdict(what="camera", name="left", accepted=accepted, **more))


def begun() -> Course:
    return Course.begun("the board", live=True, now_ns=0)


def test_from_the_opening_to_what_is_stored():
    course = begun()
    assert (course.phase, course.may) == ("opening", {"cancel"})
    course.take_line(progress(views=3, views_wanted=20, done_share=0.15))
    assert (course.phase, course.may, course.share, course.count) == ("collecting", {"finish", "cancel"}, 0.15, (3, 20))
    assert course.advice(0) == ("hold still", False)
    course.take_line(progress("computing"))
    assert (course.phase, course.may) == ("computing", {"cancel"})
    course.take_line(verdict(waits=True, figures=(Figure("held-out error", 0.2, "px"),)))
    assert (course.phase, course.may) == ("deciding", {"accept", "reject"}) and course.figures[0].value == 0.2
    course.asked("accept")
    assert course.may == frozenset()
    course.take_line(line(CalibrationEnded(what="camera", stored=True, words="stored in rig.toml")))
    course.child_ended("")
    assert (course.phase, course.may, course.trouble) == ("over", {"start"}, "") and course.advice(0)[0] == "stored in rig.toml"


def test_a_refused_result_cannot_be_accepted():
    course = begun()
    course.take_line(verdict(accepted=False, reasons=("too little tilt",), waits=True))
    assert course.may == {"reject"} and course.advice(0)[1]


def test_a_refusal_that_leaves_with_an_exit_code_is_no_trouble_of_its_own():
    course = begun()
    course.take_line(verdict(accepted=False, reasons=("too little tilt",)))
    course.child_ended("it ended with exit code 1")
    assert course.trouble == "" and course.verdict is not None and course.advice(0)[0] == NOTHING_STORED


def test_a_child_that_dies_before_its_verdict_is_told_with_its_last_words_and_that_nothing_is_lost():
    course = begun()
    course.take_line(progress(views=7))
    course.child_ended("camera 0 gives no picture. Plug it in again.")
    words, bad = course.advice(0)
    assert bad and words.startswith("camera 0 gives no picture") and "rig.toml is as it was" in words and course.may == {"start"}


def test_a_child_that_dies_after_accept_and_before_it_stored_says_so():
    course = begun()
    course.take_line(verdict(waits=True))
    course.asked("accept")
    course.child_ended("no space is left")
    assert course.advice(0) == ("no space is left. Nothing was stored: rig.toml is as it was", True)


@pytest.mark.parametrize("words", ["cancelled", ""])
def test_a_cancelled_calibration_is_no_bad_news(words: str):
    course = begun()
    course.take_line(progress())
    course.asked("cancel")
    course.child_ended(words)
    assert course.advice(0) == (f"cancelled: {NOTHING_STORED}", False)


def test_a_board_that_is_not_seen_is_told_after_five_seconds_and_a_camera_that_is_silent_after_two():
    course = begun()
    course.take_line(progress())
    course.saw(True, 0)
    course.saw(False, UNSEEN_NS)
    assert course.advice(UNSEEN_NS) == ("hold still", False)
    assert "the board has not been seen for 5 s" in course.advice(UNSEEN_NS + 1)[0]
    course.saw(True, UNSEEN_NS + 2)
    assert course.advice(UNSEEN_NS + 3) == ("hold still", False)
    words, bad = course.advice(UNSEEN_NS + 3 + NO_PICTURE_NS)
    assert bad and "no picture for 2 s" in words and course.picture_is_late(UNSEEN_NS + 3 + NO_PICTURE_NS)


def test_a_recording_has_no_pace_to_keep():
    course = Course.begun("the board", live=False, now_ns=0)
    course.take_line(progress())
    assert course.advice(100 * S) == ("reading the recording: nothing kept so far", False)
    course.take_line(progress(views=7))
    assert course.advice(100 * S) == ("reading the recording: 7 views so far", False)


LINES = [progress(), progress("computing"), verdict(), verdict(waits=True), verdict(accepted=False, waits=True), "{}", '{"kind":"progress"}']


@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from(LINES)), max_size=12))
def test_no_line_breaks_it_and_nothing_may_be_accepted_without_a_verdict_that_waits(lines: list[str]):
    course = begun()
    for text in lines:
        course.take_line(text)
        if "accept" in course.may:
            assert course.verdict is not None and course.verdict.accepted and course.verdict.waits
    course.child_ended("")
    assert course.may == {"start"}


def test_figures_in_words():
    for value, unit, words in (
        (None, "px", "—"),
        (0.21349, "px", "0.213 px"),
        (20.0, "", "20"),
        (0.0174533, "rad", "1.000°"),
        (1412.31, "px", "1412.3 px"),
    ):
        assert figure_words(Figure("x", value, unit)) == words
    assert figure_words(Figure("cells seen share", 0.83)) == "83 %"


def test_a_residual_is_named_for_what_it_is_and_the_error_that_counts_comes_first():
    rows = figure_rows("tool", (Figure("tip x", 4.0, "mm"), Figure("rms", 0.05, "mm"), Figure("tip sd", 0.02, "mm")))
    assert [value for _, value in rows] == ["0.020 mm", "0.050 mm"] and "not how accurate the tip is" in rows[1][0]
    assert figure_rows("look", (Figure("x", 1.0),)) == [("x", "1")]


class Core:
    """A core that does what it is told, as far as its setup shows."""

    def __init__(self) -> None:
        self.setup, self.link, self.epoch, self.now_ns = SETUP, "up", "e", 0
        self.pivoting = Pivoting("drill", 15.0)
        self.orders: list[Any] = []
        self.seen = True

    def moment(self) -> Moment:
        drill = InstrumentState(instrument="drill", status="UNCALIBRATED" if self.seen else "HIDDEN")
        state = State(phase="setup", frame=1, instruments=(drill,), readings=())
        return Moment(self.link, 0, self.epoch, with_health(ALERTS, reference="ok"), 0, state, self.setup)  # type: ignore[arg-type]

    def after(self, seconds: float) -> None:
        """Let time pass in twentieths of a second; the core answers at once and says each second how many poses it has."""
        for _ in range(round(seconds * 20)):
            self.now_ns += S // 20
            order = self.pivoting.turn(self.moment(), self.now_ns)
            if order is not None:
                self.take(order)
            if self.setup.collecting and self.now_ns % S == 0 and self.seen:
                self.setup = replace(self.setup, samples=self.setup.samples + 60)

    def take(self, order: Any) -> None:
        self.orders.append(order)
        if isinstance(order, Collect):
            self.setup = replace(self.setup, collecting=f"pivot {order.tool}" if order.action == "start" else "", samples=0)
            if order.action == "stop":
                self.setup = replace(self.setup, computing=("pivot/drill",))

    def view(self) -> Any:
        return self.pivoting.view(self.moment(), self.now_ns)


def test_a_pivot_counts_in_collects_for_its_time_and_is_judged():
    core = Core()
    core.pivoting.start(0)
    assert core.view().phase == "counting in" and not core.orders
    core.after(COUNT_IN_NS / S)
    assert [o.action for o in core.orders] == ["start"] and core.view().phase == "collecting"
    core.after(14.0)
    assert core.view().samples == 840 and core.view().may == {"finish", "cancel"}
    core.after(1.0)
    assert [o.action for o in core.orders] == ["start", "stop"] and core.view().phase == "computing"
    core.setup = replace(core.setup, computing=(), pending=("pivot/drill",), pivots=(GOOD,))
    assert core.view().phase == "deciding" and core.view().may == {"accept", "reject", "start"}
    assert core.pivoting.accept() == Accept(result="pivot/drill") and core.pivoting.reject() == Reject(result="pivot/drill")
    core.setup = replace(core.setup, pending=(), calibrated=("drill",))
    assert core.view().phase == "in use"


def test_a_refused_pivot_may_not_be_accepted():
    core = Core()
    core.setup = replace(SETUP, pending=("pivot/drill",), pivots=(replace(GOOD, accepted=False, reasons=("the tip slid",)),))
    assert core.view().may == {"reject", "start"} and core.view().bad


def test_a_hidden_tool_is_told_while_it_collects():
    core = Core()
    core.pivoting.start(0)
    core.after(5.0)
    assert not core.view().bad
    core.seen = False
    assert core.view().bad and "not seen" in core.view().headline


def test_poses_that_stop_coming_are_told_where_no_status_tells():
    core = Core()
    core.pivoting.start(0)
    core.after(4.0)
    core.setup = replace(core.setup, samples=60)
    core.pivoting.turn(core.moment(), core.now_ns)
    core.pivoting.turn(core.moment(), core.now_ns + SILENT_NS + S)
    core.now_ns += SILENT_NS + S
    assert core.view().bad and "not seen" in core.view().headline


def test_a_core_that_is_not_heard_for_a_while_is_asked_to_stop_once_it_is_heard_again():
    core = Core()
    core.pivoting.start(0)
    core.after(6.0)
    core.link = "lost"
    core.after(20.0)
    assert core.view().phase == "no core" and core.view().bad and [o.action for o in core.orders] == ["start"]
    core.link = "up"
    core.after(0.1)
    assert [o.action for o in core.orders] == ["start", "stop"] and core.view().phase == "computing"


@pytest.mark.parametrize(("link", "epoch", "word"), [("ended", "e", "has ended"), ("up", "other", "another session")])
def test_what_a_session_collected_is_lost_with_it(link: str, epoch: str, word: str):
    core = Core()
    core.pivoting.start(0)
    core.after(6.0)
    core.link, core.epoch, core.setup = link, epoch, SETUP
    core.after(0.1)
    assert not core.pivoting.under_way and word in core.view().headline and [o.action for o in core.orders] == ["start"]


def test_nothing_begins_on_a_core_that_fell_silent_during_the_count_in():
    core = Core()
    core.pivoting.start(0)
    core.after(1.0)
    core.link = "lost"
    core.after(0.1)
    core.link = "up"
    core.after(5.0)
    assert core.orders == [] and core.view().bad and core.view().may == {"start"}


def test_without_a_core_nothing_can_be_started():
    core = Core()
    core.link = "waiting"
    assert core.view().phase == "no core" and core.view().may == frozenset()


def test_what_the_sessions_own_script_collects_is_not_disturbed():
    core = Core()
    core.setup = replace(SETUP, collecting="pivot pointer", samples=211)
    assert core.view().phase == "busy" and core.view().may == frozenset()
    core.pivoting.start(0)
    core.after(4.0)
    assert core.orders == [] and not core.pivoting.under_way


def test_a_core_that_refuses_to_collect_is_noticed():
    core = Core()
    core.pivoting.start(0)
    core.take = core.orders.append  # type: ignore[method-assign]
    core.after(6.0)
    assert not core.pivoting.under_way and "did not begin" in core.view().headline


def test_a_collection_that_somebody_else_ended_is_noticed():
    core = Core()
    core.pivoting.start(0)
    core.after(6.0)
    core.setup = replace(core.setup, collecting="", message="collection cancelled")
    core.after(0.1)
    assert "ended elsewhere" in core.view().headline


def test_cancelling_tells_the_core_only_what_it_was_asked():
    core = Core()
    core.pivoting.start(0)
    assert core.pivoting.cancel() is None and not core.pivoting.under_way
    core.pivoting.start(0)
    core.after(4.0)
    assert core.pivoting.cancel() == Collect(what="pivot", tool="drill", action="cancel")
    assert core.pivoting.finish(core.now_ns) is None
