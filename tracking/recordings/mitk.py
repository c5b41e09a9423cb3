"""Read MITK's NavigationData CSV: for each tool a time, whether it was valid, a position and a quaternion with its scalar last.

Format: MITK-IGT's mitkNavigationDataSetWriterCSV. `;` ends each field; the time is that of MITK's IGT clock, in milliseconds; positions are mm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Rig
from navtwin.record.mitk_csv import COLUMNS
from tracking.recordings.cells import batches
from tracking.recordings.declared import words_of
from tracking.recordings.naming import as_in_rig
from tracking.recordings.notes import assumed, strangers
from tracking.recordings.recording import Ints, Recording, Track, Verdicts, track
from tracking.recordings.rigid_rows import Rows, from_quaternions
from tracking.recordings.text_numbers import nanoseconds, number_rows, shown

_FIRST: Final = re.compile(rb"\s*\"?TimeStamp_Tool0\"?;")
_MS: Final = 1_000_000
#: What the columns of a tool are to hold: `Valid` is stated, the pose is scalar last.
_WIDTH: Final = len(COLUMNS)


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return _FIRST.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def read_mitk(path: Path, rig: Rig | None = None, columns: str | None = None) -> Recording:
    """Read such a file. Its tools have numbers only; `columns` may give them names (`Tool0=Drill Tool1=Reference`).

    A row is a frame; where the tools of a row have different times, it counts as old as the oldest. Rows are numbered from 0.

    Raises
    ------
    InputRefused : unreadable, cut, other columns than MITK writes, or a row without times
    """
    rows = batches(path, ";")
    _, head = next(rows)
    header = [cell.strip() for cell in head[0] if cell.strip()]
    tools = len(header) // _WIDTH
    if not tools or header != [column.format(n) for n in range(tools) for column in COLUMNS]:
        raise InputRefused(
            f"{path} has other columns than MITK writes: {shown(', '.join(header), 200)}",
            f"they are {'; '.join(COLUMNS).format(*'k' * _WIDTH)} of each tool k",
        )
    names = _names(path, tools, columns)
    times: list[Ints] = []
    found: list[list[tuple[np.ndarray[tuple[int], np.dtype[np.uint8]], Rows]]] = [[] for _ in range(tools)]
    verdicts, spread_ns = Verdicts(), 0
    ok, invalid = verdicts.code("OK"), verdicts.code("INVALID", "marked invalid by MITK")
    for first, batch in rows:
        cells = [_padded(path, first + n, row, len(header)) for n, row in enumerate(batch)]
        columns_of = list(zip(*cells, strict=True))
        stamps = np.array([_stamps(path, first, columns_of[n * _WIDTH]) for n in range(tools)])
        times.append(stamps.min(axis=0))
        spread_ns = max(spread_ns, int((stamps.max(axis=0) - stamps.min(axis=0)).max()))
        for n in range(tools):
            _, valid, *pose = columns_of[n * _WIDTH : (n + 1) * _WIDTH]
            numbers = number_rows([" ".join(one).encode() for one in zip(*pose, strict=True)], 7)
            codes = np.array([ok if _is_valid(path, first + k, word) else invalid for k, word in enumerate(valid)], dtype=np.uint8)
            found[n].append((codes, from_quaternions(numbers[:, [6, 3, 4, 5]], numbers[:, :3])))
    if not times:
        raise InputRefused(f"{path} holds no frames", "there is nothing to import")
    arrival_ns = np.concatenate(times)
    everywhere = np.arange(len(arrival_ns))
    bodies = tuple(_track(body, everywhere, found[n], verdicts) for n, body in enumerate(as_in_rig(names, rig)))
    latency_ns = round(rig.tracker.latency_ms * 1e6) if rig is not None else 0
    return Recording(
        source=f"log:{path.name}",
        number=everywhere,
        t_capture_ns=arrival_ns - latency_ns,
        t_arrival_ns=arrival_ns,
        t_device_ns=arrival_ns.copy(),
        tracks=bodies,
        verdicts=verdicts,
        facts=(
            ("format", "MITK navigation data, CSV"),
            ("axes", "those of the tracker as MITK was set up; poses are marker to tracker, mm"),
            ("times", "arrival is MITK's time stamp, ms on its own clock; capture is assumed"),
            ("validity", "valid or not, for each tool; why not is not said"),
        ),
        notes=tuple(_notes(spread_ns, names, rig)),
    )


def _track(body: str, everywhere: Ints, found: list[tuple[np.ndarray[tuple[int], np.dtype[np.uint8]], Rows]], verdicts: Verdicts) -> Track:
    codes = np.concatenate([one for one, _ in found])
    poses = Rows(*(np.concatenate(parts) for parts in zip(*(rows for _, rows in found), strict=True)))
    return track(body, len(everywhere), verdicts, (everywhere, poses), (everywhere, codes))


def _names(path: Path, tools: int, columns: str | None) -> list[str]:
    """Names of the tools: as the user says, else `Tool0` and so on."""
    numbered = [f"Tool{n}" for n in range(tools)]
    declared = words_of(columns or "", frozenset(numbered), "Tool0=Drill Tool1=Reference") if columns else {}
    names = [declared.get(name, name) for name in numbered]
    if len(set(names)) != len(names):
        raise InputRefused(f"two tools of {path} would have one name", "give each its own: --columns 'Tool0=Drill Tool1=Reference'")
    return names


def _padded(path: Path, line: int, row: list[str], width: int) -> list[str]:
    """A row's cells without the empty one behind the last `;`."""
    if len(row) == width + 1 and not row[-1].strip():
        row = row[:-1]
    if len(row) != width:
        raise InputRefused(f"{path}: line {line} has {len(row)} cells, not {width}", "get the whole file")
    return row


def _stamps(path: Path, first: int, cells: tuple[str, ...]) -> list[int]:
    stamps = [nanoseconds(cell.encode(), _MS) for cell in cells]
    if None in stamps:
        at = stamps.index(None)
        raise InputRefused(f"{path}: line {first + at} has the time '{shown(cells[at])}'", "it must be a number of milliseconds")
    return [stamp for stamp in stamps if stamp is not None]


def _is_valid(path: Path, line: int, word: str) -> bool:
    if word.strip() not in ("0", "1"):
        raise InputRefused(f"{path}: line {line} says Valid = '{shown(word)}'", "it must be 0 or 1")
    return word.strip() == "1"


def _notes(spread_ns: int, names: list[str], rig: Rig | None) -> Iterator[str]:
    if any(re.fullmatch(r"Tool\d+", name) for name in names):
        yield "MITK numbers tools and does not name them: say --columns 'Tool0=Drill Tool1=Reference' for names"
    if spread_ns:
        yield f"the tools of a row have times up to {spread_ns * 1e-6:.3f} ms apart: a frame is taken to be as old as its oldest"
    yield assumed(rig)
    if rig is not None:
        yield from strangers(names, rig)
