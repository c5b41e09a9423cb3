"""What a worker is asked: one log, the cases at hand, the code that is expected."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

Task = Literal["verify", "bench"]
#: Raised by one whenever a task finds out something else: what was found before is then found again.
TASK_VERSION: Final[dict[Task, int]] = {"verify": 1, "bench": 1}


@dataclass(frozen=True)
class Job:
    """One log for one task.

    Attributes
    ----------
    log, log_hash : its path, as every worker must see it, and the SHA-256 of its bytes
    cases : (hash, folder) of each case at hand
    code : hash of the code that must do it
    """

    task: Task
    log: str
    log_hash: str
    cases: tuple[tuple[str, str], ...]
    code: str

    @property
    def key(self) -> str:
        """What the results are filed under. The log's hash covers the case's and the rig's, which its header names."""
        text = f"{self.task} {TASK_VERSION[self.task]} {self.log_hash} {self.code}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]
