"""Pictures through the child process to tracker frames: order, the newest first, its death, and what is said meanwhile."""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import Command, Mark, SourceEnded, SourceItem, TrackerFrame, encode
from tests.tracking.printed import POSE, printed_rig, shown
from tracking.child_process import ChildEnded, Ready, Refused, decode_answer
from tracking.opencv import cv2
from tracking.pictures import sources as opening
from tracking.pictures.folder import open_images
from tracking.pictures.images import Image
from tracking.pictures.sources import open_pictures
from tracking.stream import live, sources
from tracking.stream.child import Start, read_exposure, serve, write_exposure
from tracking.stream.detection import DetectionChild
from tracking.stream.live import PictureTracking
from tracking.stream.tracker import MarkerTracker

PERIOD_NS = 33_000_000
COMMAND = Command(who="test", id="1", order=Mark(label="here"))


def image(grey: np.ndarray, number: int = 0, camera: int = 0) -> Image:
    return Image(camera, number, number * PERIOD_NS, number * PERIOD_NS + 5, "host", grey)


class Pictures:
    """A source that hands out what it is given."""

    setup_ns = 0
    cameras = 1
    notes = ("a remark of its own",)

    def __init__(self, items: list[tuple[Image, ...] | SourceItem | None], *, is_live: bool = False) -> None:
        self.name, self.live, self.trouble, self.closed = "camera:test", is_live, "", False
        self._items = iter(items)

    def read(self, timeout_s: float) -> tuple[Image, ...] | SourceItem | None:
        item = next(self._items, "end")
        if item == "end":
            raise SourceEnded(self.name)
        return item  # type: ignore[return-value]

    def close(self) -> None:
        self.closed = True


class Child:
    """Stands in for the child process: answers with the pictures' number, dies when told to."""

    def __init__(self, dies_of: tuple[int, ...] = ()) -> None:
        self.sent, self.closed, self._dies_of = list[int](), False, dies_of

    def send(self, pictures: tuple[Image, ...], *, shown: bool = False) -> None:
        self.sent.append(pictures[0].number)

    def receive(self, timeout_s: float) -> TrackerFrame | None:
        number = self.sent.pop(0)
        if number in self._dies_of:
            raise ChildEnded("the detection process ended (signal 9)")
        return TrackerFrame(source="x", number=number, t_capture_ns=number, t_arrival_ns=number, sightings=())

    def close(self) -> None:
        self.closed = True


def all_of(source: PictureTracking, timeout_s: float = 5.0) -> list[SourceItem]:
    read, end = list[SourceItem](), time.monotonic() + 20.0
    try:
        while time.monotonic() < end:
            item = source.read(timeout_s)
            if item is not None:
                read.append(item)
    except SourceEnded:
        return read
    raise AssertionError("the source did not end")


# The pipe


def test_exposures_cross_the_pipe_bit_for_bit() -> None:
    rng = np.random.default_rng(5)
    exposure = [image(rng.integers(0, 255, (31, 47), dtype=np.uint8), 3), image(rng.integers(0, 255, (20, 10), dtype=np.uint8)[:, ::-1], 3, 1)]
    stream = io.BytesIO()
    write_exposure(stream, exposure)
    stream.seek(0)
    back = read_exposure(stream)
    assert back is not None
    assert not back.shown
    for one, other in zip(back.images, exposure, strict=True):
        assert (one.camera, one.number, one.t_capture_ns, one.stamp) == (other.camera, other.number, other.t_capture_ns, other.stamp)
        np.testing.assert_array_equal(one.grey, other.grey)
    assert read_exposure(stream) is None


@pytest.mark.parametrize("cut", [1, 40, 200, 1000])
def test_a_cut_pipe_is_an_end(cut: int) -> None:
    stream = io.BytesIO()
    write_exposure(stream, [image(np.zeros((30, 40), np.uint8))])
    assert read_exposure(io.BytesIO(stream.getvalue()[: min(cut, len(stream.getvalue()) - 1)])) is None


def test_the_child_answers_each_exposure_and_refuses_in_words() -> None:
    requests, answers = io.BytesIO(), io.BytesIO()
    requests.write(encode(Start(printed_rig(), "camera:test", live=False)) + b"\n")
    write_exposure(requests, [image(shown(), 4)])
    write_exposure(requests, [image(np.zeros((10, 10), np.uint8), 5)])
    requests.seek(0)
    serve(requests, answers)
    ready, frame, refused = map(decode_answer, answers.getvalue().splitlines())
    assert isinstance(ready, Ready)
    assert isinstance(frame, TrackerFrame)
    assert (frame.number, frame.source, frame.sightings[0].status) == (4, "camera:test", "OK")
    assert isinstance(refused, Refused)
    assert "10 x 10 px" in refused.problem


