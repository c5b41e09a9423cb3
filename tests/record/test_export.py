"""Logs as other programs' files and back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer

from navtwin.errors import InputRefused
from navtwin.files import commands as files
from navtwin.nouns import Command, Event, Sighting, TrackerFrame
from navtwin.record import commands
from navtwin.record.export import export
from navtwin.record.imports import import_stream
from navtwin.record.log import LogWriter
from navtwin.record.read import header as read_header
from navtwin.record.read import inputs, read_log, truths
from tests.record.logs import TRUE_SETUP, events, frame, header
from tracking.recordings.recorded import open_source


def _write(path: Path, frames: list[TrackerFrame]) -> Path:
    with LogWriter(path, live=False) as log:
        log.write_header(header())
        for n, body in enumerate(frames):
            log.write_event(Event(seq=n + 1, t_ns=body.t_arrival_ns, body=body))
    return path


def _frames(path: Path) -> list[TrackerFrame]:
    return [e.body for e in inputs(path) if isinstance(e.body, TrackerFrame)]


def test_csv_holds_one_row_per_reading(session: Path, tmp_path: Path) -> None:
    assert export(session, tmp_path / "readings.csv") == 70
    with (tmp_path / "readings.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["distance_mm"]) for row in rows] == [10.0 - 0.1 * (n + 1) for n in range(70)]
    assert rows[0]["structure"] == "canal"
    assert rows[0]["sd_mm"] == rows[0]["on_axis_x_mm"] == ""
    assert float(rows[60]["t_s"]) == pytest.approx(1.0, abs=1e-6)


def test_json_holds_every_record(session: Path, tmp_path: Path) -> None:
    number = export(session, tmp_path / "all.json")
    rows = json.loads((tmp_path / "all.json").read_text())
    assert [(r["channel"], r["seq"], r["t_ns"], r["data"]) for r in rows] == [
        (r.channel, r.seq, r.t_ns, json.loads(r.data)) for r in read_log(session)
    ]
    assert len(rows) == number


@pytest.mark.parametrize("t0_ns", [5_000_000_000, -40_000_000])
def test_tracking_goes_out_and_comes_back(tmp_path: Path, t0_ns: int) -> None:
    sent = [frame(n, t0_ns) for n in range(20)]
    sequence, back = tmp_path / "out.igs.mha", tmp_path / "back.mcap"
    assert export(_write(tmp_path / "log.mcap", sent), sequence) == 20
    assert max(len(line) for line in sequence.read_text().splitlines()) <= 1000
    imported = import_stream(open_source(str(sequence)), back, "0")
    assert (imported.frames, imported.poses, imported.refused) == (20, 20, 20)
    for old, new in zip(sent, _frames(back), strict=True):
        assert (new.number, new.t_capture_ns, new.t_arrival_ns, new.stamp) == (old.number, old.t_capture_ns, old.t_arrival_ns, old.stamp)
        for was, now in zip(old.sightings, new.sightings, strict=True):
            assert (now.body, now.status, now.reason, now.rms_mm) == (was.body, was.status, was.reason, was.rms_mm)
            assert (now.pose is None) == (was.pose is None)
            if was.pose is not None and now.pose is not None:
                assert now.pose == was.pose
    assert read_header(back).case_hash == ""


def test_importing_a_log_keeps_commands_and_truth(session: Path, tmp_path: Path) -> None:
    imported = import_stream(open_source(str(session)), tmp_path / "again.mcap", "0")
    assert (imported.frames, imported.commands) == (70, 1)
    bodies = [e.body for e in inputs(tmp_path / "again.mcap")]
    assert bodies == [e.body for e in events(70) if isinstance(e.body, TrackerFrame | Command)]
    assert list(truths(tmp_path / "again.mcap")) == [TRUE_SETUP]


@pytest.mark.parametrize("body", ["drillToHandle", "a b", "", "Transformer", "bohrer=1"])
def test_a_body_that_the_format_cannot_name_is_refused(tmp_path: Path, body: str) -> None:
    odd = TrackerFrame(source="x", number=1, t_capture_ns=0, t_arrival_ns=0, sightings=(Sighting(body=body, status="MISSING"),))
    with pytest.raises(InputRefused, match="cannot carry"):
        export(_write(tmp_path / "log.mcap", [odd]), tmp_path / "out.igs.mha")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.mcap"]


def test_nothing_to_write_and_unknown_kinds_are_refused(tmp_path: Path, session: Path) -> None:
    bare = _write(tmp_path / "bare.mcap", [frame(0)])
    with pytest.raises(InputRefused, match="holds no readings"):
        export(bare, tmp_path / "out.csv")
    with pytest.raises(InputRefused, match=r"End the name with one of \.csv"):
        export(session, tmp_path / "out.xlsx")
    with pytest.raises(InputRefused, match="holds no tracker frames"):
        export(_write(tmp_path / "empty.mcap", []), tmp_path / "out.igs.mha")
    with pytest.raises(InputRefused, match="cannot write"):
        export(session, tmp_path / "none" / "out.csv")
    assert not [p.name for p in tmp_path.iterdir() if "out" in p.name]


def test_the_commands(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.export_command(session, tmp_path / "s.igs.mha")
    assert "70 frames written" in capsys.readouterr().out
    files.import_command(tmp_path / "s.igs.mha", tmp_path / "s2.mcap")
    assert "70 poses, 70 sightings without" in capsys.readouterr().out
    commands.recover_command(session, tmp_path / "r.mcap")
    assert "is whole" in capsys.readouterr().out
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(session.read_bytes()[:-3000])
    with pytest.raises(typer.Exit) as left:
        commands.recover_command(cut, as_json=True)
    assert left.value.exit_code == 1
    assert json.loads(capsys.readouterr().out)["has_header"] is True


def test_an_import_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "bare.mcap").write_bytes(b"")
    source = open_source(str(_write(tmp_path / "empty.mcap", [])))
    with pytest.raises(InputRefused, match="holds no tracker frame"):
        import_stream(source, tmp_path / "out.mcap", "0")
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith("out")]
