"""The drawn screen and the plain lines, read back as text."""

from __future__ import annotations

import dataclasses
import datetime
import io
import re

import pytest
from rich.console import Console

from navtwin.console.changes import Change
from navtwin.console.plain import Lines, line
from navtwin.console.screen import Screen, draw
from navtwin.console.view import Row, View
from navtwin.nouns import Priority

S = 1_000_000_000
AT = datetime.datetime(2030, 1, 2, 3, 4, 5, 678_000)
NEWS = [(Change("alert", "RISEN", f"news {n}", "high"), AT) for n in range(30)]
LAMPS = tuple((name, "ok", "") for name in ("link", "tracker", "reference", "registration", "latency", "recording"))


def row(number: int = 1, level: str = "DANGER", priority: Priority = "high", **fields: object) -> Row:
    known = Row(
        number=number, priority=priority, level=level, subject=f"drill neck to structure {number}", distance="1.3 ± 0.7 mm", limit="limit 1.5 mm",
        speed="closing at 4 mm/s", since="1.2 s", answer="", selected=False, waiting=True,
    )  # fmt: skip
    return dataclasses.replace(known, **fields)  # type: ignore[arg-type]


def picture(height: int = 24, width: int = 120, now_ns: int = 0, news: int = 0, **fields: object) -> list[str]:
    base = {
        "who": "ana", "epoch": "e1", "phase": "navigation", "link": "up", "silence": "0.0 s", "trouble": "", "lamps": LAMPS, "technical": (),
        "alerts": (), "watched": 4, "unknown": 0, "paused": "", "muted": (), "frozen": "", "setup": "",
    }  # fmt: skip
    file = io.StringIO()
    Console(file=file, width=width, height=height, color_system=None).print(
        draw(View(**{**base, **fields}), NEWS[:news], now_ns, height, width),  # type: ignore[arg-type]
        end="",
    )
    return [text.rstrip() for text in file.getvalue().rstrip("\n").split("\n")]


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize("height", [14, 24, 40])
@pytest.mark.parametrize("link", ["up", "lost", "waiting"])
def test_fits_and_worst_comes_first(width: int, height: int, link: str) -> None:
    alerts = tuple(row(n) for n in range(1, 21))
    lines = picture(height, width, link=link, alerts=alerts, technical=(row(21, text="hidden"),), news=30)
    shown = [int(n) for n in re.findall(r"structure\s+(\d+)", " ".join(lines)) if int(n) <= 20]
    assert shown == list(range(1, len(shown) + 1)), "what is left out is the end of the list"
    if len(shown) < 20:
        assert re.search(rf"and {20 - len(shown)} more", " ".join(lines))
    if height >= 24 or (link == "up" and width > 50):
        assert len(lines) <= height
        assert "q quit" in lines[-1] or width == 50
    if link == "lost":
        assert "every distance is unknown" in " ".join(" ".join(lines).lower().replace("│", " ").split())


def test_news_fill_what_is_left() -> None:
    lines = picture(24, news=30, alerts=(row(),))
    assert len(lines) == 24
    assert lines[-2].endswith("news 29")


def test_lost_link_is_large() -> None:
    lines = picture(link="lost", silence="0.7 s")
    assert sum("█" in text for text in lines) == 5
    assert any("Nothing from the core for 0.7 s" in text for text in lines)
    assert any("UNKNOWN: no word about 4 watched distances" in text for text in lines)
    assert "L I N K   L O S T" in " ".join(picture(14, 50, link="lost"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "none; all 4 watched distances are known and clear"),
        ({"unknown": 3}, "none, but 3 of 4 watched distances are UNKNOWN"),
        ({"watched": 0}, "none; nothing is watched yet"),
        ({"unknown": 3, "alerts": (row(),)}, "(3 of 4 watched distances UNKNOWN)"),
        ({"link": "waiting", "trouble": "the core does not allow this key"}, "does not allow this key"),
        ({"frozen": "2.0 s"}, "PICTURE FROZEN for 2.0 s"),
        ({"paused": "29 s"}, "AUDIO PAUSED 29 s"),
        ({"muted": ("aorta",)}, "MUTED aorta"),
        (
            {"lamps": (("tracker", "bad", ""), ("latency", "warn", "90 ms"), ("recording", None, ""))},
            "● tracker BAD  ● latency 90 ms POOR  ● recording ?",
        ),
        ({"alerts": (row(selected=True, answer="acked by bob"),)}, "▶1   DANGER"),
        ({"alerts": (row(answer="acked by bob"),)}, "acked by bob"),
    ],
)
def test_words_on_the_screen(fields: dict[str, object], words: str) -> None:
    assert words in "\n".join(picture(**fields))  # type: ignore[arg-type]


def test_badge_flashes_until_it_is_answered() -> None:
    def styles(now_ns: int, **fields: object) -> str:
        file = io.StringIO()
        lamp = View("", "", "", "up", "", "", (), (), (row(**fields),), 1, 0, "", (), "", "")  # type: ignore[arg-type]
        Console(file=file, width=120, force_terminal=True, color_system="standard").print(draw(lamp, [], now_ns, 10, 120))
        return file.getvalue()

    assert styles(0) != styles(S // 4 + 1)
    assert styles(0) == styles(S // 2)
    assert styles(0, waiting=False) == styles(S // 4 + 1, waiting=False)


def test_plain_line() -> None:
    assert line(Change("alert", "RISEN", "drill neck to canal: DANGER", "high"), AT) == "03:04:05.678 high   RISEN        drill neck to canal: DANGER"
    assert line(Change("switch", "AUDIO ON", "", "none"), AT) == "03:04:05.678        AUDIO ON"


def test_screen_rings_and_lines_do_not() -> None:
    from navtwin.console.model import Memory

    file = io.StringIO()
    screen = Screen(Console(file=file, force_terminal=True, width=80, height=24))
    with screen:
        screen.show(Memory(who="ana"), [], 0, 1)
    assert "\a" in file.getvalue()
    plain = io.StringIO()
    Lines(plain).show(Memory(who="ana"), [NEWS[0][0]], 0, 1)
    assert plain.getvalue().strip().isprintable()
