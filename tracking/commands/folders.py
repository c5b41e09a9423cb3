"""Whether results can be written where they are to go: asked before anything is filmed, for nobody wants to hold a board up twice."""

from __future__ import annotations

import os
from pathlib import Path

from navtwin.errors import InputRefused


def check_folder(folder: Path, stored: Path | None = None) -> None:
    """Refuse a folder that results cannot be written to.

    Parameters
    ----------
    stored : a rig that is to be changed too; it is replaced, so its own folder must allow that
    """
    for place in (folder, *((stored.absolute().parent,) if stored else ())):
        if not place.is_dir():
            raise InputRefused(f"there is no folder {place} to write the result to", "make it, or name another")
        if not os.access(place, os.W_OK):
            raise InputRefused(f"this user may not write to {place}", "copy the rig to a folder of your own, or get the right to write there")
