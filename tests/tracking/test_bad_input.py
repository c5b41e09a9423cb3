"""What a user does wrong at a shell with cameras, films, folders and sheets: refused in one line that names the thing and the remedy."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
import tomlkit
import typer
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.nouns import Body, Rig, Tracker
from tests.tracking.printed import NUMBER, POSE, printed_rig, shown, square
from tests.tracking.test_camera import Wooden
from tracking.body import MarkerBody
from tracking.calibration.results import replace_text
from tracking.commands.cameras import _provisional, camera, cameras
from tracking.commands.latency import latency
from tracking.commands.look import look
from tracking.commands.markers import measure
from tracking.kit.sheet import make_sheet, write_sheet
from tracking.opencv import cv2
from tracking.pictures.camera import open_camera
from tracking.pictures.checks import check_rig
from tracking.pictures.folder import open_images
from tracking.pictures.sources import open_pictures
from tracking.pictures.video import open_video
from tracking.stream.live import PictureTracking


def _folder(path: Path, *greys: np.ndarray) -> Path:
    path.mkdir()
    for number, grey in enumerate(greys):
        cv2.imwrite(str(path / f"{number}.png"), grey)
    return path


def _rig_file(path: Path, rig: Rig) -> Path:
    path.write_text(tomlkit.dumps(_without_none(rig)), encoding="utf-8")
    return path


def _without_none(rig: Rig) -> dict[str, Any]:
    def clean(value: object) -> object:
        if isinstance(value, dict):
            return {key: clean(part) for key, part in value.items() if part is not None}
        return [clean(part) for part in value] if isinstance(value, (list, tuple)) else value

    return cast(dict[str, Any], clean(msgspec.to_builtins(rig)))


# Cameras


def test_a_camera_without_a_calibration_can_be_opened_to_be_calibrated() -> None:
    driver = Wooden()
    source = open_camera("0", _provisional("1280x720", 1), lambda number: driver)
    source.close()
    assert source.cameras == 1 and driver.released


def test_calibrating_an_absent_camera_lists_those_that_are_there() -> None:
    with pytest.raises(InputRefused, match=r"there is no camera 63: (there is camera:|this machine has no camera)"):
        open_pictures("camera:63", None, _provisional("1280x720", 1))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("0?exposure=0", "exposure=0 is no exposure"),
        ("0?latency=-20", "latency=-20 is below 0"),
        ("0?rate=1e-300", "rate=1e-300 is not from"),
    ],
)
def test_settings_that_no_camera_can_have_are_refused(address: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.pictures.devices.LINUX", True)
    driver = Wooden()
    with pytest.raises(InputRefused, match=told):
        open_camera(address, printed_rig(), lambda number: driver).close()
    assert driver.count == 0


# Films and folders


@pytest.mark.parametrize("option", ["rate=1e-300", "rate=1e300", "rate=0.001"])
def test_a_rate_that_nothing_films_at_is_refused(option: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="is not from"):
        open_images(f"{_folder(tmp_path / 'film', shown())}?{option}")


def test_pictures_do_not_arrive_before_they_are_taken(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "film", shown())
    with pytest.raises(InputRefused, match="latency=-50 is below 0"):
        open_images(f"{folder}?latency=-50")
    with pytest.raises(InputRefused, match="latency=-50 is below 0"):
        open_video(f"{folder / '0.png'}?latency=-50")


def test_a_folder_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_text("no picture", encoding="utf-8")
    with pytest.raises(InputRefused, match=r"none of the 2 pictures of .* can be decoded"):
        open_images(str(tmp_path)).read(0.0)


def test_pictures_of_another_size_in_a_recording_are_named(tmp_path: Path) -> None:
    sizes = [np.full((480 + 2 * n, 640), 120, np.uint8) for n in range(8)]
    rig = printed_rig()
    source = PictureTracking(open_images(str(_folder(tmp_path / "mixed", *sizes)), rig), rig)
    try:
        with pytest.raises(InputRefused, match="640 x 480 px, and camera 'webcam' is calibrated for 1280 x 720"):
            for _ in range(100):
                source.read(1.0)
    finally:
        source.close()


def test_a_broken_film_is_told_by_us_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "film.avi"
    film.write_bytes(b"RIFF")
    with pytest.raises(InputRefused, match="is not a video that can be decoded"):
        open_video(str(film))
    assert capfd.readouterr() == ("", "")


# Rigs


def test_one_printed_pattern_under_two_dictionaries_names_is_refused() -> None:
    bodies = tuple(Body(name=f"of{size}", sd_mm=0.2, sd_rad=0.002, dictionary=f"5X5_{size}", marker=(square(3),)) for size in (50, 100))
    rig = Rig(reference="of50", tracker=Tracker(name="x", rate_hz=30.0, latency_ms=20.0), body=bodies, tool=(), camera=printed_rig().camera)
    with pytest.raises(InputRefused, match="marker 3 of 5X5_50 on 'of50' and marker 3 of 5X5_100 on 'of100' are the same pattern"):
        check_rig(rig)


# A look


def _looked(tmp_path: Path, *options: str, rig: Rig | None = None) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(look)
    folder = tmp_path / "film"
    if not folder.is_dir():
        _folder(folder, shown(), shown(POSE))
    path = _rig_file(tmp_path / "rig.toml", rig or printed_rig(numbers=(NUMBER,)))
    done = CliRunner().invoke(app, [f"images:{folder}", "--rig", str(path), "--out", str(tmp_path / "out.png"), *options])
    return done.exit_code, done.output


def test_a_look_names_the_dictionary_that_was_printed(tmp_path: Path) -> None:
    code, said = _looked(tmp_path, rig=printed_rig(dictionary="6X6_250"))
    assert code == 1
    assert "none of the rig's markers is in this picture, but 1 of APRILTAG_36h11 is: the rig names another dictionary or other numbers" in said


def test_a_look_that_finds_markers_says_nothing_of_others(tmp_path: Path) -> None:
    code, said = _looked(tmp_path)
    assert code == 0 and "none of the rig's" not in said


@pytest.mark.parametrize("option", ["--exposure", "--camera"])
def test_a_look_counts_from_zero(option: str, tmp_path: Path) -> None:
    code, said = _looked(tmp_path, option, "-1")
    assert code == 2 and option in said


# Filming times and screens


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--screen-hz", "0"], "screen rate of 0 Hz"),
        (["--display-ms", "nan"], "a screen's delay of nan ms"),
        (["--display-ms", "-5"], "a screen's delay of -5 ms"),
    ],
)
def test_a_latency_is_not_filmed_for_options_that_cannot_be(options: list[str], told: str, tmp_path: Path) -> None:
    rig = _rig_file(tmp_path / "rig.toml", printed_rig())
    app = typer.Typer()
    app.command()(latency)
    done = CliRunner().invoke(app, ["images:nowhere", "--rig", str(rig), *options])
    assert isinstance(done.exception, InputRefused)
    with pytest.raises(InputRefused, match=told):
        raise done.exception


@pytest.mark.parametrize("seconds", ["nan", "1e9"])
@pytest.mark.parametrize(("command", "options"), [(measure, ["--body", f"body{NUMBER}"]), (latency, [])])
def test_nothing_is_filmed_for_ever(command: Callable[..., None], options: list[str], seconds: str, tmp_path: Path) -> None:
    rig = _rig_file(tmp_path / "rig.toml", printed_rig())
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, ["images:nowhere", "--rig", str(rig), "--seconds", seconds, *options])
    assert done.exit_code == 2 and "--seconds" in done.output


# Folders that are not there, or not ours


def _refused(command: Callable[..., None], *arguments: str) -> InputRefused:
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, list(arguments))
    assert isinstance(done.exception, InputRefused), done.output
    return done.exception


@pytest.mark.parametrize("command", [camera, cameras, latency])
def test_a_missing_folder_is_told_before_anything_is_filmed(command: Callable[..., None], tmp_path: Path) -> None:
    rig = _rig_file(tmp_path / "rig.toml", printed_rig())
    names = ["--names", "webcam,other"] if command is cameras else []
    told = _refused(command, "images:nowhere", "--rig", str(rig), "--out", str(tmp_path / "none"), *names)
    assert "there is no folder" in str(told) and "none" in str(told)


@pytest.mark.parametrize(
    ("command", "options"), [(camera, ["--name", "webcam"]), (cameras, ["--names", "webcam,other"]), (latency, []), (measure, ["--body", "body7"])]
)
def test_a_folder_that_may_not_be_written_is_told_before_anything_is_filmed(
    command: Callable[..., None], options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = _rig_file(tmp_path / "rig.toml", printed_rig())
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert f"may not write to {tmp_path}" in str(_refused(command, "images:nowhere", "--rig", str(rig), "--write", *options))


def test_a_sheet_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("matplotlib.backends.backend_pdf.PdfPages.savefig", full)
    with pytest.raises(InputRefused, match=r"cannot write .*sheet.pdf: No space left on device"):
        write_sheet(make_sheet(parts=["flat"]), tmp_path / "sheet.pdf", None)
    assert not list(tmp_path.iterdir())


# Sheets


def test_a_sheet_and_its_rig_are_not_written_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "kit"
    with pytest.raises(InputRefused, match="both the sheet and its rig"):
        write_sheet(make_sheet(), path, tmp_path / "." / "kit", force=True)
    assert not path.exists()


@pytest.mark.parametrize(("dictionary", "first"), [("5X5_100", 0), ("5X5_1000", 26), ("5X5_50", 20)])
def test_bodies_do_not_take_the_calibration_boards_markers(dictionary: str, first: int) -> None:
    with pytest.raises(InputRefused, match=r"markers .* are the calibration board's"):
        make_sheet(dictionary=dictionary, first_id=first)


def test_the_boards_dictionary_serves_beyond_the_boards_numbers() -> None:
    assert make_sheet(dictionary="5X5_100", first_id=27).bodies[0].ids[0] == 27


def test_a_sheet_in_a_read_only_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("matplotlib.backends.backend_pdf.PdfPages", forbidden)
    monkeypatch.setattr(Path, "unlink", forbidden)
    with pytest.raises(InputRefused, match=r"cannot write .*sheet.pdf: Read-only file system"):
        write_sheet(make_sheet(parts=["flat"]), tmp_path / "sheet.pdf", None)


def test_a_body_larger_than_any_print_is_refused() -> None:
    corners = MarkerBody.square(1, 30.0).corners_mm.copy()
    corners[0, 2] = 1e300
    with pytest.raises(InputRefused, match="1e\\+300 mm from its origin"):
        MarkerBody(np.array([1]), corners)


def test_a_result_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="cannot write"):
        replace_text(tmp_path / "missing" / "result.toml", "")
