"""Where sessions are recorded unless it is said otherwise, and which of them are the newest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path

from navtwin.record.format import PARTIAL


@dataclass(frozen=True)
class Recorded:
    """A log in the session folder; `finished` says whether it was closed as it should be."""

    path: Path
    ended: datetime
    size_bytes: int
    finished: bool


def sessions_folder() -> Path:
    """The user's session folder; made if it is not there."""
    folder = user_data_path("navtwin", appauthor=False) / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def new_log_path() -> Path:
    """A new file in the user's session folder, named by the time."""
    return sessions_folder() / f"{datetime.now(UTC).strftime('%Y-%m-%dT%H-%M-%SZ')}.mcap"


def newest_logs(most: int) -> tuple[Recorded, ...]:
    """The logs in the session folder, the newest first. One that is being written is among them; one that vanishes meanwhile is not."""
    found = []
    for path in sessions_folder().iterdir():
        if path.name.endswith((".mcap", f".mcap{PARTIAL}")):
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append(Recorded(path, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size, path.suffix == ".mcap"))
    return tuple(sorted(found, key=lambda r: r.ended, reverse=True)[:most])
