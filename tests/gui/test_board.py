"""What may be shown at one moment: by the screen's own clock, and never more than is known."""

from __future__ import annotations

import msgspec
import pytest

from gui.link.board import MEANT_NS, SESSION_ENDED, Meant, ordered
from navtwin.nouns import Ack, Alert, Mark, Reply
from tests.bus.fake_core import SETUP
from tests.gui.room import CAUTION_S, CONTACT_S, DANGER_S, MS, Desk, said, with_health


def test_a_core_that_was_never_heard_is_waited_for_and_nothing_is_known():
    moment = Desk().board.moment()
    assert (moment.link, moment.alerts, moment.state) == ("waiting", None, None)


def test_the_link_is_lost_after_250_ms_of_silence_and_not_before():
    desk = Desk()
    desk.tell(DANGER_S)
    desk.clock.ns += 249 * MS
    assert desk.board.moment().link == "up"
    desk.clock.ns += 1 * MS
    assert desk.board.moment().link == "lost"


def test_over_a_lost_link_no_alert_is_known_and_none_has_a_number():
    desk = Desk()
    desk.tell(DANGER_S)
    desk.clock.ns += 400 * MS
    moment = desk.board.moment()
    assert moment.state is None
    assert moment.alerts is not None
    assert moment.alerts.alerts
    assert all(not a.known and a.distance_mm is None and a.bound_mm is None for a in moment.alerts.alerts)
    assert all(not p.known for p in moment.alerts.pairs)
    assert moment.alerts.health.tracker == "off"


def test_states_alone_do_not_keep_the_link_up():
    desk = Desk()
    state, _ = desk.tell(DANGER_S)
    for _ in range(40):
        desk.clock.ns += 10 * MS
        desk.hear("state", state)
    assert desk.board.moment().link == "lost"


def test_a_state_is_dropped_when_it_is_too_old_though_alerts_go_on():
    desk = Desk()
    _, alerts = desk.tell(DANGER_S)
    for _ in range(3):
        desk.clock.ns += 50 * MS
        desk.hear("alerts", alerts)
    moment = desk.board.moment()
    assert moment.link == "up"
    assert moment.state is None


def test_a_state_is_dropped_when_the_core_calls_its_frames_too_old():
    desk = Desk()
    _, alerts = desk.tell(DANGER_S)
    assert desk.board.moment().state is not None
    desk.hear("alerts", with_health(alerts, frame_age_ms=140.0))
    assert desk.board.moment().state is None


def test_another_session_takes_everything_back():
    desk = Desk()
    desk.tell(DANGER_S)
    desk.hear("setup", SETUP, epoch="e2")
    moment = desk.board.moment()
    assert (moment.epoch, moment.alerts, moment.state) == ("e2", None, None)


def test_a_core_that_said_goodbye_has_ended_and_is_not_lost():
    desk = Desk()
    desk.tell(DANGER_S)
    desk.hear("setup", msgspec.structs.replace(SETUP, message=SESSION_ENDED))
    desk.clock.ns += 400 * MS
    assert desk.board.moment().link == "ended"


@pytest.mark.parametrize(("ok", "begin"), [(True, "done: "), (False, "refused: ")])
def test_answers_are_told_with_what_was_asked(ok: bool, begin: str):
    desk = Desk()
    desk.board.sent("me-1", Ack(epoch="e1", alert="aorta/drill/burr", level="DANGER"))
    desk.hear("reply", Reply(id="me-1", who="me", ok=ok, reason="" if ok else "it has risen"))
    word = desk.board.words[-1]
    assert word.text.startswith(begin + "acknowledge drill burr to aorta at DANGER")
    assert word.good == ok


def test_an_order_without_an_answer_is_told_once():
    desk = Desk()
    desk.board.sent("me-1", Mark(label="mark 1"))
    desk.clock.ns += 1001 * MS
    desk.board.moment()
    desk.board.moment()
    assert [word.text for word in desk.board.words] == ["no answer to: mark 1"]


def test_the_most_pressing_alert_comes_first_and_none_is_lost():
    alerts = said(CONTACT_S)[1]
    rows = ordered(alerts)
    assert {row.id for row in rows} == {a.id for a in (*alerts.alerts, *alerts.technical)}
    assert isinstance(rows[0], Alert)
    assert rows[0].level == "CONTACT"


def test_what_came_to_the_top_too_lately_to_be_read_is_not_what_was_meant():
    first, second = said(CAUTION_S)[1].alerts[0], said(DANGER_S)[1].alerts[0]
    meant = Meant()
    meant.show(first, 0)
    meant.show(second, 10_000 * MS)
    assert meant.pick(10_000 * MS + MEANT_NS - 1) is first
    assert meant.pick(10_000 * MS + MEANT_NS) is second


def test_the_first_alert_of_all_is_meant_at_once():
    row = said(DANGER_S)[1].alerts[0]
    meant = Meant()
    meant.show(None, 0)
    meant.show(row, 10_000 * MS)
    assert meant.pick(10_000 * MS) is row
