"""The console drawn in a terminal. It draws a `View`; it decides nothing."""

from __future__ import annotations

import datetime
from collections import deque

from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.live import Live
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from navtwin.bus.signals import SIGNALS, flash_on
from navtwin.console.changes import Change
from navtwin.console.model import Memory
from navtwin.console.orders import KEYS_LINE
from navtwin.console.plain import line
from navtwin.console.view import Row, View, view
from navtwin.nouns import Lamp

MS = 1_000_000
#: Redrawn at least this often, which is fast enough for a 2 Hz flash; at once when something changes.
REDRAW_NS = 100 * MS
NEWS_LINES = 12
#: From this many columns on alerts stand in a table; below, each is a sentence.
WIDE = 110
LAMPS: dict[Lamp | None, tuple[str, str]] = {
    "ok": ("green", ""),
    "warn": ("yellow", " POOR"),
    "bad": ("bold red", " BAD"),
    "off": ("bright_black", " off"),
    None: ("bright_black", " ?"),
}
_LETTERS = {
    "L": ("█   ", "█   ", "█   ", "█   ", "████"),
    "I": ("█", "█", "█", "█", "█"),
    "N": ("█   █", "██  █", "█ █ █", "█  ██", "█   █"),
    "K": ("█  █", "█ █ ", "██  ", "█ █ ", "█  █"),
    "O": (" ██ ", "█  █", "█  █", "█  █", " ██ "),
    "S": ("████", "█   ", "████", "   █", "████"),
    "T": ("█████", "  █  ", "  █  ", "  █  ", "  █  "),
    " ": ("   ", "   ", "   ", "   ", "   "),
}


class Screen:
    """The whole terminal, between `with` and its end."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._live = Live(console=self.console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._news: deque[tuple[Change, datetime.datetime]] = deque(maxlen=NEWS_LINES)
        self._drawn_ns: int | None = None

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, memory: Memory, changes: list[Change], now_ns: int, pulses: int) -> None:
        """Ring what is due, and draw where something changed or time has passed."""
        if pulses:
            self.console.control(Control.bell())
        self._news.extend((change, datetime.datetime.now()) for change in changes)
        if changes or self._drawn_ns is None or now_ns - self._drawn_ns >= REDRAW_NS:
            self._drawn_ns = now_ns
            size = self.console.size
            self._live.update(draw(view(memory, now_ns), list(self._news), now_ns, size.height, size.width), refresh=True)


def draw(v: View, news: list[tuple[Change, datetime.datetime]], now_ns: int, height: int, width: int) -> RenderableType:
    """The picture of `v` at `now_ns` in a terminal of `height` x `width`. What does not fit is cut from the news, then from the least alerts."""
    top: list[RenderableType] = [_header(v)]
    if v.link != "up":
        top.append(_link_banner(v, now_ns, width, height))
    if v.frozen:
        top.append(Text(f" PICTURE FROZEN for {v.frozen}: distances below are old; anything new unfreezes it", style="bold black on magenta"))
    if v.technical:
        top += [_title("technical alarms"), _technical(v.technical, now_ns, width)]
    unknown = f" ({v.unknown} of {v.watched} watched distances UNKNOWN)" if v.unknown and v.alerts else ""
    top.append(_title(f"alerts{unknown}"))
    room = height - _height(top, width) - 1
    alerts, taken = _fitting(v, now_ns, width, room)
    parts = [*top, alerts]
    room -= taken
    if room > 2 and news:
        shown = news[-min(len(news), room - 1) :]
        parts += [_title("news"), *(_news(change, at) for change, at in shown)]
        room -= 1 + len(shown)
    parts += [Text("")] * max(0, room)
    parts.append(Text(" " + KEYS_LINE, style="bright_black", no_wrap=True, overflow="ellipsis"))
    return Group(*parts)


def _fitting(v: View, now_ns: int, width: int, room: int) -> tuple[RenderableType, int]:
    """As many alerts as `room` lines hold, worst first, and how many lines they take; what is left out is counted aloud."""
    for count in range(len(v.alerts), -1, -1):
        parts: list[RenderableType] = [_alerts(v.alerts[:count], now_ns, width)] if count else []
        if not v.alerts:
            parts.append(_no_alerts(v))
        if count < len(v.alerts):
            parts.append(Text(f" and {len(v.alerts) - count} more: enlarge the terminal", style="bold red"))
        taken = _height(parts, width)
        if taken <= room or count == 0:
            break
    return Group(*parts), taken


def _height(parts: list[RenderableType], width: int) -> int:
    """Lines that `parts` take: measured by drawing them."""
    console = Console(width=width, color_system=None, force_terminal=False)
    return sum(len(console.render_lines(part, pad=False)) for part in parts)


def _header(v: View) -> RenderableType:
    first = Table.grid(expand=True)
    first.add_column()
    first.add_column(justify="right")
    switches = Text()
    for text, style in (
        (f" AUDIO PAUSED {v.paused} ", "black on cyan") if v.paused else ("", ""),
        (f" MUTED {', '.join(v.muted)} ", "black on cyan") if v.muted else ("", ""),
    ):
        switches.append(text, style=style)
        switches.append(" " if text else "")
    first.add_row(
        Text.assemble((" navtwin operator", "bold"), f"  {v.who}  ", (v.phase.upper(), "bold")),
        Text.assemble(switches, (f"session {v.epoch[:16]} ", "bright_black")),
    )
    lamps = Text(" ")
    for name, lamp, detail in v.lamps:
        style, word = LAMPS[lamp]
        lamps.append("● ", style=style)
        lamps.append(f"{name}{f' {detail}' if detail else ''}{word}  ", style=style if word else "")
    lines: list[RenderableType] = [first, lamps]
    if v.setup:
        lines.append(Text(f" {v.setup}", style="bright_black", no_wrap=True, overflow="ellipsis"))
    return Group(*lines)


def _link_banner(v: View, now_ns: int, width: int, height: int) -> RenderableType:
    if v.link == "waiting":
        return Panel(Text(v.trouble or "No core is heard. Every distance is unknown.", style="bold"), title="NO LINK", border_style="yellow")
    style = "bold white on red" if flash_on("high", now_ns) else "bold red"
    words = Text(v.trouble or f"Nothing from the core for {v.silence}. Every distance is UNKNOWN; below is what was last known.", justify="center")
    if width < 56 or height < 20:
        return Group(Text("L I N K   L O S T".center(width), style=style), words)
    rows = "\n".join("  ".join(_LETTERS[letter][row] for letter in "LINK LOST") for row in range(5))
    return Panel(Group(Align.center(Text(rows)), Text(""), words), style=style)


def _title(words: str) -> RenderableType:
    return Rule(words, align="left", style="bright_black", characters="─")


def _badge(row: Row, now_ns: int) -> Text:
    """The level in its priority's colour: reversed while its light is on, in outline while off; steady once answered."""
    color = SIGNALS[row.priority].color
    lit = row.waiting and flash_on(row.priority, now_ns)
    return Text(f" {row.level} ", style=f"bold white on {color}" if lit and color == "red" else f"bold black on {color}" if lit else f"bold {color}")


