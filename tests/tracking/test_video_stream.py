"""Pictures from the tracking child to a screen: made only while somebody looks, with what tracking found in that very picture."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from navtwin.bus.video import LONGEST_SIDE_PX, VideoClient, VideoPicture, VideoServer, jpeg_size
from navtwin.nouns import Pose, Sighting, SourceEnded, SourceItem, TrackerFrame, encode
from navtwin.nouns.video import VideoFrame
from navtwin.rigid import Rigid
from navtwin.run.video import Video
from tests.tracking.printed import NUMBER, POSE, printed_rig, rig_camera, shown
from tests.tracking.rendered import CAMERA
from tracking.child_process import Ready, decode_answer
from tracking.detect.markers import Markers
from tracking.opencv import cv2
from tracking.pictures.images import Image
from tracking.stream import shown as making
from tracking.stream import tap as taps
from tracking.stream.child import Start, serve, write_exposure
from tracking.stream.live import PictureTracking
from tracking.stream.shown import PictureMaker, Shown, jpeg_of
from tracking.stream.tap import PictureTap

PERIOD_NS = 33_000_000
RIGHT = Rigid.from_quaternion((1.0, 0.0, 0.0, 0.0), (60.0, 0.0, 0.0), target="tracker", source="camera")


def image(grey: np.ndarray, number: int = 0, camera: int = 0) -> Image:
    return Image(camera, number, number * PERIOD_NS, number * PERIOD_NS + 5, "host", grey)


def decoded(jpeg: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture)


class Film:
    """A recording of one marker, so many exposures long."""

    name, live, setup_ns, cameras = "images:test", False, 0, 1

    def __init__(self, count: int) -> None:
        self._numbers = iter(range(count))
        self._grey = shown()

    def read(self, timeout_s: float) -> tuple[Image, ...]:
        number = next(self._numbers, None)
        if number is None:
            raise SourceEnded(self.name)
        return (image(self._grey, number),)

    def close(self) -> None:
        """Nothing is open."""


def tracked(source: PictureTracking) -> TrackerFrame:
    end = time.monotonic() + 30.0
    while time.monotonic() < end:
        item: SourceItem | None = source.read(1.0)
        if isinstance(item, TrackerFrame):
            return item
    raise AssertionError("no frame came")


# Making


@pytest.mark.parametrize(
    ("shape", "size"), [((48, 64), (64, 48)), ((720, 1280), (1280, 720)), ((1080, 1920), (1280, 720)), ((3000, 10), (4, 1280)), ((1, 1), (1, 1))]
)
def test_a_picture_is_made_no_larger_than_is_shown(shape: tuple[int, int], size: tuple[int, int]) -> None:
    grey = np.full(shape, 90, np.uint8)
    jpeg, width, height = jpeg_of(grey)
    assert (width, height) == size == jpeg_size(jpeg)
    assert max(size) <= making.LONGEST_SIDE_PX == LONGEST_SIDE_PX
    assert abs(int(decoded(jpeg).mean()) - 90) <= 2


def test_what_is_shown_is_the_picture_with_its_markers() -> None:
    made = making.shown(image(shown(), 12), "webcam", 12, {"APRILTAG_36h11": Markers(np.array([7]), np.array([[[1, 2], [3, 2], [3, 4], [1, 4.5]]]))})
    assert (made.frame.camera, made.frame.number, made.frame.full_width_px) == ("webcam", 12, 1280)
    assert made.frame.markers[0].corners_px == ((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 4.5))
    # A JPEG at this quality is a few grey levels off.
    assert np.abs(decoded(made.jpeg).astype(int) - shown()).mean() < 3.0


def test_the_maker_takes_the_newest_and_no_thread_runs_for_nobody() -> None:
    said = list[Shown]()

    def slowly(shown: Shown) -> None:
        time.sleep(0.05)
        said.append(shown)

    maker = PictureMaker(["left"], slowly)
    assert maker._thread is None
    for number in range(20):
        maker.offer([image(np.zeros((4, 4), np.uint8), number)], number, {})
    maker.close()
    numbers = [s.frame.number for s in said]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 19
    assert len(numbers) < 20
    PictureMaker(["left"], slowly).close()


def test_the_child_sends_pictures_only_of_exposures_that_ask_for_them() -> None:
    requests, answers = io.BytesIO(), io.BytesIO()
    requests.write(encode(Start(printed_rig(), "camera:test", live=False)) + b"\n")
    write_exposure(requests, [image(shown(), 4)])
    write_exposure(requests, [image(shown(), 5)], shown=True)
    requests.seek(0)
    serve(requests, answers)
    tap = PictureTap()
    lines = [line for line in answers.getvalue().splitlines() if not tap.hear(line)]
    ready, first, second = map(decode_answer, lines)
    assert isinstance(ready, Ready)
    assert isinstance(first, TrackerFrame)
    assert isinstance(second, TrackerFrame)
    ((header, jpeg),) = tap.take()
    assert header.number == second.number == 5
    assert [m.id for m in header.markers] == [NUMBER]
    assert jpeg_size(jpeg) == (1280, 720)
    assert tap.take() == []


def test_a_broken_line_is_no_picture_and_goes_where_answers_are_judged() -> None:
    tap = PictureTap()
    assert not tap.hear(taps.HEAD + b',"camera":"x"}\n')
    assert not tap.hear(b'{"kind":"frame"}\n')
    assert not tap.arrived.is_set()


def test_pictures_are_due_while_wanted_and_not_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]
    monkeypatch.setattr(time, "monotonic_ns", lambda: now[0])
    tap = PictureTap()
    assert not tap.due()
    tap.wanted = True
    due = 0
    for now[0] in range(0, 1_000_000_000, 33_000_000):
        due += tap.due()
    assert 14 <= due <= 16


# From the child to a screen


@pytest.fixture
def server() -> Iterator[VideoServer]:
    server = VideoServer(port=0)
    yield server
    server.close()


def played(source: PictureTracking, video: Video, client: VideoClient, seconds: float = 20.0) -> tuple[VideoPicture, dict[int, TrackerFrame]]:
    """Feed frames to the video, on a session's time, until a picture is received."""
    fed, end = dict[int, TrackerFrame](), time.monotonic() + seconds
    while time.monotonic() < end:
        frame = tracked(source)
        fed[frame.number] = msgspec.structs.replace(frame, t_capture_ns=frame.t_capture_ns + 10**12, t_arrival_ns=frame.t_arrival_ns + 10**12)
        video.fed(fed[frame.number])
        if (picture := client.newest(20)) is not None:
            return picture, fed
    raise AssertionError("no picture came")


