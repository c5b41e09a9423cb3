"""What a refusal of a CT leaves to be chosen: the same command again, with one thing stated that the file does not say. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SPACES: Final = {"LPS": "Its axes are LPS (left, posterior, superior)", "RAS": "Its axes are RAS (right, anterior, superior)"}
_SERIES: Final = re.compile(r"[Cc]hoose with --series N(?: among|:) (.*)", re.DOTALL)


@dataclass(frozen=True)
class WayOut:
    """`words` for a button, `arguments` for the command."""

    words: str
    arguments: tuple[str, ...]


def ways_out(refusal: str) -> tuple[WayOut, ...]:
    """The choices that a refusal names; () where it leaves none."""
    series = _SERIES.search(refusal)
    if series is not None:
        listed = [one.strip().rstrip(".") for one in series.group(1).split("; ")]
        numbered = [(found.group(1), one) for one in listed if (found := re.match(r"(\d+): ", one))]
        return tuple(WayOut(f"Series {one}", ("--series", number)) for number, one in numbered)
    ways = [
        WayOut(words, ("--space", space)) for space, words in _SPACES.items() if f"--space {space}" in refusal and "leave out --space" not in refusal
    ]
    units = dict.fromkeys(re.findall(r"--unit (mm|cm|m|um)\b", refusal))
    ways += [WayOut(f"Its lengths are in {unit}", ("--unit", unit)) for unit in units]
    if re.search(r"[Pp]ass --resample\b", refusal):
        ways.append(WayOut("Mend it by resampling: the case says so", ("--resample",)))
    return tuple(ways)


def refusal_words(text: str) -> str:
    """What a command said last, without its own name in front."""
    return re.sub(r"^\s*navtwin: ", "", text).strip()
