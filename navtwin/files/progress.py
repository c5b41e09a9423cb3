"""A line on the error stream that says what is being worked on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from navtwin.files.formats import Report


@contextmanager
def progress(first: str = "starting") -> Iterator[Report]:
    """Shows `first`, then whatever is reported; names from files are shown as they are, never taken for markup.

    Whoever asks the process to end meanwhile (SIGTERM, as a cancelling window does) ends it as Ctrl-C would: what is half made is taken away.
    """
    from rich.console import Console
    from rich.markup import escape

    with _ended_in_order(), Console(stderr=True).status(first) as status:
        yield lambda text: status.update(escape(text))


@contextmanager
def _ended_in_order() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
