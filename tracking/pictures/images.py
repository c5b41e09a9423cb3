"""What anything that yields pictures says: one exposure of one camera, and the two-method protocol of its source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Rig, SourceItem

Grey = npt.NDArray[np.uint8]
Stamp = Literal["host", "assumed"]


class Picture(Protocol):
    """What tracking reads of a picture. Another room's camera may pass a class of its own that has these."""

    @property
    def camera(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def t_capture_ns(self) -> int: ...
    @property
    def t_arrival_ns(self) -> int: ...
    @property
    def stamp(self) -> Stamp: ...
    @property
    def grey(self) -> Grey: ...


@dataclass(frozen=True, eq=False, slots=True)
class Image:
    """One exposure of one camera.

    Attributes
    ----------
    camera : its index in the rig's `camera` list
    number : the device's frame counter; gaps are dropped frames
    t_capture_ns, t_arrival_ns : monotonic clock of the host (of a recording: its own clock), ns; capture is the middle of the exposure
    stamp : `host` if captured with a host clock, `assumed` if reckoned from the arrival or from a nominal rate
    grey : (H, W) uint8
    """

    camera: int
    number: int
    t_capture_ns: int
    t_arrival_ns: int
    stamp: Stamp
    grey: Grey


class ImageSource(Protocol):
    """A stream of exposures in time order.

    A live source stamps pictures on the host's monotonic clock as they come; others return each at once with the time it was recorded at.

    Attributes
    ----------
    name : the source's own words for itself (`camera:0`, `video:FILE` ...)
    cameras : how many of the rig's cameras, from the first on, it has pictures of
    setup_ns : how long it plays until a registration is accepted, 0 if none is (as of `navtwin.nouns.Source`)

    A source may also have `notes`, a tuple of sentences that a reader should know of it: settings that the driver did not obey, frames that could
    not be decoded.
    """

    name: str
    live: bool
    setup_ns: int
    cameras: int

    def read(self, timeout_s: float) -> Sequence[Picture] | SourceItem | None:
        """One exposure of all cameras that have one, or a command or truth that a phantom plays; None if none came in `timeout_s`.

        Raises
        ------
        SourceEnded : at the end
        """

    def close(self) -> None:
        """Release the device or file."""


#: What an entry point of the group `navtwin.cameras` leads to: (what follows the name in the address, the case or None, the rig or None).
OpenCamera = Callable[[str, Any, Rig | None], ImageSource]
