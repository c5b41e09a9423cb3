"""Change `rig.toml`, keeping its comments and layout; what would not be a rig any more is not written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from navtwin.nouns import Rig, read_rig


def change_rig(path: Path, change: Callable[[Any], None]) -> Rig:
    """Change a rig through tomlkit's document; the result takes its place only if it is a rig.

    Parameters
    ----------
    change : takes tomlkit's document and changes it in place

    Raises
    ------
    InputRefused : the file is no TOML or cannot be written, or the result has a fault
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except TOMLKitError as error:
        raise InputRefused(f"{path} cannot be changed: {error}", "mend that line") from error
    change(document)
    with whole_file(path) as partial:
        partial.write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")
        try:
            return read_rig(partial)
        except InputRefused as refused:
            problem = refused.problem.replace(str(partial), str(path))
            raise InputRefused(f"with what came in it would not be a rig: {problem}", "nothing was written; change one of the two") from refused
