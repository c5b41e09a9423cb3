"""The wire's fields and types as a short text, kept beside the tests so that a change of it is seen.

    python -m tests.contracts.wire

writes `wire.txt` anew.
"""

from __future__ import annotations

import types
import typing
from pathlib import Path

from tests.contracts.nouns import fields_of, wire_nouns

WIRE_FILE = Path(__file__).with_name("wire.txt")


def describe() -> str:
    """One line for each noun and one for each of its fields: name, type, whether it may be left out."""
    lines = []
    for kind in sorted(wire_nouns(), key=lambda kind: kind.__name__):
        config = kind.__struct_config__
        lines.append(f"{kind.__name__}{f' ({config.tag_field}={config.tag})' if config.tag is not None else ''}")
        optional = len(kind.__struct_defaults__)
        first_optional = len(kind.__struct_fields__) - optional
        for n, name in enumerate(kind.__struct_fields__):
            hint = fields_of(kind)[name]
            lines.append(f"    {name}: {_words(hint)}{' (may be left out)' if n >= first_optional else ''}")
    return "\n".join(lines) + "\n"


def _words(hint: object) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return "one of " + " ".join(map(str, arguments))
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if a is type(None) else _words(a) for a in arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"list of ({_words(arguments[0])})"
    if origin is tuple:
        return f"{len(arguments)} x {_words(arguments[0])}"
    return getattr(hint, "__name__", str(hint))


if __name__ == "__main__":
    WIRE_FILE.write_text(describe(), encoding="utf-8", newline="\n")
