"""A file appears whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from navtwin.errors import InputRefused


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path in the same folder to write to; it becomes `path` when the block ends well, and vanishes otherwise.

    Raises
    ------
    InputRefused : the folder is missing or may not be written to, or the disk is full
    """
    partial: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent, delete=False) as stream:
            partial = Path(stream.name)
        partial.chmod(0o644)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise InputRefused(f"cannot write {path}: {error.strerror or error}", "check the folder and the space on the disk") from error
    finally:
        if partial is not None:
            # What cannot be tidied up must not hide why it could not be written.
            with suppress(OSError):
                partial.unlink(missing_ok=True)
