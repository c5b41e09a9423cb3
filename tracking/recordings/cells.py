"""The rows of a CSV file, many at a time and in bounded memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.files.guard import reading
from tracking.recordings.header import MOST_FRAMES

_AT_ONCE: Final = 2000
_MOST_CELLS: Final = 2000


def batches(path: Path, delimiter: str, *, skip: int = 0) -> Iterator[tuple[int, list[list[str]]]]:
    """The first row alone, then the others by the thousand, each batch with the number of the line that its first row stands in, counted from 1.
    Empty lines are left out; NUL characters are taken out of cells. `skip` lines at the beginning are passed over.

    Raises
    ------
    InputRefused : unreadable, empty, not UTF-8, or of a shape that no recording has
    """
    try:
        with reading(path), path.open(encoding="utf-8-sig", newline="") as stream:
            for _ in range(skip):
                stream.readline(100_000)
            rows = csv.reader((line.replace("\0", "") for line in stream), delimiter=delimiter)
            found = (row for row in rows if row)
            total = 0
            for size in (1, *([_AT_ONCE] * (MOST_FRAMES // _AT_ONCE))):
                batch = list(islice(found, size))
                if not batch:
                    break
                if max(map(len, batch)) > _MOST_CELLS:
                    raise InputRefused(f"{path} has a row of more than {_MOST_CELLS} cells", "check that it is a recording")
                # Rows that are spread over several lines make the number one of a line before, which is near enough to find it.
                yield 1 + skip + total, batch
                total += len(batch)
            if not total:
                raise InputRefused(f"{path} holds no rows", "get the whole file")
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputRefused(f"{path} is not a CSV file of UTF-8 text ({error})", "save it as UTF-8") from error
