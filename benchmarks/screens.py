"""Pictures of every place of the desktop, for the documentation: both themes, small screens and large ones.

    python benchmarks/screens.py [--case FOLDER] [--out FOLDER] [--only navigate,review] [--sizes 1280x800,2560x1440] [--themes dark,light]

A core records the scripted rehearsal on the case, in a process of its own (so the case's folder must be one that the script can drill in: the
demo's). The desktop's real window is then told what the core said at one moment after the other, and pictured once all that it loads beside itself
is there and nothing in it moves any more. Where there is no display, Xvfb is started; settings are kept apart from the user's own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import common
import numpy as np
from PIL import Image
from screens_parts.display import display
from screens_parts.reel import Reel, Screening, record

from navtwin.errors import NavtwinError

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
    from screens_parts.shots import Shot, Studio

#: So many pictures in a row must be the same.
SAME = 4
PATIENCE_S = 90.0
#: A picture file is painted with ever fewer colours until it is no larger than this.
MOST_BYTES = 400_000
COLORS = (256, 160, 96, 72)
#: A blank place has next to nothing but one colour.
LEAST_COLORS = 60


def main() -> int:
    options = common.parser(__doc__)
    common.add_case(options)
    options.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "docs" / "images" / "desktop", metavar="FOLDER")
    options.add_argument("--only", default="", help="names of pictures, separated by commas")
    options.add_argument("--sizes", default="1280x800,2560x1440")
    options.add_argument("--themes", default="dark,light")
    options.add_argument("--log", type=Path, help="a log of the rehearsal on this case (default: recorded now)")
    arguments = options.parse_args()
    sizes = [(int(w), int(h)) for w, h in (size.split("x") for size in arguments.sizes.split(","))]
    with tempfile.TemporaryDirectory(prefix="navtwin-screens-") as kept, display(max(w for w, _ in sizes), max(h for _, h in sizes), Path(kept)):
        _, _, case = common.case_of(arguments)
        log = arguments.log or Path(kept) / "rehearsal.mcap"
        if arguments.log is None:
            record(case, log)
        try:
            _take(case, log, arguments.out, sizes, arguments.themes.split(","), [name for name in arguments.only.split(",") if name])
        except (NavtwinError, LookupError, TimeoutError) as error:
            print(f"screens: {error}", file=sys.stderr)
            return 1
    return 0


def _take(case: Path, log: Path, out: Path, sizes: list[tuple[int, int]], themes: list[str], only: list[str]) -> None:
    from PySide6.QtWidgets import QApplication
    from screens_parts.shots import SHOTS, Studio

    from gui import theme
    from gui.desktop.desk import Desk
    from gui.desktop.places import makers
    from gui.desktop.window import Window
    from navtwin.nouns import read_rig

    app = QApplication([])
    # A blinking cursor would never let the picture come to rest.
    app.setCursorFlashTime(0)
    theme.prepare(app)
    screening = Screening()
    desk = Desk(screening.board, screening.order, (0, 0), clock=screening.clock, where="this machine")
    window = Window(desk, makers("posterior"))
    studio = Studio(window, screening, Reel(log), log)
    desk.set_rig(read_rig(case / "rig.toml"), case / "rig.toml")
    window.resize(*sizes[0])
    window.show()
    desk.open_case(case)
    _until(app, studio, lambda: desk.scene is not None)
    out.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        if only and shot.name not in only:
            continue
        if not shot.follows:
            window.notice.cancel_job()
            _until(app, studio, lambda: not window.notice.busy)
        shot.prepare(studio)
        for name in themes:
            window.choose_theme(name)
            for width, height in sizes:
                window.resize(width, height)
                path = out / f"{shot.name}-{name}-{width}x{height}.png"
                print(path.name, _save(_still(app, studio, shot), path), "bytes", flush=True)
    window.notice.cancel_job()
    _until(app, studio, lambda: not window.notice.busy)
    window.leave()


def _until(app: object, studio: Studio, there: object) -> None:
    begun = time.monotonic()
    while not there():  # type: ignore[operator]
        _turn(app, studio)
        if time.monotonic() - begun > PATIENCE_S:
            raise TimeoutError("the window does not come to rest")


def _turn(app: object, studio: Studio) -> None:
    """Let the window live for a moment."""
    studio.screening.turn()
    studio.window.refresh()
    until = time.monotonic() + 0.1
    while time.monotonic() < until:
        app.processEvents()  # type: ignore[attr-defined]
        time.sleep(0.005)


def _still(app: object, studio: Studio, shot: Shot) -> QImage:
    """The window once all of it is there and nothing moves."""
    seen: list[QImage] = []

    def at_rest() -> bool:
        if not shot.ready(studio) or (studio.window.notice.busy and not shot.moving):
            seen.clear()
            return False
        seen.append(studio.window.grab().toImage())
        if not shot.moving and seen[-1] != seen[0]:
            seen[:] = seen[-1:]
        return len(seen) >= SAME

    _until(app, studio, at_rest)
    return seen[-1]


def _save(picture: QImage, path: Path) -> int:
    """Save a picture with as many colours as its size allows; returns its size in bytes."""
    from PySide6.QtGui import QImage

    rgb = picture.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), dtype=np.uint8).reshape(rgb.height(), rgb.bytesPerLine())[:, : 3 * rgb.width()]
    image = Image.fromarray(np.ascontiguousarray(rows).reshape(rgb.height(), rgb.width(), 3))
    if len(image.getcolors(rgb.width() * rgb.height()) or ()) < LEAST_COLORS:
        raise TimeoutError(f"{path.name} would be blank")
    for colors in COLORS:
        image.quantize(palette=_palette(image, colors), dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            break
    return path.stat().st_size


def _palette(image: Image.Image, colors: int) -> Image.Image:
    """The window's own colours as they are, so that no alarm changes its colour, and the rest of the picture's by median cut."""
    from gui.ink import INKS
    from navtwin.bus.signals import SIGNALS

    own = {value for ink in INKS.values() for value in vars(ink).values() if value.startswith("#")} | {signal.rgb for signal in SIGNALS.values()}
    there = {rgb for _, rgb in image.getcolors(image.width * image.height) or ()}
    kept = [rgb for value in sorted(own) if (rgb := tuple(bytes.fromhex(value[1:]))) in there]
    cut = image.quantize(colors - len(kept), method=Image.Quantize.MEDIANCUT).getpalette() or []
    made = Image.new("P", (1, 1))
    made.putpalette([*(channel for rgb in kept for channel in rgb), *cut][: 3 * 256])
    return made


if __name__ == "__main__":
    sys.exit(main())
