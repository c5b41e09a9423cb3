"""Markers that no body of the rig carries: what is said when none of the rig's own are seen and others are."""

from __future__ import annotations

from collections.abc import Iterable

from tracking.detect.markers import which_dictionary
from tracking.pictures.images import Grey

#: Nothing of the rig's for this long before all dictionaries are tried, and then this often, ns: it takes several times as long as a frame.
PATIENCE_NS, EVERY_NS = 3_000_000_000, 1_000_000_000


def short_name(dictionary: str) -> str:
    """A dictionary's name in capitals and without the prefix that OpenCV gives it."""
    return dictionary.upper().removeprefix("DICT_")


class Strangers:
    """Looks for markers of other dictionaries or numbers while nothing of the rig's is seen.

    Parameters
    ----------
    wanted : names of the rig's dictionaries
    """

    def __init__(self, wanted: Iterable[str]) -> None:
        self._families = {_family(name) for name in wanted}
        self._since_ns: int | None = None
        self._tried_ns = 0
        self._candidate = self._hint = ""

    def hint(self, grey: Grey, t_ns: int, *, anything: bool) -> str:
        """What to say of a body that is not seen, "" if nothing. `anything`: whether any marker of the rig was found in this picture."""
        if anything or self._since_ns is None or t_ns < self._since_ns:
            self._since_ns, self._tried_ns, self._candidate, self._hint = t_ns, t_ns, "", ""
        elif t_ns - self._since_ns >= PATIENCE_NS and t_ns - self._tried_ns >= EVERY_NS:
            self._tried_ns = t_ns
            self._look(grey)
        return self._hint

    def _look(self, grey: Grey) -> None:
        """One look may err, for small codes are found in any clutter: what two in a row find is believed."""
        name, count = next(iter(which_dictionary(grey)), ("", 0))
        self._hint = self._sentence(name, count) if name and name == self._candidate else ""
        self._candidate = name

    def _sentence(self, name: str, count: int) -> str:
        other = "other numbers" if _family(name) in self._families else "another dictionary"
        return f"none of the rig's markers has been seen for {PATIENCE_NS // 10**9} s, but {count} of {name} are: {other} than the rig's"


def _family(name: str) -> str:
    """`4X4_50`, `4X4_100` ... are one family: the smaller ones are the first markers of the larger."""
    stem, _, size = short_name(name).rpartition("_")
    return stem if size in ("50", "100", "250", "1000") else short_name(name)
