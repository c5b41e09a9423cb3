"""What follows `camera:`, `video:` or `images:` on the command line: names separated by commas, and options behind a question mark."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from navtwin.errors import InputRefused, nearest

#: Exposures a second that anything films at.
SLOWEST_HZ, FASTEST_HZ = 0.01, 10_000.0


@dataclass(frozen=True, slots=True)
class Address:
    """`0,2?rate=60&record=raw` taken apart: `names` ("0", "2") and `options` {"rate": "60", "record": "raw"}."""

    names: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)

    def number(self, key: str) -> float | None:
        """The option as a finite number; None where it is not given."""
        text = self.options.get(key)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputRefused(f"option {key}={text} is not a number", f"write {key}=NUMBER")
        return value

    def positive(self, key: str) -> float | None:
        """The option as a number above 0; None where it is not given."""
        value = self.number(key)
        if value is not None and value <= 0.0:
            raise InputRefused(f"option {key}={value:g} is not above 0", "correct it, or leave it out")
        return value

    def rate_hz(self) -> float | None:
        """The option `rate` as exposures a second; None where it is not given."""
        value = self.positive("rate")
        if value is not None and not SLOWEST_HZ <= value <= FASTEST_HZ:
            raise InputRefused(f"option rate={value:g} is not from {SLOWEST_HZ:g} to {FASTEST_HZ:g} a second", "correct it, or leave it out")
        return value

    def latency_ms(self) -> float | None:
        """The option `latency`, from exposure to arrival; None where it is not given. No picture arrives before it was taken."""
        value = self.number("latency")
        if value is not None and value < 0.0:
            raise InputRefused(f"option latency={value:g} is below 0", "state it in ms from exposure to arrival, or leave it out")
        return value

    def yes(self, key: str) -> bool:
        """The option as 1 or 0 (yes or no); no where it is not given."""
        text = self.options.get(key, "0").lower()
        if text not in ("0", "1", "no", "yes"):
            raise InputRefused(f"option {key}={text} is neither yes nor no", f"write {key}=1 or {key}=0")
        return text in ("1", "yes")


def split_options(address: str) -> tuple[str, dict[str, str]]:
    """What stands before the last question mark, and the options behind it. A question mark that no `key=value` follows belongs to the name."""
    rest, mark, tail = address.rpartition("?")
    if not mark or "=" not in tail:
        return address, {}
    options = dict[str, str]()
    for pair in tail.split("&"):
        key, equals, value = pair.partition("=")
        if not equals or not key or not value:
            raise InputRefused(f"'{pair}' is no option", "write ?KEY=VALUE&KEY=VALUE behind the name")
        if key in options:
            raise InputRefused(f"option {key} is given twice", "give it once")
        options[key] = value
    return rest, options


def joined(name: str, options: dict[str, str]) -> str:
    """The reverse of `split_options`."""
    return name + ("?" + "&".join(f"{k}={v}" for k, v in options.items()) if options else "")


def parse_address(address: str, known: Iterable[str]) -> Address:
    """Take an address apart.

    Raises
    ------
    InputRefused : an option that is not in `known` (naming the nearest), one given twice or without a value, or no name
    """
    rest, options = split_options(address)
    for key in options:
        if key not in (words := sorted(known)):
            raise InputRefused(f"there is no option '{key}'", nearest(key, words))
    names = tuple(name.strip() for name in rest.split(","))
    if not all(names):
        raise InputRefused(f"'{address}' names nothing to open, or leaves a gap between commas", "write NAME or NAME,NAME2")
    if len(set(names)) != len(names):
        raise InputRefused(f"'{address}' names the same thing twice", "name each once")
    return Address(names, options)
