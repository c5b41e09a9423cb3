"""When was the registration last verified? A knocked reference shows nowhere else."""

from __future__ import annotations

import msgspec
import pytest

from navtwin.bus.words import verified_words
from navtwin.nouns import Accept
from tests.twin.test_checking import FAR_SIDE, beyond, check, registered
from tests.twin.world import MS, World, registration

MIN_MS = 60_000.0
A = (10.0, 0.0, 0.0)


def wait_min(w: World, minutes: float) -> None:
    w.tick(minutes * MIN_MS)


def due(w: World) -> tuple[str, str] | None:
    alarm = w.technical("VERIFY_DUE")
    return None if alarm is None else (alarm.priority, alarm.text)


def test_a_registration_that_nobody_verifies_is_alarmed_low_and_then_medium() -> None:
    w = registered()
    wait_min(w, 19.9)
    assert due(w) is None
    wait_min(w, 0.2)
    priority, text = due(w) or ("", "")
    assert priority == "low"
    assert "not verified since registering, 20 min ago" in text
    wait_min(w, 20.0)
    assert (due(w) or ("", ""))[0] == "medium"


def test_a_good_touch_of_a_landmark_ends_it_and_counts_from_then() -> None:
    w = registered()
    wait_min(w, 25.0)
    assert due(w) is not None
    assert check(w, A, "a").good
    assert due(w) is None
    assert w.alerts.health.verified_ns == pytest.approx(w.now_ns, abs=2000 * MS)
    wait_min(w, 21.0)
    assert "last verified 21 min ago" in (due(w) or ("", ""))[1]


def test_bone_anywhere_does_not_verify_for_it_shows_no_shift_along_its_surface() -> None:
    w = registered()
    assert check(w, beyond(FAR_SIDE, 0.0)).good
    assert w.alerts.health.verified_ns is None


def test_a_touch_that_is_off_does_not_verify() -> None:
    w = registered()
    assert not check(w, (10.0, 1.5, 0.0), "a").good
    assert w.alerts.health.verified_ns is None


def test_another_registration_is_unverified() -> None:
    w = registered()
    assert check(w, A, "a").good
    wait_min(w, 5.0)
    w.feed(registration())
    assert w.order(Accept(result="registration")).ok
    health = w.alerts.health
    assert (health.verified_ns, health.registered_ns) == (None, w.now_ns)


def test_the_rig_sets_the_limit() -> None:
    w = registered()
    w.memory.rig = msgspec.structs.replace(w.memory.rig, verify_every_min=2.0)
    wait_min(w, 2.1)
    assert due(w) is not None


def test_without_a_registration_there_is_nothing_to_verify() -> None:
    w = World(register=False)
    wait_min(w, 100.0)
    assert due(w) is None
    assert verified_words(w.alerts.health, w.now_ns) == ""


def test_it_is_told_in_words_at_all_times() -> None:
    w = registered()
    assert verified_words(w.alerts.health, w.now_ns) == "not verified since registering, less than 1 min"
    assert check(w, A, "a").good
    wait_min(w, 4.0)
    assert verified_words(w.alerts.health, w.now_ns) == "verified 4 min ago"
    assert check(w, beyond(FAR_SIDE, 3.0)).failed
    assert verified_words(w.alerts.health, w.now_ns) == "a check has failed; verified 4 min ago"
