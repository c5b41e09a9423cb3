"""Read tracker recordings in plain CSV: our own, which say what their columns are, and those of others, whose columns the user declares.

A wide table has a row for each frame and columns for each body; a long one has a column `body` and a row for each body of a frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import Rig
from navtwin.record.tracks_csv import MORE
from tracking.recordings.cells import batches
from tracking.recordings.columns import Column, as_it_is
from tracking.recordings.declared import EXAMPLE, Body, Layout, layout_of, split_declaration
from tracking.recordings.naming import as_in_rig
from tracking.recordings.notes import assumed, listed, strangers
from tracking.recordings.recording import NO_TIME, Ints, Recording, Texts, Track, Verdicts, track
from tracking.recordings.rigid_rows import Rows, from_angles, from_matrices, from_quaternions
from tracking.recordings.text_numbers import nanoseconds, number_rows, shown, whole_number

#: Definitions of marker bodies are tables of numbers too: a marker's number, its centre (or not) and its four corners.
_MARKER_ROWS: Final = (13, 16)
_DELIMITERS: Final = ",;\t"
_SEEN: Final[dict[str, bool]] = {"1": True, "true": True, "0": False, "false": False}
_HEADER: Final = re.compile(r"(?:t|time)(?:_(?:capture|arrival|device))?_(?:ns|us|ms|s)")
_NUMBER: Final = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*|nan|NaN|")


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so is a table of numbers, or one whose header names times and poses as we do."""
    if b"\0" in head or head.startswith(b"# Markups"):
        return False
    lines = [line.strip() for line in head.decode("utf-8-sig", errors="replace").splitlines()[:3]]
    if not lines or "\ufffd" in "".join(lines[:2]):
        return False
    if lines[0].startswith("# from="):
        return True
    cells = [line.split(_delimiter(lines[0])) for line in lines if line]
    if len(cells) < 2 or len(cells[0]) < 7 or len(cells[0]) != len(cells[1]):
        return False
    named = any(_HEADER.fullmatch(cell.strip()) for cell in cells[0])
    if len(cells[0]) in _MARKER_ROWS and all(re.fullmatch(r"\s*\d{1,4}\s*", row[0]) for row in cells):
        return False
    return named or all(_NUMBER.fullmatch(cell) for cell in cells[1])


def read_tracks(path: Path, rig: Rig | None = None, columns: str | None = None) -> Recording:
    """Read such a file; `columns` declares what it does not say itself (`tracking.recordings.declared`).

    A pose whose cells are empty is MISSING where the file has no status; one that is not rigid is INVALID with the reason.

    Raises
    ------
    InputRefused : unreadable, not declared, cut, or with a row that has no time
    """
    first, second = _first_lines(path)
    said = first.removeprefix("#").strip() if first.startswith("# from=") else ""
    head = second if said else first
    delimiter = _delimiter(head)
    names, words = split_declaration(" ".join(one for one in (said, columns) if one)) if said or columns else ([], {})
    rows = batches(path, delimiter, skip=1 if said else 0)
    _, [row] = next(rows)
    is_header = not names
    if not (said or columns):
        raise InputRefused(f"{path} does not say what its columns are ('{shown(head, 60)}')", f"declare them: {EXAMPLE}")
    layout = layout_of(row if is_header else names, words, is_header=is_header)
    table = _Table(path, layout)
    if not (is_header or _is_header(row, layout)):
        table.take(1, [row])
    for line, batch in rows:
        table.take(line, batch)
    return table.recording(rig, ours=bool(said) and not columns)


def _first_lines(path: Path) -> tuple[str, str]:
    from navtwin.files.guard import read_head

    lines = read_head(path, 64 * 1024).decode("utf-8-sig", errors="replace").splitlines()
    return (lines[0] if lines else ""), (lines[1] if len(lines) > 1 else "")


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _is_header(row: Sequence[str], layout: Layout) -> bool:
    at, unit_ns = next(iter(layout.times.values()))
    return at >= len(row) or nanoseconds(row[at].encode(), unit_ns) is None


