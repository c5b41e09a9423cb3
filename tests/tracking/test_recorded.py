"""Recorded streams: PLUS sequences, real and made up, and navtwin's own logs as a source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, LogDamaged, NavtwinError
from navtwin.nouns import Body, Command, Event, Mark, Part, Rig, Sighting, SourceEnded, SourceItem, Tick, Tool, Tracker, TrackerFrame, Truth
from navtwin.record.log import LogWriter
from tracking.recordings.notes import notes
from tracking.recordings.recorded import RecordedSource, open_source
from tracking.recordings.recording import NOT_REPORTED, Recording
from tracking.recordings.sequence import read_sequence

PLUS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tracking" / "plus"
needs_plus = pytest.mark.skipif(not PLUS.is_dir(), reason="the shared PLUS recordings are not here")
IDENTITY = "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"
RIG = Rig(
    reference="reference",
    tracker=Tracker(name="toy", rate_hz=60.0, latency_ms=20.0),
    body=(Body(name="reference", sd_mm=0.1, sd_rad=0.001),),
    tool=(
        Tool(
            name="t",
            body="reference",
            axis_in_marker=(0.0, 0.0, 1.0),
            axis_sd_rad=0.001,
            part=(Part(name="p", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.0),),
        ),
    ),
)


def _drain(source: RecordedSource) -> list[SourceItem]:
    items: list[SourceItem] = []
    while True:
        try:
            item = source.read(0.0)
        except SourceEnded:
            return items
        assert item is not None
        items.append(item)


def _mha(path: Path, frames: Sequence[dict[str, str]], **general: str) -> Path:
    fields = {"ObjectType": "Image", "NDims": "3", "DimSize": f"0 0 {len(frames)}", "ElementType": "MET_OTHER"} | general
    lines = [f"{k} = {v}" for k, v in fields.items()]
    lines += [f"Seq_Frame{n:04d}_{k} = {v}" for n, frame in enumerate(frames) for k, v in frame.items()]
    path.write_text("\n".join([*lines, "ElementDataFile = LOCAL"]) + "\n")
    return path


def _one(matrix: str = IDENTITY, status: str | None = "OK", **more: str) -> dict[str, str]:
    told = {} if status is None else {"ToolToTrackerTransformStatus": status}
    return {"ToolToTrackerTransform": matrix, **told, "Timestamp": "1.5", **more}


def _frames(recording: Recording) -> list[TrackerFrame]:
    return list(recording.frames())


def _sighting(path: Path, frame: dict[str, str]) -> Sighting:
    return _frames(read_sequence(_mha(path, [frame])))[0].sightings[0]


@needs_plus
@pytest.mark.parametrize(
    ("name", "frames", "bodies", "poses"),
    [
        ("NwirePhantomFreehand.igs.mha", 97, {"Probe", "Reference", "Stylus"}, 2 * 97),
        ("NwirePhantomFreehand.igs.nrrd", 97, {"Probe", "Reference", "Stylus"}, 2 * 97),
        ("ReferenceToRASCalibration.igs.mha", 93, {"Reference", "Stylus"}, 2 * 93),
        ("SlidingProbeTrackingData.igs.mha", 85, {"Needle", "Probe", "Reference"}, 3 * 85),
        ("WaterTankBottomTranslationTrackerBuffer-trimmed.igs.mha", 801, {"Probe", "Reference", "Stylus"}, 3 * 801),
    ],
)
def test_real_recordings_are_read_whole(name: str, frames: int, bodies: set[str], poses: int) -> None:
    source = open_source(str(PLUS / name))
    items = [item for item in _drain(source) if isinstance(item, TrackerFrame)]
    sightings = [s for item in items for s in item.sightings]
    assert len(items) == source.counts.frames == frames
    assert {s.body for s in sightings} == bodies
    assert sum(s.pose is not None for s in sightings) == poses
    assert all(s.status == "INVALID" for s in sightings if s.pose is None)
    assert {item.stamp for item in items} == {"assumed"}
    assert not source.live


@needs_plus
def test_both_formats_of_one_recording_agree_and_poses_are_as_printed() -> None:
    mha, nrrd = (_frames(read_sequence(PLUS / f"NwirePhantomFreehand.igs.{kind}")) for kind in ("mha", "nrrd"))
    assert [f.sightings for f in mha] == [f.sightings for f in nrrd]
    assert [f.t_arrival_ns for f in mha] == [f.t_arrival_ns for f in nrrd]
    assert mha[0].t_arrival_ns == 345_627_957_000
    pose = mha[0].sightings[0].pose
    assert pose is not None
    printed = "0.956683 -0.263308 0.124204 -190.886 0.269031 0.962616 -0.0315089 -98.0911 -0.111264 0.0635588 0.991756 -1949.07 0 0 0 1"
    matrix = pose.rigid(target="tracker", source="marker").matrix()
    assert np.abs(matrix - np.array(printed.split(), dtype=float).reshape(4, 4)).max() < 2e-6


@needs_plus
def test_device_frame_numbers_and_raw_stamps_are_kept() -> None:
    frames = _frames(read_sequence(PLUS / "WaterTankBottomTranslationTrackerBuffer-trimmed.igs.mha", RIG))
    assert frames[0].number == 332203
    assert (frames[1].t_arrival_ns, frames[1].t_capture_ns) == (7_415_699_000_000, 7_415_679_000_000)
    assert frames[1].t_device_ns == 7_415_700_971_000, "the filtered stamp"
    assert {s.body for s in frames[0].sightings} == {"Probe", "reference", "Stylus"}


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ("2 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "not orthonormal"),
        ("1 0.01 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "not orthonormal"),
        ("-1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "left-handed"),
        ("nan 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "not 16 finite numbers"),
        ("1 0 0 inf 0 1 0 0 0 0 1 0 0 0 0 1", "not 16 finite numbers"),
        ("1 0 0 1e300 0 1 0 0 0 0 1 0 0 0 0 1", "out of any tracker's reach"),
        ("1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 2", "last row"),
        ("0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", "last row"),
        ("1_0 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "not 16 finite numbers"),
        ("1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1 0", "not 16 finite numbers"),
        ("1 2 3", "not 16 finite numbers"),
        ("", "not 16 finite numbers"),
        ("a b c d e f g h i j k l m n o p", "not 16 finite numbers"),
    ],
)
def test_a_bad_pose_is_invalid_with_the_reason(tmp_path: Path, matrix: str, said: str) -> None:
    sighting = _sighting(tmp_path / "a.igs.mha", _one(matrix))
    assert (sighting.status, sighting.pose) == ("INVALID", None)
    assert said in sighting.reason
    assert any(said in note for note in notes(read_sequence(tmp_path / "a.igs.mha")))


@given(st.lists(st.floats(allow_nan=True, width=64) | st.sampled_from([0.0, 1.0, -1.0]), min_size=16, max_size=16))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sixteen_numbers_crash_the_reader_or_make_an_unsound_pose(tmp_path: Path, numbers: list[float]) -> None:
    sighting = _sighting(tmp_path / "a.igs.mha", _one(" ".join(map(repr, numbers))))
    if sighting.pose is not None:
        matrix = np.array(numbers).reshape(4, 4)
        assert np.abs(sighting.pose.rigid(target="a", source="b").matrix() - matrix).max() < 1e-3


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 3e-4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rounded_rotations_become_the_nearest_rotation(tmp_path: Path, seed: int, rounding: float) -> None:
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    matrix = np.eye(4)
    matrix[:3, :3] = rotation + rng.uniform(-rounding, rounding, (3, 3))
    sighting = _sighting(tmp_path / "a.igs.mha", _one(" ".join(map(repr, matrix.ravel().tolist()))))
    if np.abs(matrix[:3, :3].T @ matrix[:3, :3] - np.eye(3)).max() > 1e-3:
        assert sighting.status == "INVALID"
        return
    assert sighting.pose is not None
    found = np.array(sighting.pose.rigid(target="a", source="b").rotation)
    assert np.abs(found.T @ found - np.eye(3)).max() < 1e-9
    assert np.linalg.norm(found - matrix[:3, :3]) <= np.linalg.norm(rotation - matrix[:3, :3]) + 1e-9


def test_status_words_are_kept_and_never_carry_a_pose(tmp_path: Path) -> None:
    for told, kept in (("missing", "MISSING"), ("OUT_OF_VIEW", "OUT_OF_VIEW"), ("SWITCH1_IS_ON", "SWITCH1_IS_ON"), ("BROKEN", "UNKNOWN")):
        sighting = _sighting(tmp_path / "a.igs.mha", _one(status=told))
        assert (sighting.status, sighting.pose) == (kept, None)
    unsaid = _sighting(tmp_path / "a.igs.mha", _one(status=None))
    assert (unsaid.status, unsaid.reason) == ("OK", NOT_REPORTED)


def test_stamps_that_repeat_go_back_or_jump_pass_and_are_counted(tmp_path: Path) -> None:
    times = ("10.0", "10.02", "10.02", "10.01", "11.01", "11.03")
    source = open_source(str(_mha(tmp_path / "a.igs.mha", [_one(Timestamp=t) for t in times])))
    frames = [item for item in _drain(source) if isinstance(item, TrackerFrame)]
    assert [f.t_arrival_ns for f in frames] == [round(float(t) * 1e9) for t in times]
    assert (source.counts.repeated, source.counts.backwards, source.counts.jumped) == (1, 1, 1)


def test_transforms_that_cannot_be_placed_are_left_out_and_named(tmp_path: Path) -> None:
    path = _mha(tmp_path / "a.igs.mha", [_one(ImageToProbeTransform=IDENTITY, StylusTransform=IDENTITY)])
    sequence = read_sequence(path)
    (frame,) = sequence.frames()
    assert [s.body for s in frame.sightings] == ["Tool"]
    assert frame.fields == (("ImageToProbeTransform", IDENTITY), ("StylusTransform", IDENTITY))
    assert any("ImageToProbe, Stylus" in note for note in sequence.notes)
    with pytest.raises(InputRefused, match=r"no transform to the tracker \(it has: ToolToReference\)"):
        read_sequence(_mha(tmp_path / "b.igs.mha", [{"ToolToReferenceTransform": IDENTITY, "Timestamp": "1"}]))


@pytest.mark.parametrize(
    ("frames", "general", "said"),
    [
        ([{"ToolToTrackerTransform": IDENTITY}], {}, "frame 0 has Timestamp ''"),
        ([_one(Timestamp="nan")], {}, "Timestamp 'nan'"),
        ([_one(Timestamp="1e30")], {}, "Timestamp '1e30'"),
        ([_one(UnfilteredTimestamp="soon")], {}, "UnfilteredTimestamp 'soon'"),
        ([_one(FrameNumber="3.5")], {}, "frame 0 has FrameNumber '3.5'"),
        ([_one()], {"DimSize": "0 0 7"}, "says it has 7 frames but describes 1"),
        ([], {}, "holds no tracked frames"),
    ],
)
def test_a_file_that_cannot_be_placed_is_refused(tmp_path: Path, frames: list[dict[str, str]], general: dict[str, str], said: str) -> None:
    with pytest.raises(InputRefused, match="(?i)" + said.replace(".", r"\.")):
        open_source(str(_mha(tmp_path / "a.igs.mha", frames, **general)))


def test_a_sequence_cut_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    whole = _mha(tmp_path / "a.igs.mha", [_one(Timestamp=str(n)) for n in range(4)]).read_bytes()
    path = tmp_path / "cut.igs.mha"
    for cut in range(0, len(whole) - len("ElementDataFile = LOCAL\n"), 3):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputRefused):
            open_source(str(path))


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_refused_in_one_line(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "g.igs.mha"
    for head in (b"", b"ObjectType = Image\n", b"NRRD0004\n", b"\x89MCAP0\r\n"):
        path.write_bytes(head + garbage)
        with pytest.raises(NavtwinError) as refused:
            open_source(str(path))
        assert "\n" not in str(refused.value)


def test_slicers_frame_indices_are_labelled(tmp_path: Path) -> None:
    path = _mha(tmp_path / "a.igs.mha", [_one(Timestamp=str(n)) for n in range(4)])
    assert any("3D Slicer" in note for note in read_sequence(path).notes)


def test_a_rig_names_the_bodies_it_knows(tmp_path: Path) -> None:
    frame = {"ReferenceToTrackerTransform": IDENTITY, "ReferenceToTrackerTransformStatus": "OK", "Timestamp": "1"} | _one()
    sequence = read_sequence(_mha(tmp_path / "a.igs.mha", [frame]), RIG)
    assert [s.body for s in _frames(sequence)[0].sightings] == ["reference", "Tool"]
    assert any("the rig has no body Tool" in note for note in sequence.notes)


def test_a_log_comes_back_in_order_without_its_ticks(tmp_path: Path) -> None:
    path = tmp_path / "log.mcap"
    seen = Sighting(body="drill", status="MISSING")
    frames = [TrackerFrame(source="x", number=n, t_capture_ns=n, t_arrival_ns=n + 1, sightings=(seen,)) for n in range(3)]
    command = Command(who="o", id="1", order=Mark(label="here"))
    truth = Truth(frame=1, t_capture_ns=1, instruments=(), distances=())
    with LogWriter(path, live=False) as log:
        log.write_event(Event(seq=1, t_ns=1, body=frames[0]))
        log.write_event(Event(seq=2, t_ns=2, body=Tick()))
        log.write_event(Event(seq=3, t_ns=2, body=frames[1]))
        log.write_truth(truth)
        log.write_event(Event(seq=4, t_ns=2, body=command))
        log.write_event(Event(seq=5, t_ns=3, body=frames[2]))
    source = open_source(str(path), None, RIG)
    assert source.name == "log:log.mcap"
    assert _drain(source) == [frames[0], frames[1], truth, command, frames[2]]
    assert (source.counts.frames, source.counts.commands) == (3, 1)
    source.close()
    with pytest.raises(SourceEnded):
        source.read(0.0)


def test_a_damaged_log_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.mcap"
    with LogWriter(path, live=False) as log:
        for n in range(50):
            log.write_event(Event(seq=n, t_ns=n, body=Tick()))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LogDamaged, match="navtwin recover"):
        open_source(str(path))
    altered = bytearray(whole)
    altered[len(whole) // 3] ^= 8
    path.write_bytes(altered)
    with pytest.raises(LogDamaged, match="navtwin recover"):
        open_source(str(path))


@pytest.mark.parametrize("name", ["none.mcap", "none.igs.mha"])
def test_what_is_not_there_or_not_known_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRefused, match="there is no file"):
        open_source(str(tmp_path / name))
    (tmp_path / "tracks.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputRefused, match=r"does not say what its columns are|It reads \.mcap logs"):
        open_source(str(tmp_path / "tracks.csv"))
