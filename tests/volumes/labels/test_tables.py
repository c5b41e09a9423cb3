"""Tables of names: every form is known by its lines, and a line that is none of it is named."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.volumes.labels.label_volume import embedded_names, read_named_labels
from navtwin.volumes.labels.segments import Segment
from navtwin.volumes.labels.tables import hex_color, read_table

CTBL = "# Color table file x.ctbl\n# 4 values\n0 nothing 0 0 0 0\n2 bone 255 200 135 255\n10 skull 245 245 245 255\n"
SNAP = '# ITK-SnAP Label Description File\n    0     0    0    0        0  0  0    "Clear Label"\n    2   255  200  135  1  1  0    "left hip"\n'
TABLES = {
    "group,structure,id\nbones,hip,7\nbones,rib,8\n": (Segment("hip", (7,)), Segment("rib", (8,))),
    "name,label,color\nhip,7,#0a0B0c\n": (Segment("hip", (7,), "#0a0b0c"),),
    "LabelValue,Name,Color_R,Color_G,Color_B,Color_A\n7,hip,10,11,12,255\n": (Segment("hip", (7,), "#0a0b0c"),),
    CTBL: (Segment("bone", (2,), "#ffc887"), Segment("skull", (10,), "#f5f5f5")),
    SNAP: (Segment("left hip", (2,), "#ffc887"),),
}


@pytest.mark.parametrize("text", TABLES)
def test_a_table(tmp_path: Path, text: str) -> None:
    for written in (text, "\ufeff" + text.replace("\n", "\r\n")):
        (tmp_path / "table").write_text(written, encoding="utf-8", newline="")
        assert read_table(tmp_path / "table") == TABLES[text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no columns for names and labels"),
        ("", "no columns"),
        ("structure,id\nhip,seven\n", r"line 2 of the table .* not a whole number \('seven'\)"),
        ("structure,id\nhip,1e3\n", "not a whole number"),
        ("structure,id\nhip\n", "not a whole number"),
        ("structure,id\nhip,7\nrib,7\n", "calls label 7 both 'hip' and 'rib'"),
        ('structure,id\n"hip,7\n', "cannot read the table"),
        (CTBL + "11 left lung 1 2 3 255\n", "line 6 of .* is no line of a colour table"),
        (SNAP + "3 rib\n", "line 4 of .* is no line of a label description"),
        ("structure,id\nhip,999999999\n", "not a whole number"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "table").write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match=words):
        read_table(tmp_path / "table")


def test_a_color_out_of_range_is_brought_into_it() -> None:
    assert hex_color(-3.0, 127.5, 300.0) == "#0080ff"


XML = ('<?xml version="1.0" encoding="UTF-8"?> <CaretExtension><VolumeInformation Index="0"><LabelTable>'
       '<Label Key="1" Red="0.0" Green="1.0" Blue="0.5" Alpha="1"><![CDATA[left hip]]></Label><Label Key="5" Red="x"><![CDATA[rib]]></Label>'
       "</LabelTable></VolumeInformation></CaretExtension>")  # fmt: skip


def labelled_nifti(path: Path, xml: str, code: int = 0) -> Path:
    values = np.zeros((4, 5, 6), dtype=np.uint8)
    values[1:3, 1:3, 1:3], values[3, 3, 3] = 1, 9
    image = nib.Nifti1Image(values, np.diag((10.0, 10.0, 10.0, 1.0)))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(code, xml.encode()))
    nib.save(image, path)
    return path


@pytest.mark.parametrize("code", [0, 30])
def test_names_in_the_file_itself(tmp_path: Path, code: int) -> None:
    found = read_named_labels(labelled_nifti(tmp_path / "x.nii.gz", XML, code), None)
    assert found.segments == (Segment("left hip", (1,), "#00ff80"), Segment("label_9", (9,)))
    assert found.counts() == (8, 1)
    with pytest.raises(InputRefused, match=r"'rib' of .* cannot be used: label 5 has no voxel there"):
        found.segment("rib")
    with pytest.raises(InputRefused, match=r"no structure 'left hop'\. Did you mean 'left hip'"):
        found.segment("left hop")


def test_a_table_outdoes_the_names_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "table").write_text("structure,id\nfemur,1\nfemur,9\n", encoding="utf-8")
    found = read_named_labels(labelled_nifti(tmp_path / "x.nii", XML), tmp_path / "table")
    with pytest.raises(InputRefused, match=r"2 structures of .* are called 'femur'.*femur=1:role for one, femur=1\+9:role for all"):
        found.segment("femur")


def test_a_scan_in_place_of_labels(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(-1000, 1000, (8, 9, 10)).astype(np.int16)
    nib.save(nib.Nifti1Image(values, np.diag((10.0, 10.0, 10.0, 1.0))), tmp_path / "x.nii")
    with pytest.raises(InputRefused, match="holds scanned values, not labels"):
        read_named_labels(tmp_path / "x.nii", None)


def test_entities_in_the_names(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + XML.split("?>")[1].strip()
    with pytest.raises(InputRefused, match="DOCTYPE"):
        embedded_names(labelled_nifti(tmp_path / "x.nii", bomb))


def test_a_file_without_names(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "x.nii")
    assert embedded_names(tmp_path / "x.nii") == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.sampled_from([*TABLES, "nifti"]), place=st.floats(0.0, 1.0), value=st.integers(0, 255), cut=st.booleans())
def test_a_changed_byte_never_breaks_out(tmp_path: Path, which: str, place: float, value: int, cut: bool) -> None:
    path = tmp_path / "odd"
    data = bytearray(labelled_nifti(tmp_path / "x.nii", XML).read_bytes() if which == "nifti" else which.encode())
    at = int(place * (len(data) - 1))
    data[at] = value
    path.write_bytes(data[:at] if cut else data)
    try:
        found = embedded_names(path) if which == "nifti" else read_table(path)
    except NavtwinError:
        return
    assert all(one.name for one in found)