def _key(row: Row) -> Text:
    text = f"{row.number}" if row.number else " "
    return Text(f"▶{text} " if row.selected else f" {text} ", style="bold reverse" if row.selected else "bold")


def _technical(rows: tuple[Row, ...], now_ns: int, width: int) -> RenderableType:
    if width < WIDE:
        return _sentences(rows, now_ns)
    table = Table.grid(padding=(0, 1), expand=True)
    for ratio in (None, None, None, 1, None, None):
        table.add_column(ratio=ratio, no_wrap=ratio is None)
    for row in rows:
        table.add_row(_key(row), _badge(row, now_ns), Text(row.subject, style="bold"), row.text, row.since, Text(row.answer, style="italic"))
    return table


def _alerts(rows: tuple[Row, ...], now_ns: int, width: int) -> RenderableType:
    if width < WIDE:
        return _sentences(rows, now_ns)
    table = Table.grid(padding=(0, 1), expand=True)
    for ratio, right in ((None, False), (None, False), (1, False), (None, True), (None, False), (None, False), (None, True), (None, False)):
        table.add_column(ratio=ratio, justify="right" if right else "left", no_wrap=ratio is None)
    for row in rows:
        style = "bold" if row.waiting else ""
        cells = (Text(row.subject, style=style), Text(row.distance, style=style), row.limit, row.speed, row.since, Text(row.answer, style="italic"))
        table.add_row(_key(row), _badge(row, now_ns), *cells)
    return table


def _sentences(rows: tuple[Row, ...], now_ns: int) -> RenderableType:
    """Alerts or technical alarms where there is no room for columns."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for row in rows:
        words = ", ".join(piece for piece in (row.text, row.distance, row.limit, row.speed, f"since {row.since}", row.answer) if piece)
        table.add_row(_key(row), Text.assemble(_badge(row, now_ns), f" {row.subject}: {words}"))
    return table


def _no_alerts(v: View) -> Text:
    """No alert is good news only where every pair is known."""
    if v.link != "up":
        return Text(f" UNKNOWN: no word about {v.watched or 'any'} watched distances", style="bold red")
    if v.unknown:
        return Text(f" none, but {v.unknown} of {v.watched} watched distances are UNKNOWN", style="bold yellow")
    return Text(
        f" none; all {v.watched} watched distances are known and clear{_put_away(v)}" if v.watched else " none; nothing is watched yet",
        style="bright_black",
    )


def _news(change: Change, at: datetime.datetime) -> Text:
    return Text(
        " " + line(change, at),
        style=SIGNALS[change.priority].color if change.priority != "none" else "bright_black",
        no_wrap=True,
        overflow="ellipsis",
    )


def _put_away(v: View) -> str:
    return f" ({', '.join(v.put_away)} not in use)" if v.put_away else ""
