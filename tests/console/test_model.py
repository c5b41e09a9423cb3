"""The console's fold in injected time: news, link, answers, keys, sound."""

from __future__ import annotations

import itertools
from typing import get_args

import msgspec
import pytest

from navtwin.bus.topics import LINK_LOST_MS
from navtwin.console import model, orders
from navtwin.console.changes import Change
from navtwin.console.model import Memory
from navtwin.console.view import view
from navtwin.nouns import (
    Ack,
    Alert,
    AlertSet,
    AudioPause,
    DistanceStatus,
    Envelope,
    Freeze,
    Health,
    Level,
    Mark,
    Mute,
    Output,
    PairSummary,
    Priority,
    Reply,
    Setup,
    TechnicalAlarm,
)

MS = 1_000_000
S = 1000 * MS
HEALTH = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=20.0, watched=2)
PRIORITY: dict[Level, Priority] = {"CLEAR": "none", "CAUTION": "medium", "DANGER": "high", "CONTACT": "high"}
LOST = TechnicalAlarm(
    id="TRACKING_LOST/drill", alarm="TRACKING_LOST", subject="drill", priority="high", since_ns=0, text="hidden", remedy="clear the line of sight"
)
SETUP = Setup(collecting="", samples=0, calibrated=(), landmarks=(), spread_mm=(), sweep_points=0, pending=())


def alert(
    name: str = "canal", level: Level = "DANGER", *, known: bool = True, silenced: bool = False, acked_by: str = "", since_ns: int = 0
) -> Alert:
    return Alert(
        id=f"{name}/drill/neck", structure=name, instrument="drill", part="neck", level=level, known=known, status="OK" if known else "HIDDEN",
        priority=PRIORITY[level], since_ns=since_ns, limit_mm=1.5, distance_mm=1.3 if known else None, sd_mm=0.35 if known else None,
        speed_mm_s=4.0 if known else None, silenced=silenced or bool(acked_by), acked_by=acked_by,
    )  # fmt: skip


class Desk:
    """A console without terminal and socket: feeds the fold, keeps the news."""

    def __init__(self) -> None:
        self.memory = Memory(who="ana")
        self.now_ns = 0
        self.heard_ns = 0
        self.seq = 0
        self.epoch = "e1"
        self.news: list[Change] = []

    def hear(self, body: Output, after_ms: int = 50) -> list[str]:
        self.now_ns += after_ms * MS
        self.seq += 1
        topic = {"AlertSet": "alerts", "Setup": "setup", "Reply": "reply"}[type(body).__name__]
        epoch = "" if topic == "reply" else self.epoch
        envelope = Envelope(
            epoch=epoch, seq=self.seq, t_capture_ns=None, t_arrival_ns=None, t_step_ns=self.now_ns, t_publish_ns=self.now_ns, body=body
        )
        if topic == "alerts":
            self.heard_ns = self.now_ns
        news = model.heard(self.memory, topic, envelope, self.now_ns)  # type: ignore[arg-type]
        return self._told(news + self.pass_time(0))

    def alerts(self, *alerts: Alert, technical: tuple[TechnicalAlarm, ...] = (), pairs: tuple[PairSummary, ...] = (), **health: object) -> list[str]:
        state = msgspec.structs.replace(HEALTH, **health)
        return self.hear(AlertSet(phase="navigation", t_ns=self.now_ns + 50 * MS, alerts=alerts, technical=technical, pairs=pairs, health=state))

    def pass_time(self, ms: int) -> list[Change]:
        self.now_ns += ms * MS
        silence_ns = self.now_ns - self.heard_ns
        return model.passed(self.memory, self.now_ns, lost=silence_ns >= LINK_LOST_MS * MS, silence_ns=silence_ns)

    def wait(self, ms: int) -> list[str]:
        return self._told(self.pass_time(ms))

    def press(self, keys: str) -> list[str]:
        return self._told([change for key in keys for change in orders.pressed(self.memory, key, self.now_ns)])

    def sent(self) -> list[object]:
        return list(model.take_orders(self.memory))

    def _told(self, news: list[Change]) -> list[str]:
        self.news += news
        return [f"{change.verb} {change.words}".strip() for change in news]


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.alerts()
    return desk


