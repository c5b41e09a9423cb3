"""What is chosen and mixed: one alarm at a time, the most urgent, in its structure's voice; broken off without a click."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from navtwin.nouns import Alert, AlertSet, PairSummary, TechnicalAlarm
from navtwin.sound.choice import LINK_LOST, Choice, wanted
from navtwin.sound.mixer import FADE_S, Mixer
from navtwin.sound.pulses import RATE_HZ, burst, period
from navtwin.sound.voices import TECHNICAL, voices_for
from tests.console.test_model import HEALTH, LOST, S, alert
from tests.sound.measure import pulses

VOICES = voices_for(frozenset(("canal", "aorta")))


def alert_set(*alerts: Alert, technical: tuple[TechnicalAlarm, ...] = (), t_s: float = 0.0) -> AlertSet:
    pairs = tuple(PairSummary(id=f"{name}/drill/neck", level="CLEAR", known=True, status="OK", since_ns=0) for name in ("canal", "aorta"))
    return AlertSet(phase="navigation", t_ns=round(t_s * S), alerts=alerts, technical=technical, pairs=pairs, health=HEALTH)


class Box:
    """A mixer with its choice, played in blocks of 10 ms."""

    def __init__(self) -> None:
        self.choice, self.mixer = Choice(), Mixer()

    def hear(self, *alerts: Alert, technical: tuple[TechnicalAlarm, ...] = (), paused: int | None = None) -> None:
        self.mixer.play(self.choice.take(wanted(alert_set(*alerts, technical=technical), paused)))

    def play(self, seconds: float) -> np.ndarray:
        return np.concatenate([self.mixer.fill(480) for _ in range(round(seconds * 100))])


@pytest.fixture
def box() -> Box:
    return Box()


def test_silence_without_alerts_and_with_silenced_ones(box: Box) -> None:
    assert not box.play(0.5).any()
    box.hear(alert("canal", silenced=True), alert("aorta", acked_by="ana"))
    assert not box.play(0.5).any()


def test_bursts_follow_each_other_to_the_sample(box: Box) -> None:
    box.hear(alert("canal"))
    heard = box.play(14.5)
    one = burst("high", VOICES["canal"])
    assert np.array_equal(heard[: one.size], one)
    assert not heard[one.size : period("high")].any()
    assert np.array_equal(heard[period("high") : period("high") + one.size], one)
    assert np.array_equal(heard[2 * period("high") :], one[: heard.size - 2 * period("high")])


def test_the_size_of_the_device_s_blocks_does_not_matter() -> None:
    played = []
    for size in (1, 97, 480, 4096):
        box = Box()
        box.hear(alert("canal", "CAUTION"))
        played.append(np.concatenate([box.mixer.fill(size) for _ in range(4096 // size * 12)])[:45_000])
    assert all(np.array_equal(played[0], other) for other in played[1:])


def test_only_the_most_urgent_is_heard(box: Box) -> None:
    box.hear(alert("aorta", "CAUTION"), alert("canal"), technical=(msgspec.structs.replace(LOST, priority="low"),))
    one = burst("high", VOICES["canal"])
    assert np.array_equal(box.play(3.4)[: one.size], one)


def test_each_of_the_most_urgent_has_its_turn_in_its_own_voice(box: Box) -> None:
    box.hear(alert("canal"), alert("aorta"), technical=(LOST,))
    heard = box.play(21.0)
    expected = [VOICES["canal"], VOICES["aorta"], TECHNICAL]
    for turn, voice in enumerate(expected):
        one = burst("high", voice)
        assert np.array_equal(heard[turn * period("high") :][: one.size], one)


def test_what_is_new_and_as_urgent_is_heard_at_once_and_first(box: Box) -> None:
    box.hear(alert("canal"))
    box.play(0.3)
    box.hear(alert("canal"), alert("aorta"))
    heard = box.play(3.4)
    fade, one = round(FADE_S * RATE_HZ), burst("high", VOICES["aorta"])
    assert np.array_equal(heard[fade : one.size], one[fade:])


def test_what_is_new_but_less_urgent_does_not_interrupt(box: Box) -> None:
    box.hear(alert("canal"))
    first = box.play(0.3)
    box.hear(alert("canal"), alert("aorta", "CAUTION"))
    one = burst("high", VOICES["canal"])
    assert np.array_equal(np.concatenate((first, box.play(3.1)))[: one.size], one)


def test_a_rise_is_heard_at_once(box: Box) -> None:
    box.hear(alert("canal", "CAUTION"))
    box.play(5.0)
    box.hear(alert("canal", "DANGER"))
    one = burst("high", VOICES["canal"])
    assert np.array_equal(box.play(3.4)[: one.size], one)


def test_an_acknowledgement_silences_within_the_pulse(box: Box) -> None:
    box.hear(alert("canal"))
    assert box.play(0.1)[-480:].any(), "in the midst of the first pulse"
    box.hear(alert("canal", acked_by="ana"))
    heard = box.play(4.0)
    assert not heard[round(FADE_S * RATE_HZ) :].any()


def test_an_acknowledgement_of_one_leaves_the_other(box: Box) -> None:
    box.hear(alert("canal"), alert("aorta"))
    box.play(0.1)
    box.hear(alert("canal", acked_by="ana"), alert("aorta"))
    fade, one = round(FADE_S * RATE_HZ), burst("high", VOICES["aorta"])
    assert np.array_equal(box.play(3.4)[fade : one.size], one[fade:])


def test_nothing_that_is_broken_off_clicks(box: Box) -> None:
    """Wherever a pulse is cut: no step steeper than the loudest tones themselves make."""
    steepest = max(float(np.abs(np.diff(burst("high", voice))).max()) for voice in (*VOICES.values(), TECHNICAL))
    heard = []
    for n in range(40):
        names = ("canal", "aorta") if n % 3 else ()
        box.hear(*(alert(name, since_ns=n) for name in names[n % 2 :]), technical=() if n % 5 else (LOST,))
        heard.append(box.play(0.03 + 0.01 * (n % 7)))
    whole = np.concatenate(heard)
    assert len(pulses(whole)) > 10
    assert np.abs(np.diff(whole)).max() <= 1.3 * steepest
    assert np.abs(whole).max() <= 1.0


def test_a_new_contact_breaks_through_a_pause(box: Box) -> None:
    box.hear(alert("canal", "DANGER", silenced=True), alert("aorta", "CONTACT", silenced=True, since_ns=0), paused=S)
    assert not box.play(0.5).any()
    box.hear(alert("aorta", "CONTACT", silenced=True, since_ns=2 * S), paused=S)
    one = burst("high", VOICES["aorta"])
    assert np.array_equal(box.play(3.4)[: one.size], one)


def test_a_lost_link_sounds_as_a_technical_alarm_of_high_priority(box: Box) -> None:
    box.hear(alert("canal", "CAUTION"))
    box.play(5.0)
    box.mixer.play(box.choice.take(LINK_LOST))
    one = burst("high", TECHNICAL)
    assert np.array_equal(box.play(3.4)[: one.size], one)


def test_a_structure_keeps_its_voice_whatever_else_is_alarmed() -> None:
    alone = wanted(alert_set(alert("canal")), None)
    beside = wanted(alert_set(alert("aorta"), alert("canal"), technical=(LOST,)), None)
    assert alone[0] in beside
    assert {one.voice for one in beside} == {VOICES["canal"], VOICES["aorta"], TECHNICAL}
