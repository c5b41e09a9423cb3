"""`navtwin bone`: what is left and what is gone, at any moment, on the screen and in files; and `run --drilled`, which begins with it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import nibabel as nib
import numpy as np
import pytest

from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import BoneState, Event, Trespass
from navtwin.record.bone_command import print_report, report_of
from navtwin.record.drilled import DrilledLog
from navtwin.record.format import Record
from navtwin.record.mcap_file import McapFile
from navtwin.record.read import decode, read_log
from navtwin.run import commands
from navtwin.run.drilled import bone_at, bone_to_begin_with
from navtwin.scene.surface import Surface
from tests.record.drilled_case import drilled_session, make_case
from tests.record.drilling import Drilled
from tests.twin.world import HEADER, small_rig
from tracking.recordings.recorded import open_source


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("block") / "case"
    make_case(folder)
    return folder


@pytest.fixture(scope="module")
def session(case: Path) -> Drilled:
    return drilled_session(case, case.parent / "session.mcap")


def asked(capsys: pytest.CaptureFixture[str], log: Path, **more: object) -> dict[str, object]:
    commands.bone(log, as_json=True, **more)  # type: ignore[arg-type]
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_end_of_a_session_is_told(session: Drilled, capsys: pytest.CaptureFixture[str]) -> None:
    told, last = asked(capsys, session.log), session.states[len(session.states)]
    assert told["hash"] == last.hash
    assert told["removed_mm3"] == pytest.approx(last.removed_mm3)
    # A block of 30 x 30 x 20 mm, whose edges the grid rounds.
    assert told["left_mm3"] == pytest.approx(18_000.0 - last.removed_mm3, rel=4e-3)
    assert (told["stretches"], told["taken_back"], told["began_drilled"], told["notes"]) == (4, 1, False, [])
    assert 0.0 < float(str(told["doubtful"])) <= 1.0


def test_any_moment_is_told_in_words(session: Drilled, capsys: pytest.CaptureFixture[str]) -> None:
    t_ns = session.t_ns(session.changes[15])
    commands.bone(session.log, at=(t_ns - session.t_ns(1)) * 1e-9)
    said = capsys.readouterr().out
    assert "'bone' on a grid of 0.5 mm" in said
    assert f"gone: {session.states[session.changes[15]].removed_mm3 / 1000.0:.3f} ml, in 16 strokes of 2 stretches (0 taken back)" in said
    assert session.states[session.changes[15]].hash in said
    commands.bone(session.log, at=0.0)
    assert "gone: 0.000 ml, in 0 strokes" in capsys.readouterr().out


def test_what_a_cutter_trespassed_on_is_told(session: Drilled, capsys: pytest.CaptureFixture[str]) -> None:
    bone, told, sought = bone_at(session.log, session.world.scene, session.world.rig, None)
    report = report_of(session.log, told, sought, bone, told.last_ns, ("72 triangles written to a.stl",))
    trespasses = (Trespass(structure="nerve", volume_mm3=1.25),)
    print_report(msgspec.structs.replace(report, trespasses=trespasses, notes=("kept bone is passed over",), began_drilled=True), as_json=False)
    said = capsys.readouterr().out
    assert "the cutter was in nerve: 1.25 mm3 of it" in said
    assert "not known: in" in said
    assert "which began with the bone of an earlier session" in said
    assert "note: kept bone is passed over\n72 triangles written to a.stl\n" in said


def test_files_hold_what_is_left_and_what_is_gone(session: Drilled, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stl, labels = tmp_path / "left.stl", tmp_path / "bone.nii.gz"
    told = asked(capsys, session.log, stl=stl, labels=labels)
    assert len(told["written"]) == 2  # type: ignore[arg-type]
    assert Surface.read(stl, space="LPS").volume_mm3 == pytest.approx(told["left_mm3"], rel=1e-4)
    voxels = np.asarray(nib.load(labels).dataobj)
    gone, left = int((voxels == 2).sum()) * 8.0, int((voxels == 1).sum()) * 8.0
    assert gone + left == 18_000.0
    assert gone == pytest.approx(told["removed_mm3"], rel=0.3)


# A session that begins drilled


def test_a_session_begins_with_the_bone_that_another_ended_with(session: Drilled) -> None:
    said = list[str]()
    state = bone_to_begin_with(session.log, session.world.scene, session.world.rig, said.append)
    assert state == session.states[len(session.states)]
    assert said == []


def test_of_one_that_did_not_end_in_order_the_inputs_are_played_again(case: Path, tmp_path: Path) -> None:
    broken = drilled_session(case, tmp_path / "broken.mcap", keep_last=False)
    said = list[str]()
    state = bone_to_begin_with(broken.log, broken.world.scene, broken.world.rig, said.append)
    # What is not known of it comes along.
    assert state == broken.states[len(broken.states)]
    assert said == ["broken.mcap does not end with its bone: the session is played again"]


def test_bone_that_lost_inputs_do_not_lead_to_is_refused(session: Drilled, tmp_path: Path) -> None:
    log = tmp_path / "holed.mcap"
    file = McapFile(log)
    for record in read_log(session.log):
        if record.channel != "/bone" and not (record.channel == "/input" and record.seq in session.changes[12:20]):
            file.add(record)
    file.finish()
    with pytest.raises(LogDamaged, match="played again, its bone is not as it was"):
        bone_to_begin_with(log, session.world.scene, session.world.rig, print)


def test_damaged_bone_at_the_end_is_refused_before_the_session_begins(session: Drilled, tmp_path: Path) -> None:
    log = tmp_path / "spoilt.mcap"
    file = McapFile(log)
    last = [r for r in read_log(session.log) if r.channel == "/bone"][-1]
    for record in read_log(session.log):
        file.add(record if record != last else last._replace(data=_with(last, cells=b"junk")))
    file.finish()
    with pytest.raises(InputRefused, match="cannot be unpacked"):
        bone_to_begin_with(log, session.world.scene, session.world.rig, print)


def _with(record: Record, **changes: object) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(record.data, type=BoneState), **changes))


def test_bone_of_another_side_or_case_is_refused_in_words(session: Drilled, tmp_path: Path) -> None:
    finer, rig = make_case(tmp_path / "finer", carve_mm=0.4)
    with pytest.raises(InputRefused, match=r"grid of 0\.5 mm, and here its grid is of 0\.4 mm"):
        bone_to_begin_with(session.log, finer, rig, print)
    never, _ = make_case(tmp_path / "never", carve_mm=None)
    for scene, tools in ((never, rig), (session.world.scene, small_rig())):
        with pytest.raises(InputRefused, match="nothing can be drilled in the case block with this rig"):
            bone_to_begin_with(session.log, scene, tools, print)


def test_run_drilled_begins_with_it_and_leaves_a_log_that_is_complete_by_itself(
    session: Drilled, case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("navtwin.run.launch._heed_signals", lambda *_: None)
    log = tmp_path / "second.mcap"
    commands.run(case, f"log:{session.log}", log=log, speed=0.0, port=0, command_port=0, drilled=session.log)
    first: Event = decode(next(iter(read_log(log, ("/input",)))))
    assert isinstance(first.body, BoneState)
    capsys.readouterr()
    told = asked(capsys, log)
    assert told["hash"] == session.states[len(session.states)].hash
    assert told["began_drilled"]
    # Such a log as a source brings its frames, and says that they were drilled into other bone.
    assert open_source(str(log)).notes == (
        f"second.mcap began with the drilled bone of session {HEADER.session}, which a source does not bring: see --drilled",
    )
    assert open_source(str(session.log)).notes == ()
    ended = DrilledLog.read(log)
    assert ended.kept[-1].seq == ended.last_seq
    commands.verify(log)
    assert "identical" in capsys.readouterr().out