def test_life_of_an_alert(desk: Desk) -> None:
    assert desk.alerts(alert(level="CAUTION", since_ns=desk.now_ns)) == ["RAISED drill neck to canal: CAUTION, 1.3 ± 0.7 mm, closing at 4 mm/s"]
    assert desk.alerts(alert(level="CAUTION")) == []
    assert desk.alerts(alert(since_ns=desk.now_ns)) == ["RISEN drill neck to canal: DANGER, 1.3 ± 0.7 mm, closing at 4 mm/s, was CAUTION"]
    assert desk.alerts(alert(acked_by="bob", since_ns=desk.now_ns)) == ["ACKED drill neck to canal at DANGER, by bob"]
    desk.now_ns = S
    assert desk.alerts(alert(acked_by="bob", known=False)) == ["UNKNOWN drill neck to canal: UNKNOWN (hidden), was DANGER since 1.0 s"]
    assert desk.alerts(alert(acked_by="bob"))[0].startswith("KNOWN drill neck to canal: DANGER")
    assert desk.alerts(alert())[0].startswith("ACK ENDED drill neck to canal: DANGER")
    assert desk.alerts(alert(level="CAUTION", since_ns=desk.now_ns))[0].startswith("FELL drill neck to canal: CAUTION")
    assert desk.alerts()[0].startswith("CLEARED drill neck to canal, was CAUTION for 0.1 s")


def test_alert_that_vanishes_while_unknown_is_not_called_cleared(desk: Desk) -> None:
    desk.alerts(alert(known=False))
    pair = PairSummary(id="canal/drill/neck", level="DANGER", known=False, status="HIDDEN", since_ns=0)
    assert desk.alerts(pairs=(pair,)) == ["DROPPED drill neck to canal: UNKNOWN, was DANGER"]


def test_technical_alarms_and_switches_are_news(desk: Desk) -> None:
    told = desk.alerts(technical=(LOST,), reference="bad", audio_paused_until_ns=30 * S, muted=("canal",))
    assert told == [
        "ALARM TRACKING LOST, drill: hidden; clear the line of sight (since 0.1 s)",
        "AUDIO PAUSED for 29 s",
        "MUTED CAUTION at canal",
        "LAMP reference: BAD",
    ]
    told = desk.alerts(technical=(msgspec.structs.replace(LOST, acked_by="ana", silenced=True),))
    assert told == ["ACKED TRACKING LOST, drill, by ana", "AUDIO ON the pause is over", "UNMUTED canal", "LAMP reference: good"]
    assert desk.alerts() == ["ENDED TRACKING LOST, drill, after 0.2 s"]


def test_link_lost_at_its_limit_and_nothing_stays_known(desk: Desk) -> None:
    desk.alerts(alert())
    assert desk.wait(LINK_LOST_MS - 1) == []
    assert desk.wait(1) == ["LINK LOST nothing from the core for 0.2 s: every distance is unknown"]
    shown = view(desk.memory, desk.now_ns)
    assert shown.link == "lost"
    assert [row.level for row in shown.alerts] == ["UNKNOWN (link lost), was DANGER"]
    assert [row.distance for row in shown.alerts] == [""]
    assert all(lamp is None for name, lamp, _ in shown.lamps if name != "link")
    assert desk.alerts(alert()) == ["LINK UP after 0.3 s of silence"]
    assert view(desk.memory, desk.now_ns).alerts[0].distance == "1.3 ± 0.7 mm"


def test_no_core_yet_is_told_once_and_is_not_up() -> None:
    desk = Desk()
    assert desk.wait(100) == []
    assert desk.memory.link == "waiting"
    assert desk.wait(300) == ["NO LINK no core has been heard yet: every distance is unknown"]
    assert desk.wait(300) == []


def test_silence_after_the_end_of_the_session_is_no_alarm(desk: Desk) -> None:
    assert desk.hear(msgspec.structs.replace(SETUP, message="session ended")) == ["SETUP session ended"]
    assert desk.memory.ended
    assert desk.wait(400) == ["LINK CLOSED the session has ended"]
    assert model.pulses(desk.memory, desk.now_ns) == 0


def test_new_session_forgets_the_old_one(desk: Desk) -> None:
    desk.alerts(alert())
    desk.epoch = "e2"
    assert "NEW SESSION e2" in desk.alerts()
    assert view(desk.memory, desk.now_ns).alerts == ()


def test_a_acknowledges_the_topmost_that_waits_at_the_level_seen(desk: Desk) -> None:
    desk.alerts(alert("aorta", "CAUTION"), alert("canal"), alert("vena_cava", acked_by="bob"), technical=(LOST,))
    desk.now_ns += orders.MEANT_NS
    desk.press("a")
    assert desk.sent() == [Ack(epoch="e1", alert="canal/drill/neck", level="DANGER")]
    desk.alerts(alert("aorta", "CAUTION"), alert("canal", acked_by="ana"), technical=(LOST,))
    desk.press("a")
    assert desk.sent() == [Ack(epoch="e1", alert="TRACKING_LOST/drill")]
    desk.alerts()
    assert desk.press("a") == ["NOTE nothing waits to be acknowledged"]
    assert desk.sent() == []


