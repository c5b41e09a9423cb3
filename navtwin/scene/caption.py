"""The words on a saved picture: alerts and technical alarms above, distances and provenance below."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.bus.signals import SIGNALS, rank
from navtwin.bus.words import alert_words, name_words, speed_words, technical_words
from navtwin.nouns import AlertSet, Priority, State
from navtwin.scene import palette
from navtwin.scene.distances import StructureRow, reading_words, signed, structure_rows
from navtwin.scene.model import Scene
from navtwin.scene.views import VIEW_TITLES, ViewName

if TYPE_CHECKING:
    from PIL import Image, ImageDraw
    from PIL.ImageFont import FreeTypeFont

NOT_A_DEVICE = "Research and rehearsal software, not a medical device"
#: Alerts written out; the rest is counted, never dropped in silence.
MOST_LINES = 4


def write_caption(image: Image.Image, scene: Scene, state: State | None, alerts: AlertSet | None, view: ViewName, bone: str = "") -> Image.Image:
    """Draw the caption over an RGB picture and return it.

    Parameters
    ----------
    bone : what of the drilled bone in it is not known, "" where all is
    """
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image, "RGBA")
    unit = max(0.6, min(image.width / 1280.0, image.height / 800.0))
    top = _write_alerts(draw, image.width, unit, alerts)
    if bone:
        _write_bone(draw, image.width, top, unit, bone)
    provenance = f"{name_words(scene.name)}   ·   {VIEW_TITLES[view]}   ·   {NOT_A_DEVICE}"
    _write_distances(draw, image.height, unit, structure_rows(scene, state, alerts), provenance)
    return image


def _write_alerts(draw: ImageDraw.ImageDraw, width: int, unit: float, alerts: AlertSet | None) -> float:
    """Returns where the picture begins below them."""
    lines = _alert_lines(alerts)
    top = 0.0
    for n, (priority, text) in enumerate(lines):
        size, height = (24, 48.0) if n == 0 else (16, 30.0)
        color = SIGNALS[priority].rgb
        solid = n == 0 and priority != "none"
        draw.rectangle((0, top, width, top + height * unit), fill=color if solid else palette.RAISED)
        draw.rectangle((0, top, 8 * unit, top + height * unit), fill=color)
        ink = palette.BACKGROUND if solid else palette.TEXT
        font = _font(unit, size, bold=solid)
        draw.text((24 * unit, top + height * unit / 2), _fitted(draw, text, font, width - 40 * unit), fill=ink, font=font, anchor="lm")
        top += height * unit + 1
    return top


def _write_bone(draw: ImageDraw.ImageDraw, width: int, top: float, unit: float, words: str) -> None:
    """A tag as the window has it, below the alerts at the left."""
    text, font = words[:1].upper() + words[1:], _font(unit, 16, bold=True)
    text = _fitted(draw, text, font, width - 80 * unit)
    box = (16 * unit, top + 12 * unit, 40 * unit + draw.textlength(text, font=font), top + 46 * unit)
    draw.rectangle(box, fill=palette.PANEL, outline=palette.UNKNOWN, width=max(1, round(2 * unit)))
    draw.text((28 * unit, (box[1] + box[3]) / 2), text, fill=palette.TEXT, font=font, anchor="lm")


def _alert_lines(alerts: AlertSet | None) -> list[tuple[Priority, str]]:
    if alerts is None:
        return [("none", "No alerts are known: nothing has been heard from the core")]
    spoken: list[tuple[Priority, str]] = [(a.priority, alert_words(a, alerts.t_ns)) for a in alerts.alerts]
    spoken += [(a.priority, technical_words(a, alerts.t_ns)) for a in alerts.technical]
    spoken.sort(key=lambda line: -rank(line[0]))
    if not spoken:
        unknown = sum(1 for pair in alerts.pairs if not pair.known)
        return [("none", "No alerts" + (f"; {unknown} of {len(alerts.pairs)} distances unknown" if unknown else ""))]
    rest = spoken[MOST_LINES:]
    return spoken[:MOST_LINES] + ([(rest[0][0], f"and {len(rest)} more")] if rest else [])


def _write_distances(draw: ImageDraw.ImageDraw, height: int, unit: float, rows: tuple[StructureRow, ...], provenance: str) -> None:
    """A table at the lower left: structure, part, measured distance with its error bar, bound and speed; below it where the picture is from."""
    line = 30 * unit
    top = height - 38 * unit - line * len(rows)
    left = 20 * unit
    draw.rectangle((0, top - 10 * unit, left + 880 * unit, height), fill=(*_rgb(palette.PANEL), 225))
    draw.text((left, height - 20 * unit), provenance, fill=palette.DIM, font=_font(unit, 13), anchor="lm")
    for n, row in enumerate(rows):
        y = top + (n + 0.5) * line
        draw.ellipse((left, y - 6 * unit, left + 12 * unit, y + 6 * unit), fill=row.structure.color)
        draw.text((left + 24 * unit, y), name_words(row.structure.name), fill=palette.TEXT, font=_font(unit, 17, bold=True), anchor="lm")
        lead = row.lead
        reading = lead.reading if lead else None
        if lead is None or reading is None:
            words = f"{lead.title}: {lead.unknown_words}" if lead else f"UNKNOWN ({row.why})"
            _hatch(draw, (left + 190 * unit, y - 10 * unit, left + 860 * unit, y + 10 * unit), unit)
            draw.text(
                (left + 200 * unit, y), words, fill=palette.TEXT, font=_font(unit, 16), anchor="lm", stroke_width=2, stroke_fill=palette.BACKGROUND
            )
            continue
        color = palette.LEVEL_COLORS[lead.level]
        draw.text((left + 190 * unit, y), lead.title, fill=palette.DIM, font=_font(unit, 16), anchor="lm")
        draw.text((left + 340 * unit, y), reading_words(reading), fill=color, font=_font(unit, 17, bold=True), anchor="lm")
        details = [f"bound {signed(reading.bound_mm)} mm" if reading.bound_mm is not None else "", speed_words(reading.speed_mm_s)]
        draw.text((left + 580 * unit, y), ",  ".join(d for d in details if d), fill=palette.DIM, font=_font(unit, 16), anchor="lm")


def _hatch(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], unit: float) -> None:
    """The mark of the unknown: grey hatching."""
    left, top, right, bottom = box
    draw.rectangle(box, fill=palette.RAISED)
    step = 10 * unit
    x = left
    while x + (bottom - top) <= right:
        draw.line((x, bottom, x + (bottom - top), top), fill=palette.UNKNOWN, width=max(1, round(unit)))
        x += step


def _fitted(draw: ImageDraw.ImageDraw, text: str, font: FreeTypeFont, width: float) -> str:
    """`text`, cut with an ellipsis where it is wider than `width` pixels."""
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(text + "…", font=font) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def font_file(*, bold: bool = False) -> Path:
    """DejaVu Sans, which comes with matplotlib: the same letters on every machine, fonts installed or not."""
    # Found without importing it, which would take half a second.
    package = find_spec("matplotlib")
    assert package is not None and package.origin is not None, "matplotlib is a dependency"
    return Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")


@cache
def _font(unit: float, size: int, *, bold: bool = False) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(font_file(bold=bold)), round(size * unit))


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
