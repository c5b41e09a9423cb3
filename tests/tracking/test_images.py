"""Pictures from files: addresses, films, folders, the pairing of exposures, and pictures recorded beside a log."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.nouns import SourceEnded
from tests.tracking.printed import printed_rig
from tracking.opencv import cv2
from tracking.pictures import raw
from tracking.pictures.address import Address, joined, parse_address, split_options
from tracking.pictures.faults import FROZEN_PICTURES, PictureCheck
from tracking.pictures.folder import open_images
from tracking.pictures.images import Image
from tracking.pictures.pairing import half_period_ns, merged, simultaneous
from tracking.pictures.raw import RawRecorder
from tracking.pictures.video import open_video

VIDEOS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tracking" / "aruco"
needs_videos = pytest.mark.skipif(not VIDEOS.is_dir(), reason="the public ArUco videos are not here")


def image(t_ns: int, camera: int = 0, number: int = 0, grey: np.ndarray | None = None) -> Image:
    return Image(camera, number, t_ns, t_ns + 7_000_000, "assumed" if camera else "host", np.zeros((4, 6), np.uint8) if grey is None else grey)


def all_of(source: object) -> list[tuple[Image, ...]]:
    read = []
    try:
        while True:
            read.append(source.read(0.1))  # type: ignore[attr-defined]
    except SourceEnded:
        return read


# Addresses


def test_an_address_is_taken_apart() -> None:
    asked = parse_address("0,2?rate=60&exposure=-6&lossless=yes", {"rate", "exposure", "lossless"})
    assert asked.names == ("0", "2")
    assert (asked.number("exposure"), asked.positive("rate"), asked.number("gain"), asked.yes("lossless")) == (-6.0, 60.0, None, True)


def test_a_question_mark_without_an_option_belongs_to_the_name() -> None:
    assert split_options("why?.avi") == ("why?.avi", {})
    assert split_options("why?.avi?rate=5") == ("why?.avi", {"rate": "5"})


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.from_regex(r"[0-9a-z./]{1,8}", fullmatch=True), max_size=3))
def test_options_survive_a_round_trip(options: dict[str, str]) -> None:
    assert split_options(joined("film.avi", options)) == ("film.avi", options)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("0?exposur=3", "Did you mean 'exposure'"),
        ("0?rate=3&gain", "'gain' is no option"),
        ("0?rate=3&rate=4", "given twice"),
        ("", "names nothing"),
        ("0,,1", "gap between commas"),
        ("0,0", "same thing twice"),
    ],
)
def test_bad_addresses_say_what_is_wrong(address: str, message: str) -> None:
    with pytest.raises(InputRefused, match=message):
        parse_address(address, {"exposure", "rate", "gain"})


@pytest.mark.parametrize(("text", "message"), [("fast", "not a number"), ("nan", "not a number"), ("0", "not above 0"), ("-3", "not above 0")])
def test_options_are_numbers(text: str, message: str) -> None:
    with pytest.raises(InputRefused, match=message):
        Address(("0",), {"rate": text}).positive("rate")


# Pairing


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40_000_000)), min_size=1, max_size=8))
def test_exposures_that_are_mixed_are_never_further_apart_than_the_gap(shots: list[tuple[int, int]]) -> None:
    chosen = simultaneous([image(t, camera) for camera, t in shots], 8_000_000)
    times = [p.t_capture_ns for p in chosen]
    assert max(times) - min(times) <= 8_000_000
    assert max(times) == max(t for _, t in shots)
    assert [p.camera for p in chosen] == sorted({p.camera for p in chosen})


@given(st.integers(0, 33), st.lists(st.integers(0, 9), min_size=3, max_size=12))
def test_merged_streams_keep_every_picture_in_order(phase_ms: int, jitter_ms: list[int]) -> None:
    one = [image(n * 33_000_000 + j * 100_000, 0, n) for n, j in enumerate(jitter_ms)]
    two = [image(n * 33_000_000 + phase_ms * 1_000_000, 1, n) for n in range(len(jitter_ms))]
    groups = list(merged([iter(one), iter(two)], half_period_ns(30.0)))
    flat = [p for group in groups for p in group]
    assert sorted((p.camera, p.number) for p in flat) == sorted((p.camera, p.number) for p in one + two)
    assert all(max(p.t_capture_ns for p in g) - min(p.t_capture_ns for p in g) <= half_period_ns(30.0) for g in groups)
    starts = [min(p.t_capture_ns for p in g) for g in groups]
    assert starts == sorted(starts)


# What a picture may not be


def test_a_picture_that_repeats_is_frozen_only_where_a_sensor_makes_it() -> None:
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 255, (60, 80), dtype=np.uint8)
    live, film = PictureCheck(noisy=True), PictureCheck(noisy=False)
    said = [live.fault(image(n, grey=grey.copy())) for n in range(FROZEN_PICTURES + 1)]
    assert said[: FROZEN_PICTURES - 1] == [""] * (FROZEN_PICTURES - 1)
    assert all("frozen" in words for words in said[FROZEN_PICTURES - 1 :])
    other = grey.copy()
    other[17, 40] ^= 1  # one bit, in a row that the first look skips
    assert live.fault(image(9, grey=other)) == ""
    assert not any(film.fault(image(n, grey=grey)) for n in range(10))


def test_a_black_picture_is_named_and_a_few_hot_pixels_do_not_hide_it() -> None:
    grey = np.random.default_rng(2).integers(0, 6, (480, 640), dtype=np.uint8)
    grey[7, 7] = 255
    assert "black" in PictureCheck(noisy=True).fault(image(0, grey=grey))
    grey[200:260, 300:360] = 200
    assert PictureCheck(noisy=True).fault(image(1, grey=grey)) == ""


# Films


@needs_videos
def test_a_film_keeps_its_times_and_says_how_many_frames_it_lost() -> None:
    source = open_video(str(VIDEOS / "multipattern.avi"), printed_rig())
    exposures = all_of(source)
    times = [pictures[0].t_capture_ns for pictures in exposures]
    assert len(exposures) == 10
    # The container has eleven places at 30 a second and nothing in the second: the gap stays.
    assert np.round(np.diff(times) / 1e6).tolist() == [67.0] + [33.0] * 8
    assert exposures[3][0].t_arrival_ns - exposures[3][0].t_capture_ns == 20_000_000
    assert (exposures[0][0].grey.shape, exposures[0][0].stamp) == ((480, 640), "assumed")
    assert any("1 of 11 frames" in note for note in source.notes)


@needs_videos
def test_a_film_at_another_rate_than_the_rigs_is_told() -> None:
    source = open_video(str(VIDEOS / "output.avi"), printed_rig())
    assert any("10 frames a second, the rig states 30" in note for note in source.notes)
    source.close()
    with pytest.raises(SourceEnded):
        source.read(0.0)


@needs_videos
def test_two_films_are_paired_by_time() -> None:
    source = open_video(f"{VIDEOS / 'multipattern.avi'},{VIDEOS / '12markers.avi'}?latency=5", printed_rig())
    exposures = all_of(source)
    assert source.cameras == 2
    assert [p.camera for p in exposures[0]] == [0, 1]
    assert all([p.camera for p in group] == [0] for group in exposures[1:])
    assert exposures[0][0].t_arrival_ns == 5_000_000


@needs_videos
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_cut_film_is_refused_or_counted(tmp_path: Path, share: float) -> None:
    whole = (VIDEOS / "multipattern.avi").read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: int(len(whole) * share)])
    if share < 0.1:
        with pytest.raises(InputRefused, match=r"decoded|corrupt"):
            open_video(str(cut))
        return
    source = open_video(str(cut))
    exposures = all_of(source)
    assert 0 < len(exposures) < 10
    assert any("could not be decoded" in note for note in source.notes)


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    noise = tmp_path / "film.avi"
    noise.write_bytes(np.random.default_rng(3).bytes(4000))
    with pytest.raises(InputRefused, match="not a video"):
        open_video(str(noise))
    with pytest.raises(InputRefused, match="no video at"):
        open_video(str(tmp_path / "absent.avi"))


# Folders


def _pictures(folder: Path, names: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    for value, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((8, 10), value, np.uint8))


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    _pictures(tmp_path, ["view2.png", "view9.png", "view10.png"])
    (tmp_path / "notes.txt").write_text("not a picture")
    source = open_images(f"{tmp_path}?rate=50")
    exposures = all_of(source)
    assert [int(p.grey[0, 0]) for (p,) in exposures] == [0, 1, 2]
    assert [p.t_capture_ns for (p,) in exposures] == [0, 20_000_000, 40_000_000]
    assert any("nominal" in note for note in source.notes)


def test_a_picture_that_cannot_be_decoded_is_left_out_and_counted(tmp_path: Path) -> None:
    _pictures(tmp_path, ["a.png", "b.png", "c.png"])
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n")
    source = open_images(str(tmp_path))
    assert [p.number for (p,) in all_of(source)] == [0, 2]
    assert "1 pictures could not be decoded" in source.notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("number,t_capture_ns,camera\n0,0,0\n", "no column 'file'"),
        ("number,t_capture_ns,camera,file\n0,soon,0,a.png\n", "line 2"),
        ("number,t_capture_ns,camera,file\n0,0,0,../a.png\n", "no picture"),
        ("number,t_capture_ns,camera,file\n0,0,0,b.png\n", "no picture 'b.png'"),
        ("number,t_capture_ns,camera,file\n0,0,-1,a.png\n", "camera -1"),
        ("number,t_capture_ns,camera,file\n", "lists no picture"),
    ],
)
def test_a_list_that_does_not_match_is_refused(tmp_path: Path, text: str, message: str) -> None:
    _pictures(tmp_path, ["a.png"])
    (tmp_path / "frames.csv").write_text(text)
    with pytest.raises(InputRefused, match=message):
        open_images(str(tmp_path))


def test_an_empty_or_absent_folder_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputRefused, match=r"no PNG or JPEG|no folder"):
            open_images(str(folder))


# Pictures beside the log


def _two_cameras(count: int) -> Iterator[list[Image]]:
    rng = np.random.default_rng(4)
    for n in range(count):
        yield [image(n * 33_000_000 + c * 1_000_000, c, n, rng.integers(0, 255, (48, 64), dtype=np.uint8)) for c in (0, 1)]


def test_recorded_pictures_come_back_bit_for_bit(tmp_path: Path) -> None:
    exposures = list(_two_cameras(6))
    recorder = RawRecorder(tmp_path / "raw", lossless=True)
    for pictures in exposures:
        recorder.offer(pictures, wait=True)
    recorder.close()
    assert (recorder.written, recorder.dropped) == (12, 0)
    assert any("MB a minute" in note for note in recorder.notes)
    source = open_images(str(tmp_path / "raw"))
    back = all_of(source)
    assert source.cameras == 2
    assert [[(p.camera, p.number, p.t_capture_ns, p.t_arrival_ns, p.stamp) for p in group] for group in back] == [
        [(p.camera, p.number, p.t_capture_ns, p.t_arrival_ns, p.stamp) for p in group] for group in exposures
    ]
    for recorded, original in zip(back, exposures, strict=True):
        for one, other in zip(recorded, original, strict=True):
            np.testing.assert_array_equal(one.grey, other.grey)


def test_a_recording_is_not_written_over(tmp_path: Path) -> None:
    RawRecorder(tmp_path / "raw").close()
    with pytest.raises(InputRefused, match="holds a recording"):
        RawRecorder(tmp_path / "raw")


def test_a_slow_disk_drops_pictures_and_never_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    held = threading.Event()
    write = RawRecorder._write
    monkeypatch.setattr(RawRecorder, "_write", lambda self, n, p: (held.wait(5.0), write(self, n, p)))
    recorder = RawRecorder(tmp_path / "raw")
    for n in range(raw.QUEUE + 10):
        recorder.offer([image(n, 0, n)])
    assert recorder.dropped >= 9
    held.set()
    recorder.close()
    assert recorder.written + recorder.dropped == raw.QUEUE + 10
    assert any("disk is too slow" in note for note in recorder.notes)


def test_a_full_disk_ends_the_recording_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(raw.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    recorder = RawRecorder(tmp_path / "raw")
    for n in range(3):
        recorder.offer([image(n, 0, n)], wait=True)
    recorder.close()
    assert recorder.written == 0
    assert "1 GiB is left" in recorder.trouble
