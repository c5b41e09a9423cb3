"""Against another implementation, where it is installed (`pip install pyigtl`): its server and our source, our gateway's server and its client."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest

from navtwin.gateway.poses import transform_message
from navtwin.gateway.server import IgtlServer, Served
from navtwin.gateway.warnings import alerts_message
from navtwin.nouns import InstrumentState
from tests.gateway.saying import POSE, alert, alert_set, envelope
from tests.tracking.igtl.sender import frames_until, rig
from tracking.igtl.source import open_source

pyigtl = pytest.importorskip("pyigtl", reason="pyigtl is not installed: the optional peer is left out")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_its_server_and_our_source() -> None:
    port = free_port()
    server = pyigtl.OpenIGTLinkServer(port=port, local_server=True)
    source = open_source(f"127.0.0.1:{port}", None, rig("Stylus"))
    frames_until(source, lambda _: bool(source.notes))
    matrix = np.eye(4)
    matrix[:3, :3] = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    matrix[:3, 3] = (10.0, 20.5, -3.25)
    message = pyigtl.TransformMessage(matrix, device_name="StylusToTracker", timestamp=1_700_000_000.25)
    message.header_version, message.metadata = 2, {"TransformValid": "1", "TransformStatus": "OK"}
    server.send_message(message)
    (frame,) = frames_until(source, lambda frames: len(frames) == 1)
    (sighting,) = frame.sightings
    assert (sighting.status, sighting.reason, frame.t_device_ns) == ("OK", "", 1_700_000_000_250_000_000)
    assert sighting.pose is not None
    assert np.abs(sighting.pose.rigid(target="tracker", source="marker").matrix() - matrix).max() < 1e-6
    source.close()
    server.stop()


def test_our_server_and_its_client() -> None:
    server = IgtlServer("127.0.0.1", 0, None, lambda _: None)
    client = pyigtl.OpenIGTLinkClient("127.0.0.1", server.port)
    state = InstrumentState(instrument="drill", status="OK", pose=POSE)
    server.serve(Served("pose", 1, transform_message(("drillTipToRAS", "drillTipToRAS"), state, "RAS", time.time_ns())))
    server.serve(Served("alerts", 0, alerts_message(envelope(alert_set(alert())), "", time.time_ns())))
    got: dict[str, object] = {}
    end = time.monotonic() + 5.0
    while len(got) < 2 and time.monotonic() < end:
        server.turn()
        got |= {message.device_name: message for message in client.get_latest_messages()}
        time.sleep(0.002)
    pose, alerts = got["drillTipToRAS"], got["NavtwinAlerts"]
    assert pose.metadata["TransformValid"] == "1"  # type: ignore[attr-defined]
    assert pose.matrix[:3].tolist() == [[0, 0, -1, -10], [-1, 0, 0, -20], [0, 1, 0, 30]]  # type: ignore[attr-defined]
    assert '"DANGER"' in alerts.string  # type: ignore[attr-defined]
    client.stop()
    server.close()
