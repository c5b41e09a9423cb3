"""A log as a file of another program and back: to the last bit where the format allows it, and refused where it does not."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings

from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Sighting, TrackerFrame
from navtwin.record.export import export, export_as
from tests.tracking.recordings_made import frames, frames_of, unnamed, write_log
from tracking.recordings.kinds import read_recording

few = settings(max_examples=12, deadline=None)
SEEN = Sighting(body="drill", status="OK", pose=Pose(q_wxyz=(0.5, 0.5, -0.5, 0.5), t_mm=(0.1, -2.0, 1e-7)))


def _frame(*sightings: Sighting, number: int = 1, **more: object) -> TrackerFrame:
    return msgspec.structs.replace(TrackerFrame("x", number, number, number + 5, sightings or (SEEN,)), **more)


def _back(made: list[TrackerFrame], ending: str) -> list[TrackerFrame]:
    with TemporaryDirectory() as folder:
        log, to = write_log(Path(folder) / "log.mcap", made), Path(folder) / f"out{ending}"
        export(log, to)
        assert ".igs" not in ending or max(map(len, to.read_bytes().split(b"\n"))) <= 1000, "PLUS reads no longer lines"
        return list(read_recording(to).frames())


def _sorted(made: list[TrackerFrame]) -> list[TrackerFrame]:
    """Bodies and fields are known by their names: files keep them in columns, in the order in which they turn up first."""
    return [
        msgspec.structs.replace(frame, sightings=tuple(sorted(frame.sightings, key=lambda s: s.body)), fields=tuple(sorted(frame.fields)))
        for frame in unnamed(made)
    ]


@pytest.mark.parametrize("ending", [".igs.mha", ".igs.nrrd", ".tracks.csv"])
@given(made=frames())
@few
def test_all_that_a_frame_says_comes_back(ending: str, made: list[TrackerFrame]) -> None:
    assert _sorted(_back(made, ending)) == _sorted(made)


@given(made=frames())
@few
def test_mitk_keeps_poses_validity_and_arrival(made: list[TrackerFrame]) -> None:
    back = _back(made, ".mitk.csv")
    bodies = list(dict.fromkeys(s.body for frame in made for s in frame.sightings))
    assert [f.t_arrival_ns for f in back] == [f.t_arrival_ns for f in made]
    for was, now in zip(made, back, strict=True):
        poses = {s.body: s.pose for s in was.sightings}
        assert [s.pose for s in now.sightings] == [poses.get(body) for body in bodies]
        assert [s.body for s in now.sightings] == [f"Tool{n}" for n in range(len(bodies))]
        assert {s.status for s in now.sightings} <= {"OK", "INVALID"}


@pytest.mark.parametrize("ending", [".igs.mha", ".igs.nrrd"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Note", "x" * 1000),
        ("Note", "two\nlines"),
        ("Note", " blank first"),
        ("Note", "nul\0"),
        ("a=b", "x"),
        ("", "x"),
        ("Timestamp", "7"),
        ("FrameNumber", "7"),
        ("ImageStatus", "OK"),
        ("ProbeToTrackerTransform", "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"),
        ("ProbeToTrackerTransformStatus", "OK"),
        ("drillToTrackerReason", "x"),
        ("file:DimSize", "0 0 9"),
    ],
)
def test_a_field_that_the_format_cannot_carry_is_refused_not_cut(tmp_path: Path, ending: str, name: str, text: str) -> None:
    log = write_log(tmp_path / "log.mcap", [_frame(fields=((name, text),))])
    with pytest.raises(InputRefused, match=r"Export as \.json"):
        export(log, tmp_path / f"out{ending}")
    assert [p.name for p in tmp_path.iterdir()] == ["log.mcap"]


@pytest.mark.parametrize("ending", [".igs.mha", ".igs.nrrd", ".tracks.csv"])
def test_one_body_or_field_twice_is_refused(tmp_path: Path, ending: str) -> None:
    for n, frame in enumerate((_frame(SEEN, SEEN), _frame(fields=(("a", "1"), ("a", "2"))))):
        with pytest.raises(InputRefused):
            export(write_log(tmp_path / f"{n}.mcap", [frame]), tmp_path / f"out{ending}")


def test_a_reason_that_is_too_long_is_shortened_and_that_is_said(tmp_path: Path) -> None:
    lost = Sighting(body="drill", status="INVALID", reason="very bad " * 200)
    log = write_log(tmp_path / "log.mcap", [_frame(lost, number=n) for n in range(3)])
    written = export_as(".igs.mha", log, tmp_path / "out.igs.mha")
    assert any("3 reasons were shortened" in sentence for sentence in written.lost)
    (first, *_) = read_recording(tmp_path / "out.igs.mha").frames()
    assert first.sightings[0].reason.startswith("very bad very bad")
    assert first.sightings[0].reason.endswith("...")


def test_what_mitk_cannot_keep_is_said(tmp_path: Path) -> None:
    written = export_as(".mitk.csv", write_log(tmp_path / "log.mcap", [_frame()]), tmp_path / "out.mitk.csv")
    assert "drill is Tool0" in written.lost[0]
    assert "left out" in written.lost[1]
    (frame,) = read_recording(tmp_path / "out.mitk.csv", columns="Tool0=drill").frames()
    assert frame.sightings == (SEEN,)


def test_a_matrix_that_was_edited_counts_for_more_than_our_quaternion(tmp_path: Path) -> None:
    to = tmp_path / "out.igs.mha"
    export(write_log(tmp_path / "log.mcap", [_frame()]), to)
    text = to.read_text()
    (line,) = [line for line in text.splitlines() if "drillToTrackerTransform =" in line]
    to.write_text(text.replace(line, line.partition("=")[0] + "= 1 0 0 7 0 1 0 0 0 0 1 0 0 0 0 1"))
    (frame,) = read_recording(to).frames()
    assert frame.sightings[0].pose == Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(7.0, 0.0, 0.0))


def test_the_log_of_a_second_trip_is_the_first_to_the_byte(tmp_path: Path) -> None:
    made = [_frame(number=n, fields=(("Footswitch", str(n)),)) for n in range(5)]
    first, second = tmp_path / "a.igs.mha", tmp_path / "b.igs.mha"
    export(write_log(tmp_path / "log.mcap", made), first)
    export(write_log(tmp_path / "again.mcap", list(read_recording(first).frames())), second)
    assert first.read_bytes() == second.read_bytes()
    assert unnamed(frames_of(tmp_path / "again.mcap")) == unnamed(made)
