"""The rendered camera films at the size that it is asked for, or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Body, Rig, RigCamera, Tracker
from phantoms.camera.device import Image, open_camera
from phantoms.camera.film import write_film


def _rig(width_px: int, height_px: int) -> Rig:
    camera = RigCamera(name="webcam", width_px=width_px, height_px=height_px, focal_px=(900.0, 900.0), centre_px=(width_px / 2, height_px / 2))
    body = Body(name="ref", sd_mm=0.2, sd_rad=0.002)
    return Rig(reference="ref", tracker=Tracker(name="x", rate_hz=30.0, latency_ms=20.0), body=(body,), tool=(), camera=(camera,))


def test_pictures_have_the_size_that_the_rigs_camera_is_opened_at() -> None:
    (lens,) = open_camera("board", rig=_rig(1280, 720)).truth.lenses
    assert (lens.width_px, lens.height_px) == (1280, 720)


def test_an_option_goes_before_the_rig() -> None:
    (lens,) = open_camera("board?height=540", rig=_rig(1280, 720)).truth.lenses
    assert (lens.width_px, lens.height_px) == (960, 540)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (100_000, 56_250), (320, 180)])
def test_a_size_that_the_device_does_not_have_is_refused(width: int, height: int) -> None:
    with pytest.raises(InputRefused, match=f"{width} x {height} px"):
        open_camera("board", rig=_rig(width, height))


def test_the_rigs_own_lens_has_any_size() -> None:
    rig = _rig(640, 480)
    (lens,) = open_camera("board?lens=rig", rig=rig).truth.lenses
    assert (lens.width_px, lens.height_px) == (640, 480)


def test_a_film_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    def stopped(images: Iterator[tuple[Image, ...]]) -> Iterator[tuple[Image, ...]]:
        yield next(images)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(open_camera("board?height=240"), tmp_path / "film", stopped)
    assert not list(tmp_path.iterdir())
