"""Points and lines of 3D Slicer: what is read is what Slicer means, what is written reads back, what cannot be known is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.exchange.case_points import unique
from navtwin.exchange.fcsv import read_fcsv, stated_space, write_fcsv
from navtwin.exchange.markups import KINDS, UPRIGHT, ControlPoint, Markup, read_markups, write_markups
from navtwin.files.formats import Options
from navtwin.scene.case import read_case_file
from navtwin.scene.check import check_case
from tests.exchange.samples import a_case, bring, damaged, edits, export, format_of, never_anything_else, points

SCHEMA = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.{}.json#"
words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
axes = st.just(UPRIGHT) | st.tuples(*[st.floats(-1.0, 1.0)] * 9)
control_points = st.builds(
    ControlPoint, words, points, words, words.filter(bool), axes, st.booleans(), st.booleans(), st.booleans()
) | st.builds(ControlPoint, words, st.none(), status=st.sampled_from(["undefined", "preview"]), id=words.filter(bool), axes=axes)  # fmt: skip
markups = st.builds(Markup, st.sampled_from(KINDS), st.lists(control_points, max_size=4).map(tuple), st.none() | points, st.none() | points)


def slicer(markup: dict[str, object], version: int = 3) -> str:
    return json.dumps({"@schema": SCHEMA.format(version), "markups": [{"type": "Fiducial", **markup}]})


def point(position: object, label: str = "F-1", **more: object) -> dict[str, object]:
    return {"id": "1", "label": label, "position": position, **more}


def write(folder: Path, text: str, name: str = "points.mrk.json") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@settings(max_examples=40, deadline=None)
@given(st.lists(markups, max_size=3), st.sampled_from(["LPS", "RAS"]))
def test_markups_read_back_to_the_last_bit(found: list[Markup], space: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        write_markups(path, found, space)  # type: ignore[arg-type]
        read, version = read_markups(path)
    assert version == "1.0.3"
    assert [(m.kind, m.points, m.centre_mm, m.size_mm) for m in read] == [(m.kind, m.points, m.centre_mm, m.size_mm) for m in found]
    assert all(m.stated_space == space for m in read)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(ControlPoint, words.map(str.strip), points, words, words.filter(bool)), max_size=4), st.sampled_from(["LPS", "RAS"]))
def test_point_lists_read_back_to_the_last_bit(found: list[ControlPoint], space: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        write_fcsv(path, found, space)  # type: ignore[arg-type]
        assert stated_space(path) == space
        assert list(read_fcsv(path)) == found


def test_ras_is_turned_and_axes_turn_by_rows(tmp_path: Path) -> None:
    """A point that nobody has turned has Slicer's own axes, RAS: in LPS its first two rows change their signs."""
    upright = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    tilted = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    text = slicer({"coordinateSystem": "RAS", "controlPoints": [point([1, -2, 3], orientation=upright), point([4, 5, 6], orientation=tilted)]})
    first, second = read_markups(write(tmp_path, text))[0][0].points
    assert (first.position_mm, second.position_mm) == ((-1.0, 2.0, 3.0), (-4.0, -5.0, 6.0))
    assert first.axes == UPRIGHT
    assert second.axes == (-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, 7.0, 8.0, 9.0)


@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("unit", ["mm", ["mm", "UCUM", "millimeter"], None])
def test_what_the_schema_leaves_open_is_lps_and_said(tmp_path: Path, version: int, unit: object) -> None:
    markup: dict[str, object] = {"controlPoints": [point([1.0, 2.0, 3.0]), point("", positionStatus="undefined")]}
    path = write(tmp_path, slicer(markup if unit is None else {**markup, "coordinateUnits": unit}, version))
    (found,), stated = read_markups(path)
    assert stated == f"1.0.{version}"
    assert [p.position_mm for p in found.points] == [(1.0, 2.0, 3.0), None]
    seen = format_of(path).inspect(path, Options())
    assert "not stated" in dict(seen.facts)["axes"]
    assert ("not stated" in dict(seen.facts)["unit"]) is (unit is None)
    assert any("not been placed" in doubt for doubt in seen.doubts)


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ({"type": "Fiduccial"}, "did you mean 'Fiducial'"),
        ({"coordinateSystem": "IJK"}, "LPS or RAS"),
        ({"coordinateUnits": "um"}, "in mm"),
        ({"coordinateUnits": ["um", "UCUM"]}, "in mm"),
        ({"controlPoints": [point([1, 2])]}, "2 coordinates"),
        ({"controlPoints": [point("")]}, "no position"),
        ({"controlPoints": [point([1, 2, None])]}, "2 coordinates"),
        ({"controlPoints": [point([1, 2, 3], positionStatus="defnd")]}, "did you mean 'defined'"),
        ({"controlPoints": [point([1, 2, 3], orientation=[1, 2])]}, "2 numbers"),
        ({"controlPoints": [point(["1", 2, 3])]}, "no markups file"),
        ({"controlPoints": 3}, "no markups file"),
    ],
)
def test_markups_that_cannot_be_placed_are_refused(tmp_path: Path, markup: dict[str, object], words: str) -> None:
    path = write(tmp_path, slicer(markup))
    with pytest.raises(InputRefused, match=f"(?i){words}"):
        read_markups(path)


