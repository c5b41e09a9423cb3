"""Recordings that are cut, lying, mutated or not what they seem: refused in one line, or read with what is wrong with them said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.files.formats import HEAD_BYTES, Format, Options, Peek
from navtwin.nouns import Pose, Sighting, TrackerFrame
from navtwin.record.export import export
from tests.tracking.recordings_made import IDENTITY, mha, tool, write_log
from tracking.recordings.formats import FORMATS
from tracking.recordings.kinds import read_recording
from tracking.recordings.recorded import open_source
from tracking.recordings.text_numbers import T_LIMIT_S, nanoseconds, number_rows, quick_nanoseconds

POSE = Pose(q_wxyz=(0.5, 0.5, -0.5, 0.5), t_mm=(1.5, -2.25, 1e-7))
DECLARED = "t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw from=marker to=tracker body=Drill"
MHA = "ObjectType = Image\nDimSize = 0 0 {}\n{}ElementDataFile = LOCAL\n"


def _whole() -> dict[str, bytes]:
    """A good file of each format."""
    seen = (Sighting("drill", "OK", POSE, rms_mm=0.5, reason="fine"), Sighting("ref", "MISSING"))
    made = [TrackerFrame("x", n, 10**9 * n, 10**9 * n + 5, seen, t_device_ns=n, fields=(("Foot", str(n)),)) for n in range(3)]
    with TemporaryDirectory() as folder:
        log = write_log(Path(folder) / "log.mcap", made)
        for ending in (".igs.mha", ".igs.nrrd", ".mitk.csv", ".tracks.csv"):
            export(log, Path(folder) / f"out{ending}")
        found = {path.name: path.read_bytes() for path in Path(folder).glob("out*")}
    return found | {"twin.csv": b"1.5,1,2,3,0,0,0,1\n1.6,1,2,3,0,0,1,0\n1.7,,,,,,,\n"}


WHOLE = _whole()
TOKENS = (
    b"\n",
    b"\0",
    b"=",
    b";",
    b",",
    b'"',
    b"nan",
    b"1e999999999",
    b"-1e308",
    b"Seq_Frame9999999999_",
    b"\xff\xfe",
    b"Transform",
    b"To",
    b"1_0",
    b"9" * 30,
)


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_mutated_files_are_read_or_refused(name: str, data: st.DataObject) -> None:
    raw = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(0, 3))):
        at, change = data.draw(st.integers(0, len(raw))), data.draw(st.sampled_from((*TOKENS, b"", None)))
        if change is None:
            del raw[at : at + data.draw(st.integers(1, 60))]
        elif change:
            raw[at:at] = change
        elif raw:
            raw[at % len(raw)] = data.draw(st.integers(0, 255))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(raw)
        assert sum(one.recognise(Peek(path, bytes(raw[:HEAD_BYTES]), packed=False, is_folder=False)) for one in FORMATS) <= 1
        try:
            frames = list(read_recording(path, columns=DECLARED if name == "twin.csv" else None).frames())
        except NavtwinError as refused:
            assert "\n" not in str(refused)
        else:
            assert all((s.pose is not None) == (s.status == "OK") for frame in frames for s in frame.sightings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MHA.format(1, "Seq_Frame9999999999_Timestamp = 1\n"), "frame number '9999999999'"),
        (MHA.format(1, f"Seq_Frame{'9' * 400}_Timestamp = 1\n"), "frame number"),
        (MHA.format(2, "Seq_Frame0_Timestamp = 1\nSeq_Frame2_Timestamp = 1\n"), "does not describe frame 1"),
        (MHA.format(1, "Seq_Frame0_Timestamp = 1\nSeq_Frame0000_Timestamp = 1\n"), "states Timestamp of frame 0 twice"),
        (MHA.format(-5, "Seq_Frame0_Timestamp = 1\n"), "says it has -5 frames but describes 1"),
        (MHA.format("9" * 300, "Seq_Frame0_Timestamp = 1\n"), "frames but describes 1"),
        (MHA.format(1, "Seq_FrameX_Timestamp = 1\n"), "not 'key = value'"),
        (MHA.format(1, "Seq_Frame0_ = 1\n"), "not 'key = value'"),
        (MHA.format(1, "Seq_Frame0_Timestamp\n"), "not 'key = value'"),
        (MHA.format(1, "".join(f"Seq_Frame0_a{n} = 1\n" for n in range(600))), "more than 500 fields"),
        (MHA.format(1, "".join(f"a{n} = 1\n" for n in range(3000))), "not 'key = value'"),
        ("ObjectType = Image\n" + "x" * 3_000_000, "too long"),
        ("ObjectType = Image\nDimSize = 0 0 1\nSeq_Frame0_Timestamp = 1\n", "is cut"),
        (MHA.format(1, f"Seq_Frame0_AToBTransform = {IDENTITY}\nSeq_Frame0_Timestamp = 1\n"), "no transform to the tracker"),
        (MHA.format(1, f"Seq_Frame0_AToTrackerTransform = {IDENTITY}\nSeq_Frame0_Timestamp = 1e999999999\n"), "has Timestamp '1e999999999'"),
        ("NRRD0004\nsizes: 1 1 2\nSeq_Frame0_Timestamp:=1\n\n", "says it has 2 frames but describes 1"),
        ("NRRD0004\nsizes: 1 1 1\nSeq_Frame0_Timestamp = 1\n\n", "not 'key = value'"),
        ("TimeStamp_Tool0;Valid_Tool0;X_Tool0;\n1;1;2;\n", "other columns than MITK writes"),
        (WHOLE["out.mitk.csv"].decode() + "1;1;\n", "line 5 has"),
        (WHOLE["out.mitk.csv"].decode().replace("\n0.", "\nnow", 1), "has the time 'now"),
        (WHOLE["out.mitk.csv"].decode().split("\n", 1)[0] + "\n", "holds no frames"),
        (WHOLE["out.mitk.csv"].decode().replace("000005;1;", "000005;2;", 1), "says Valid = '2'"),
        (WHOLE["out.tracks.csv"].decode() + "1,2\n", "line 6 has 2 cells"),
        (WHOLE["out.tracks.csv"].decode().replace("drill.qw", "drill.q", 1), "lacks qw"),
        (WHOLE["out.tracks.csv"].decode().replace("drill.x_mm", "drill.roll", 1), "is an angle"),
        (WHOLE["out.tracks.csv"].decode().replace("\n1,", "\n1.5,", 1), "has the number '1.5'"),
        (WHOLE["out.tracks.csv"].decode().replace("from=marker", "from=tracker", 1), "not declared that the poses take marker coordinates"),
        ("1,2,3,4,5,6,7,8\n1,2,3,4,5,6,7,8\n", "does not say what its columns are"),
        ("just text\n", "not a recording"),
        ("", "not a recording"),
    ],
)
def test_what_cannot_be_placed_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused) as refused:
        read_recording(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw", "not declared that the poses take marker coordinates"),
        ("t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw from=marker to=tracker", "not declared which body"),
        ("t,x_mm,y_mm,z_mm,qx,qy,qz,qw from=marker to=tracker body=D", "'t', which nothing is known of"),
        ("t_s,x,y,z,qx,qy,qz,qw from=marker to=tracker body=D", "'x', which nothing is known of"),
        ("-,x_mm,y_mm,z_mm,qx,qy,qz,qw from=marker to=tracker body=D", "no column is a time"),
        ("t_s,x_mm,y_mm,z_mm,roll,pitch,yaw,- from=marker to=tracker body=D", "'roll' is an angle"),
        ("t_s,x_mm,y_mm,z_mm,rx_deg,ry_deg,rz_deg,- from=marker to=tracker body=D", "how the angles of D turn"),
        ("t_s,x_mm,y_mm,z_mm,qx,qy,qz,m00 from=marker to=tracker body=D", "two forms"),
        ("t_s,x_mm,x_m,z_mm,qx,qy,qz,qw from=marker to=tracker body=D", "twice"),
        ("t_s,x_mm from=marker to=tracker body=D", "lacks y, z"),
        ("t_s, x_mm from=marker", "more than one list"),
        ("t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw frm=marker", "nothing is known of"),
        ("t_s,x_mm,y_mm,z_mm,qx,qy,qz from=marker to=tracker body=D", "lacks qw"),
        ("t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw,number from=marker to=tracker body=D", "has 8 cells, not 9"),
    ],
)
def test_a_declaration_that_does_not_say_enough_is_refused(tmp_path: Path, columns: str, said: str) -> None:
    path = tmp_path / "twin.csv"
    path.write_bytes(WHOLE["twin.csv"])
    with pytest.raises(InputRefused) as refused:
        read_recording(path, columns=columns)
    assert said in str(refused.value)
    assert refused.value.remedy


def test_binary_and_text_that_is_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for raw in (bytes(range(256)) * 500, b"ObjectType = Image\n" + bytes(range(256)) * 9000, b"NRRD0004\n\xff\xfe\x00" * 50):
        path.write_bytes(raw)
        with pytest.raises(InputRefused):
            read_recording(path)
    path.write_bytes(b"1,2,3,4,5,6,7,8\n1.5,\xff,3,4,5,6,7,8\n")
    with pytest.raises(InputRefused, match="UTF-8"):
        read_recording(path, columns=DECLARED)


def test_frames_may_stand_in_any_order_and_by_any_number_of_digits(tmp_path: Path) -> None:
    fields = [
        f"Seq_Frame{n:0{digits}d}_{key} = {value}\n"
        for n, digits in ((2, 10), (0, 4), (1, 1))
        for key, value in tool(Timestamp=str(n), Note=f"n{n}").items()
    ]
    path = tmp_path / "file"
    path.write_text(MHA.format(3, "".join(fields[::-1])))
    frames = list(read_recording(path).frames())
    assert [f.t_arrival_ns for f in frames] == [0, 10**9, 2 * 10**9]
    assert [f.fields for f in frames] == [(("Note", f"n{n}"),) for n in range(3)]


def test_a_status_without_a_transform_is_no_pose(tmp_path: Path) -> None:
    told = {"ToolToTrackerTransformStatus": "OK", "Timestamp": "2"}
    lost = {"ToolToTrackerTransformStatus": "MISSING", "Timestamp": "3"}
    frames = list(read_recording(mha(tmp_path / "a", [tool(), told, lost, {"Timestamp": "4"}])).frames())
    assert [[s.status for s in f.sightings] for f in frames] == [["OK"], ["INVALID"], ["MISSING"], []]


@given(st.lists(st.lists(st.floats(-1e300, 1e300), min_size=3, max_size=3), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_numbers_in_bulk_are_those_of_python(rows: list[list[float]]) -> None:
    for form, blank in ((repr, " "), ("{:.3e}".format, "  "), ("{:+g}".format, " ")):
        texts = [blank.join(map(form, row)) for row in rows]
        found = number_rows([text.encode() for text in texts], 3)
        assert found.tolist() == [[float(word) for word in text.split()] for text in texts]


@given(st.integers(-T_LIMIT_S * 10**9, T_LIMIT_S * 10**9))
@settings(max_examples=50, deadline=None)
def test_times_are_exact_to_the_nanosecond(t_ns: int) -> None:
    sign, (whole, rest) = "-" if t_ns < 0 else "", divmod(abs(t_ns), 10**9)
    assert nanoseconds(f" {sign}{whole}.{rest:09d} ".encode()) == t_ns
    assert nanoseconds(f"{t_ns}".encode(), 1) == t_ns


@given(
    st.lists(st.from_regex(r" ?[0-9]{1,9}\.[0-9]{1,9} ?", fullmatch=True), min_size=1, max_size=4),
    st.sampled_from(["1.5", "7", "-1.5", "1.0000000001", "1.5e1"]),
)
@settings(max_examples=60, deadline=None)
def test_times_in_bulk_are_those_one_by_one_or_left_to_that(texts: list[str], last: str) -> None:
    values = [text.encode() for text in (*texts, last)]
    found = quick_nanoseconds(values)
    assert found is None or found.tolist() == [nanoseconds(value) for value in values]
    assert (found is None) == (last != "1.5" or any(text.strip().startswith("0") and text.strip()[1] != "." for text in texts))


def _only(named: str) -> Format:
    return next(one for one in FORMATS if one.name == named)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("out.igs.mha", "PLUS tracker recording"),
        ("out.igs.nrrd", "PLUS tracker recording"),
        ("out.mitk.csv", "MITK navigation data"),
        ("out.tracks.csv", "tracker CSV"),
        ("twin.csv", "tracker CSV"),
    ],
)
def test_files_are_known_by_content_and_looked_at(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / "no_name_says_it.dat"
    path.write_bytes(WHOLE[name])
    peek = Peek(path, WHOLE[name], packed=False, is_folder=False)
    assert [one.name for one in FORMATS if one.recognise(peek)] == [kind]
    found = _only(kind).inspect(path, Options(columns=DECLARED if name == "twin.csv" else None))
    facts = dict(found.facts)
    assert facts["frames"] == "3"
    body = "body Tool0" if "mitk" in name else "body Drill" if "twin" in name else "body drill"
    assert facts[body].startswith("3 of 3" if "twin" not in name else "2 of 3 frames valid (67 %); 1 MISSING")
    bring: Callable[..., tuple[str, ...]] = _only(kind).brings["log"]
    said = bring(path, tmp_path / "log.mcap", Options(columns=DECLARED if name == "twin.csv" else None), lambda text: None)
    assert said[0].startswith("3 frames over ")
    if name != "twin.csv":
        source = open_source(str(path))
        read = source.read(0.0)
        assert isinstance(read, TrackerFrame)
        assert read == next(iter(read_recording(path).frames()))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x1f\x8b\x08",
        b"solid x\n",
        b"ObjectType = Image\nNDims = 3\nElementDataFile = LOCAL\n",
        b"NRRD0005\ntype: short\n\n",
        b"label,name\n1,liver\n",
        b"# Markups fiducial file version = 4.11\n1,2,3,4,5,6,7\n1,2,3,4,5,6,7\n",
        b"1 2 3 4 5 6 7 8\n",
        b"7" + b",0.5" * 15 + b"\n8" + b",0.5" * 15 + b"\n",
        b"\x89MCAP0\r\n",
    ],
)
def test_files_of_other_rooms_are_left_to_them(tmp_path: Path, head: bytes) -> None:
    assert not any(one.recognise(Peek(tmp_path, head, packed=False, is_folder=False)) for one in FORMATS)
