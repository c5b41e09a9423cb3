"""Filming a body: a live camera is left when it has shown enough, a silent or strange one is told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tracking.calibration.measure_film as film
from navtwin.errors import InputRefused
from navtwin.nouns import Body, Part, Rig, RigCamera, SourceEnded, SquareMarker, Tool, Tracker
from tracking import MarkerBody
from tracking.calibration.measure import MIN_VIEWS
from tracking.detect.patterns import cells
from tracking.pictures.images import Image

LENS = RigCamera(name="webcam", width_px=320, height_px=240, focal_px=(300.0, 300.0), centre_px=(160.0, 120.0))
PLAN = MarkerBody(np.array([4, 5]), np.array([MarkerBody.square(0, 20.0).corners_mm[0] + (30.0 * k, 0.0, 0.0) for k in range(2)]))
BODY = Body(
    name="two",
    sd_mm=0.3,
    sd_rad=0.01,
    dictionary="APRILTAG_36h11",
    marker=tuple(SquareMarker(id=n, corners_mm=tuple(map(tuple, quad.tolist()))) for n, quad in zip((4, 5), PLAN.corners_mm, strict=True)),
)


class Pictures:
    """A source that plays what it is given."""

    name, setup_ns, cameras, notes = "camera:test", 0, 1, ()

    def __init__(self, items: Iterator[Any], *, live: bool = True) -> None:
        self.items, self.live, self.closed = items, live, False

    def read(self, timeout_s: float) -> Any:
        item = next(self.items, SourceEnded)
        if item is SourceEnded:
            raise SourceEnded
        return item

    def close(self) -> None:
        self.closed = True


def picture(*numbers: int, camera: int = 0) -> tuple[Image]:
    grey = np.full((240, 320), 220, np.uint8)
    for place, number in enumerate(numbers):
        pattern = np.where(cells("APRILTAG_36h11", number), 20, 220).astype(np.uint8).repeat(12, 0).repeat(12, 1)
        grey[70:166, 30 + 140 * place : 126 + 140 * place] = pattern
    return (Image(camera, 0, 0, 0, "host", grey),)


@pytest.fixture
def filmed(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> Any:
    def run(items: Iterator[Any], *, live: bool = True, seconds: float = 60.0) -> tuple[list[Any], list[str], Pictures]:
        source, told = Pictures(items, live=live), list[str]()
        monkeypatch.setattr(film, "open_pictures", lambda address, rig: source)
        try:
            return film.film_body("camera:0", BODY, PLAN, rig, seconds, told.append), told, source
        finally:
            assert source.closed

    return run


@pytest.fixture
def rig() -> Rig:
    part = Part(name="tip", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.0)
    tool = Tool(name="tool", body="two", axis_in_marker=(0.0, -1.0, 0.0), axis_sd_rad=0.01, part=(part,))
    return Rig(reference="two", tracker=Tracker(name="camera", rate_hz=30.0, latency_ms=60.0), body=(BODY,), tool=(tool,), camera=(LENS,))


def test_a_live_camera_is_left_when_all_has_been_shown(filmed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "ENOUGH", 2)
    frames, told, _ = filmed(itertools.repeat(picture(4, 5)))
    assert len(frames) == 2 * MIN_VIEWS
    assert frames[0][0].markers.ids.tolist() == [4, 5]
    assert "still to show: markers 4 (1 of 8), 5 (1 of 8)" in told[0]
    assert "every marker seen" in told[MIN_VIEWS]


def test_what_is_still_to_be_shown_is_told(filmed: Any) -> None:
    frames, told, _ = filmed(iter([picture(4)] * 10), live=False)
    assert len(frames) == 10
    assert told[-1] == "10 frames; still to show: markers 5 (0 of 8)"


def test_a_live_camera_is_left_when_the_time_is_over(filmed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr(film.time, "monotonic", lambda: float(next(clock)))
    frames, _, _ = filmed(itertools.repeat(picture(4)), seconds=20.0)
    assert 3 < len(frames) < 20


def test_a_silent_camera_is_told(filmed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr(film.time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(InputRefused, match="camera:test has sent no picture for 10 s"):
        filmed(itertools.repeat(None))


def test_a_camera_that_the_rig_does_not_have_is_told(filmed: Any) -> None:
    with pytest.raises(InputRefused, match="camera 1, the rig only 1"):
        filmed(iter([picture(4, 5, camera=1)]))
