"""Live pictures of a session, in a thread of their own: the loop names the frame that it has fed, and never touches a picture."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec

from navtwin.bus.video import VideoServer
from navtwin.errors import BusRefused
from navtwin.nouns import Pose, Rig, TrackerFrame
from navtwin.nouns.source import PictureTap
from navtwin.nouns.video import VideoFrame, bodies_of
from navtwin.rigid import Rigid

#: How often it is asked whether anybody looks, s: so long after it the first picture is made.
LOOK_S = 0.1
#: Frames and pictures kept until the other half of the pair comes: a picture is made after its frame, and of a recording before it is due.
KEPT = 64


class Video:
    """Publishes the pictures behind the frames that the twin was fed, each when it was.

    Parameters
    ----------
    server : closed with this
    pictures : the source's
    rig : has the cameras' places
    say : is told, once, of pictures that cannot be sent: tracking and warnings do not rest on them
    """

    def __init__(self, server: VideoServer, pictures: PictureTap, rig: Rig, say: Callable[[str], None]) -> None:
        self._server, self._pictures, self._say, self._epoch = server, pictures, say, ""
        self._refused = False
        self._places = {camera.name: _place(camera.T_tracker_from_camera).inverse() for camera in rig.camera}
        self._frames: deque[TrackerFrame] = deque(maxlen=KEPT)
        self._waiting: deque[tuple[VideoFrame, bytes]] = deque(maxlen=KEPT)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="video", daemon=True)

    def begin(self, epoch: str) -> int:
        """Show pictures from now on, as of this session; returns the port."""
        self._epoch = epoch
        self._thread.start()
        return self._server.port

    def fed(self, frame: TrackerFrame) -> None:
        """The twin was fed this frame, on session time: its picture may be shown."""
        if self._pictures.wanted:
            self._frames.append(frame)
            self._pictures.arrived.set()

    def close(self) -> None:
        """End the thread and free the port."""
        self._ending.set()
        self._pictures.arrived.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._server.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._pictures.wanted = self._server.watched
            if not self._pictures.wanted:
                self._frames.clear()
                self._waiting.clear()
                self._pictures.take()
                self._ending.wait(LOOK_S)
                continue
            self._pictures.arrived.wait(LOOK_S)
            self._pictures.arrived.clear()
            self._waiting.extend(self._pictures.take())
            for picture, frame in self._due():
                self._publish(picture, frame)
        self._pictures.wanted = False

    def _due(self) -> list[tuple[tuple[VideoFrame, bytes], TrackerFrame]]:
        """The newest picture of each camera whose frame has been fed; those before it are forgotten."""
        fed = {frame.number: frame for frame in tuple(self._frames)}
        newest: dict[str, tuple[int, TrackerFrame]] = {}
        for at, (header, _) in enumerate(self._waiting):
            if header.number in fed:
                newest[header.camera] = at, fed[header.number]
        due = [(self._waiting[at], frame) for at, frame in newest.values()]
        kept = [picture for at, picture in enumerate(self._waiting) if at > newest.get(picture[0].camera, (-1,))[0]]
        self._waiting = deque(kept, maxlen=KEPT)
        return due

    def _publish(self, picture: tuple[VideoFrame, bytes], frame: TrackerFrame) -> None:
        header, jpeg = picture
        place = self._places.get(header.camera)
        whole = msgspec.structs.replace(
            header,
            epoch=self._epoch,
            t_capture_ns=frame.t_capture_ns,
            t_arrival_ns=frame.t_arrival_ns,
            t_publish_ns=time.monotonic_ns(),
            bodies=() if place is None else bodies_of(frame.sightings, place),
        )
        try:
            self._server.publish(whole, jpeg)
        except BusRefused as refused:
            if not self._refused:
                self._say(f"note: {refused}")
            self._refused = True


def _place(pose: Pose | None) -> Rigid:
    """T_tracker_from_camera; the first camera's axes are the tracker's."""
    if pose is None:
        pose = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    return pose.rigid(target="tracker", source="camera")
