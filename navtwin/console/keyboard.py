"""Single keys from the terminal, without waiting and without echo, on POSIX and Windows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def keyboard() -> Iterator[Callable[[], list[str]]]:
        """Yields a function that returns the keys pressed since it was last called."""

        def read() -> list[str]:
            keys = []
            while msvcrt.kbhit():
                key = msvcrt.getwch()
                # Function and arrow keys come as two characters.
                if key in ("\x00", "\xe0"):
                    msvcrt.getwch()
                else:
                    keys.append(key)
            return keys

        yield read

else:
    import os
    import re
    import select
    import termios
    import tty

    #: Arrow and function keys: ESC [ ... letter, ESC O letter. Their letters are not commands.
    _SEQUENCE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|O.|.)?")

    @contextmanager
    def keyboard() -> Iterator[Callable[[], list[str]]]:
        """Yields a function that returns the keys pressed since it was last called. The terminal's mode is put back on the way out."""
        fd = sys.stdin.fileno()
        before = termios.tcgetattr(fd)

        def read() -> list[str]:
            if not select.select([fd], [], [], 0.0)[0]:
                return []
            return list(_SEQUENCE.sub("", os.read(fd, 1024).decode("utf-8", "ignore")))

        try:
            tty.setcbreak(fd, termios.TCSANOW)
            yield read
        finally:
            termios.tcsetattr(fd, termios.TCSANOW, before)
