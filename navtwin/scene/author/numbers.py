"""Options that take several numbers and may be given again: `--point 1 2 3 --point 4 5 6`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, Final

from typer.core import TyperCommand

from navtwin.errors import InputRefused

#: How many numbers each takes; what follows it is joined to one word, "1,2,3", which may be written as well.
COUNTS: Final = {"--point": 3, "--seed": 3, "--cut": 6, "--at": 3}


class SeveralNumbers(TyperCommand):
    """A command with such options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(joined(args)))


def joined(words: Sequence[str]) -> Iterator[str]:
    """The words of a command line, the numbers behind each such option joined by commas."""
    at = 0
    while at < len(words):
        yield words[at]
        behind = words[at + 1 : at + 1 + COUNTS.get(words[at], 0)]
        numbers = list(takewhile(_is_number, behind))
        at += 1
        if numbers:  # too few are joined as well, and refused by name where they are read
            yield ",".join(numbers)
            at += len(numbers)


def numbers_of(option: str, text: str) -> tuple[float, ...]:
    """The numbers of one such option.

    Raises
    ------
    InputRefused : not as many numbers as it takes
    """
    words = text.replace(",", " ").split()
    if len(words) != COUNTS[option] or not all(map(_is_number, words)):
        raise InputRefused(f"{option} {text} is not understood", f"it takes {COUNTS[option]} numbers in mm (LPS)")
    return tuple(float(word) for word in words)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
