"""The parent's end of the child process that finds markers and poses (`tracking.stream.child`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from navtwin.nouns import Rig, TrackerFrame, encode
from tracking.child_process import ChildEnded, ChildProcess
from tracking.pictures.images import Picture
from tracking.stream.child import Start, write_exposure

#: How long a child may take to load its libraries (and the first time compile its kernels), and to answer for one exposure, s.
START_S, ANSWER_S = 240.0, 15.0


class DetectionChild:
    """A running child. Exposures go in by `send`; the frames come out of `receive` in the same order.

    Parameters
    ----------
    aside : takes the pictures that were asked for, as lines, in a thread of its own (`tracking.stream.tap`)

    Raises
    ------
    InputRefused : the rig cannot be tracked with
    """

    def __init__(self, rig: Rig, source: str, *, live: bool, aside: Callable[[bytes], bool] | None = None) -> None:
        self._child = ChildProcess("tracking.stream.child", "detection", aside)
        try:
            self._child.start(encode(Start(rig, source, live)), START_S)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._child.pid

    def send(self, pictures: Sequence[Picture], *, shown: bool = False) -> None:
        """Hand over an exposure, and ask for pictures of it to show; waits while the child is still busy with those before. Raises ChildEnded."""
        try:
            write_exposure(self._child.requests, pictures, shown=shown)
        except (OSError, ValueError) as error:
            raise ChildEnded(self._child.how()) from error

    def receive(self, timeout_s: float) -> TrackerFrame | None:
        """The next frame, None if it is not there in time. Raises ChildEnded, or InputRefused where a picture does not fit the rig."""
        return self._child.frame(timeout_s)

    def close(self) -> None:
        """End the child."""
        self._child.close()