def test_the_child_refuses_a_rig_that_it_cannot_track_with() -> None:
    requests, answers = io.BytesIO(encode(Start(printed_rig(dictionary="9X9_50"), "x", live=False)) + b"\n"), io.BytesIO()
    serve(requests, answers)
    refused = decode_answer(answers.getvalue())
    assert isinstance(refused, Refused)
    assert "no marker dictionary '9X9_50'" in refused.problem


# Recordings


def test_every_exposure_of_a_recording_is_looked_at_in_order_with_what_is_played_between() -> None:
    black = np.zeros((720, 1280), np.uint8)
    items = [(image(black, 0),), COMMAND, (image(black, 1),), None, (image(black, 2),), (image(black, 3),), COMMAND, (image(black, 4),)]
    source = PictureTracking(Pictures(items), printed_rig(), start=Child)  # type: ignore[arg-type]
    read = all_of(source)
    assert [item.number if isinstance(item, TrackerFrame) else item for item in read] == [0, COMMAND, 1, 2, 3, COMMAND, 4]
    assert all(item.stages is None for item in read if isinstance(item, TrackerFrame))
    # Times are the recording's own.
    assert [item.t_arrival_ns for item in read if isinstance(item, TrackerFrame)] == [0, 1, 2, 3, 4]


def test_a_child_that_dies_in_a_recording_is_replaced_once_and_nothing_is_lost() -> None:
    children = [Child(dies_of=(2,)), Child()]
    queue = iter(children)
    pictures = Pictures([(image(np.zeros((720, 1280), np.uint8), n),) for n in range(6)])
    source = PictureTracking(pictures, printed_rig(), start=lambda: next(queue))  # type: ignore[arg-type,return-value]
    assert [item.number for item in all_of(source)] == [0, 1, 2, 3, 4, 5]  # type: ignore[union-attr]
    assert children[0].closed
    assert source.notes == ("a remark of its own", "the detection process ended (signal 9); it was started again")


def test_a_child_that_dies_twice_ends_the_source() -> None:
    pictures = Pictures([(image(np.zeros((720, 1280), np.uint8), n),) for n in range(6)])
    source = PictureTracking(pictures, printed_rig(), start=lambda: Child(dies_of=(2,)))  # type: ignore[arg-type,return-value]
    with pytest.raises(NavtwinError, match=r"signal 9.*second time"):
        all_of(source)
    source.close()
    assert pictures.closed


# Live cameras


def test_a_live_frame_arrives_when_its_poses_do() -> None:
    source = PictureTracking(Pictures([(image(np.zeros((720, 1280), np.uint8), 7),)], is_live=True), printed_rig(), start=Child)  # type: ignore[arg-type]
    before = time.monotonic_ns()
    frame = source.read(1.0)
    assert isinstance(frame, TrackerFrame)
    assert before <= frame.t_arrival_ns <= time.monotonic_ns()


def test_a_live_child_that_dies_is_told_in_the_lost_frame() -> None:
    children = iter([Child(dies_of=(1,)), Child()])
    pictures = Pictures([(image(np.zeros((720, 1280), np.uint8), n),) for n in range(3)], is_live=True)
    source = PictureTracking(pictures, printed_rig(), start=lambda: next(children))  # type: ignore[arg-type,return-value]
    frames = [source.read(1.0) for _ in range(3)]
    assert [f.number for f in frames] == [0, 1, 2]  # type: ignore[union-attr]
    lost = frames[1]
    assert isinstance(lost, TrackerFrame)
    assert [(s.body, s.status) for s in lost.sightings] == [("body7", "INVALID"), ("body8", "INVALID")]
    assert all("started again" in s.reason for s in lost.sightings)


def test_a_camera_that_stops_says_so_once_and_then_is_silent() -> None:
    black = np.zeros((720, 1280), np.uint8)
    pictures = Pictures([(image(black, 4),), None, None, None, (image(black, 9),), None, None], is_live=True)
    source = PictureTracking(pictures, printed_rig(), start=Child)  # type: ignore[arg-type]
    assert isinstance(source.read(0.1), TrackerFrame)
    assert source.read(0.1) is None
    pictures.trouble = "camera 0 gives no picture any more"
    told, silent = source.read(0.1), source.read(0.1)
    assert isinstance(told, TrackerFrame)
    assert {(s.status, s.reason) for s in told.sightings} == {("REQ_TIMEOUT", "camera 0 gives no picture any more")}
    assert told.number == 4
    assert silent is None
    again = source.read(0.1)
    assert isinstance(again, TrackerFrame)
    assert again.number == 9
    assert isinstance(source.read(0.1), TrackerFrame), "a second time is told anew"
    assert source.read(0.1) is None


