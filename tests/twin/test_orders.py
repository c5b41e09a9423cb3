"""Answering: acknowledge, mute, pause; what each silences, and what ends it. Nothing silences a picture, only a sound."""

from __future__ import annotations

import pytest

from navtwin.nouns import (
    Accept,
    Ack,
    Audio,
    AudioPause,
    Collect,
    Freeze,
    Mark,
    Mute,
    Register,
    Reject,
    SetLimits,
    Spindle,
    ToolSelect,
    Undo,
)

from .world import MS, World, registration

BURR = "canal/drill/burr"
EPOCH = "test-session"


def at(gap: float, frames: int = 30) -> World:
    w = World()
    w.hold(gap, frames)
    return w


def test_ack_silences_this_alert_at_this_level_and_names_who() -> None:
    w = at(1.5)
    assert not w.alert(BURR).silenced
    assert w.order(Ack(epoch=EPOCH, alert=BURR, level="DANGER"), who="anna").ok
    assert w.alert(BURR).silenced
    assert w.alert(BURR).acked_by == "anna"
    assert not w.alert("canal/drill/neck").silenced


def test_ack_of_a_level_that_has_risen_is_refused() -> None:
    w = at(1.5)
    reply = w.order(Ack(epoch=EPOCH, alert=BURR, level="CAUTION"))
    assert not reply.ok
    assert "risen to DANGER" in reply.reason


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Ack(epoch="another", alert=BURR, level="DANGER"), "another session"),
        (Ack(epoch=EPOCH, alert="canal/drill/nose", level="DANGER"), "no alert"),
        (Ack(epoch=EPOCH, alert=BURR), "say the level"),
        (Mute(structure="bone"), "no critical structure 'bone'"),
        (AudioPause(seconds=121.0), "0 to 120 s"),
        (AudioPause(seconds=-1.0), "0 to 120 s"),
        (SetLimits(structure="canal", caution_mm=1.0, danger_mm=2.0), "danger 2 mm"),
        (SetLimits(structure="canal", caution_mm=0.0, danger_mm=0.0), "above 0"),
        (SetLimits(structure="bone", caution_mm=2.0, danger_mm=1.0), "no critical structure"),
        (ToolSelect(tools=("saw",)), "no tool 'saw'"),
        (Collect(what="pivot", tool="saw", action="start"), "no tool 'saw'"),
        (Collect(what="landmark", tool="drill", landmark="z", action="start"), "no landmark 'z'"),
        (Collect(what="landmark", tool="pointer", landmark="a", action="start"), "not calibrated"),
        (Collect(what="sweep", tool="drill", action="stop"), "nothing is being collected"),
        (Register(), "at least 3"),
        (Accept(result="registration"), "pending: none"),
        (Reject(result="pivot/drill"), "pending: none"),
        (Undo(), "nothing to undo"),
    ],
)
def test_refusals_say_why(order: object, why: str) -> None:
    reply = at(1.5).order(order)  # type: ignore[arg-type]
    assert not reply.ok
    assert why in reply.reason


def test_ack_ends_on_rise() -> None:
    w = at(3.0)
    w.order(Ack(epoch=EPOCH, alert=BURR, level="CAUTION"))
    w.hold(1.0, 3)
    assert not w.alert(BURR).silenced


def test_ack_goes_down_with_the_level_and_ends_when_it_rises_again() -> None:
    w = at(1.0)
    w.order(Ack(epoch=EPOCH, alert=BURR, level="DANGER"))
    w.hold(3.2, 60)
    assert w.alert(BURR).level == "CAUTION"
    assert w.alert(BURR).silenced
    w.hold(1.0, 3)
    assert w.alert(BURR).level == "DANGER"
    assert not w.alert(BURR).silenced


def test_ack_ends_on_clear() -> None:
    w = at(3.0)
    w.order(Ack(epoch=EPOCH, alert=BURR, level="CAUTION"))
    w.hold(20.0, 60)
    assert w.alert(BURR) is None
    w.hold(3.0, 30)
    assert not w.alert(BURR).silenced


def test_ack_of_danger_ends_after_60_s_and_of_caution_does_not() -> None:
    danger, caution = at(1.0), at(3.0)
    danger.order(Ack(epoch=EPOCH, alert=BURR, level="DANGER"))
    caution.order(Ack(epoch=EPOCH, alert=BURR, level="CAUTION"))
    for w, gap in ((danger, 1.0), (caution, 3.0)):
        for _ in range(59):
            w.frame(gap, step_ms=1000.0)
        assert w.alert(BURR).silenced
        w.frame(gap, step_ms=1000.0)
        w.frame(gap, step_ms=1000.0)
    assert not danger.alert(BURR).silenced
    assert caution.alert(BURR).silenced


def test_mute_silences_caution_but_never_danger() -> None:
    w = at(3.0)
    assert w.order(Mute(structure="canal")).ok
    assert w.alert(BURR).silenced
    w.hold(1.0, 3)
    assert not w.alert(BURR).silenced
    assert w.alerts.health.muted == ("canal",)


def test_mute_re_arms_after_five_seconds_of_clear() -> None:
    w = at(3.0)
    w.order(Mute(structure="canal"))
    w.hold(20.0, 250)
    assert w.alerts.health.muted == ("canal",)
    w.hold(20.0, 100)
    assert w.alerts.health.muted == ()
    w.hold(3.0, 30)
    assert not w.alert(BURR).silenced


