"""How a session opens its port for pictures, and how it ends when it is asked to."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from navtwin.bus.video import VideoClient, VideoServer
from navtwin.errors import BusRefused
from navtwin.run import launch
from navtwin.run.launch import Settings, open_video
from navtwin.run.reader import PICTURES_AHEAD, SourceReader
from phantoms.rig import demo_rig


class Tap:
    """Pictures that nobody makes."""

    def __init__(self) -> None:
        self.wanted, self.arrived = False, threading.Event()

    def take(self) -> list[Any]:
        return []


SEEING: Any = SimpleNamespace(pictures=Tap())


def settings(**given: Any) -> Settings:
    return Settings(case=Path("case"), source="camera:0", **{"pub_port": 0, "command_port": 0, **given})


def test_a_source_without_pictures_opens_no_port() -> None:
    assert open_video(settings(), SimpleNamespace(), demo_rig(), print) is None


def test_the_port_lies_two_above_where_alerts_are_published() -> None:
    held = VideoServer(port=0)
    try:
        with pytest.raises(BusRefused, match=f"port {held.port} on 127.0.0.1 is in use.*--video-port N"):
            open_video(settings(pub_port=held.port - 2), SEEING, demo_rig(), print)
        with pytest.raises(BusRefused, match="--video-port N"):
            open_video(settings(video_port=held.port), SEEING, demo_rig(), print)
        free = open_video(settings(), SEEING, demo_rig(), print)
        assert free is not None
        assert free.begin("e1") not in (0, held.port)
        free.close()
    finally:
        held.close()


def test_a_session_that_never_began_frees_its_port() -> None:
    video = open_video(settings(), SEEING, demo_rig(), print)
    assert video is not None
    port = video._server.port
    video.close()
    VideoServer(port=port).close()


def test_beyond_this_machine_pictures_need_keys_as_warnings_do() -> None:
    with pytest.raises(BusRefused, match="navtwin keys new core"):
        open_video(settings(bind="0.0.0.0"), SEEING, demo_rig(), print)


def test_somebody_who_looks_is_noticed_and_so_is_his_leaving() -> None:
    tap: Any = Tap()
    video = open_video(settings(), SimpleNamespace(pictures=tap), demo_rig(), print)
    assert video is not None
    client = VideoClient(port=video.begin("e1"))
    try:
        for looks in (True, False):
            for _ in range(500):
                if tap.wanted is looks:
                    break
                threading.Event().wait(0.01)
            assert tap.wanted is looks
            client.close()
    finally:
        client.close()
        video.close()


class Many:
    """A source of a thousand notes that nothing was seen."""

    name, live, setup_ns = "many", False, 0

    def __init__(self, **more: Any) -> None:
        self.read_so_far = 0
        self.__dict__.update(more)

    def read(self, timeout_s: float) -> Any:
        self.read_so_far += 1
        return SimpleNamespace()

    def close(self) -> None:
        """Nothing is open."""


def test_a_source_of_pictures_is_not_read_far_ahead_of_what_is_shown() -> None:
    for source, most in ((Many(pictures=Tap()), PICTURES_AHEAD + 2), (Many(), 2000)):
        reader = SourceReader(source)
        for _ in range(100):
            threading.Event().wait(0.005)
            if source.read_so_far > PICTURES_AHEAD:
                break
        threading.Event().wait(0.05)
        assert PICTURES_AHEAD < source.read_so_far <= most
        reader.close()


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.skipif(os.name != "posix", reason="Windows ends a process without asking it")
def test_asked_to_end_a_session_ends_at_once_before_it_began_and_in_order_after() -> None:
    stop, ready = threading.Event(), threading.Event()
    launch._heed_signals(stop, ready)
    with pytest.raises(launch._Stopped):
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.is_set()
    stop.clear()
    ready.set()
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.is_set()
