"""Camera pictures kept beside the log, so that markers can be looked for again later (`images:FOLDER`).

Tracking never waits for the disk: what cannot be written in time is dropped and counted.
"""

from __future__ import annotations

import csv
import queue
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from tracking.opencv import cv2
from tracking.pictures.folder import COLUMNS, LIST_NAME
from tracking.pictures.images import Picture

#: Pictures that wait to be written, at most.
QUEUE = 32
#: JPEG's quality, which moves refined corners by some hundredths of a pixel; and PNG's least effort, which is the fastest.
JPEG_QUALITY, PNG_EFFORT = 95, 1
#: Less room than this on the disk ends the recording: the session's log needs it more.
SPARE_BYTES = 1 << 30


class RawRecorder:
    """Writes exposures into a folder as pictures and `frames.csv`.

    Parameters
    ----------
    folder : must not hold a recording already; it is made if it is not there
    lossless : PNG instead of JPEG

    Raises
    ------
    InputRefused : the folder holds a recording, or cannot be written to
    """

    def __init__(self, folder: Path, *, lossless: bool = False) -> None:
        self.folder, self.written, self.dropped, self.trouble = folder, 0, 0, ""
        self._suffix, self._quality = (
            (".png", [cv2.IMWRITE_PNG_COMPRESSION, PNG_EFFORT]) if lossless else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        )
        self._bytes = 0
        self._span_ns = (0, 0)
        if (folder / LIST_NAME).exists():
            raise InputRefused(f"{folder} holds a recording already", "name another folder, or move it away")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._list = (folder / LIST_NAME).open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise InputRefused(f"cannot write to {folder}: {error.strerror}", "check the path, or name another folder") from error
        self._rows = csv.writer(self._list)
        self._rows.writerow([*COLUMNS, "t_arrival_ns", "stamp"])
        self._queue: queue.Queue[tuple[int, Picture] | None] = queue.Queue(QUEUE)
        self._thread = threading.Thread(target=self._run, name="raw recording", daemon=True)
        self._thread.start()

    @property
    def notes(self) -> tuple[str, ...]:
        """What has become of the recording, and how much disk it takes."""
        first_ns, last_ns = self._span_ns
        said = []
        if last_ns > first_ns:
            rate = self._bytes / (last_ns - first_ns) * 60e9
            said.append(f"{self.written} pictures in {self.folder}: {rate / 1e6:.0f} MB a minute, room for {self._minutes_left(rate):.0f} minutes")
        if self.dropped:
            said.append(f"{self.dropped} pictures were not recorded: the disk is too slow")
        return (*said, *((self.trouble,) if self.trouble else ()))

    def offer(self, pictures: Sequence[Picture], *, wait: bool = False) -> None:
        """Have an exposure written; `wait` for room in the queue where time does not matter. The pictures of one exposure get one number."""
        number = max(p.number for p in pictures)
        for picture in pictures:
            if self.trouble:
                self.dropped += 1
                continue
            try:
                self._queue.put((number, picture), block=wait)
            except queue.Full:
                self.dropped += 1

    def close(self) -> None:
        """Write what waits, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._list.close()

    def _minutes_left(self, bytes_a_minute: float) -> float:
        return max(0.0, shutil.disk_usage(self.folder).free - SPARE_BYTES) / bytes_a_minute

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if self.trouble:
                self.dropped += 1
                continue
            try:
                self._write(*item)
            except InputRefused as refused:
                self.trouble = f"pictures are no longer recorded: {refused.problem}"
            except OSError as error:
                self.trouble = f"pictures are no longer recorded: {error.strerror}"

    def _write(self, number: int, picture: Picture) -> None:
        if self.written % 64 == 0 and shutil.disk_usage(self.folder).free < SPARE_BYTES:
            self.trouble = f"pictures are no longer recorded: less than {SPARE_BYTES >> 30} GiB is left on the disk"
            self.dropped += 1
            return
        data = cv2.imencode(self._suffix, picture.grey, self._quality)[1].tobytes()
        file = self.folder / f"camera{picture.camera}-{number:08d}{self._suffix}"
        with whole_file(file) as partial:
            partial.write_bytes(data)
        # A row follows its picture, so that a cut recording lists only what is there.
        self._rows.writerow([number, picture.t_capture_ns, picture.camera, file.name, picture.t_arrival_ns, picture.stamp])
        self._list.flush()
        self._bytes += len(data)
        first_ns = self._span_ns[0] if self.written else picture.t_capture_ns
        self._span_ns = (first_ns, picture.t_capture_ns)
        self.written += 1
