"""The twin's source of poses made from pictures: exposures in, tracker frames out, found by a child process.

Pictures of a live camera are taken one at a time, the newest first: what comes while the child is busy is dropped, and the frames' numbers show
it. Pictures of a recording are all looked at, in order, a few ahead.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from navtwin.errors import NavtwinError
from navtwin.nouns import Rig, Sighting, SourceEnded, SourceItem, TrackerFrame, TrackerStatus
from tracking.child_process import ChildEnded
from tracking.pictures.checks import check_rig, check_size
from tracking.pictures.images import ImageSource, Picture
from tracking.pictures.raw import RawRecorder
from tracking.stream.detection import ANSWER_S, DetectionChild
from tracking.stream.tap import PictureTap

#: Exposures of a recording that are in the child's hands or done, beyond the one that is waited for.
READ_AHEAD = 3


class PictureTracking:
    """A navtwin source: an image source, and a child process that tracks the rig's printed markers in it.

    Parameters
    ----------
    pictures : where the exposures come from; closed with this
    recorder : keeps the pictures, if given; closed with this
    start : makes the child, again if it dies

    Attributes
    ----------
    pictures : where the pictures themselves can be had, to be looked at

    Raises
    ------
    InputRefused : a rig without a calibrated camera or printed markers, or one that the child refuses
    """

    def __init__(
        self,
        pictures: ImageSource,
        rig: Rig,
        recorder: RawRecorder | None = None,
        start: Callable[[], DetectionChild] | None = None,
    ) -> None:
        self._pictures, self._rig, self._recorder = pictures, rig, recorder
        self.name, self.live, self.setup_ns = pictures.name, pictures.live, pictures.setup_ns
        self.pictures = tap = PictureTap()
        self._start = start or (lambda: DetectionChild(rig, pictures.name, live=pictures.live, aside=tap.hear))
        self._remarks = list[str]()
        self._in_hand = deque[Sequence[Picture] | SourceItem]()
        self._sent_ns = self._number = 0
        self._ended = self._trouble_told = False
        try:
            check_rig(rig)
            self._child: DetectionChild | None = self._start()
        except BaseException:
            self._close_pictures()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the pictures, their recording and the child, as of now."""
        theirs: tuple[str, ...] = getattr(self._pictures, "notes", ())
        return (*theirs, *(self._recorder.notes if self._recorder else ()), *self._remarks)

    def read(self, timeout_s: float) -> SourceItem | None:
        """The next frame, or a command or truth that the pictures' source plays; None if none came in time; raises SourceEnded at the end."""
        try:
            if self._child is None:
                self._restart()
            return self._read_newest(timeout_s) if self.live else self._read_in_order(timeout_s)
        except ChildEnded as ended:
            return self._lost(ended)

    def close(self) -> None:
        """End the child and let go of the pictures."""
        if self._child is not None:
            self._child.close()
            self._child = None
        self._close_pictures()

    def _close_pictures(self) -> None:
        self._pictures.close()
        if self._recorder is not None:
            self._recorder.close()

    def _read_newest(self, timeout_s: float) -> SourceItem | None:
        deadline_ns = time.monotonic_ns() + round(timeout_s * 1e9)
        if not self._in_hand:
            item = self._pictures.read(timeout_s)
            if item is None:
                return self._trouble()
            if not isinstance(item, Sequence):
                return item
            self._trouble_told = False
            self._send(item, wait=False)
            self._in_hand.append(item)
        frame = self._receive(max(0.0, (deadline_ns - time.monotonic_ns()) * 1e-9))
        if frame is None:
            return None
        self._in_hand.popleft()
        self._number = frame.number
        return replace(frame, t_arrival_ns=time.monotonic_ns())

    def _read_in_order(self, timeout_s: float) -> SourceItem | None:
        while not self._ended and len(self._in_hand) <= READ_AHEAD:
            try:
                item = self._pictures.read(0.0 if self._in_hand else timeout_s)
            except SourceEnded:
                self._ended = True
                break
            if item is None:
                break
            # In hand before it is sent: should the child die of it, its successor gets it again.
            self._in_hand.append(item)
            if isinstance(item, Sequence):
                self._send(item, wait=True)
        if not self._in_hand:
            if self._ended:
                raise SourceEnded(self.name)
            return None
        first = self._in_hand[0]
        if not isinstance(first, Sequence):
            self._in_hand.popleft()
            return first
        frame = self._receive(timeout_s)
        if frame is None:
            return None
        self._in_hand.popleft()
        # Its stages are of the hour of looking, not of the recording's.
        return replace(frame, stages=None)

    def _send(self, pictures: Sequence[Picture], *, wait: bool) -> None:
        # Here too: a child that has refused a picture is gone before the next is written, and its words with it.
        for picture in pictures:
            check_size(self._rig, picture)
        if self._recorder is not None:
            self._recorder.offer(pictures, wait=wait)
        self._hand_over(pictures)

    def _hand_over(self, pictures: Sequence[Picture]) -> None:
        assert self._child is not None
        self._sent_ns = time.monotonic_ns()
        self._child.send(pictures, shown=self.pictures.due())

    def _receive(self, timeout_s: float) -> TrackerFrame | None:
        assert self._child is not None
        frame = self._child.receive(timeout_s)
        if frame is None and time.monotonic_ns() - self._sent_ns > ANSWER_S * 1e9:
            raise ChildEnded(f"the detection process has not answered for {ANSWER_S:g} s")
        if frame is not None:
            self._sent_ns = time.monotonic_ns()
        return frame

    def _lost(self, ended: ChildEnded) -> TrackerFrame | None:
        """The child is gone: once it is replaced, and a live source says so in the frame that was lost with it."""
        if self._child is not None:
            self._child.close()
            self._child = None
        if any("started again" in remark for remark in self._remarks):
            raise NavtwinError(f"{ended.problem}, for the second time", ended.remedy) from ended
        self._remarks.append(f"{ended.problem}; it was started again")
        if not self.live:
            return None
        lost = self._in_hand.popleft() if self._in_hand else None
        return self._words("INVALID", self._remarks[-1], lost if isinstance(lost, Sequence) else None)

    def _restart(self) -> None:
        self._child = self._start()
        for item in self._in_hand:
            if isinstance(item, Sequence):
                self._hand_over(item)

    def _trouble(self) -> TrackerFrame | None:
        """Where the camera says why there are no pictures: one frame that says it too. Then silence, which the twin alarms."""
        trouble: str = getattr(self._pictures, "trouble", "")
        if not trouble or self._trouble_told:
            self._trouble_told = self._trouble_told and bool(trouble)
            return None
        self._trouble_told = True
        return self._words("REQ_TIMEOUT", trouble, None)

    def _words(self, status: TrackerStatus, reason: str, pictures: Sequence[Picture] | None) -> TrackerFrame:
        """A frame without poses."""
        now_ns = time.monotonic_ns()
        return TrackerFrame(
            source=self.name,
            number=max((p.number for p in pictures), default=self._number) if pictures else self._number,
            t_capture_ns=max((p.t_capture_ns for p in pictures), default=now_ns) if pictures else now_ns,
            t_arrival_ns=now_ns,
            sightings=tuple(Sighting(body=body.name, status=status, reason=reason) for body in self._rig.body if body.marker),
            stamp="assumed",
        )
