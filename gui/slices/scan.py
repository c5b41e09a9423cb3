"""The scan of a case, read to be cut; where there is none to cut, words that say why."""

from __future__ import annotations

from pathlib import Path

from navtwin.errors import NavtwinError
from navtwin.volumes.labels_guess import looks_like_labels
from navtwin.volumes.read import read_ct
from navtwin.volumes.volume import Volume

NO_HU = "label volume: no grey values (HU)"


def read_scan(path: Path) -> tuple[Volume | None, str]:
    """The volume, None where there is none to cut, and a line on why that is; "" when all is well."""
    try:
        return (None, NO_HU) if looks_like_labels(path) else (read_ct(path), "")
    except NavtwinError as refusal:
        return None, f"no scan: {refusal}"
    except MemoryError:
        return None, "no scan: it does not fit into memory"
