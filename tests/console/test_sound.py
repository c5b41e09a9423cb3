"""The console's loudspeaker: what it plays, and who is told that it cannot."""

from __future__ import annotations

import pytest

from navtwin.console import model, orders
from navtwin.console.changes import Change
from navtwin.console.view import view
from navtwin.nouns import Audio, Reply
from tests.console.test_model import LOST, Desk, alert


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_console_without_sound_says_so_and_tells_the_core_until_it_has_one(desk: Desk) -> None:
    """The core forgets a client's fault after 5 s: it is told every 2 s, and once that it is over."""
    desk.alerts()
    told: list[Change] = []
    for _ in range(100):
        desk.wait(50)
        desk.alerts()
        told += model.sound_is(desk.memory, "no audio device", desk.now_ns)
    assert [change.verb for change in told] == ["NO SOUND"]
    assert "bell" in told[0].words
    desk.memory.has_bell = False
    assert "no alarm can be heard" in model.sound_is(desk.memory, "pulled out", desk.now_ns)[0].words
    assert model.take_orders(desk.memory) == [Audio(fault="no audio device")] * 5 + [Audio(fault="pulled out")]
    assert ("audio", "bad", "(bell)") in view(desk.memory, desk.now_ns).lamps
    assert [change.verb for change in model.sound_is(desk.memory, "", desk.now_ns)] == ["SOUND"]
    assert model.sound_is(desk.memory, "", desk.now_ns) == []
    assert model.take_orders(desk.memory) == [Audio(fault="")]
    assert ("audio", "ok", "") in view(desk.memory, desk.now_ns).lamps


def test_a_console_with_sound_tells_nobody(desk: Desk) -> None:
    desk.alerts()
    assert model.sound_is(desk.memory, None, desk.now_ns) == []
    assert [change.verb for change in model.sound_is(desk.memory, "", desk.now_ns)] == ["SOUND"]
    assert model.take_orders(desk.memory) == []


def test_the_answer_to_a_report_of_sound_is_no_news_but_its_refusal_is(desk: Desk) -> None:
    desk.alerts()
    for ident, ok in (("ana-1", True), ("ana-2", False)):
        model.sent(desk.memory, ident, Audio(fault="no audio device"), desk.now_ns)
        news = desk.hear(Reply(id=ident, who="ana", ok=ok, reason="" if ok else "too old"))
        assert bool(news) == (not ok)


def test_the_loudspeaker_plays_what_the_bell_rings(desk: Desk) -> None:
    desk.alerts(alert(), alert("aorta", acked_by="ana"), technical=(LOST,))
    assert [one.key for one in model.to_hear(desk.memory)] == [("canal/drill/neck", "DANGER"), ("TRACKING_LOST/drill", "")]
    desk.wait(400)
    assert [(one.key[0], one.priority, one.voice.name) for one in model.to_hear(desk.memory)] == [("LINK_LOST/core", "high", "technical")]
    orders.pressed(desk.memory, "a", desk.now_ns)
    assert model.to_hear(desk.memory) == ()
