"""A results folder: one small Parquet file per log and table, each written whole or not at all.

    RESULTS/navtwin-fleet.json           what this folder is, and the version of its tables
    RESULTS/logs/KEY.parquet             one file per log in each table; KEY names task, log and code
    RESULTS/warnings/KEY.parquet ...

A log's row in its head table (`logs`, `bench`) is written last: what is killed half-way has no such row, and is done again. Any reader of Parquet
opens a table as `RESULTS/warnings/*.parquet`.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from pathlib import Path
from typing import Any

from navtwin import __version__
from navtwin.errors import InputRefused
from navtwin.fleet.jobs import Job, Task
from navtwin.fleet.schema import FINAL, HEAD, OF_TASK, RESULTS, TABLES, Row, Rows

MARK = "navtwin-fleet.json"
_METADATA = b"navtwin_results"
#: What is not finished carries this; what is so old was left by a run that died.
_PART, _STALE_S = ".part", 3600.0


def arrow() -> Any:
    """pyarrow with its Parquet. Raises InputRefused where it is not installed."""
    try:
        pa = importlib.import_module("pyarrow")
        importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise InputRefused("results are kept as Parquet, and pyarrow is not installed", "pip install 'navtwin[fleet]'") from error
    return pa


class Results:
    """A results folder, made where it is not there yet.

    Raises
    ------
    InputRefused : a folder with other things in it; results of another version; a folder that cannot be written
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []
        mark = folder / MARK
        if mark.is_file():
            _check_mark(mark)
        elif folder.is_dir() and any(folder.iterdir()):
            raise InputRefused(f"{folder} holds other things and no results of a fleet", "name a new folder with --results")
        else:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _write(mark, json.dumps({"results": RESULTS, "navtwin": __version__}).encode() + b"\n")
            except OSError as error:
                raise InputRefused(f"cannot write results in {folder}: {error.strerror}", "name another folder with --results") from error
        self._sweep()

    def add(self, job: Job, rows: Rows) -> None:
        """Keep what a task found of a log, its head row last."""
        for table in OF_TASK[job.task]:
            if rows[table] or table == HEAD[job.task]:
                self._write_table(table, job.key, rows[table])
            else:
                # A log that is done again may have had rows here.
                (self.folder / table / f"{job.key}.parquet").unlink(missing_ok=True)

    def done(self, task: Task) -> dict[str, Row]:
        """Head rows of this task by key, of the logs that need not be done again."""
        return {key: row for key, row in self.heads(task).items() if row["status"] in FINAL}

    def heads(self, task: Task) -> dict[str, Row]:
        """All head rows of a task by key. A file that cannot be read counts as not there, and is noted."""
        found: dict[str, Row] = {}
        for path in sorted((self.folder / HEAD[task]).glob("*.parquet")):
            rows = self._read(path)
            if rows:
                found[path.stem] = rows[0]
        return found

    def rows(self, table: str, keys: list[str]) -> list[Row]:
        """The rows of one table, of these logs."""
        found: list[Row] = []
        for key in keys:
            path = self.folder / table / f"{key}.parquet"
            if path.is_file():
                found += self._read(path) or []
        return found

    def _write_table(self, table: str, key: str, rows: list[Row]) -> None:
        pa = arrow()
        schema = _schema(pa, table)
        # Arrow fills in null where a row says nothing.
        filled = [{name: row.get(name) for name in schema.names} for row in rows]
        sink = pa.BufferOutputStream()
        pa.parquet.write_table(pa.Table.from_pylist(filled, schema=schema), sink, compression="zstd")
        place = self.folder / table
        place.mkdir(exist_ok=True)
        _write(place / f"{key}.parquet", sink.getvalue().to_pybytes())

    def _read(self, path: Path) -> list[Row] | None:
        pa = arrow()
        try:
            file = pa.parquet.ParquetFile(path)
            version = (file.schema_arrow.metadata or {}).get(_METADATA, b"none").decode()
            if version == str(RESULTS):
                rows: list[Row] = file.read().to_pylist()
                return rows
        except (pa.ArrowException, OSError) as error:
            self.notes.append(f"{path} cannot be read and counts as not there ({type(error).__name__})")
            return None
        raise _other_version(path, version)

    def _sweep(self) -> None:
        """Remove what runs that died have left unfinished."""
        for path in self.folder.rglob(f"*{_PART}"):
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink(missing_ok=True)


def _schema(pa: Any, table: str) -> Any:
    kinds = {
        "string": pa.string(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "list<int64>": pa.list_(pa.int64()),
        "list<double>": pa.list_(pa.float64()),
        "list<bool>": pa.list_(pa.bool_()),
    }
    return pa.schema([pa.field(c.name, kinds[c.kind], metadata={"meaning": c.meaning}) for c in TABLES[table]], metadata={_METADATA: str(RESULTS)})


def _check_mark(mark: Path) -> None:
    try:
        version = json.loads(mark.read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused(f"{mark} cannot be read", "name a new folder with --results") from error
    if version != RESULTS:
        raise _other_version(mark.parent, version)


def _other_version(path: Path, version: object) -> InputRefused:
    return InputRefused(
        f"{path} holds results of version {version}, and navtwin {__version__} reads and writes version {RESULTS}",
        "read them with the navtwin that wrote them, or name a new folder with --results",
    )


def _write(path: Path, data: bytes) -> None:
    """In one piece: under another name first, on the disk, then renamed."""
    part = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
