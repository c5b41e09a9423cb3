"""Words, word for word."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.bus.words import (
    STATUS_WORDS,
    alert_words,
    distance_words,
    duration_words,
    name_words,
    order_words,
    printable,
    speed_words,
    subject_words,
    technical_words,
)
from navtwin.nouns import (
    Accept,
    Ack,
    Alert,
    Audio,
    AudioPause,
    Collect,
    DistanceStatus,
    Drilling,
    Freeze,
    Mark,
    Mute,
    Order,
    Register,
    Reject,
    SetLimits,
    Spindle,
    TechnicalAlarm,
    ToolSelect,
    Undo,
)

S = 1_000_000_000
ALERT = Alert(
    id="spinal_canal/drill/neck", structure="spinal_canal", instrument="drill", part="neck", level="DANGER", known=True, status="OK", priority="high",
    since_ns=5 * S, limit_mm=1.5, distance_mm=1.34, bound_mm=0.6, sd_mm=0.35, speed_mm_s=4.2,
)  # fmt: skip


def changed(**fields: object) -> Alert:
    return msgspec.structs.replace(ALERT, **fields)


@pytest.mark.parametrize(
    ("alert", "link_lost", "words"),
    [
        (ALERT, False, "drill neck to spinal canal: DANGER, 1.3 ± 0.7 mm, closing at 4 mm/s, since 1.2 s"),
        (changed(since_ns=62 * S // 10), False, "drill neck to spinal canal: DANGER, 1.3 ± 0.7 mm, closing at 4 mm/s"),
        (changed(speed_mm_s=None, sd_mm=None), False, "drill neck to spinal canal: DANGER, 1.3 mm, since 1.2 s"),
        (
            changed(level="CONTACT", distance_mm=-0.31, speed_mm_s=-2.0),
            False,
            "drill neck to spinal canal: CONTACT, 0.3 ± 0.7 mm inside, receding at 2 mm/s, since 1.2 s",
        ),
        (changed(known=False, status="HIDDEN", distance_mm=None), False, "drill neck to spinal canal: UNKNOWN (hidden), was DANGER since 1.2 s"),
        (changed(known=False, status="STALE", level="CAUTION"), False, "drill neck to spinal canal: UNKNOWN (too old), was CAUTION since 1.2 s"),
        (changed(known=False, status="OK"), False, "drill neck to spinal canal: UNKNOWN (not yet confirmed), was DANGER since 1.2 s"),
        (ALERT, True, "drill neck to spinal canal: UNKNOWN (link lost), was DANGER since 1.2 s"),
    ],
)
def test_alert_in_words(alert: Alert, link_lost: bool, words: str) -> None:
    assert alert_words(alert, 62 * S // 10, link_lost=link_lost) == words


def test_every_status_has_words() -> None:
    assert set(STATUS_WORDS) == set(get_args(DistanceStatus))


@pytest.mark.parametrize("status", get_args(DistanceStatus))
def test_unknown_never_shows_a_number(status: DistanceStatus) -> None:
    words = alert_words(changed(known=False, status=status), 62 * S // 10)
    assert "mm" not in words
    assert "UNKNOWN" in words


def test_technical_alarm_in_words() -> None:
    alarm = TechnicalAlarm(
        id="TRACKING_LOST/drill", alarm="TRACKING_LOST", subject="drill", priority="high", since_ns=0, text="hidden from the tracker",
        remedy="clear the view",
    )  # fmt: skip
    assert technical_words(alarm, 400_000_000) == "TRACKING LOST, drill: hidden from the tracker; clear the view (since 0.4 s)"
    assert technical_words(msgspec.structs.replace(alarm, remedy=""), 0) == "TRACKING LOST, drill: hidden from the tracker (since 0.0 s)"


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (-5, "0.0 s"), (0, "0.0 s"), (999_999_999, "0.9 s"), (1_250_000_000, "1.2 s"), (9_999_999_999, "9.9 s"), (10 * S, "10 s"),
        (59_990_000_000, "59 s"), (60 * S, "1 min 00 s"), (125 * S, "2 min 05 s"), (3599 * S, "59 min 59 s"), (3780 * S, "1 h 03 min"),
    ],
)  # fmt: skip
def test_durations(ns: int, words: str) -> None:
    assert duration_words(ns) == words


@given(st.integers(0, 10**15), st.integers(0, 10**12))
def test_duration_never_claims_more_than_has_passed(ns: int, more: int) -> None:
    def seconds(words: str) -> float:
        pieces = words.split()
        return sum(float(v) * {"s": 1, "min": 60, "h": 3600}[u] for v, u in zip(pieces[::2], pieces[1::2], strict=True))

    assert seconds(duration_words(ns)) <= ns / S + 1e-9
    assert seconds(duration_words(ns)) <= seconds(duration_words(ns + more))


@pytest.mark.parametrize(
    ("mm", "sd", "words"),
    [(None, 0.3, "distance unknown"), (0.0, None, "0.0 mm"), (12.345, 0.24, "12.3 ± 0.5 mm"), (-2.0, 0.5, "2.0 ± 1.0 mm inside")],
)
def test_distances(mm: float | None, sd: float | None, words: str) -> None:
    assert distance_words(mm, sd) == words


@pytest.mark.parametrize(
    ("speed", "words"), [(None, ""), (0.0, "steady"), (-0.4, "steady"), (0.6, "closing at 1 mm/s"), (-12.4, "receding at 12 mm/s")]
)
def test_speeds(speed: float | None, words: str) -> None:
    assert speed_words(speed) == words


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Ack(epoch="e", alert="aorta/drill/burr", level="DANGER"), "acknowledge drill burr to aorta at DANGER"),
        (Ack(epoch="e", alert="STALE/drill"), "acknowledge STALE, drill"),
        (Mute(structure="spinal_canal"), "mute CAUTION at spinal canal"),
        (AudioPause(seconds=30.0), "audio pause 30 s"),
        (AudioPause(seconds=0.0), "end the audio pause"),
        (Audio(fault="no audio device"), "report no sound: no audio device"),
        (Audio(fault=""), "report that sound can be heard"),
        (Mark(label="mark 1"), "mark 1"),
        (Freeze(on=True), "freeze the picture"),
        (Freeze(on=False), "unfreeze the picture"),
        (Collect(what="landmark", tool="pointer", action="start", landmark="left_facet"), "start collecting landmark left facet with pointer"),
        (Collect(what="pivot", tool="drill", action="stop"), "stop collecting pivot with drill"),
        (
            Collect(what="check", tool="pointer", action="start", landmark="left_facet", dwell_s=1.0),
            "start checking left facet with pointer, by a dwell of 1 s",
        ),
        (Collect(what="check", tool="pointer", action="cancel"), "cancel checking the bone with pointer"),
        (Register(), "register by landmarks+surface"),
        (Register(method="landmarks", without=("left_facet", "base")), "register by landmarks without left facet, base"),
        (Accept(result="registration"), "accept registration"),
        (Reject(result="pivot/drill"), "reject pivot/drill"),
        (SetLimits(structure="aorta", caution_mm=3.0, danger_mm=1.5), "limits of aorta: caution 3 mm, danger 1.5 mm"),
        (Spindle(on=True), "spindle on"),
        (Spindle(on=False, tool="left_drill"), "spindle off, left drill"),
        (Drilling(action="undo"), "take back the last stretch drilled"),
        (Drilling(action="pause"), "stop following the drill"),
        (Drilling(action="resume"), "follow the drill again"),
        (ToolSelect(tools=("drill", "pointer")), "in use: drill, pointer"),
        (ToolSelect(tools=()), "in use: no tool"),
        (Undo(), "undo"),
    ],
)
def test_orders(order: Order, words: str) -> None:
    assert order_words(order) == words


@given(st.text())
def test_nothing_can_steer_the_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert name_words(text).isprintable()
    assert subject_words(text).isprintable()