def test_a_hung_child_counts_as_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ANSWER_S", 0.0)
    silent = Child()
    silent.receive = lambda timeout_s: None  # type: ignore[method-assign]
    children = iter([silent, Child()])
    source = PictureTracking(Pictures([(image(np.zeros((720, 1280), np.uint8)),)] * 2, is_live=True), printed_rig(), start=lambda: next(children))  # type: ignore[arg-type,return-value]
    frame = source.read(0.01)
    assert isinstance(frame, TrackerFrame)
    assert "has not answered" in frame.sightings[0].reason


# The real child


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for n in range(6):
        cv2.imwrite(str(folder / f"{n}.png"), shown(noise_seed=n))
    return folder


def test_a_folder_is_tracked_by_the_child_and_recorded_beside(folder: Path, tmp_path: Path) -> None:
    source = sources.open_images_source(f"{folder}?rate=25&record={tmp_path / 'raw'}&lossless=1", None, printed_rig())
    frames = [item for item in all_of(source) if isinstance(item, TrackerFrame)]
    source.close()
    assert [f.number for f in frames] == list(range(6))
    assert [f.t_capture_ns for f in frames] == [n * 40_000_000 for n in range(6)]
    for frame in frames:
        pose = frame.sightings[0].pose
        assert pose is not None
        assert np.linalg.norm(np.subtract(pose.t_mm, POSE.t_mm)) < 1.0
    assert len(list((tmp_path / "raw").glob("*.png"))) == 6
    assert any("6 pictures in" in note for note in source.notes)
    # Looked at again, the recorded pictures give the same poses to the last bit.
    tracker, again = MarkerTracker(printed_rig()), open_images(str(tmp_path / "raw"), printed_rig())
    assert [tracker.track(again.read(0.0)).sightings for _ in frames] == [frame.sightings for frame in frames]


@pytest.mark.heavy
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_a_killed_child_is_noticed_and_its_successor_goes_on(folder: Path) -> None:
    children = list[DetectionChild]()

    def start() -> DetectionChild:
        children.append(DetectionChild(printed_rig(), "images:test", live=False))
        return children[-1]

    source = PictureTracking(open_images(str(folder), printed_rig()), printed_rig(), start=start)
    items: list[SourceItem | None] = [source.read(5.0)]
    os.kill(children[0].pid, signal.SIGKILL)
    items += all_of(source)
    source.close()
    assert [item.number for item in items if isinstance(item, TrackerFrame)] == list(range(6))
    assert len(children) == 2
    assert any("(signal 9); it was started again" in note for note in source.notes)


def test_what_the_child_refuses_is_refused_here(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 30), 99, np.uint8))
    source = sources.open_images_source(str(tmp_path), None, printed_rig())
    with pytest.raises(InputRefused, match=r"30 x 20 px, and camera 'webcam'"):
        all_of(source)
    source.close()


# Addresses


def test_a_camera_of_another_room_is_opened_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Offer:
        name = "phantom"

        @staticmethod
        def load() -> object:
            return lambda rest, case, rig: asked.append((rest, case, rig)) or Pictures([])

    monkeypatch.setattr(opening, "entry_points", lambda group: [Offer] if group == "navtwin.cameras" else [])
    rig = printed_rig()
    assert open_pictures("camera:phantom:board:3?speed=2", "the case", rig).name == "camera:test"
    assert asked == [("board:3?speed=2", "the case", rig)]
    with pytest.raises(InputRefused, match=r"'phanton' is neither.*Did you mean 'phantom'"):
        open_pictures("camera:phanton:board", None, rig)


@pytest.mark.parametrize(
    ("address", "message"), [("0", "gives no pictures"), ("log:x.mcap", "gives no pictures"), ("camera:0", "without its calibration")]
)
def test_addresses_without_pictures_are_refused(address: str, message: str) -> None:
    with pytest.raises(InputRefused, match=message):
        open_pictures(address)


def test_a_rig_without_a_camera_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="navtwin calibrate camera"):
        sources.open_video_source(str(tmp_path / "absent.avi"), None, printed_rig(()))
