"""Options that all calibration commands share, for screens that follow them."""

from __future__ import annotations

from typing import Annotated

import typer

ProgressOption = Annotated[
    bool,
    typer.Option(
        "--progress",
        help="print progress and verdict as lines of JSON; take finish, cancel, accept and reject, a line each, on standard input; "
        "with --write, wait for accept before the rig is changed",
    ),
]
VideoPortOption = Annotated[int | None, typer.Option(help="with --progress: publish what is seen on this port; 0 takes a free one")]