@dataclass
class _Seen:
    """What was read of a body: the frames, their poses, and their verdicts where the file states any."""

    rows: list[Ints] = field(default_factory=list)
    poses: list[Rows] = field(default_factory=list)
    codes: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    more: dict[str, Column] = field(default_factory=dict)


class _Table:
    """The rows of a file, gathered batch by batch."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self.layout = path, layout
        self.verdicts = Verdicts()
        self.bodies: dict[str, _Seen] = {}
        self.columns: dict[str, Column] = {}
        self.times: dict[str, list[Ints]] = {name: [] for name in layout.times}
        self.numbers: list[Ints] = []
        self.frames = 0
        self._last: tuple[str, ...] = ()
        self._in_frame: set[str] = set()

    def take(self, line: int, batch: list[list[str]]) -> None:
        """The next rows; `line` is where the first of them stands."""
        width = self.layout.width
        for n, row in enumerate(batch):
            if len(row) != width and not (len(row) == width + 1 and not row[-1].strip()):
                raise InputRefused(
                    f"{self.path}: line {line + n} has {len(row)} cells, not {width}", "get the whole file, or declare all its columns"
                )
        cells = list(zip(*(row[:width] for row in batch), strict=True))
        at = self._frames_of(line, cells, len(batch))
        begins = np.flatnonzero(np.diff(at, prepend=at[0] - 1 if at[0] == self.frames else at[0]))
        for name, (column, unit_ns) in self.layout.times.items():
            self.times[name].append(self._times(line, [cells[column][n] for n in begins], begins, unit_ns, name == "device"))
        if "number" in self.layout.of_frames:
            texts = [cells[self.layout.of_frames["number"]][n] for n in begins]
            numbers = [whole_number(text.encode()) for text in texts]
            if None in numbers:
                bad = numbers.index(None)
                raise InputRefused(f"{self.path}: line {line + begins[bad]} has the number '{shown(texts[bad])}'", "it must be a whole number")
            self.numbers.append(np.array(numbers, dtype=np.int64))
        named = {name: column for name, column in self.layout.of_frames.items() if name in ("stamp", "filter", "stages")}
        for key, column in (named | {f"field {name}": column for name, column in self.layout.fields.items()}).items():
            self._texts(self.columns, key, at[begins], [cells[column][n] for n in begins])
        if "body" in self.layout.of_frames:
            whose = np.array([cell.strip() for cell in cells[self.layout.of_frames["body"]]])
            for name in dict.fromkeys(whose.tolist()):
                self._take_body(line, name, self.layout.bodies[""], at, cells, np.flatnonzero(whose == name))
        else:
            for name, body in self.layout.bodies.items():
                self._take_body(line, name, body, at, cells, np.arange(len(batch)))
        self.frames = int(at[-1]) + 1

    def _frames_of(self, line: int, cells: list[tuple[str, ...]], count: int) -> Ints:
        """The frame that each row belongs to. Rows of a long table are of one frame while number and times stay the same."""
        if "body" not in self.layout.of_frames:
            return np.arange(self.frames, self.frames + count)
        keys = [at for at, _ in self.layout.times.values()]
        keys = [self.layout.of_frames["number"]] if "number" in self.layout.of_frames else keys
        found, frame = np.empty(count, dtype=np.int64), self.frames - 1
        for n, (*key, body) in enumerate(zip(*(cells[at] for at in (*keys, self.layout.of_frames["body"])), strict=True)):
            if tuple(key) != self._last:
                frame, self._last, self._in_frame = frame + 1, tuple(key), set()
            if body.strip() in self._in_frame or not body.strip():
                problem = f"states {shown(body.strip())} twice in one frame" if body.strip() else "names no body"
                raise InputRefused(f"{self.path}: line {line + n} {problem}", "mend the file")
            self._in_frame.add(body.strip())
            found[n] = frame
        return found

    def _times(self, line: int, texts: list[str], begins: Ints, unit_ns: int, may_lack: bool) -> Ints:
        times = [NO_TIME if may_lack and not text.strip() else nanoseconds(text.encode(), unit_ns) for text in texts]
        if None in times:
            bad = times.index(None)
            raise InputRefused(
                f"{self.path}: line {line + begins[bad]} has the time '{shown(texts[bad])}'", "every row needs a time that is a number"
            )
        return np.array(times, dtype=np.int64)

    def _texts(self, columns: dict[str, Column], key: str, rows: Ints, cells: list[str]) -> None:
        there = [n for n, cell in enumerate(cells) if cell != ""]
        if there:
            column = columns.setdefault(key, Column(key, as_it_is, glued=False))
            column.rows, column.values = rows[there].tolist(), [cells[n].encode() for n in there]
            column.settle()

    def _take_body(self, line: int, name: str, body: Body, at: Ints, cells: list[tuple[str, ...]], mine: Ints) -> None:
        if len(self.bodies) > 500:
            raise InputRefused(f"{self.path} names more than 500 bodies", "check which column says the body")
        parts = [
            [cells[column][n] for n in mine] for column in (*(body.parts[part] for part in body.order), *(body.place[axis][0] for axis in "xyz"))
        ]
        empty = np.array([not any(cell.strip() for cell in row) for row in zip(*parts, strict=True)], dtype=bool)
        numbers = np.stack([number_rows([cell.encode() for cell in column], 1)[:, 0] for column in parts], axis=1)
        poses = _poses(body, numbers, self._last_rows(body, cells, mine))
        codes = self._codes(line, body, cells, mine, empty)
        there = codes != Verdicts.ABSENT
        if not there.any():
            self.bodies.setdefault(name, _Seen())
            return
        seen = self.bodies.setdefault(name, _Seen())
        seen.rows.append(at[mine[there]])
        seen.poses.append(Rows(*(part[there] for part in poses)))
        seen.codes.append(codes[there])
        for key, column in body.texts.items():
            if key in MORE:
                self._texts(seen.more, key, at[mine], [cells[column][n] for n in mine])

    def _last_rows(self, body: Body, cells: list[tuple[str, ...]], mine: Ints) -> npt.NDArray[np.float64]:
        last = np.tile((0.0, 0.0, 0.0, 1.0), (len(mine), 1))
        for n in range(4):
            if (column := body.parts.get(f"m3{n}")) is not None:
                last[:, n] = number_rows([cells[column][row].encode() for row in mine], 1)[:, 0]
        return last

    def _codes(self, line: int, body: Body, cells: list[tuple[str, ...]], mine: Ints, empty: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
        """What the file says of each sighting: by status word, by a flag, or by an empty cell."""
        column = body.texts.get("status", body.texts.get("valid"))
        unsaid, missing = self.verdicts.code("OK", "unsaid"), self.verdicts.code("MISSING")
        if column is None:
            return np.where(empty, missing, unsaid).astype(np.uint8)
        words = [cells[column][n].strip() for n in mine]
        if "status" in body.texts:
            codes = {word: self.verdicts.of_word(word) if word else Verdicts.ABSENT for word in set(words)}
            return np.array([codes[word] for word in words], dtype=np.uint8)
        flags = [_SEEN.get(word.lower()) for word in words]
        if None in flags:
            bad = flags.index(None)
            raise InputRefused(f"{self.path}: line {line + mine[bad]} says valid = '{shown(words[bad])}'", "it must be 1 or 0, true or false")
        return np.where(np.array(flags), self.verdicts.code("OK"), self.verdicts.code("INVALID", "marked invalid by the file")).astype(np.uint8)

    def recording(self, rig: Rig | None, *, ours: bool) -> Recording:
        """All that was gathered."""
        if not self.frames:
            raise InputRefused(f"{self.path} holds no frames", "there is nothing to import")
        times = {name: np.concatenate(parts) for name, parts in self.times.items()}
        plain_ns = times.get("", times.get("device", times.get("capture")))
        arrival_ns = times.get("arrival", plain_ns)
        assert arrival_ns is not None
        latency_ns = round(rig.tracker.latency_ms * 1e6) if rig is not None else 0
        device_ns = times.get("device", times.get("", np.full(self.frames, NO_TIME)))
        if (arrival_ns == NO_TIME).any():
            raise InputRefused(f"{self.path} has frames without a time", "every row needs one")
        bodies = {name: seen for name, seen in self.bodies.items() if seen.rows}
        tracks = [self._track(name, seen) for name, seen in bodies.items()]
        tracks = [replace(one, body=name) for one, name in zip(tracks, as_in_rig(bodies, rig), strict=True)]
        texts = {name: partial(column.texts, self.frames) for name, column in self.columns.items()}
        return Recording(
            source=f"log:{self.path.name}",
            number=np.concatenate(self.numbers) if self.numbers else np.arange(self.frames),
            t_capture_ns=times.get("capture", arrival_ns - latency_ns),
            t_arrival_ns=arrival_ns,
            t_device_ns=device_ns,
            tracks=tuple(tracks),
            verdicts=self.verdicts,
            fields=tuple((name, texts[f"field {name}"]) for name in self.layout.fields if f"field {name}" in texts),
            stamps=texts.get("stamp"),
            filters=texts.get("filter"),
            stages=texts.get("stages"),
            counted=bool(self.numbers),
            facts=tuple(_facts(self.layout, ours)),
            notes=tuple(_notes(self.layout, list(bodies), rig)),
        )

    def _track(self, name: str, seen: _Seen) -> Track:
        rows, codes = np.concatenate(seen.rows), np.concatenate(seen.codes)
        poses = Rows(*(np.concatenate(parts) for parts in zip(*seen.poses, strict=True)))
        told = codes != self.verdicts.code("OK", "unsaid")
        found = track(name, self.frames, self.verdicts, (rows, poses), (rows[told], codes[told]))
        more: tuple[tuple[str, Texts], ...] = tuple((key, partial(column.texts, self.frames)) for key, column in seen.more.items())
        return replace(found, more=tuple((*MORE[key], texts) for key, texts in more))


def _poses(body: Body, numbers: npt.NDArray[np.float64], last_rows: npt.NDArray[np.float64]) -> Rows:
    rotation, t_mm = numbers[:, :-3], numbers[:, -3:] * [body.place[axis][1] for axis in "xyz"]
    if body.form == "q":
        return from_quaternions(rotation, t_mm)
    if body.form == "r":
        return from_angles(np.deg2rad(rotation) if body.angle_unit == "deg" else rotation, t_mm)
    matrices = np.empty((len(numbers), 4, 4))
    matrices[:, :3, :3], matrices[:, :3, 3], matrices[:, 3] = rotation.reshape(-1, 3, 3), t_mm, last_rows
    return from_matrices(matrices)


def _facts(layout: Layout, ours: bool) -> Iterator[tuple[str, str]]:
    yield "format", "CSV that says what its columns are" if ours else "CSV, its columns declared by the user"
    yield "axes", "poses are marker to tracker, as declared; kept in mm"
    yield "times", ", ".join(f"{name or 'of the file'}" for name in layout.times)
    if not all({"status", "valid"} & set(body.texts) for body in layout.bodies.values()):
        yield "validity", "not reported"


def _notes(layout: Layout, bodies: list[str], rig: Rig | None) -> Iterator[str]:
    if layout.fields:
        yield f"kept as text: {listed(layout.fields)}"
    if "capture" not in layout.times:
        yield assumed(rig)
    if rig is not None:
        yield from strangers(bodies, rig)
