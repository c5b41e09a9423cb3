"""A line on the error stream that says what is being worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from navtwin.files.formats import Report


@contextmanager
def progress(first: str = "starting") -> Iterator[Report]:
    """Shows `first`, then whatever is reported; names from files are shown as they are, never taken for markup."""
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(first) as status:
        yield lambda text: status.update(escape(text))
