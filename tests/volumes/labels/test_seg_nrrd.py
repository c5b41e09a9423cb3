"""Slicer's segmentations: layers, names and colours; and a reading by content of every kind of segmentation."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, NavtwinError
from navtwin.volumes.labels.read import read_segmentation
from navtwin.volumes.labels.seg_nrrd import read_seg_nrrd
from navtwin.volumes.labels.segments import Segment, Segmentation
from tests.volumes.labels.made import ORIGIN_MM, SPACING_MM, masks, scan, to_mm, write_dicom_seg, write_structure_set

SEGMENTS = {"bone": (1, 0, "0.9 0.8 0.7"), "cord": (1, 1, "1 0 0"), "vessel": (2, 0, "0 0 1")}


def write_seg(path: Path, values: npt.NDArray[Any] | None = None, keys: dict[str, str] | None = None, **fields: str) -> Path:
    """As Slicer writes two layers: along the fastest axis, which has no direction in space."""
    if values is None:
        found = masks()
        layers = [found["bone"] * 1 + found["vessel"] * 2, found["cord"] * 1]
        values = np.stack(layers, axis=-1).astype(np.uint8)
    sides = [f"({','.join(str(s if n == axis else 0.0) for n in range(3))})" for axis, s in enumerate(SPACING_MM)]
    layered = values.ndim == 4
    header = {
        "type": "unsigned char", "dimension": str(values.ndim), "space": "left-posterior-superior",
        "sizes": " ".join(map(str, values.shape[::-1])), "space directions": " ".join(["none", *sides] if layered else sides),
        "kinds": " ".join((["list"] if layered else []) + ["domain"] * 3), "encoding": "gzip",
        "space origin": f"({','.join(map(str, ORIGIN_MM))})",
    } | fields  # fmt: skip
    if keys is None:
        keys = {"Segmentation_MasterRepresentation": "Binary labelmap"}
        for n, (name, (label, layer, color)) in enumerate(SEGMENTS.items()):
            keys |= {f"Segment{n}_ID": f"Segment_{n + 1}", f"Segment{n}_Name": name, f"Segment{n}_Color": color}
            keys |= {f"Segment{n}_LabelValue": str(label), f"Segment{n}_Layer": str(layer), f"Segment{n}_Extent": "0 23 0 19 0 9"}
    lines = ["NRRD0004", *(f"{k}: {v}" for k, v in header.items()), *(f"{k}:={v}" for k, v in keys.items()), "", ""]
    path.write_bytes("\n".join(lines).encode() + gzip.compress(values.tobytes(), mtime=0))
    return path


def same_as_made(found: Segmentation) -> None:
    for name, mask in masks().items():
        np.testing.assert_array_equal(found.mask_of(found.segment(name)), mask)


def test_two_layers_with_names_and_colors(tmp_path: Path) -> None:
    found = read_seg_nrrd(write_seg(tmp_path / "x.seg.nrrd"))
    assert found.segments == (Segment("bone", (1,), "#e6ccb2"), Segment("cord", (1,), "#ff0000", 1), Segment("vessel", (2,), "#0000ff"))
    same_as_made(found)
    np.testing.assert_allclose(found.volume.T_ct_from_ijk, scan().T_ct_from_ijk)
    assert found.crops
    with pytest.raises(InputRefused, match="label 1 is a structure in 2 layers"):
        found.mask([1, 2])
    np.testing.assert_array_equal(found.mask([2]), masks()["vessel"])


def test_layers_along_the_slowest_axis_and_in_ras(tmp_path: Path) -> None:
    values = np.stack([masks()["bone"] * 1 + masks()["vessel"] * 2, masks()["cord"] * 1]).astype(np.uint8)
    x, y, z = SPACING_MM
    turned = {"space": "right-anterior-superior", "space directions": f"({-x},0,0) (0,{-y},0) (0,0,{z}) none",
              "space origin": f"({-ORIGIN_MM[0]},{-ORIGIN_MM[1]},{ORIGIN_MM[2]})", "kinds": "domain domain domain list"}  # fmt: skip
    found = read_seg_nrrd(write_seg(tmp_path / "x.nrrd", values, **turned))
    same_as_made(found)
    np.testing.assert_allclose(found.volume.T_ct_from_ijk, scan().T_ct_from_ijk)


def test_one_layer_a_segment_as_slicer_wrote_it_before(tmp_path: Path) -> None:
    values = np.stack(list(masks().values()), axis=-1).astype(np.uint8)
    keys = {f"Segment{n}_Name": name for n, name in enumerate(SEGMENTS)}
    found = read_seg_nrrd(write_seg(tmp_path / "x.nrrd", values, keys))
    same_as_made(found)
    assert [one.layer for one in found.segments] == [0, 1, 2]


def test_three_dimensions_an_empty_segment_and_one_without_a_name(tmp_path: Path) -> None:
    keys = {"Segment0_ID": "Segment_1", "Segment0_LabelValue": "2", "Segment1_Name": "ghost", "Segment1_LabelValue": "7"}
    found = read_seg_nrrd(write_seg(tmp_path / "x.nrrd", (masks()["bone"] * 2).astype(np.uint8), keys))
    np.testing.assert_array_equal(found.mask_of(found.segment("Segment_1")), masks()["bone"])
    with pytest.raises(InputRefused, match=r"'ghost' of .* cannot be used: it is empty: no voxel is 7"):
        found.segment("ghost")


@pytest.mark.parametrize(
    ("keys", "fields", "words"),
    [
        ({"Segment0_Name": "a", "Segment0_LabelValue": "x"}, {}, "label value of segment 'a' in .* is 'x'"),
        ({"Segment0_Name": "a", "Segment0_LabelValue": "1", "Segment0_Layer": "2"}, {}, "segment 'a' of .* is label 1 of layer 2, and there are 2"),
        ({"Segment0_Name": "a", "Segmentation_MasterRepresentation": "Fractional labelmap"}, {}, "holds fractions"),
        ({"Segment0_Name": "a"}, {"type": "float", "endian": "little"}, "values of type float32, not labels"),
        ({"Segment0_Name": "a"}, {"space": "scanner-xyz"}, "axes"),
        ({"Segment0_Name": "a"}, {"space directions": "(1,0,0) (0,1,0)"}, "space directions"),
    ],
)
def test_a_segmentation_that_is_refused(tmp_path: Path, keys: dict[str, str], fields: dict[str, str], words: str) -> None:
    path = write_seg(tmp_path / "x.nrrd", None, keys, **fields)
    with pytest.raises(InputRefused, match=words):
        read_seg_nrrd(path)


def test_every_kind_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "dicom").mkdir()
    square = [(3, 3), (9, 3), (9, 9), (3, 9)]
    made = [
        write_seg(tmp_path / "a"),
        write_dicom_seg(tmp_path / "dicom" / "b").parent,
        write_structure_set(tmp_path / "c", {"bone": [to_mm(square, 3)]}),
        write_seg(tmp_path / "d", masks()["bone"].astype(np.uint8), {}),
    ]
    (tmp_path / "table").write_text("structure,id\nbone,1\n", encoding="utf-8")
    for path in made:
        found = read_segmentation(path, ct=scan(), names=tmp_path / "table" if path.name == "d" else None)
        assert found.segment("bone").name == "bone"
    for path in made[:3]:
        with pytest.raises(InputRefused, match="names its structures itself"):
            read_segmentation(path, ct=scan(), names=tmp_path / "table")
    with pytest.raises(InputRefused, match="which need the CT"):
        read_segmentation(made[2], ct=None)
    with pytest.raises(InputRefused, match="a folder of 4 files"):
        read_segmentation(tmp_path, ct=scan())


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0.0, 1.0), value=st.integers(0, 255), cut=st.booleans(), header=st.booleans())
def test_a_changed_byte_never_breaks_out(tmp_path: Path, place: float, value: int, cut: bool, header: bool) -> None:
    data = bytearray(write_seg(tmp_path / "whole").read_bytes())
    at = int(place * ((data.index(b"\n\n") if header else len(data)) - 1))
    data[at] = value
    (tmp_path / "odd").write_bytes(data[:at] if cut else data)
    try:
        found = read_segmentation(tmp_path / "odd", ct=scan())
    except NavtwinError:
        return
    assert found.volume.hu.ndim == 3