def test_mute_ends_after_two_minutes() -> None:
    w = at(3.0)
    w.order(Mute(structure="canal"))
    for _ in range(121):
        w.frame(3.0, step_ms=1000.0)
    assert w.alerts.health.muted == ()
    assert not w.alert(BURR).silenced


def test_audio_pause_silences_all_and_ends() -> None:
    w = at(1.0)
    w.order(AudioPause(seconds=30.0))
    assert w.alert(BURR).silenced
    w.now_ns += 31_000 * MS
    w.frame(1.0)
    assert not w.alert(BURR).silenced
    assert w.alerts.health.audio_paused_until_ns is None


def test_new_contact_breaks_through_an_audio_pause() -> None:
    w = at(1.0)
    w.order(AudioPause(seconds=60.0))
    w.hold(-1.0, 3)
    assert w.alert(BURR).level == "CONTACT"
    assert not w.alert(BURR).silenced


def test_contact_that_was_there_before_the_pause_stays_paused() -> None:
    w = at(-1.0)
    w.order(AudioPause(seconds=60.0))
    w.hold(-1.0, 3)
    assert w.alert(BURR).silenced


def test_a_client_without_sound_is_an_alarm_while_it_says_so() -> None:
    w = at(50.0)
    w.order(Audio(fault="no audio device"), who="anna/left")
    alarm = next(a for a in w.alerts.technical if a.alarm == "AUDIO_MISSING")
    assert (alarm.id, alarm.priority, alarm.silenced) == ("AUDIO_MISSING/anna_left", "medium", False)
    assert alarm.text.endswith("(no audio device)")
    w.order(Ack(epoch=EPOCH, alert=alarm.id))
    for _ in range(10):
        w.now_ns += 2000 * MS
        w.order(Audio(fault="no audio device"), who="anna/left")
    again = next(a for a in w.alerts.technical if a.alarm == "AUDIO_MISSING")
    assert (again.since_ns, again.acked_by) == (alarm.since_ns, "nurse"), "one alarm, acknowledged once"


def test_the_alarm_of_a_client_without_sound_ends_with_its_cause_or_with_the_client() -> None:
    w = at(50.0)
    w.order(Audio(fault="no audio device"), who="anna")
    w.order(Audio(fault="no audio device"), who="ben")
    w.order(Audio(fault=""), who="anna")
    assert [a.subject for a in w.alerts.technical if a.alarm == "AUDIO_MISSING"] == ["ben"]
    w.now_ns += 4900 * MS
    w.frame(50.0)
    assert any(a.alarm == "AUDIO_MISSING" for a in w.alerts.technical)
    w.now_ns += 100 * MS
    w.frame(50.0)
    assert not any(a.alarm == "AUDIO_MISSING" for a in w.alerts.technical)


def test_high_technical_alarm_can_be_acked_and_stays_visible() -> None:
    w = at(1.5)
    w.hold(None, 10)
    assert w.order(Ack(epoch=EPOCH, alert="TRACKING_LOST/drill"), who="anna").ok
    assert w.technical("TRACKING_LOST").silenced
    assert w.technical("TRACKING_LOST").acked_by == "anna"


def test_ack_of_a_technical_alarm_ends_when_it_grows_louder() -> None:
    w = at(60.0)
    w.hold(None, 8)
    assert w.technical("TRACKING_LOST").priority == "medium"
    w.order(Ack(epoch=EPOCH, alert="TRACKING_LOST/drill"))
    w.hold(None, 90)
    assert w.technical("TRACKING_LOST").priority == "high"
    assert not w.technical("TRACKING_LOST").silenced


def test_limits_act_at_once_and_undo_takes_them_back() -> None:
    w = at(8.0)
    assert w.alert(BURR) is None
    assert w.order(SetLimits(structure="canal", caution_mm=12.0, danger_mm=9.0)).ok
    assert w.alert(BURR).level == "DANGER"
    assert w.order(Undo()).ok
    w.hold(8.0, 60)
    assert w.alert(BURR) is None


def test_freeze_spindle_mark_and_selection_are_remembered_and_shown() -> None:
    w = at(20.0)
    w.order(Freeze(on=True), who="screen 1")
    w.order(Spindle(on=True))
    assert w.order(Mark(label="here")).ok
    assert w.alerts.health.frozen == ("screen 1",)
    assert w.alerts.health.spindle_on
    w.order(Freeze(on=False), who="screen 1")
    assert w.alerts.health.frozen == ()
    assert w.alerts.health.selected == ("drill",)


def test_freeze_never_stops_the_core() -> None:
    w = at(20.0)
    w.order(Freeze(on=True))
    w.hold(1.0, 3)
    assert w.alert(BURR).level == "DANGER"


def test_a_result_that_the_gate_refused_cannot_be_accepted() -> None:
    w = World(register=False)
    w.feed(registration(accepted=False))
    reply = w.order(Accept(result="registration"))
    assert not reply.ok
    assert "too few landmarks" in reply.reason
    assert w.memory.registration is None
    assert w.order(Reject(result="registration")).ok