def test_what_came_under_the_finger_is_not_acknowledged(desk: Desk) -> None:
    desk.alerts(alert("aorta", "CAUTION"))
    for _ in range(6):
        desk.alerts(alert("aorta", "CAUTION"), alert("canal"))
        assert desk.press("a") == ["NOTE drill neck to canal has only just come to DANGER: press again"]
    desk.alerts(alert("aorta", "CAUTION"), alert("canal"))
    assert desk.press("a") == []
    assert desk.sent() == [Ack(epoch="e1", alert="canal/drill/neck", level="DANGER")]


def test_number_keeps_its_meaning_while_rows_change_places(desk: Desk) -> None:
    desk.alerts(alert("aorta", "CAUTION"))
    desk.alerts(alert("aorta", "CAUTION"), alert("canal", "CONTACT"))
    assert [row.number for row in view(desk.memory, desk.now_ns).alerts] == [2, 1]
    desk.now_ns += orders.MEANT_NS
    desk.press("1a")
    assert desk.sent() == [Ack(epoch="e1", alert="aorta/drill/neck", level="CAUTION")]
    assert desk.press("7") == ["NOTE nothing has the number 7"]


def test_selection_goes_with_its_alert(desk: Desk) -> None:
    desk.alerts(alert("aorta", "CAUTION"))
    desk.press("1")
    desk.alerts(alert("canal"))
    assert desk.memory.selected == ""


def test_mute_covers_caution_only(desk: Desk) -> None:
    desk.alerts(alert("canal"), alert("aorta", "CAUTION"))
    desk.press("m")
    assert desk.sent() == [Mute(structure="aorta")]
    assert desk.press("1m") == ["NOTE drill neck to canal is at DANGER: only CAUTION can be muted"]
    desk.alerts(technical=(LOST,))
    assert desk.press("m") == ["NOTE nothing is at CAUTION; DANGER and CONTACT cannot be muted"]
    assert desk.press("1m") == ["NOTE technical alarms cannot be muted"]
    assert desk.sent() == []


def test_pause_mark_and_quit(desk: Desk) -> None:
    desk.press("pk")
    assert desk.sent() == [AudioPause(seconds=30.0), Mark(label="mark 1")]
    desk.alerts(audio_paused_until_ns=20 * S)
    desk.press("pkq")
    assert desk.sent() == [AudioPause(seconds=0.0), Mark(label="mark 2")]
    assert desk.memory.over


def test_unknown_keys_do_nothing(desk: Desk) -> None:
    assert desk.press("xA0\x1b\n ") == []
    assert desk.sent() == []


def test_over_a_lost_link_no_order_is_made(desk: Desk) -> None:
    desk.alerts(alert())
    desk.wait(300)
    assert all("no order can be given" in told for told in desk.press("mpkfa"))
    assert desk.sent() == []
    assert desk.memory.link_silenced


def test_freeze_holds_the_picture_until_something_new(desk: Desk) -> None:
    desk.alerts(alert())
    desk.press("f")
    assert desk.sent() == [Freeze(on=True)]
    desk.alerts(msgspec.structs.replace(alert(), distance_mm=0.9))
    assert view(desk.memory, desk.now_ns).alerts[0].distance.startswith("1.3")
    assert view(desk.memory, desk.now_ns).frozen
    assert "UNFROZEN because of what is new" in desk.alerts(alert(level="CONTACT"))
    assert desk.sent() == [Freeze(on=False)]
    assert view(desk.memory, desk.now_ns).alerts[0].level == "CONTACT"


def test_lost_link_ends_a_freeze(desk: Desk) -> None:
    desk.alerts(alert())
    desk.press("f")
    desk.wait(300)
    assert view(desk.memory, desk.now_ns).frozen == ""


def test_answers_are_told_in_words(desk: Desk) -> None:
    order = Ack(epoch="e1", alert="canal/drill/neck", level="DANGER")
    model.sent(desk.memory, "ana-1", order, desk.now_ns)
    assert desk.hear(Reply(id="ana-1", who="ana", ok=False, reason="it has risen to CONTACT")) == [
        "REFUSED acknowledge drill neck to canal at DANGER: it has risen to CONTACT"
    ]
    model.sent(desk.memory, "ana-2", order, desk.now_ns)
    assert desk.hear(Reply(id="ana-2", who="ana", ok=True)) == ["DONE acknowledge drill neck to canal at DANGER"]
    model.sent(desk.memory, "ana-3", order, desk.now_ns)
    told = [line for _ in range(25) for line in desk.alerts()]
    assert told.count("NO ANSWER to: acknowledge drill neck to canal at DANGER") == 1


