"""A log as files that other programs read: readings as CSV, tracking as `.igs.mha`, everything as JSON."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TextIO

from navtwin.errors import InputRefused
from navtwin.nouns import State, TrackerFrame
from navtwin.record.format import OUTPUT
from navtwin.record.igsio import sequence_lines
from navtwin.record.read import decode, inputs, read_log

_COLUMNS: Final = (
    "seq", "t_ns", "t_s", "frame", "phase", "instrument", "part", "structure", "role", "status", "distance_mm", "bound_mm", "sd_mm", "speed_mm_s",
    "on_structure_x_mm", "on_structure_y_mm", "on_structure_z_mm", "on_axis_x_mm", "on_axis_y_mm", "on_axis_z_mm", "depth_is_bound",
)  # fmt: skip


def export(log: str | Path, to: str | Path) -> int:
    """Write `log` as the kind of file that the name `to` asks for; returns how many rows, frames or records were written.

    Raises
    ------
    InputRefused : unknown kind of file, nothing to write, or a name the format cannot carry; nothing is left half-written
    LogDamaged : the log is cut, altered or not ours
    """
    log, to = Path(log), Path(to)
    write = next((function for ending, function in _KINDS.items() if to.name.lower().endswith(ending)), None)
    if write is None:
        raise InputRefused(f"cannot tell from '{to.name}' what to write", f"end the name with one of {', '.join(_KINDS)}")
    if to.resolve() == log.resolve():
        raise InputRefused(f"{to} is the log itself", "give the export another name")
    temporary = to.with_name(f".{to.name}.writing")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            written = write(log, stream)
        temporary.replace(to)
    except OSError as error:
        raise InputRefused(f"cannot write {to}: {error.strerror}", "check the folder and the space on the disk") from error
    finally:
        temporary.unlink(missing_ok=True)
    return written


def _csv(log: Path, stream: TextIO) -> int:
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
        raise InputRefused(f"{log} holds no readings", "it is a bare tracking stream: `navtwin run` it first, or export it as .igs.mha")
    return rows


def _igs_mha(log: Path, stream: TextIO) -> int:
    number = sum(1 for _ in _frames(log))
    if not number:
        raise InputRefused(f"{log} holds no tracker frames", "export it as .json")
    stream.writelines(f"{line}\n" for line in sequence_lines(_frames(log), number))
    return number


def _json(log: Path, stream: TextIO) -> int:
    """Every record as it was logged, one a line, as one JSON array."""
    number = 0
    for record in read_log(log):
        line = f'{{"channel":"{record.channel}","seq":{record.seq},"t_ns":{record.t_ns},"data":{record.data.decode()}}}'
        stream.write(f"{',' if number else '['}\n{line}")
        number += 1
    stream.write("\n]\n" if number else "[]\n")
    return number


def _frames(log: Path) -> Iterator[TrackerFrame]:
    return (event.body for event in inputs(log) if isinstance(event.body, TrackerFrame))


_KINDS: Final[dict[str, Callable[[Path, TextIO], int]]] = {".csv": _csv, ".igs.mha": _igs_mha, ".json": _json}