HEADS = {
    "4.11 by name": ("# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n", "LPS"),
    "4.6 by number": ("# Markups fiducial file version = 4.6\n# CoordinateSystem = 0\n", "RAS"),
    "one": ("# Markups fiducial file version = 4.10\n# CoordinateSystem = 1\n", "LPS"),
    "from a spreadsheet": ("# Markups fiducial file version = 4.11,,,,,\n# CoordinateSystem = RAS,,,,,\n", "RAS"),
    "Windows": ("# Markups fiducial file version = 4.11\r\n# CoordinateSystem = RAS\r\n", "RAS"),
    "silent": ("# Markups fiducial file version = 5.0\n", None),
    "Slicer 3": ("# Fiducial List file /x/L.fcsv\n# name = L\n# columns = label,x,y,z,sel,vis\n", None),
}


@pytest.mark.parametrize("which", HEADS)
def test_headers_of_all_ages(tmp_path: Path, which: str) -> None:
    head, space = HEADS[which]
    row = "tip,1.5,-2,3,1,1\n" if "Fiducial List" in head else 'id1,1.5,-2,3,0,0,0,1,1,1,0,"tip, left",,\n'
    path = write(tmp_path, head + row, "p.fcsv")
    assert stated_space(path) == space
    if space is None:
        with pytest.raises(InputRefused, match="--space"):
            read_fcsv(path)
    (found,) = read_fcsv(path, space or "RAS")
    assert found.position_mm == ((-1.5, 2.0, 3.0) if (space or "RAS") == "RAS" else (1.5, -2.0, 3.0))
    assert found.label.startswith("tip")
    with pytest.raises(InputRefused, match=r"not (XYZ|LPS|RAS)|does not state"):
        read_fcsv(path, {"LPS": "RAS", "RAS": "LPS", None: "XYZ"}[space])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# CoordinateSystem = 2\n", "LPS and RAS"),
        ("# CoordinateSystem = LPS\n# columns = id,x,y,label\n", "x, y and z"),
        ("# CoordinateSystem = LPS\nid,1,2\n", "line 3"),
        ("# CoordinateSystem = LPS\nid,1,nan,3,0,0,0,1,1,1,0,a,,\n", "no finite number"),
        ("# CoordinateSystem = LPS\nid,1,1_0,3,0,0,0,1,1,1,0,a,,\n", "no finite number"),
        ("# CoordinateSystem = LPS\nid,1,2,3,0,0,0,1,1,1,0," + "a" * 200_000 + ",,\n", "field larger"),
    ],
)
def test_point_lists_that_cannot_be_placed_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, "# Markups fiducial file version = 4.11\n" + text, "p.fcsv")
    with pytest.raises(InputRefused, match=words):
        read_fcsv(path)


def test_points_not_placed_in_a_point_list_have_no_position(tmp_path: Path) -> None:
    columns = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID,positionStatus,autoCreated"
    rows = "1,0,0,0,0,0,0,1,1,1,0,a,,,0,0\n2,1,2,3,0,0,0,1,1,1,0,b,,,2,0\n"
    text = f"# Markups fiducial file version = 5.2\n# CoordinateSystem = LPS\n# columns = {columns}\n{rows}"
    assert [p.position_mm for p in read_fcsv(write(tmp_path, text, "p.fcsv"))] == [None, (1.0, 2.0, 3.0)]


def test_a_case_goes_out_and_comes_back(tmp_path: Path) -> None:
    case = a_case(tmp_path)
    before, paths = read_case_file(case), {space: tmp_path / f"{space}.mrk.json" for space in ("LPS", "RAS")}
    assert all("3 landmarks, 1 plan" in export(case, path, space=space) for space, path in paths.items())
    assert all(f"{space} c" in bring(path, case, name=space) for space, path in paths.items())
    after = read_case_file(case)
    assert [m.position_mm for m in after.landmark] == [m.position_mm for m in before.landmark] * 3
    assert [m.name for m in after.landmark[3:6]] == ["LPS a", "LPS b", "LPS c"]
    assert [(p.entry_mm, p.target_mm, p.diameter_mm, p.tolerance_mm) for p in after.plan] == [
        (p.entry_mm, p.target_mm, p.diameter_mm, p.tolerance_mm) for p in before.plan * 3
    ]
    assert not [finding for finding in check_case(case).findings if finding.level == "fault"]


