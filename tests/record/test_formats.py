"""Our own logs at the door: known by content, looked at, written as other files, brought in anew."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from navtwin.errors import LogDamaged
from navtwin.files.formats import Options, Peek
from navtwin.nouns import TrackerFrame
from navtwin.record.export import KINDS
from navtwin.record.formats import ENDINGS, FORMATS
from navtwin.record.log import LogWriter
from navtwin.record.read import inputs
from tests.record.logs import events

(LOG,) = FORMATS


def test_a_log_is_known_by_its_content_only(session: Path) -> None:
    head = session.read_bytes()[:1000]
    assert LOG.recognise(Peek(Path("x.igs.mha"), head, packed=False, is_folder=False))
    assert not LOG.recognise(Peek(session, b"ObjectType = Image\n", packed=False, is_folder=False))
    assert not LOG.recognise(Peek(session, b"", packed=False, is_folder=True))


def test_a_log_is_told_in_plain_words(session: Path) -> None:
    facts = dict(LOG.inspect(session, Options()).facts)
    assert facts["begun"] == "2023-11-14 22:13:20 UTC"
    assert facts["body drill"] == "70 OK of 70 frames"
    assert facts["body ref"] == "70 MISSING of 70 frames"
    assert facts["inputs"] == "70 frame, 70 tick, 1 command"
    assert facts["duration"] == "1.155 s"
    assert LOG.inspect(session, Options()).doubts == ()


def test_what_is_doubtful_in_a_log_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.mcap"
    with LogWriter(path, live=False) as log:
        for event in events(3):
            if isinstance(event.body, TrackerFrame):
                seen = tuple(msgspec.structs.replace(s, reason="validity not reported by the file") for s in event.body.sightings)
                event = msgspec.structs.replace(event, body=msgspec.structs.replace(event.body, sightings=seen, stamp="assumed"))  # noqa: PLW2901
            log.write_event(event)
    doubts = LOG.inspect(path, Options()).doubts
    assert doubts[0] == "3 poses: validity not reported by the file"
    assert "header is lost" in doubts[1]
    assert "assumed" in doubts[2]


def test_a_damaged_log_is_refused_not_described(session: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(session.read_bytes()[:-100])
    with pytest.raises(LogDamaged, match="navtwin recover"):
        LOG.inspect(tmp_path / "cut", Options())


def test_a_log_is_written_as_every_kind_and_says_so(session: Path, tmp_path: Path) -> None:
    assert set(ENDINGS) == set(KINDS) == {ending for kind, ending in LOG.writes if kind == "log"}
    for ending in ENDINGS:
        to = tmp_path / f"out{ending}"
        told: list[str] = []
        said = LOG.writes["log", ending](session, to, Options(), told.append)
        assert said[0].endswith(f"written to {to}")
        assert to.stat().st_size > 1000
        assert told


def test_a_log_can_be_brought_in_anew(session: Path, tmp_path: Path) -> None:
    said = LOG.brings["log"](session, tmp_path / "new.mcap", Options(), lambda text: None)
    assert said[0].startswith("70 frames over 1.2 s written to")
    frames = [e.body for e in inputs(tmp_path / "new.mcap") if isinstance(e.body, TrackerFrame)]
    assert frames == [e.body for e in events(70) if isinstance(e.body, TrackerFrame)]
