"""A page of a report is written whole, or not at all."""

from __future__ import annotations

from pathlib import Path

from navtwin.errors import InputRefused


def write_page(page: str, out: Path, remedy: str) -> None:
    """Write a page, and the folder it stands in where that is missing.

    Raises
    ------
    InputRefused : it cannot be written; `remedy` says what to do
    """
    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise InputRefused(f"cannot write the report {out}: {error.strerror}", remedy) from error
