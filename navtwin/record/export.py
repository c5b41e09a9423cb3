"""A log as files that other programs read, one kind for each ending of a file's name."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from navtwin.nouns import State, TrackerFrame
from navtwin.record.format import OUTPUT
from navtwin.record.igsio import Losses, mha_lines, nrrd_lines
from navtwin.record.mitk_csv import mitk_lines
from navtwin.record.read import decode, inputs, read_log
from navtwin.record.tracks_csv import write_tracks

_COLUMNS: Final = (
    "seq", "t_ns", "t_s", "frame", "phase", "instrument", "part", "structure", "role", "status", "distance_mm", "bound_mm", "sd_mm", "speed_mm_s",
    "on_structure_x_mm", "on_structure_y_mm", "on_structure_z_mm", "on_axis_x_mm", "on_axis_y_mm", "on_axis_z_mm", "depth_is_bound",
)  # fmt: skip


class Written(NamedTuple):
    """How many of what were written, and in sentences what the file could not carry."""

    number: int
    what: str
    lost: tuple[str, ...] = ()


def export(log: str | Path, to: str | Path) -> int:
    """Write `log` as the kind of file that the name `to` asks for; returns how many rows, frames or records were written.

    Raises
    ------
    InputRefused : unknown kind of file, nothing to write, or something that the format cannot carry; nothing is left half-written
    LogDamaged : the log is cut, altered or not ours
    """
    log, to = Path(log), Path(to)
    ending = max((ending for ending in KINDS if to.name.lower().endswith(ending)), key=len, default=None)
    if ending is None:
        raise InputRefused(f"cannot tell from '{to.name}' what to write", f"end the name with one of {', '.join(KINDS)}")
    if to.resolve() == log.resolve():
        raise InputRefused(f"{to} is the log itself", "give the export another name")
    return export_as(ending, log, to).number


def export_as(ending: str, log: Path, to: Path) -> Written:
    """Write `log` as the kind of file that has this ending. Raises as `export` does."""
    with whole_file(to) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        return KINDS[ending](log, stream)


def _readings(log: Path, stream: TextIO) -> Written:
    """One row per reading: part against structure, per logged state. Unknown numbers stay empty."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    rows, t0_ns = 0, None
    for record in read_log(log, ("/input", OUTPUT + "state")):
        t0_ns = record.t_ns if t0_ns is None else t0_ns
        if record.channel == "/input":
            continue
        state: State = decode(record, log)
        for r in state.readings:
            place = (*(r.on_structure_mm or (None,) * 3), *(r.on_axis_mm or (None,) * 3))
            numbers = (r.distance_mm, r.bound_mm, r.sd_mm, r.speed_mm_s, *place)
            when = (record.seq, record.t_ns, f"{(record.t_ns - t0_ns) * 1e-9:.9f}", state.frame, state.phase)
            writer.writerow((*when, r.instrument, r.part, r.structure, r.role, r.status, *numbers, int(r.depth_is_bound)))
            rows += 1
    if not rows:
        raise InputRefused(
            f"{log} holds no readings", "it is a bare tracking stream: `navtwin run` it first, or export it as .igs.mha or .tracks.csv"
        )
    return Written(rows, "rows")


def _json(log: Path, stream: TextIO) -> Written:
    """Every record as it was logged, one a line, as one JSON array."""
    number = 0
    for record in read_log(log):
        line = f'{{"channel":"{record.channel}","seq":{record.seq},"t_ns":{record.t_ns},"data":{record.data.decode()}}}'
        stream.write(f"{',' if number else '['}\n{line}")
        number += 1
    stream.write("\n]\n" if number else "[]\n")
    return Written(number, "records")


def _mha(log: Path, stream: TextIO) -> Written:
    number, losses = _count(log), Losses()
    stream.writelines(f"{line}\n" for line in mha_lines(_frames(log), number, losses))
    return Written(number, "frames", losses.told())


def _nrrd(log: Path, stream: TextIO) -> Written:
    number, losses = _count(log), Losses()
    stream.writelines(f"{line}\n" for line in nrrd_lines(_frames(log), number, losses))
    stream.write("\0" * number)
    return Written(number, "frames", losses.told())


def _mitk(log: Path, stream: TextIO) -> Written:
    number = _count(log)
    bodies = dict.fromkeys(sighting.body for frame in _frames(log) for sighting in frame.sightings)
    stream.writelines(f"{line}\n" for line in mitk_lines(_frames(log), list(bodies)))
    tools = ", ".join(f"{body} is Tool{n}" for n, body in enumerate(bodies))
    kept = "this format keeps poses, valid or not, and times of arrival; status words, counters and fields are left out"
    return Written(number, "frames", (tools, kept))


def _tracks(log: Path, stream: TextIO) -> Written:
    number = _count(log)
    _, empty = write_tracks(lambda: _frames(log), stream)
    return Written(number, "frames", (f"{empty} fields without a text are left out: an empty cell is none",) if empty else ())


def _frames(log: Path) -> Iterator[TrackerFrame]:
    return (event.body for event in inputs(log) if isinstance(event.body, TrackerFrame))


def _count(log: Path) -> int:
    number = sum(1 for _ in _frames(log))
    if not number:
        raise InputRefused(f"{log} holds no tracker frames", "export it as .json")
    return number


#: What is written, by the ending of the file's name.
KINDS: Final[dict[str, Callable[[Path, TextIO], Written]]] = {
    ".csv": _readings,
    ".igs.mha": _mha,
    ".seq.mha": _mha,
    ".igs.nrrd": _nrrd,
    ".seq.nrrd": _nrrd,
    ".tracks.csv": _tracks,
    ".mitk.csv": _mitk,
    ".json": _json,
}
