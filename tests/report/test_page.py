"""The page: self-contained, well-formed, honest about what is missing."""

from __future__ import annotations

import html.parser
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from made_up import MadeUp, made_rig, made_scene, write_session
from rich.console import Console

from navtwin.errors import InputRefused
from navtwin.record.replay import Mismatch, Verdict
from navtwin.report import html as page_module
from navtwin.report import print_summary, write_report
from navtwin.report.gather import load_session
from navtwin.report.pictures import at_that_frame
from navtwin.report.session import Session
from navtwin.report.summary import summarise

VOID = {"meta", "br", "img", "link", "hr", "input"}


class _Balance(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def text_of(page: str) -> str:
    """Visible text, and a check that every element is closed."""
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    return re.sub(r"\s+", " ", " ".join(parser.texts))


@pytest.fixture
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "closest_pictures", lambda *_: ([], "this machine cannot draw the scene (no display)"))


@pytest.mark.usefixtures("no_picture")
def test_the_page_is_one_file_that_asks_for_nothing(good_log: Path, tmp_path: Path) -> None:
    out = tmp_path / "folder" / "report.html"
    summary = write_report(good_log, made_scene(), made_rig(), out)
    page = out.read_text(encoding="utf-8")
    text = text_of(page)
    assert summary.report == str(out)
    assert not list(out.parent.glob("*.part"))
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "@import" not in page and "<script" not in page
    assert not re.findall(r"url\((?!#)", page)
    for words in (
        "Every true crossing was answered in time",
        "FRE is not accuracy",
        "not a medical device",
        "What this report does not show",
        "ab" * 32,
    ):
        assert words in text
    assert "cannot draw the scene" in text


@pytest.mark.usefixtures("no_picture")
def test_charts_are_well_formed_keep_their_text_and_share_no_ids(good_log: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    write_report(good_log, made_scene(), made_rig(), out)
    svgs = re.findall(r"<svg.*?</svg>", out.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(svgs) == 2
    ids = []
    for svg in svgs:
        root = ET.fromstring(svg)
        texts = {t.text for t in root.iter("{http://www.w3.org/2000/svg}text")}
        assert "drill · burr" in texts
        assert {"caution 2", "danger 1"} <= texts or {"caution 3", "danger 1.5"} <= texts
        ids += [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert sum(map(len, svgs)) < 600_000


@pytest.mark.usefixtures("no_picture")
def test_every_fault_has_its_line(bad_log: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    summary = write_report(bad_log, made_scene(), made_rig(), out)
    text = text_of(out.read_text(encoding="utf-8"))
    assert "5 faults against truth" in text
    assert len(summary.faults) == 5
    assert all(line in text for line in summary.faults)


@pytest.mark.usefixtures("no_picture")
def test_names_from_files_are_escaped(good_log: Path, tmp_path: Path) -> None:
    scene = replace(made_scene(), name="<script>alert(1)</script>", citation="A & B <i>2011</i>")
    write_report(good_log, scene, made_rig(), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<i>2011" not in page
    assert "A & B <i>2011</i>" in text_of(page)


@pytest.mark.usefixtures("no_picture")
@pytest.mark.parametrize(
    ("made", "words"),
    [
        (MadeUp(with_truth=False, seconds=3.0), "Not judged"),
        (MadeUp(seconds=0.0), "There was no navigation"),
        (MadeUp(speed=8.0, seconds=3.0), "speed 8"),
    ],
)
def test_what_is_missing_is_said(made: MadeUp, words: str, tmp_path: Path) -> None:
    write_session(tmp_path / "s.mcap", made)
    write_report(tmp_path / "s.mcap", made_scene(), made_rig(), tmp_path / "r.html")
    assert words in text_of((tmp_path / "r.html").read_text(encoding="utf-8"))


def _verdict(identical: bool) -> Verdict:
    first = None if identical else Mismatch(seq=9, t_ns=1, path="alerts", logged="1", now="2", text="alerts[0].bound_mm: logged 1, now 2 at seq 9")
    return Verdict(identical=identical, ok=identical, changed=(), inputs=10, compared=8, differing=0 if identical else 1, first=first, notes=())


@pytest.mark.usefixtures("no_picture")
def test_the_replay_s_verdict_is_shown(good_log: Path, tmp_path: Path) -> None:
    for identical, words in ((True, "identical to the bit (8 outputs)"), (False, "alerts[0].bound_mm: logged 1, now 2")):
        write_report(good_log, made_scene(), made_rig(), tmp_path / "r.html", verified=_verdict(identical))
        assert words in text_of((tmp_path / "r.html").read_text(encoding="utf-8"))


def test_a_report_that_cannot_be_written_is_refused(good_log: Path, tmp_path: Path, no_picture: None) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputRefused, match="cannot write the report"):
        write_report(good_log, made_scene(), made_rig(), tmp_path / "file" / "r.html")


def test_a_picture_that_cannot_be_drawn_is_said_and_not_fatal(good: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    import navtwin.scene.picture

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no OpenGL")

    monkeypatch.setattr(navtwin.scene.picture, "render_png", fail)
    assert page_module.closest_pictures(good, made_scene(), made_rig()) == ([], "this machine cannot draw the scene (no OpenGL)")


def test_terminal_and_json_say_the_same(bad_log: Path) -> None:
    summary = summarise(load_session(bad_log), made_scene(), made_rig())
    console = Console(width=100, record=True, file=io.StringIO())
    print_summary(summary, console)
    shown = console.export_text()
    assert "5 faults against truth" in shown
    assert "drill burr to aorta truly crossed 3 mm" in shown
    assert msgspec.json.decode(msgspec.json.encode(summary))["missed"] == 2


def test_the_picture_s_alerts_carry_that_frame_s_numbers(good: Session) -> None:
    assert good.closest is not None
    alerts = at_that_frame(good.closest_alerts, good.closest)
    assert alerts is not None
    by_pair = {f"{r.structure}/{r.instrument}/{r.part}": r.distance_mm for r in good.closest.readings}
    assert [a.distance_mm for a in alerts.alerts] == [by_pair[a.id] for a in alerts.alerts]
    assert at_that_frame(None, good.closest) is None