def test_point_lists_of_a_case_say_what_they_lose(tmp_path: Path) -> None:
    case, path = a_case(tmp_path), tmp_path / "out.fcsv"
    assert "is lost" in export(case, path, space="RAS")
    assert [p.label for p in read_fcsv(path)] == ["a", "b", "c", "p entry", "p target"]
    assert "out of case.toml" in refusal(path, case)
    assert "again a" in bring(path, case, name="again")
    assert "no landmark or plan named 'x'" in refusal_of_export(case, path, name="x")


def refusal(path: Path, to: Path, **options: str) -> str:
    with pytest.raises(InputRefused) as refused:
        bring(path, to, **options)
    return str(refused.value)


def refusal_of_export(path: Path, to: Path, **options: str) -> str:
    with pytest.raises(InputRefused) as refused:
        export(path, to, **options)
    return str(refused.value)


def test_lines_become_plans_with_widths_that_are_shown(tmp_path: Path) -> None:
    case = a_case(tmp_path)
    ends = [point([60.0, 0.0, 0.0], "screw-1"), point([25.0, -5.0, 0.0], "screw-2")]
    path = write(tmp_path, json.dumps({"@schema": SCHEMA.format(3), "markups": [{"type": "Line", "coordinateSystem": "LPS", "controlPoints": ends}]}))
    said = bring(path, case)
    assert "diameter_mm = 3.0 and tolerance_mm = 1.0 were put in case.toml for screw" in said
    plan = read_case_file(case).plan[-1]
    assert (plan.name, plan.entry_mm, plan.target_mm) == ("screw", (60.0, 0.0, 0.0), (25.0, -5.0, 0.0))


def test_what_a_case_has_no_place_for_stays_behind_and_is_said(tmp_path: Path) -> None:
    case = a_case(tmp_path)
    some = [point([1, 2, 3], "a"), point([1, 2, 4], "a"), point("", "b", positionStatus="preview")]
    kinds = [{"type": kind, "controlPoints": some} for kind in ("Fiducial", "Line", "Curve", "ROI")]
    path = write(tmp_path, json.dumps({"@schema": SCHEMA.format(3), "markups": kinds}))
    said = bring(path, case, name="n")
    assert "n a, n a (2)" in said
    for words in ("A Curve was left out", "A ROI was left out", "not been placed were left out: 1", "without both ends were left out: 1", "LPS"):
        assert words in said
    assert "other axes than RAS" in refusal(path, case, space="RAS")
    assert "holds no case" in refusal(path, tmp_path / "nothing")


def test_landmarks_outside_the_scan_change_nothing(tmp_path: Path) -> None:
    case = a_case(tmp_path)
    before = (case / "case.toml").read_bytes()
    path = write(tmp_path, slicer({"coordinateSystem": "LPS", "controlPoints": [point([1000, 0, 0], "far")]}))
    assert "far" in refusal(path, case)
    assert (case / "case.toml").read_bytes() == before


def test_names_that_are_there_get_a_number() -> None:
    assert unique(["a", "a (2)", "a", "a"]) == ("a", "a (2)", "a (3)", "a (4)")


WHOLE = slicer({"coordinateSystem": "RAS", "controlPoints": [point([1.5, 2, 3], orientation=[1, 0, 0, 0, 1, 0, 0, 0, 1])]}).encode()
LIST = b"# Markups fiducial file version = 4.11\n# CoordinateSystem = RAS\n# columns = id,x,y,z,label\n1,2.5,3,4,a\n2,2.5,3,-4e1,b\n"


@settings(max_examples=60, deadline=None)
@given(edits)
def test_damaged_files_are_refused_in_our_words(changes: list[tuple[int, int, str]]) -> None:
    with TemporaryDirectory() as folder:
        never_anything_else(read_markups, Path(folder) / "m", damaged(WHOLE, changes))
        never_anything_else(lambda path: read_fcsv(path, "LPS"), Path(folder) / "f", damaged(LIST, changes))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[" * 200_000, b'{"markups":' + b"[" * 200_000, b"\xff\xfe", b'{"markups":[{"type":"Line","size":[1e999]}]}']
)
def test_hostile_markups_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m"
    path.write_bytes(data)
    with pytest.raises(InputRefused):
        read_markups(path)


def test_files_with_more_points_than_anyone_uses_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_text('{"markups":[{"type":"Curve","controlPoints":[' + ",".join(["{}"] * 50_001) + "]}]}", encoding="utf-8")
    with pytest.raises(InputRefused, match="more than 50000 points"):
        read_markups(path)
    path.write_text(
        "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n# columns = id,x,y,z\n" + "1,2,3,4\n" * 50_001, encoding="utf-8"
    )
    with pytest.raises(InputRefused, match="more than 50000 points"):
        read_fcsv(path)
