"""CSV recordings of others, their columns declared; what 3D Slicer leaves of a recording; fields and names that are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.files.formats import Options
from navtwin.nouns import Body, Part, Pose, Rig, Tool, Tracker, TrackerFrame
from tests.tracking.recordings_made import IDENTITY, mha, tool
from tracking.recordings.formats import FORMATS
from tracking.recordings.kinds import read_recording
from tracking.recordings.notes import BY_SLICER, inspection, notes
from tracking.recordings.recorded import open_source
from tracking.recordings.recording import NOT_REPORTED

WORDS = "from=marker to=tracker body=Drill"
HALF = 0.5**0.5


def _read(folder: Path, text: str, columns: str, rig: Rig | None = None) -> list[TrackerFrame]:
    path = folder / "recording.csv"
    path.write_text(text, encoding="utf-8")
    return list(read_recording(path, rig, columns).frames())


def _rig(*bodies: str) -> Rig:
    part = Part(name="p", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.0)
    return Rig(
        reference=bodies[0],
        tracker=Tracker(name="t", rate_hz=60.0, latency_ms=20.0),
        body=tuple(Body(name=name, sd_mm=0.1, sd_rad=0.001) for name in bodies),
        tool=(Tool(name="t", body=bodies[0], axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.001, part=(part,)),),
    )


def test_twin_s_poses_are_metres_with_the_scalar_last(tmp_path: Path) -> None:
    """`stamp_sec, x, y, z, qx, qy, qz, qw`, no header: a quarter turn about z, 1.3 m away."""
    text = f"1650000000.25,0.1,-0.2,1.3,0,0,{HALF!r},{HALF!r}\n1650000000.5,0.1,-0.2,1.3,0,0,0,1\n"
    first, second = _read(tmp_path, text, f"t_s,x_m,y_m,z_m,qx,qy,qz,qw {WORDS}", _rig("drill"))
    (seen,) = first.sightings
    assert seen.pose is not None
    assert (seen.body, seen.status, seen.reason) == ("drill", "OK", NOT_REPORTED)
    assert seen.pose.t_mm == (100.0, -200.0, 1300.0)
    assert seen.pose.rigid(target="tracker", source="marker").direction((1.0, 0.0, 0.0)) == pytest.approx((0.0, 1.0, 0.0))
    assert second.t_arrival_ns - first.t_arrival_ns == 250_000_000
    assert first.t_arrival_ns == first.t_device_ns == 1_650_000_000_250_000_000
    assert first.t_capture_ns == first.t_arrival_ns - 20_000_000
    assert first.stamp == "assumed"


def test_invesalius_angles_are_read_where_their_order_is_declared(tmp_path: Path) -> None:
    """`time, x, y, z, a, b, g`: degrees about the fixed axes x, y, z. 90 about x, then 90 about z, take y to z and on to z; z to -y and to x."""
    text = "time,x,y,z,a,b,g\n1.0,10.0,20.0,30.0,90.0,0.0,90.0\n"
    (frame,) = _read(tmp_path, text, f"t_s,x_mm,y_mm,z_mm,rx_deg,ry_deg,rz_deg {WORDS} angles=static-xyz")
    pose = frame.sightings[0].pose
    assert pose is not None
    turned = pose.rigid(target="tracker", source="marker")
    assert turned.direction((0.0, 1.0, 0.0)) == pytest.approx((0.0, 0.0, 1.0))
    assert turned.direction((0.0, 0.0, 1.0)) == pytest.approx((1.0, 0.0, 0.0))
    assert pose.t_mm == (10.0, 20.0, 30.0)
    with pytest.raises(InputRefused, match="does not say what its columns are"):
        read_recording(tmp_path / "recording.csv")


def test_a_long_table_of_matrices(tmp_path: Path) -> None:
    matrix = "0,-1,0,5,1,0,0,6,0,0,1,7,0,0,0,1"
    names = ",".join(f"m{i}{j}{'_mm' if j == 3 and i < 3 else ''}" for i in range(4) for j in range(4))
    text = f"time_ms;body;valid;note;{names.replace(',', ';')}\n".replace(";", "\t")
    rows = [("0.5", "A", "1", "x"), ("0.5", "B", "false", ""), ("1.5", "B", "true", "y")]
    text += "".join("\t".join((*row, matrix.replace(",", "\t"))) + "\n" for row in rows)
    first, second = _read(tmp_path, text, "from=marker to=tracker")
    assert [(s.body, s.status) for s in first.sightings] == [("A", "OK"), ("B", "INVALID")]
    assert [(s.body, s.status) for s in second.sightings] == [("B", "OK")]
    assert (first.t_arrival_ns, second.t_arrival_ns) == (500_000, 1_500_000)
    assert (first.fields, second.fields) == ((("note", "x"),), (("note", "y"),))
    expected = Pose(q_wxyz=(HALF, 0.0, 0.0, HALF), t_mm=(5.0, 6.0, 7.0))
    assert first.sightings[0].pose is not None
    assert np.allclose(first.sightings[0].pose.q_wxyz, expected.q_wxyz, atol=1e-15)
    assert first.sightings[0].pose.t_mm == expected.t_mm


def test_a_body_twice_in_one_frame_of_a_long_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="line 3 states A twice in one frame"):
        _read(tmp_path, "t_s,body,x_mm,y_mm,z_mm,qw,qx,qy,qz\n1,A,0,0,0,1,0,0,0\n1,A,0,0,0,1,0,0,0\n", "from=marker to=tracker")


def test_what_is_not_rigid_or_empty_is_no_pose(tmp_path: Path) -> None:
    rows = ("1,2,3,0,0,0,2", "nan,2,3,0,0,0,1", ",,,,,,", "1e9,0,0,0,0,0,1", "1,2,x,0,0,0,1", "1,2,3,0,0,0,1.0000004")
    text = "".join(f"{n},{row}\n" for n, row in enumerate(rows))
    seen = [frame.sightings[0] for frame in _read(tmp_path, text, f"t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw {WORDS}")]
    assert [s.status for s in seen] == ["INVALID", "INVALID", "MISSING", "INVALID", "INVALID", "OK"]
    assert [s.reason for s in seen[:2]] == ["its quaternion is not of length 1", "its transform is not 16 finite numbers"]
    assert seen[5].pose is not None
    assert seen[5].pose.q_wxyz == (1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "general", "sign"),
    [
        ({}, {"UltrasoundImageType": "BRIGHTNESSBRIGHTNESS"}, "image type"),
        ({"Timestamp": None}, {}, "frame indices"),
        ({"between": " ="}, {}, "transforms are written as 3D Slicer writes them"),
    ],
)
def test_what_slicer_saved_is_labelled_everywhere(tmp_path: Path, change: dict[str, str | None], general: dict[str, str], sign: str) -> None:
    made = [tool(Timestamp=str(n) if "Timestamp" in change else f"{n}.25") for n in range(4)]
    path = mha(tmp_path / "a", made, change.get("between") or " = ", **general)
    recording = read_recording(path)
    assert {s.reason for frame in recording.frames() for s in frame.sightings} == {BY_SLICER}
    assert any(BY_SLICER in note and sign in note for note in open_source(str(path)).notes)
    told = inspection("x", recording)
    assert ("saved by", "3D Slicer, as it seems") in told.facts
    assert any(sign in doubt for doubt in told.doubts)


def test_a_file_with_a_pose_that_is_not_ok_was_not_saved_by_slicer(tmp_path: Path) -> None:
    made = [tool(Timestamp=str(n), status="OK" if n else "MISSING") for n in range(4)]
    assert not any("Slicer" in note for note in notes(read_recording(mha(tmp_path / "a", made))))


def test_plain_names_are_refused_until_their_direction_is_declared(tmp_path: Path) -> None:
    path = mha(tmp_path / "a", [{"Sty\0lusTransform": IDENTITY, "Timestamp": "1"}])
    with pytest.raises(InputRefused, match="--columns to=tracker"):
        read_recording(path)
    (frame,) = read_recording(path, columns="to=tracker").frames()
    assert [s.body for s in frame.sightings] == ["Stylus"]


def test_names_with_two_tos_or_small_letters_behind_them_are_split_as_igsio_does(tmp_path: Path) -> None:
    fields = {f"{name}Transform": IDENTITY for name in ("TopToTracker", "StorkToTracker", "AToBToTracker", "ATotalToTracker", "A1To2")}
    (frame,) = read_recording(mha(tmp_path / "a", [{**fields, "Timestamp": "1"}])).frames()
    assert [s.body for s in frame.sightings] == ["Top", "Stork", "ATotal"]
    assert [name for name, _ in frame.fields] == ["AToBToTrackerTransform", "A1To2Transform"]


def test_what_is_said_once_stays_with_the_first_frame(tmp_path: Path) -> None:
    path = mha(tmp_path / "a", [tool(), tool(Foot="1")], DeviceSetName="spine set")
    first, second = read_recording(path).frames()
    assert first.fields == (("file:DeviceSetName", "spine set"),)
    assert second.fields == (("Foot", "1"),)


def test_mitk_tools_are_as_old_as_the_oldest_of_a_row(tmp_path: Path) -> None:
    header = "".join(f"TimeStamp_Tool{n};Valid_Tool{n};X_Tool{n};Y_Tool{n};Z_Tool{n};QX_Tool{n};QY_Tool{n};QZ_Tool{n};QR_Tool{n};" for n in range(2))
    path = tmp_path / "mitk"
    path.write_text(f"{header}\n1000.5;1;1;2;3;0;0;0;1;1002.25;0;9;9;9;0;0;0;1;\n")
    recording = read_recording(path, _rig("drill", "ref"), "Tool0=Drill Tool1=ref")
    (frame,) = recording.frames()
    assert [(s.body, s.status) for s in frame.sightings] == [("drill", "OK"), ("ref", "INVALID")]
    assert frame.t_arrival_ns == 1_000_500_000
    assert any("1.750 ms apart" in note for note in recording.notes)


def test_inspection_counts_gaps_and_odd_times(tmp_path: Path) -> None:
    times, numbers = ("1.0", "1.02", "1.02", "1.01", "2.0"), ("5", "6", "9", "9", "10")
    path = mha(tmp_path / "a", [tool(Timestamp=t, FrameNumber=n) for t, n in zip(times, numbers, strict=True)])
    found = next(one for one in FORMATS if "PLUS" in one.name).inspect(path, Options())
    assert ("frame counter", "5 to 10; 2 missing, gaps: 1") in found.facts
    said = " ".join(found.doubts)
    for part in (
        "1 frames arrived at the same time",
        "1 frames arrived earlier",
        "1 frames came more than 250 ms",
        "counter does not rise in 1 places",
    ):
        assert part in said


def test_importing_says_what_inspection_doubts_of_times_and_positions(tmp_path: Path) -> None:
    """Who imports without looking first is told too: a clock that goes back, a pause, positions that may be metres."""
    times = ("1.5", "1.6", "1.55", "3601.6")
    metres = [f"1 0 0 0.{n} 0 1 0 0.2 0 0 1 1.3 0 0 0 1" for n in range(4)]
    path = mha(tmp_path / "a.igs.mha", [tool(at, Timestamp=time) for at, time in zip(metres, times, strict=True)])
    kind = next(one for one in FORMATS if "PLUS" in one.name)
    told = " ".join(kind.brings["log"](path, tmp_path / "log.mcap", Options(), lambda _: None))
    for words in ("its clock went back", "ms after the one before", "its positions may be metres"):
        assert words in told
        assert any(words in doubt for doubt in kind.inspect(path, Options()).doubts)
    far = [tool(IDENTITY.replace("1 0 0 0", "1 0 0 1300", 1), Timestamp=f"{n}.25") for n in range(2)]
    assert not any("metres" in doubt for doubt in kind.inspect(mha(tmp_path / "b.igs.mha", far), Options()).doubts)
