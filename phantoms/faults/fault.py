"""One row of the table of faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["tracker", "patient", "files", "network", "machine"]
GROUPS: tuple[Group, ...] = ("tracker", "patient", "files", "network", "machine")


@dataclass(frozen=True, slots=True)
class Signal:
    """What an operator must get.

    Attributes
    ----------
    kind : `alarm`: a technical alarm; `refused`: a command or file is refused in words; `link lost`: the operator's own end says so;
        `right`: nothing at all, since every warning stays right and on time
    names : ids of the alarms, any one of which is the signal
    words : each must be in the text of the alarm or refusal, whatever the case of its letters
    """

    kind: Literal["alarm", "refused", "link lost", "right"]
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f" ({', '.join(self.words)})" if self.words else ""
        if self.kind == "alarm":
            return " or ".join(self.names) + said
        return {"refused": f"refused{said}", "link lost": "link lost", "right": "nothing: everything stays right"}[self.kind]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and what is asked of the twin.

    Attributes
    ----------
    what : what happens, one sentence
    where : what it is injected into
    signal : what the operator must get
    deadline_ms : from the injection to the signal at the operator's client
    why : where the deadline comes from
    after : how it ends, and what the operator sees then
    lasts_s : how long a fault of a stream lasts, s
    """

    name: str
    group: Group
    what: str
    where: str
    signal: Signal
    deadline_ms: float
    why: str
    after: str
    lasts_s: float = 1.0
