"""Calibrations age, and a clock may lie: what a date is worth, and when the operator hears of it."""

from __future__ import annotations

import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.nouns import Accept, Body, PivotResult, Rig, RigCamera
from navtwin.nouns.dates import DAY_S, utc_s_of
from navtwin.twin import new_memory
from tests.twin.world import HEADER, MS, ZERO3, World, small_rig

NOW_S = utc_s_of("2026-06-15T12:00:00Z")
CAMERA = RigCamera(name="left", width_px=640, height_px=480, focal_px=(600.0, 600.0), centre_px=(320.0, 240.0))


@given(st.datetimes(min_value=datetime.datetime(1, 1, 2), max_value=datetime.datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_dates_are_read_as_the_standard_library_reads_them(when: datetime.datetime, zone_min: int) -> None:
    stamped = when.replace(microsecond=0, tzinfo=datetime.timezone(datetime.timedelta(minutes=zone_min)))
    assert utc_s_of(stamped.isoformat()) == (stamped - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(seconds=1)
    assert utc_s_of(when.date().isoformat()) % DAY_S == 0


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "2026-13-01", "04.05.2026", "2026-05-04T25:00:00Z", "0000-01-01"])
def test_what_is_no_date_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"written|no such"):
        utc_s_of(text)
    if text:
        with pytest.raises(InputRefused, match=r"left.*Write 2026-05-04"):
            msgspec.structs.replace(small_rig(), camera=(msgspec.structs.replace(CAMERA, calibrated=text),))


def world(rig: Rig) -> World:
    w = World(rig=rig, register=False)
    w.memory = new_memory(w.scene, rig, msgspec.structs.replace(HEADER, utc_anchor_ns=NOW_S * 1_000_000_000, monotonic_anchor_ns=w.now_ns))
    w.tick()
    return w


def with_tip(calibrated: str, **more: float) -> Rig:
    rig = small_rig()
    drill = msgspec.structs.replace(rig.tool[0], calibrated=calibrated)
    return msgspec.structs.replace(rig, tool=(drill, rig.tool[1]), **more)


def alarms(w: World) -> dict[str, tuple[str, str]]:
    return {a.id: (a.priority, a.text) for a in w.alerts.technical if a.alarm.startswith("CALIBRATION")}


def test_a_fresh_tip_is_silent_and_an_old_one_says_its_date_and_its_age() -> None:
    assert alarms(world(with_tip("2026-05-20"))) == {}
    (alarm_id, (priority, text)), *rest = alarms(world(with_tip("2026-05-01"))).items()
    assert (alarm_id, priority, rest) == ("CALIBRATION_OLD/drill tip", "medium", [])
    assert "of 2026-05-01, 45 days old; 30 are allowed" in text


def test_the_rig_sets_the_limit_and_it_is_crossed_in_mid_session() -> None:
    w = world(with_tip("2026-06-14T12:00:10Z", calibration_max_age_days=1.0))
    assert alarms(w) == {}
    w.tick(11_000.0)
    assert "CALIBRATION_OLD/drill tip" in alarms(w)


def test_an_undated_tip_says_so() -> None:
    assert alarms(world(with_tip("")))["CALIBRATION_OLD/drill tip"][0] == "low"
    assert "undated" in alarms(world(with_tip("")))["CALIBRATION_OLD/drill tip"][1]


def test_a_date_in_the_future_is_a_fault_of_its_own() -> None:
    (alarm_id, (priority, text)), *_ = alarms(world(with_tip("2026-06-20"))).items()
    assert (alarm_id, priority) == ("CALIBRATION_FUTURE/drill tip", "medium")
    assert "clock is wrong" in text
    # Somewhere it is tomorrow already.
    assert alarms(world(with_tip("2026-06-16"))) == {}


def test_a_pivot_of_the_session_is_fresh() -> None:
    w = world(with_tip("2026-01-01"))
    assert alarms(w)
    pivot = PivotResult(
        request="pivot/drill/1", tool="drill", accepted=True, reasons=(), tip_mm=(0.0, 0.0, 0.0), covariance=ZERO3, rms_mm=0.1, samples=300
    )
    w.feed(pivot)
    assert w.order(Accept(result="pivot/drill")).ok
    w.tick(10.0 * MS)
    assert alarms(w) == {}


def test_cameras_and_measured_bodies_age_too_and_a_drawn_body_does_not() -> None:
    rig = with_tip("2026-06-10")
    ref = msgspec.structs.replace(rig.body[0], calibrated="2026-01-02")
    spare = Body(name="spare", sd_mm=0.1, sd_rad=0.0, calibrated="2020-01-01")
    camera = msgspec.structs.replace(CAMERA, calibrated="2026-03-01T08:00:00+01:00")
    found = alarms(world(msgspec.structs.replace(rig, body=(ref, *rig.body[1:], spare), camera=(camera,))))
    assert sorted(found) == ["CALIBRATION_OLD/left camera", "CALIBRATION_OLD/ref body"]
