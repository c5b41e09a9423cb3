"""A result as a file: written whole or not at all, read with a refusal that names what is wrong with it."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from navtwin.errors import InputRefused
from results.model import VERSION, Result

AGAIN = "write it again with the benchmark's --json"


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """What the system says against writing a file, as a refusal that names it."""
    try:
        yield
    except OSError as error:
        raise InputRefused(f"{path} cannot be written: {error.strerror}", "name a file in a folder that you may write to") from error


def check_writable(path: Path) -> None:
    """Refuses (InputRefused) a file that could not be written: said before a measurement of an hour, not after it."""
    if path.is_dir():
        raise InputRefused(f"{path} cannot be written: it is a folder", "name a file")
    with _refusing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()


def write_whole(path: Path, text: str) -> None:
    """Writes beside the file and renames: who reads it, or is killed meanwhile, finds the old file or the new one, never half of one.

    Raises
    ------
    InputRefused
        The system does not let it be written.
    """
    with _refusing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise


def checked(result: Result) -> Result:
    """The result itself; ValueError where two figures have one name or one is not a number (JSON has no NaN, and it would be no figure)."""
    names = [figure.name for figure in result.figures]
    twice = sorted({name for name in names if names.count(name) > 1})
    odd = [figure.name for figure in result.figures if not all(math.isfinite(v) for v in (figure.value, *figure.blocks))]
    if twice or odd:
        raise ValueError(f"{result.benchmark}: figures named twice: {twice}; figures that are no number: {odd}")
    return result


def save(path: Path, result: Result) -> None:
    """Writes the result as indented JSON, whole or not at all."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(checked(result)), indent=2).decode() + "\n")


def load(path: Path | str) -> Result:
    """Reads a result.

    Raises
    ------
    InputRefused
        The file is missing, cut short, no result, or of another version.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputRefused(f"{path.name} cannot be read: {error.strerror}", "give the JSON file that a benchmark wrote with --json") from None
    try:
        data = json.loads(raw)
    except ValueError:
        begun = raw.lstrip()[:1] == b"{" and not raw.rstrip().endswith(b"}")
        problem = f"{path.name} is cut short" if begun or not raw.strip() else f"{path.name} is not JSON"
        raise InputRefused(f"{problem} ({len(raw)} bytes)", AGAIN) from None
    if not isinstance(data, dict) or "benchmark" not in data or "figures" not in data:
        raise InputRefused(f"{path.name} is no result of a benchmark", "give the JSON file that a benchmark wrote with --json")
    if data.get("version") != VERSION:
        raise InputRefused(f"{path.name} is a result of version {data.get('version')}; this navtwin reads version {VERSION}", AGAIN)
    try:
        return checked(msgspec.convert(data, Result))
    except (msgspec.ValidationError, ValueError) as error:
        raise InputRefused(f"{path.name} is no result of a benchmark: {error}", AGAIN) from None
