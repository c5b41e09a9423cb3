"""`images:FOLDER[,FOLDER2]`: pictures in a folder, as recorded beside a log or as any camera's software leaves them.

A `frames.csv` in the folder names the files and gives their times: columns number, t_capture_ns, camera, file and, where they are known,
t_arrival_ns and stamp; others are left alone. Rows of one number are one exposure of several cameras. Without it the PNG and JPEG files are taken in
the order of their names at the rig's nominal rate.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Rig, SourceEnded
from tracking.opencv import cv2
from tracking.pictures.address import parse_address
from tracking.pictures.images import Image, Stamp
from tracking.pictures.pairing import half_period_ns, merged
from tracking.pictures.video import grey_of

LIST_NAME = "frames.csv"
COLUMNS = ("number", "t_capture_ns", "camera", "file")
SUFFIXES = (".png", ".jpg", ".jpeg")
#: A picture larger than this is not opened (bytes).
LARGEST_FILE = 256 << 20
#: Without a rig and without a list, pictures are this far apart.
NOMINAL_HZ = 30.0


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `frames.csv`, or a picture without one."""

    number: int
    t_capture_ns: int
    camera: int
    file: Path
    t_arrival_ns: int | None = None
    stamp: Stamp = "assumed"


class FolderSource:
    """Pictures of folders, exposure by exposure, at once. Those that cannot be decoded are left out and counted in `notes`."""

    live = False
    setup_ns = 0

    def __init__(self, name: str, exposures: Iterator[tuple[Row, ...]], cameras: int, latency_ns: int, *, stamped: bool) -> None:
        self.name, self.cameras = name, cameras
        self._exposures, self._latency_ns, self._stamped = exposures, latency_ns, stamped
        self._bad = self._good = 0

    @property
    def notes(self) -> tuple[str, ...]:
        nominal = () if self._stamped else (f"no {LIST_NAME}: times of capture are nominal",)
        return (*nominal, *((f"{self._bad} pictures could not be decoded",) if self._bad else ()))

    def read(self, timeout_s: float) -> tuple[Image, ...]:
        """The next exposure; never waits. Raises SourceEnded at the end, InputRefused where no picture at all could be decoded."""
        for rows in self._exposures:
            images = tuple(image for row in rows if (image := self._image(row)) is not None)
            if images:
                self._good += len(images)
                return images
        if self._bad and not self._good:
            raise InputRefused(f"none of the {self._bad} pictures of {self.name} can be decoded", "copy the folder again, or name another")
        raise SourceEnded(self.name)

    def close(self) -> None:
        """Forget the rest; reading on raises SourceEnded."""
        self._exposures = iter(())

    def _image(self, row: Row) -> Image | None:
        pixels = cv2.imread(str(row.file), cv2.IMREAD_GRAYSCALE) if 0 < row.file.stat().st_size <= LARGEST_FILE else None
        if pixels is None:
            self._bad += 1
            return None
        arrival_ns = row.t_capture_ns + self._latency_ns if row.t_arrival_ns is None else row.t_arrival_ns
        return Image(row.camera, row.number, row.t_capture_ns, arrival_ns, row.stamp, grey_of(pixels))


def open_images(address: str, rig: Rig | None = None) -> FolderSource:
    """Open `FOLDER`, or `FOLDER,FOLDER2` with the pictures of one camera each, in the rig's order.

    Options: `rate`, frames a second where there is no list; `latency`, ms from exposure to arrival.

    Raises
    ------
    InputRefused : no such folder, no picture in it, a list that does not match the files
    """
    asked = parse_address(address, {"rate", "latency"})
    rate_hz = asked.rate_hz() or (rig.tracker.rate_hz if rig else NOMINAL_HZ)
    declared_ms = asked.latency_ms()
    latency_ns = round((rig.tracker.latency_ms if rig and declared_ms is None else declared_ms or 0.0) * 1e6)
    folders = [Path(name) for name in asked.names]
    lists = [_rows(folder, camera, rate_hz) for camera, folder in enumerate(folders)]
    stamped = all((folder / LIST_NAME).is_file() for folder in folders)
    name = "images:" + ",".join(folder.name for folder in folders)
    if len(folders) == 1:
        exposures = iter([tuple(group) for _, group in groupby(lists[0], key=lambda row: row.number)])
        return FolderSource(name, exposures, 1 + max(row.camera for row in lists[0]), latency_ns, stamped=stamped)
    return FolderSource(name, merged([iter(rows) for rows in lists], half_period_ns(rate_hz)), len(folders), latency_ns, stamped=stamped)


def _rows(folder: Path, camera: int, rate_hz: float) -> list[Row]:
    if not folder.is_dir():
        raise InputRefused(f"no folder at {folder}", "check the path")
    if (folder / LIST_NAME).is_file():
        listed = list(_listed(folder, camera))
        if listed:
            return listed
        raise InputRefused(f"{folder / LIST_NAME} lists no picture", "record again, or remove it to take the files by name")
    files = sorted((f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES), key=_natural)
    if not files:
        raise InputRefused(f"no PNG or JPEG picture in {folder}", "check the path")
    return [Row(n, round(n * 1e9 / rate_hz), camera, file) for n, file in enumerate(files)]


def _natural(file: Path) -> list[tuple[int, str]]:
    """Order that puts `9.png` before `10.png`."""
    return [(int(word), "") if word.isdigit() else (-1, word) for word in re.split(r"(\d+)", file.name) if word]


def _listed(folder: Path, camera: int) -> Iterator[Row]:
    """The rows of `frames.csv`, whose cameras count from this folder's own one on."""
    path = folder / LIST_NAME
    with path.open(newline="", encoding="utf-8") as stream:
        table = csv.DictReader(stream)
        for column in COLUMNS:
            if column not in (table.fieldnames or ()):
                raise InputRefused(f"{path} has no column '{column}'", nearest(column, table.fieldnames or ("none",)))
        for line in table:
            try:
                number, t_ns, index = (int(line[key]) for key in ("number", "t_capture_ns", "camera"))
                arrival_ns = int(text) if (text := line.get("t_arrival_ns")) else None
            except (TypeError, ValueError) as error:
                raise InputRefused(f"{path}, line {table.line_num}: {error}", "numbers, times and cameras are whole numbers") from error
            file = folder / line["file"]
            if file.parent.resolve() != folder.resolve() or not file.is_file():
                raise InputRefused(f"{path}, line {table.line_num}: no picture '{line['file']}' in this folder", "copy the folder whole")
            if index < 0 or index > 64:
                raise InputRefused(f"{path}, line {table.line_num}: camera {index}", "cameras count from 0")
            yield Row(number, t_ns, camera + index, file, arrival_ns, "assumed" if line.get("stamp") == "assumed" else "host")
