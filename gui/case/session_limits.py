"""Which limits a session that runs on the case is judging by, as far as a screen can know, and which of the case's it does not have. No Qt."""

from __future__ import annotations

from pathlib import Path

from gui.link.board import Moment
from navtwin.nouns import SetLimits
from navtwin.scene.case import CaseFile

Limits = tuple[float | None, float | None]


class SessionLimits:
    """Follows the session: it keeps the limits that the case had when it started, until it is told others.

    Attributes
    ----------
    runs : a session on this case is heard now
    """

    def __init__(self) -> None:
        self.runs = False
        self._epoch = ""
        self._known: dict[str, Limits] = {}

    def follow(self, moment: Moment, folder: Path | None, case_hash: str, written: CaseFile | None) -> bool:
        """Take in this moment; True where something has changed.

        Parameters
        ----------
        folder, case_hash : the open case as it was loaded
        written : what its case.toml says
        """
        setup = moment.setup
        runs = moment.link == "up" and setup is not None and folder is not None and written is not None
        if runs and setup is not None and folder is not None:
            # A core that does not name its case may be on any.
            runs = not setup.case_path or setup.case_hash == case_hash or _same_folder(Path(setup.case_path), folder)
        before = (self.runs, self._epoch)
        self.runs = runs
        if runs and moment.epoch != self._epoch and written is not None and setup is not None:
            self._epoch = moment.epoch
            # Of files that are others than those it was started on nothing is known.
            self._known = _limits(written) if setup.case_hash in ("", case_hash) else {}
        return before != (self.runs, self._epoch)

    def told(self, order: SetLimits) -> None:
        """The session was told these limits."""
        self._known[order.structure] = (order.caution_mm, order.danger_mm)

    def missing(self, case: CaseFile) -> tuple[SetLimits, ...]:
        """The limits of the case that the session does not have: one order for each structure."""
        if not self.runs:
            return ()
        return tuple(
            SetLimits(structure=name, caution_mm=caution, danger_mm=danger)
            for name, (caution, danger) in _limits(case).items()
            if caution is not None and danger is not None and 0.0 < danger <= caution and self._known.get(name) != (caution, danger)
        )  # fmt: skip


def _limits(case: CaseFile) -> dict[str, Limits]:
    return {s.name: (s.caution_mm, s.danger_mm) for s in case.structure if s.role == "critical"}


def _same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
