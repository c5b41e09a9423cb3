"""The thread that takes in pictures, decodes them and paints what belongs over each: the newest only, and none before the last has been shown."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QImage

from gui.augmented.bone import BoneSight
from gui.augmented.crop import WHOLE, Crop, Sight, crop_of
from gui.augmented.depths import Depths
from gui.augmented.drawing import Drawing, Prepared, Wanted, draw
from gui.augmented.model import Context, Verdict, judge
from gui.augmented.painting import Label, paint_patient, paint_top
from gui.link.shared_bone import SharedBone
from navtwin.bus.video import VideoPicture
from navtwin.errors import NavtwinError
from navtwin.nouns.video import VideoFrame

#: How long one look for a picture waits, ms: so long it takes at most to end the thread.
WAIT_MS = 40
#: Between two pictures the thread rests for this share of the time that they took: the alerts' thread shares the processor with it.
REST_SHARE = 0.25
#: Python's threads take turns of 5 ms unless told: too long for a window's thread that waits for its turn.
TURN_S = 0.0005


class VideoSource(Protocol):
    """What pictures come from: `navtwin.bus.video.VideoClient`, or a test's."""

    def newest(self, timeout_ms: int) -> VideoPicture | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Look:
    """How pictures are to be shown from now on: in what size (device px), with lines how thick, what of them, and what over them.

    Attributes
    ----------
    bone : as the window has it, None where it mirrors none
    """

    context: Context
    prepared: Prepared | None
    wanted: Wanted
    size_px: tuple[int, int]
    pen_px: float
    sight: Sight = WHOLE
    bone: SharedBone | None = None


@dataclass(frozen=True, eq=False)
class Shown:
    """One picture, ready to be shown.

    Attributes
    ----------
    verdict : what was allowed when it was painted
    crop : which part of it is shown
    picture : as large as it is shown
    bone_words : what has to be said of the drilled bone, "" where nothing has
    depths : how depth is shown over it; None where it is not known or there is nothing to show it on
    patient, top : what lies over it, of the same size: what hangs on the patient; instruments, markers and distances. None where there is nothing
    """

    frame: VideoFrame
    verdict: Verdict
    bone_words: str
    depths: Depths | None
    crop: Crop
    picture: QImage
    patient: QImage | None
    top: QImage | None
    patient_labels: tuple[Label, ...]
    top_labels: tuple[Label, ...]


class PictureReader(QObject):
    """Reads one camera's pictures.

    Signals
    -------
    came : Shown; `taken` has to be called before the next one
    told : why there can be no pictures, "" when there can
    """

    came = Signal(object)
    told = Signal(str)

    def __init__(self, open_video: Callable[[], VideoSource]) -> None:
        super().__init__()
        self._open = open_video
        self._look: Look | None = None
        self._bone = BoneSight()
        self._free, self._ending = threading.Event(), threading.Event()
        self._free.set()
        self._thread = threading.Thread(target=self._run, name="navtwin-pictures", daemon=True)

    def start(self) -> None:
        """Begin to receive."""
        sys.setswitchinterval(TURN_S)
        self._thread.start()

    def look(self, look: Look) -> None:
        """Show the next picture like this."""
        self._look = look

    def taken(self) -> None:
        """The last picture has been shown: the next may come."""
        self._free.set()

    def stop(self) -> None:
        """Let the thread end: what it has begun it finishes first, so that this does not wait for it."""
        self._ending.set()
        self._free.set()

    @property
    def over(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait until it has."""
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        try:
            source = self._open()
        except NavtwinError as refused:
            self.told.emit(str(refused))
            return
        try:
            while not self._ending.is_set():
                # First wait for the screen, then look: what comes meanwhile is passed over for what is newest then.
                self._free.wait()
                received = source.newest(WAIT_MS)
                if received is None or self._look is None:
                    continue
                self._show(received, self._look)
        finally:
            source.close()

    def _show(self, received: VideoPicture, look: Look) -> None:
        begun = time.perf_counter()
        shown = show(received, look, self._bone)
        if shown is None:
            self.told.emit("a picture came that cannot be read")
            return
        self._free.clear()
        self.came.emit(shown)
        self._ending.wait(REST_SHARE * (time.perf_counter() - begun))


def show(received: VideoPicture, look: Look, sight: BoneSight) -> Shown | None:
    """Decode a picture and paint what belongs over it; None if it is not what its header says."""
    frame = received.frame
    image = QImage.fromData(received.jpeg)
    if image.isNull() or (image.width(), image.height()) != (frame.width_px, frame.height_px):
        return None
    crop = crop_of(frame, look.sight, look.size_px)
    size = fitted((crop.width_px, crop.height_px), look.size_px)
    if crop.jpeg != (0, 0, frame.width_px, frame.height_px):
        image = image.copy(QRect(*crop.jpeg))
    if (image.width(), image.height()) != size:
        image = image.scaled(*size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    verdict = judge(frame, look.context)
    prepared = look.prepared if look.prepared is not None and look.prepared.fits(look.context) else None
    drawing, bone_words = Drawing(), ""
    if prepared is not None:
        drilled, bone_words = sight.now(look.bone, prepared, frame.epoch)
        drawing = draw(prepared, frame, verdict, look.context, crop, drilled)
    else:
        verdict = replace(verdict, why=verdict.why or "the outlines are being made ready", T_camera_from_ct=None, tips={})
    scale = size[0] / crop.width_px
    patient = paint_patient(drawing, look.wanted, size, scale, look.pen_px) if verdict.T_camera_from_ct is not None else None
    top = paint_top(drawing, look.wanted, size, scale, look.pen_px)
    depths = drawing.depths if look.wanted.structures and drawing.scene.structures and drawing.scene.has_depths else None
    return Shown(
        frame, verdict, bone_words, depths, crop, image.convertToFormat(QImage.Format.Format_RGB32),
        patient[0] if patient else None, top[0] if top else None,
        tuple(patient[1]) if patient else (), tuple(top[1]) if top else (),
    )  # fmt: skip


def fitted(picture_px: tuple[float, float], room_px: tuple[int, int]) -> tuple[int, int]:
    """The largest size of a picture's shape that fits."""
    share = min(room_px[0] / picture_px[0], room_px[1] / picture_px[1])
    return max(1, round(picture_px[0] * share)), max(1, round(picture_px[1] * share))
