"""Errors that say what to do.

Every refusal a person can meet is one of these: `problem` names the thing that is wrong, `remedy` says what to do about it.
The command line prints both as sentences on one line and leaves with `exit_code`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def _stopped(text: str) -> str:
    return text + ("" if text[-1] in ".?!" else ".")


class NavtwinError(Exception):
    """A refusal with its remedy."""

    exit_code = 2

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        # The problem often begins with a file's name, whose case matters; the remedy begins with a verb.
        super().__init__(" ".join([_stopped(problem), *([_stopped(remedy[0].upper() + remedy[1:])] if remedy else [])]))


class InputRefused(NavtwinError):
    """A file, argument or message from outside that cannot be used as it is."""


class FrameMismatch(NavtwinError):
    """Two transforms whose inner frame names do not cancel."""


class LogDamaged(NavtwinError):
    """A log that is cut, altered or not ours."""


class LogOfOtherVersion(LogDamaged):
    """A log that is whole, and was written by a navtwin that this one does not understand."""


class BusRefused(NavtwinError):
    """A socket that cannot be opened as asked."""


class DataUnavailable(NavtwinError):
    """Public data that could not be fetched (no network, or a hash that differs)."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` for the known word nearest to `word`, or the list of known words."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names)}"
