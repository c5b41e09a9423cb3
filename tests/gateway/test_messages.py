"""What is sent: poses in the right axes and never a false one, alerts and distances complete."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.gateway.poses import AWAY_MM, device_names, matrix_in, transform_message
from navtwin.gateway.warnings import alerts_message, distances_message, verdict
from navtwin.igtl.message import Message
from navtwin.igtl.poses import read_transform
from navtwin.igtl.reader import Reader
from navtwin.igtl.words import STRING_BYTES, read_status
from navtwin.nouns import AlertSet, InstrumentState, Pose, TechnicalAlarm
from tests.gateway.saying import IDENT, POSE, alert, alert_set, envelope, state, text_of

DRILL = ("drillTipToRAS", "drillTipToRAS")


def only(data: bytes) -> Message:
    (item,) = Reader().feed(data)
    assert isinstance(item, Message)
    return item


def matrix(message: Message) -> np.ndarray:
    rows, t_mm = read_transform(message.content)
    return np.column_stack([np.array(rows), t_mm])


# Poses


def test_a_pose_reaches_slicer_in_ras() -> None:
    message = only(transform_message(DRILL, InstrumentState(instrument="drill", status="OK", pose=POSE), "RAS", 5))
    assert message.metadata == {"TransformValid": "1", "TransformStatus": "OK"}
    # The quaternion turns x to y, y to z, z to x; the tip's own axes stay, the patient's first two change their sign.
    assert matrix(message).tolist() == [[0, 0, -1, -10], [-1, 0, 0, -20], [0, 1, 0, 30]]
    lps = only(transform_message(DRILL, InstrumentState(instrument="drill", status="OK", pose=POSE), "LPS", 5))
    assert matrix(lps).tolist() == [[0, 0, 1, 10], [1, 0, 0, 20], [0, 1, 0, 30]]


@settings(max_examples=50)
@given(st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda q: sum(v * v for v in q) > 0.01), st.tuples(*[st.floats(-500.0, 500.0)] * 3))
def test_points_of_the_tool_lie_where_they_lay(q: tuple[float, float, float, float], t_mm: tuple[float, float, float]) -> None:
    length = math.sqrt(sum(v * v for v in q))
    pose = Pose(q_wxyz=tuple(v / length for v in q), t_mm=t_mm)  # type: ignore[arg-type]
    point = np.array([3.0, -4.0, 5.0])
    in_ct = pose.rigid(target="ct", source="tip").apply(point[None])[0]
    rows, t = matrix_in(pose, "RAS")
    assert np.array(rows) @ point + t == pytest.approx(in_ct * (-1.0, -1.0, 1.0), abs=1e-9)
    assert np.linalg.det(np.array(rows)) == pytest.approx(1.0), "a turn, no mirror"


@pytest.mark.parametrize(
    ("status", "word"),
    [("HIDDEN", "OUT_OF_VIEW"), ("STALE", "REQ_TIMEOUT"), ("INVALID", "INVALID"), ("UNREGISTERED", "MISSING"), ("UNCALIBRATED", "MISSING")],
)
def test_a_pose_that_is_not_known_is_marked_and_far_away(status: str, word: str) -> None:
    message = only(transform_message(DRILL, InstrumentState(instrument="drill", status=status), "RAS", 5))  # type: ignore[arg-type]
    assert message.metadata == {"TransformValid": "0", "TransformStatus": word, "NavtwinStatus": status}
    assert matrix(message)[:, 3].tolist() == [AWAY_MM, 0.0, 0.0]


def test_a_known_pose_is_not_valid_any_more_where_the_link_is_lost() -> None:
    message = only(transform_message(DRILL, InstrumentState(instrument="drill", status="OK", pose=POSE), "RAS", 5, "the link is lost"))
    assert message.metadata["TransformValid"] == "0"
    assert matrix(message)[:, 3].tolist() == [AWAY_MM, 0.0, 0.0]


def test_device_names_are_cut_but_stay_apart() -> None:
    names = device_names(["drill", "pedicle_screwdriver_left", "pedicle_screwdriver_right", "Säge"], "RAS")
    assert names["drill"] == ("drillTipToRAS", "drillTipToRAS")
    devices = [device for device, _ in names.values()]
    assert len(set(devices)) == 4
    assert all(len(device) <= 20 and device.isascii() for device in devices)
    assert names["pedicle_screwdriver_right"] == ("pedicle_screwdrive~2", "pedicle_screwdriver_rightTipToRAS")
    told = only(transform_message(names["pedicle_screwdriver_right"], InstrumentState(instrument="x", status="OK", pose=POSE), "RAS", 5))
    assert told.metadata["IGTL_DEVICE_NAME"] == "pedicle_screwdriver_rightTipToRAS"
    with pytest.raises(InputRefused, match="nine others"):
        device_names([f"a_very_long_name_for_a_tool_{n}" for n in range(10)], "RAS")


# Alerts


ALARM = TechnicalAlarm(id="TRACKING_LOST/drill", alarm="TRACKING_LOST", subject="drill", priority="high", since_ns=0, text="hidden", remedy="look")


@pytest.mark.parametrize(
    ("alerts", "code", "level", "name"),
    [
        (alert_set(), 1, 0, "CLEAR"),
        (alert_set(alert("CAUTION")), 2, 1, "CAUTION"),
        (alert_set(alert("DANGER")), 3, 2, "DANGER"),
        (alert_set(alert("CONTACT")), 3, 3, "CONTACT"),
        (alert_set(alert("DANGER", known=False), known=False), 13, -1, "UNKNOWN"),
        (alert_set(alert("CAUTION"), known=False), 13, -1, "UNKNOWN"),
        (alert_set(alert("CONTACT"), known=False), 3, 3, "CONTACT"),
        (alert_set(tracker="bad"), 13, -1, "UNKNOWN"),
        (alert_set(phase="setup"), 13, -1, "SETUP"),
        (None, 7, -1, "LINK LOST"),
    ],
)
def test_the_worst_is_said_and_unknown_is_not_safe(alerts: AlertSet | None, code: int, level: int, name: str) -> None:
    status = read_status(only(verdict(alerts, "").message(5)).content)
    assert (status.code, status.subcode, status.name) == (code, level, name)
    assert status.message or name == "CLEAR"


def test_a_lost_link_outweighs_the_last_set() -> None:
    assert verdict(alert_set(), "the link is lost").name == "LINK LOST"
    told = text_of(only(alerts_message(envelope(alert_set(alert())), "the link is lost", 5)))
    assert told == {"link": "lost", "reason": "the link is lost"}


def test_the_alert_set_is_told_whole() -> None:
    told = text_of(only(alerts_message(envelope(alert_set(alert(), technical=(ALARM,)), seq=9), "", 5)))
    assert (told["link"], told["epoch"], told["seq"]) == ("up", "e1", 9)
    (one,) = told["alerts"]  # type: ignore[misc]
    assert (one["id"], one["level"], one["distance_mm"]) == (IDENT, "DANGER", 1.5)
    assert one["words"].startswith("drill burr to canal: DANGER, 1.5 mm")
    assert [alarm["id"] for alarm in told["technical"]] == ["TRACKING_LOST/drill"]  # type: ignore[attr-defined]


def test_distances_are_told_with_their_status() -> None:
    told = text_of(only(distances_message(envelope(state(readings=2)), "", 5)))
    first, second = told["readings"]  # type: ignore[misc]
    assert (first["structure"], first["status"], first["distance_mm"], first["bound_mm"]) == ("s0", "OK", 0.3333, None)
    assert second["role"] == "context"
    assert text_of(only(distances_message(None, "the link is lost", 5))) == {"link": "lost", "reason": "the link is lost", "readings": []}


def test_too_many_distances_keep_the_critical_ones_and_say_what_is_left_out() -> None:
    message = only(distances_message(envelope(state(readings=900)), "", 5))
    assert len(message.content) <= STRING_BYTES + 4
    told = text_of(message)
    readings = told["readings"]
    assert isinstance(readings, list)
    assert len(readings) + int(str(told["left_out"])) == 900
    assert [r["role"] for r in readings[:200]] == ["critical"] * 200