def test_text_from_the_bus_cannot_steer_the_terminal(desk: Desk) -> None:
    evil = msgspec.structs.replace(LOST, id="A/\x1b[2J", text="\x1b]0;x\x07", remedy="\n")
    told = desk.alerts(msgspec.structs.replace(alert(), id="c\x1b/d/\x07", acked_by="\x1b[31m"), technical=(evil,), muted=("\x07",))
    assert all(line.isprintable() for line in told)


def test_scripted_reaction_acknowledges_each_level_once_after_its_time(desk: Desk) -> None:
    acks: list[tuple[int, object]] = []

    def attend(*alerts: Alert, technical: tuple[TechnicalAlarm, ...] = ()) -> None:
        desk.alerts(*alerts, technical=technical)
        orders.react(desk.memory, desk.now_ns, 200 * MS)
        acks.extend((desk.now_ns, order) for order in desk.sent())

    begun = desk.now_ns + 50 * MS
    for _ in range(7):
        attend(alert(level="CAUTION"), technical=(LOST,))
    assert {(at, order.alert, order.level) for at, order in acks if isinstance(order, Ack)} == {
        (begun + 200 * MS, "TRACKING_LOST/drill", None),
        (begun + 200 * MS, "canal/drill/neck", "CAUTION"),
    }
    assert len(acks) == 2
    acks.clear()
    risen = desk.now_ns + 50 * MS
    for _ in range(5):
        attend(alert(level="DANGER"))
    assert acks == [(risen + 200 * MS, Ack(epoch="e1", alert="canal/drill/neck", level="DANGER"))]
    acks.clear()
    for _ in range(10):
        attend(alert(level="DANGER", acked_by="ana"))
    assert acks == []
    for _ in range(5):
        attend(alert(level="DANGER"))
    assert len(acks) == 1, "when an acknowledgement ends, the reaction begins anew"


def pulses_over(desk: Desk, ms: int, *alerts: Alert, **health: object) -> int:
    total = 0
    for _ in range(ms // 50):
        desk.alerts(*alerts, **health)  # type: ignore[arg-type]
        total += model.pulses(desk.memory, desk.now_ns)
    return total


def test_sound_by_priority_and_silence(desk: Desk) -> None:
    assert pulses_over(desk, 5000) == 0
    assert pulses_over(desk, 5000, alert(level="CAUTION")) == 3
    assert pulses_over(desk, 5000, alert()) == 10
    assert pulses_over(desk, 20_000, alert(acked_by="ana")) == 0


def test_new_contact_sounds_through_the_pause_and_an_old_one_does_not(desk: Desk) -> None:
    old = alert("aorta", "CONTACT", since_ns=0, silenced=True)
    assert pulses_over(desk, 5000, old, audio_paused_until_ns=100 * S) == 0
    new = alert("canal", "CONTACT", since_ns=desk.now_ns, silenced=True)
    assert pulses_over(desk, 5000, old, new, audio_paused_until_ns=100 * S) == 10


def test_lost_link_sounds_until_silenced(desk: Desk) -> None:
    desk.alerts(alert(acked_by="ana"))
    total = 0
    for _ in range(100):
        desk.wait(50)
        total += model.pulses(desk.memory, desk.now_ns)
    assert total == 10
    desk.press("a")
    for _ in range(400):
        desk.wait(50)
        assert model.pulses(desk.memory, desk.now_ns) == 0
    desk.alerts(alert(acked_by="ana"))
    assert not desk.wait(50)
    desk.wait(300)
    assert model.pulses(desk.memory, desk.now_ns) == 1, "the next loss sounds again"


def test_order_of_rows(desk: Desk) -> None:
    rows = [
        alert(name, level, known=known)
        for name, (level, known) in zip("abcdef", itertools.product(("CAUTION", "DANGER", "CONTACT"), (True, False)), strict=True)
    ]
    desk.alerts(*rows)
    assert [row.level.split()[-1] for row in view(desk.memory, desk.now_ns).alerts] == ["CONTACT"] * 2 + ["DANGER"] * 2 + ["CAUTION"] * 2
    # Of equals the unknown one comes first: it may be worse than it looks.
    assert [row.level.startswith("UNKNOWN") for row in view(desk.memory, desk.now_ns).alerts] == [True, False] * 3


@pytest.mark.parametrize("status", [status for status in get_args(DistanceStatus) if status != "OK"])
def test_no_unknown_row_ever_shows_a_distance(desk: Desk, status: DistanceStatus) -> None:
    held = msgspec.structs.replace(alert(), known=False, status=status)
    desk.alerts(held)
    [row] = view(desk.memory, desk.now_ns).alerts
    assert (row.distance, row.limit, row.speed) == ("", "", "")
    assert row.level.startswith("UNKNOWN")
