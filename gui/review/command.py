"""`navtwin review LOG [OTHER]`: look back at a session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gui.command import has_display
from navtwin.errors import InputRefused


def review(
    log: Annotated[Path, typer.Argument(help="session log; an unfinished or damaged one shows what can be read")],
    other: Annotated[Path | None, typer.Argument(help="a second log to compare with")] = None,
    case: Annotated[Path | None, typer.Option(metavar="FOLDER", help="the case, if it is not where the log says")] = None,
    rig: Annotated[Path | None, typer.Option(metavar="FILE", help="the rig, if it is not where the log says")] = None,
) -> None:
    """Look back at a session: timeline, plots, picture, comparison, and reports as HTML and PDF."""
    for path in (log, other):
        if path is not None and not path.is_file():
            raise InputRefused(f"there is no log {path}", "check the path")
    if not has_display():
        raise InputRefused("there is no display for a window", "read the log in words: `navtwin replay LOG` or `navtwin report LOG`")
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.review.window import ReviewWindow

    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([])
    theme.prepare(app)
    window = ReviewWindow(log, other, case, rig)
    theme.place(window)
    window.show()
    if code := app.exec():
        raise typer.Exit(code)
