"""Strict TOML: a file becomes a noun, or a refusal that names file, key and remedy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from navtwin.errors import InputRefused, nearest

T = TypeVar("T", bound=msgspec.Struct)


def read_toml(path: Path, kind: type[T]) -> T:
    """Decode the TOML file at `path` as `kind`.

    Raises
    ------
    InputRefused : missing or unreadable file, TOML fault, unknown key (naming the nearest known one), wrong type
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path} is not valid TOML: {error}", "mend that line") from error
    try:
        return msgspec.convert(table, kind)
    except (msgspec.ValidationError, InputRefused) as error:
        raise InputRefused(f"{path}: {explain(error, kind)}", "mend the file and run the command again") from error


def explain(error: Exception, kind: Any) -> str:
    """msgspec's message, with the nearest known key or word where one is unknown."""
    text = str(error).rstrip(".")
    choice = re.search(r"[Ii]nvalid enum value '([^']*)'(?: - at `\$([^`]*)`)?", text)
    if choice is not None:
        where = choice.group(2) or ""
        word, (outer, _, field) = choice.group(1), where.rpartition(".")
        return f"'{word}' is no {field or 'known word'}{f' in {outer[1:]}' if outer else ''}: {nearest(word, _words_at(kind, where))}"
    unknown = re.search(r"unknown field `([^`]+)`(?: - at `\$([^`]*)`)?", text)
    if unknown is None:
        return text.replace("`$.", "`")
    word, where = unknown.group(1), unknown.group(2) or ""
    return f"unknown key '{word}'{f' in {where.lstrip(chr(46))}' if where else ''}: {nearest(word, _fields_at(kind, where))}"


def _fields_at(kind: Any, where: str) -> tuple[str, ...]:
    """The field names of the struct that msgspec's path `where` (`.structure[...]`) leads to."""
    for step in re.findall(r"\.(\w+)", where):
        annotation = next(f.type for f in msgspec.structs.fields(kind) if f.encode_name == step)
        kind = _struct_in(annotation)
    return tuple(f.encode_name for f in msgspec.structs.fields(kind))


def _words_at(kind: Any, where: str) -> tuple[str, ...]:
    """The words that the field at msgspec's path `where` may hold."""
    outer, _, name = where.rpartition(".")
    for step in re.findall(r"\.(\w+)", outer):
        kind = _struct_in(next(f.type for f in msgspec.structs.fields(kind) if f.encode_name == step))
    annotation = next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == name), None)
    return tuple(str(word) for word in getattr(annotation, "__args__", ()) if isinstance(word, str))


def _struct_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _struct_in(argument)
        if found is not None:
            return found
    return None