def test_a_screen_sees_the_picture_with_the_sightings_found_in_it(server: VideoServer) -> None:
    source = PictureTracking(Film(500), printed_rig())
    said = list[str]()
    video = Video(server, source.pictures, printed_rig(), said.append)
    try:
        assert video.begin("e7") == server.port
        for _ in range(3):
            video.fed(tracked(source))
        # Nobody looks: no picture has been asked for, nor made.
        assert not source.pictures.wanted
        assert source.pictures.take() == []
        client = VideoClient(port=server.port)
        try:
            picture, fed = played(source, video, client)
            header = picture.frame
            frame = fed[header.number]
            assert (header.epoch, header.camera, header.t_capture_ns) == ("e7", "webcam", frame.t_capture_ns)
            assert header.t_publish_ns > 0
            assert {b.body: b.status for b in header.bodies} == {s.body: s.status for s in frame.sightings}
            body = header.bodies[0]
            assert body.pose is not None
            np.testing.assert_allclose(body.pose.t_mm, POSE.t_mm, atol=1.0)
            # The header's corners are where the pose says that they are.
            corners = POSE.apply(np.array([[-30, 30, 0], [30, 30, 0], [30, -30, 0], [-30, -30, 0]]))
            pixels = cv2.projectPoints(corners, np.zeros(3), np.zeros(3), CAMERA.matrix, CAMERA.distortion)[0].reshape(4, 2)
            np.testing.assert_allclose(header.markers[0].corners_px, pixels, atol=0.5)
            assert np.abs(decoded(picture.jpeg).astype(int) - shown()).mean() < 3.0
        finally:
            client.close()
        end = time.monotonic() + 5.0
        while source.pictures.wanted and time.monotonic() < end:
            time.sleep(0.02)
        assert not source.pictures.wanted
        assert not said
    finally:
        video.close()
        source.close()


class Given:
    """A tap that is filled by hand."""

    def __init__(self) -> None:
        tap = PictureTap()
        self.wanted, self.arrived, self._tap = False, tap.arrived, tap

    def offer(self, number: int, camera: str = "webcam") -> None:
        made = making.shown(image(np.zeros((8, 8), np.uint8), number), camera, number, {})
        assert self._tap.hear(encode(made))

    def take(self) -> list[tuple[VideoFrame, bytes]]:
        return self._tap.take()


def frame_of(number: int) -> TrackerFrame:
    return TrackerFrame(source="x", number=number, t_capture_ns=number * 100, t_arrival_ns=number * 100 + 5, sightings=())


def watched(video: Video, given: Given) -> None:
    end = time.monotonic() + 5.0
    while not given.wanted:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_recordings_pictures_wait_until_their_frame_is_due(server: VideoServer) -> None:
    given = Given()
    video = Video(server, given, printed_rig(), print)
    client = VideoClient(port=server.port)
    try:
        video.begin("e1")
        watched(video, given)
        for number in (1, 2, 3):
            given.offer(number)
        assert client.newest(150) is None
        video.fed(frame_of(2))
        first = client.newest(3000)
        assert first is not None
        assert (first.frame.number, first.frame.t_capture_ns) == (2, 200)
        # What lay before it will not be shown any more; what lies behind it waits on.
        video.fed(frame_of(1))
        assert client.newest(150) is None
        video.fed(frame_of(3))
        last = client.newest(3000)
        assert last is not None
        assert last.frame.number == 3
    finally:
        client.close()
        video.close()


def test_bodies_are_told_in_each_cameras_own_axes(server: VideoServer) -> None:
    rig = printed_rig(cameras=(rig_camera("left"), rig_camera("right", RIGHT)))
    given, poses = Given(), dict[str, tuple[float, ...]]()
    sighting = tracked_sighting()
    video = Video(server, given, rig, print)
    client = VideoClient(port=server.port)
    try:
        video.begin("e1")
        watched(video, given)
        video.fed(msgspec.structs.replace(frame_of(4), sightings=(sighting,)))
        end = time.monotonic() + 5.0
        for camera in ("left", "right"):
            given.offer(4, camera)
            while camera not in poses and time.monotonic() < end:
                picture = client.newest(100)
                if picture is not None and picture.frame.bodies[0].pose is not None:
                    poses[picture.frame.camera] = picture.frame.bodies[0].pose.t_mm
        assert poses == {"left": (10.0, 20.0, 300.0), "right": (-50.0, 20.0, 300.0)}
    finally:
        client.close()
        video.close()


def tracked_sighting() -> Sighting:
    return Sighting(body="body7", status="OK", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(10.0, 20.0, 300.0)))
