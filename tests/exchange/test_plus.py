"""PLUS device sets: what they state is read and written, and becomes bodies, cameras and tips of a rig."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.exchange.numerals import words_of
from navtwin.exchange.plus import PlusTransform, read_plus, write_plus
from navtwin.exchange.rom import rom_of, write_rom
from navtwin.files.formats import Options
from navtwin.nouns import read_rig
from tests.exchange.samples import a_rig, bring, damaged, edits, export, format_of, never_anything_else

HEAD = """<PlusConfiguration version="2.4">
  <DataCollection StartupDelaySec="1.0">
    <DeviceSet Name="three tools" Description="" />
    <Device Id="Camera" Type="OpticalMarkerTracker" CameraCalibrationFile="CAMERA_FILE" MarkerDictionary="ARUCO_MIP_36h12">
      <DataSources>
        <DataSource Type="Tool" Id="Stylus" MarkerId="3" MarkerSizeMm="40" />
        <DataSource Type="Video" Id="Video" />
      </DataSources>
    </Device>
    <Device Id="Ndi" Type="PolarisTracker">
      <DataSources><DataSource Type="Tool" Id="Probe" RomFile="tools/probe.rom" /></DataSources>
    </Device>
  </DataCollection>
  <CoordinateDefinitions>
"""
TAIL = '  </CoordinateDefinitions>\n  <PlusOpenIGTLinkServer ListeningPort="18944" />\n</PlusConfiguration>\n'
#: The tip 120 mm down the marker's -X and 10 mm aside: the tip's +Z is that axis, -Z leads back to the marker.
TIP = "0 0 -1 -120\n 0 1 0 10\n 1 0 0 0\n 0 0 0 1"
names = st.text("abcdefgh", min_size=1, max_size=6)
numbers = st.floats(-1e9, 1e9, allow_nan=False)
transforms = st.builds(
    PlusTransform, names, names.map(str.upper), st.tuples(*[numbers] * 16), st.sampled_from(["", "OK", "MISSING"]),
    st.none() | st.floats(0, 100), st.sampled_from(["", "2011.12.06 17:57:00"]), st.none() | st.booleans(),
)  # fmt: skip


def device_set(folder: Path, *entries: str, camera: str = "none.yml") -> Path:
    path = folder / "set.xml"
    path.write_text(HEAD.replace("CAMERA_FILE", camera) + "\n".join(f"<Transform {entry} />" for entry in entries) + TAIL, encoding="utf-8")
    return path


def entry(source: str, target: str, matrix: str = TIP, more: str = "") -> str:
    return f'From="{source}" To="{target}" Matrix="{matrix}" {more}'


@settings(max_examples=40, deadline=None)
@given(st.lists(transforms, max_size=4, unique_by=lambda one: (one.source, one.target)))
def test_definitions_read_back_to_the_last_bit(found: list[PlusTransform]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "set.xml"
        write_plus(path, found)
        assert list(read_plus(path).transforms) == found


def test_what_a_device_set_states(tmp_path: Path) -> None:
    path = device_set(tmp_path, entry("StylusTip", "Stylus", more='Error="0.58" Date="012712_152030" Status="OK" Persistent="TRUE"'))
    found = read_plus(path)
    assert (found.name, found.version, found.ports) == ("three tools", "2.4", ("18944",))
    stylus, probe = found.tools
    assert (stylus.name, stylus.marker_id, stylus.side_mm, stylus.dictionary) == ("Stylus", 3, 40.0, "ARUCO_MIP_36h12")
    assert (probe.name, probe.rom_file, probe.marker_id) == ("Probe", "tools/probe.rom", None)
    (tip,) = found.transforms
    assert (tip.error_mm, tip.date, tip.status, tip.persistent) == (0.58, "012712_152030", "OK", True)
    np.testing.assert_array_equal(tip.array(), [[0, 0, -1, -120], [0, 1, 0, 10], [1, 0, 0, 0], [0, 0, 0, 1]])
    seen = format_of(path).inspect(path, Options())
    facts = dict(seen.facts)
    assert facts["tool Stylus"] == "marker 3 of ARUCO_MIP_36h12, 40 mm"
    assert "012712_152030" in facts["StylusTipToStylus"]


@pytest.mark.parametrize(
    ("attributes", "status"), [("", ""), ('Valid="OK"', "OK"), ('Status="ok"', "OK"), ('Valid="OK" Status="MISSING"', "MISSING")]
)
def test_validity_stands_under_either_word_and_the_worse_counts(tmp_path: Path, attributes: str, status: str) -> None:
    assert read_plus(device_set(tmp_path, entry("A", "B", more=attributes))).transforms[0].status == status


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((entry("A", "B"), entry("B", "A")), "in both directions"),
        ((entry("A", "B"), entry("A", "B")), "twice"),
        ((entry("A", "B", "1 0 0"),), "3 numbers, not 16"),
        ((entry("A", "B", "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 nan"),), "no finite number"),
        ((entry("A", "A"),), "two different"),
        ((entry("A", "B", more='Error="much"'),), "no finite number"),
    ],
)
def test_definitions_that_contradict_are_refused(tmp_path: Path, entries: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        read_plus(device_set(tmp_path, *entries))


@pytest.mark.parametrize("root", ["<PlusConfiguration", "<other"])
def test_doctypes_and_other_xml_are_refused(tmp_path: Path, root: str) -> None:
    path = tmp_path / "set.xml"
    path.write_text(f'<!DOCTYPE x [<!ENTITY a "b">]>{root}>&a;</{root[1:]}>', encoding="utf-8")
    with pytest.raises(InputRefused, match="DOCTYPE"):
        read_plus(path)
    path.write_text(f"{root}/>" if root == "<other" else "<other><PlusConfiguration/></other>", encoding="utf-8")
    with pytest.raises(InputRefused, match="no PlusConfiguration"):
        read_plus(path)


def test_a_device_set_fills_a_rig(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    comment = "# The rig: tracker, marker bodies and tools."
    (tmp_path / "tools").mkdir()
    write_rom(tmp_path / "tools" / "probe.rom", rom_of("probe", [(0, 0, 0), (0, 0, 50), (0, 25, 100), (0, -25, 135)]))
    (tmp_path / "camera.yml").write_text(
        "%YAML:1.0\nimage_width: 640\nimage_height: 480\ncamera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n"
        "   data: [ 680., 0., 342., 0.,\n       689., 227., 0., 0., 1. ]\n",
        encoding="utf-8",
    )
    path = device_set(
        tmp_path, entry("PointerTip", "Pointer", more='Error="0.5" Date="2020-01-02"'), entry("Image", "Probe"), camera="camera.yml"
    )  # fmt: skip
    said = bring(path, rig)
    found = read_rig(rig)
    assert rig.read_text(encoding="utf-8").startswith(comment)
    bodies = {body.name: body for body in found.body}
    assert bodies["Probe"].markers_mm[3] == (0.0, -25.0, 135.0)
    assert bodies["Stylus"].dictionary == "ARUCO_MIP_36h12"
    assert bodies["Stylus"].marker[0].corners_mm == ((-20.0, 20.0, 0.0), (20.0, 20.0, 0.0), (20.0, -20.0, 0.0), (-20.0, -20.0, 0.0))
    assert (found.camera[0].name, found.camera[0].focal_px) == ("Camera", (680.0, 689.0))
    pointer = found.tool[0]
    assert (pointer.tip_mm, pointer.axis_in_marker) == ((-120.0, 10.0, 0.0), (-1.0, 0.0, 0.0))
    assert pointer.tip_covariance == (0.25, 0.0, 0.0, 0.25, 0.0, 0.25)
    for words in ("guessed: measure it", "dated 2020-01-02", "Not used", "ImageToProbe", "same way up"):
        assert words in said


@pytest.mark.parametrize("named", ["../camera.yml", "/etc/hostname", "C:\\camera.yml", "none.yml", "."])
def test_only_files_of_its_own_folder_are_opened(tmp_path: Path, named: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "camera.yml").write_text("%YAML:1.0\nimage_width: 640\n", encoding="utf-8")
    said = bring(device_set(home, camera=named), a_rig(tmp_path))
    assert "does not lie in the folder" in said


def test_the_inverse_of_a_tip_is_the_same_tip(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    back = " ".join(words_of(row) for row in np.linalg.inv(np.array(TIP.split(), dtype=float).reshape(4, 4)))
    bring(device_set(tmp_path, entry("Drill", "DrillTip", back)), rig, name="drill")
    tool = read_rig(rig).tool[1]
    assert tool.tip_mm == (-120.0, 10.0, 0.0)
    assert tool.axis_in_marker == (-1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ("1 0 0 203.772  0 1 0 -12.283  0 0 1 1.17469  0 0 0 1", "states no direction"),
        ("1 0 0 0  0 0 -1 120  0 1 0 0  0 0 0 1", "-Z does not point"),
        # Two that PLUS wrote after real pivot calibrations: the axis is the tip's own direction.
        ("1 0 0.000203823 0.0180449 3.31529e-09 -1 -1.62655e-05 -0.00144002 0.000203823 1.62655e-05 -1 -88.5321 0 0 0 1", "no shaft was measured"),
        ("0.999866 0 0.0163861 1.30947 -0.00012887 0.999969 0.00786353 0.628403 -0.0163856 -0.00786459 0.999835 79.9003 0 0 0 1", "no shaft was"),
    ],
)
def test_a_direction_that_the_file_does_not_have_is_not_made_up(tmp_path: Path, matrix: str, words: str) -> None:
    rig = a_rig(tmp_path)
    before = read_rig(rig).tool[1].axis_in_marker
    assert words in bring(device_set(tmp_path, entry("StylusTip", "Stylus", matrix)), rig, name="drill")
    assert read_rig(rig).tool[1].axis_in_marker == before


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((entry("StylusTip", "Stylus", more='Status="MISSING"'),), "marked MISSING"),
        ((entry("StylusTip", "Stylus", "2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1"),), "scales its axes by 2, 2, 2"),
        ((entry("StylusTip", "Stylus"), entry("NeedleTip", "Needle")), "2 tips"),
        ((), "0 tips"),
    ],
)
def test_a_tip_that_cannot_be_one_changes_nothing(tmp_path: Path, entries: tuple[str, ...], words: str) -> None:
    rig = a_rig(tmp_path)
    before = rig.read_bytes()
    with pytest.raises(InputRefused, match=words):
        bring(device_set(tmp_path, *entries), rig, name="drill")
    assert rig.read_bytes() == before


def test_two_tools_on_one_body_are_told_apart_by_their_own_names(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.write_text(rig.read_text(encoding="utf-8").replace('body = "drill"', 'body = "pointer"'), encoding="utf-8")
    said = bring(device_set(tmp_path, entry("DrillTip", "Pointer")), rig, name="drill")
    assert "Tool 'drill'" in said
    other = TIP.replace("-120", "-90")
    bring(device_set(tmp_path, entry("DrillTip", "Pointer", other), entry("PointerTip", "Pointer")), rig)
    assert [tool.tip_mm for tool in read_rig(rig).tool] == [(-120.0, 10.0, 0.0), (-90.0, 10.0, 0.0)]


def test_of_two_tips_for_one_tool_its_own_counts(tmp_path: Path) -> None:
    """The drill is alone on a body of another name; both the body's tip and the drill's lead to it."""
    rig = a_rig(tmp_path)
    text = rig.read_text(encoding="utf-8")
    rig.write_text(text.replace('name = "drill"\nsd_mm', 'name = "handle"\nsd_mm').replace('body = "drill"', 'body = "handle"'), encoding="utf-8")
    other = TIP.replace("-120", "-90")
    said = bring(device_set(tmp_path, entry("HandleTip", "Handle", other), entry("DrillTip", "Handle")), rig)
    assert "Not used" in said
    assert "HandleTipToHandle" in said
    assert read_rig(rig).tool[1].tip_mm == (-120.0, 10.0, 0.0)
    bring(device_set(tmp_path, entry("HandleTip", "Handle", other)), rig)
    assert read_rig(rig).tool[1].tip_mm == (-90.0, 10.0, 0.0)


def test_an_older_uncertainty_does_not_stay_with_a_new_tip(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    bring(device_set(tmp_path, entry("DrillTip", "Drill", more='Error="0.5"')), rig, name="drill")
    assert read_rig(rig).tool[1].tip_covariance is not None
    assert "not navigated by yet" in bring(device_set(tmp_path, entry("DrillTip", "Drill")), rig, name="drill")
    assert read_rig(rig).tool[1].tip_covariance is None


units = (
    st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: tuple((np.array(v) / np.linalg.norm(v)).tolist()))
)


@settings(max_examples=12, deadline=None)
@given(units, st.floats(10.0, 300.0), units.map(lambda v: tuple(5.0 * x for x in v)))
def test_tips_go_to_plus_and_back_to_the_last_bit(axis: tuple[float, ...], length: float, aside: tuple[float, ...]) -> None:
    tip = tuple(length * a + b for a, b in zip(axis, aside, strict=True))
    assume(np.linalg.norm(np.cross(axis, tip)) > 0.002 * np.dot(axis, tip) > 0.0)
    with TemporaryDirectory() as folder:
        rig, path = a_rig(Path(folder)), Path(folder) / "set.xml"
        text = rig.read_text(encoding="utf-8")
        told = f"axis_in_marker = {list(axis)}\ntip_mm = {list(tip)}\ntip_covariance = [0.25, 0.0, 0.0, 0.25, 0.0, 0.25]"
        rig.write_text(text.replace("axis_in_marker = [0.0, -1.0, 0.0]", told), encoding="utf-8")
        before = read_rig(rig)
        export(rig, path)
        rig.write_text(text, encoding="utf-8")
        bring(path, rig, name="drill")
        bring(path, rig, name="pointer")
        assert [(t.tip_mm, t.axis_in_marker) for t in read_rig(rig).tool] == [(t.tip_mm, t.axis_in_marker) for t in before.tool]


def test_names_that_plus_cannot_carry_are_refused(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    text = (
        rig.read_text(encoding="utf-8")
        .replace('name = "drill"\nbody', 'name = "my ToTool"\nbody')
        .replace("axis_sd_rad = 0.002", "axis_sd_rad = 0.002\ntip_mm = [0.0, -1.0, 0.0]")
    )
    rig.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match="PLUS cannot carry"):
        export(rig, tmp_path / "set.xml")
    with pytest.raises(InputRefused, match="no tool with a tip"):
        export(a_rig(tmp_path), tmp_path / "set.xml")


@settings(max_examples=60, deadline=None)
@given(edits)
def test_damaged_device_sets_are_refused_in_our_words(changes: list[tuple[int, int, str]]) -> None:
    whole = (HEAD + f"<Transform {entry('StylusTip', 'Stylus')} />" + TAIL).encode()
    with TemporaryDirectory() as folder:
        never_anything_else(read_plus, Path(folder) / "set.xml", damaged(whole, changes))
