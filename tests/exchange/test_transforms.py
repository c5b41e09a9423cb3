"""ITK's transforms: formulas against numbers that ITK itself gave, files that read back, and what is no rigid transform."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from navtwin.errors import InputRefused
from navtwin.exchange.hdf5 import checked, read_h5, write_h5
from navtwin.exchange.hdf5_child import read as read_in_child
from navtwin.exchange.itk import COMPOSITE, ItkTransform, T_parent_from_node, from_parent, matrix_of, turned_axes
from navtwin.exchange.tfm import read_tfm, write_tfm
from navtwin.files.formats import Options
from navtwin.nouns import read_rig
from navtwin.rigid import Rigid
from tests.exchange.samples import a_rig, bring, damaged, edits, export, format_of, never_anything_else

#: Where ITK 5.4 (SimpleITK 2.5) takes these two points; its own parameters, its own answers.
ASKED = np.array([[1.0, 2.0, 3.0], [-40.0, 25.0, 7.0]])
CENTRE, SHIFT = (3.0, -4.0, 5.0), (10.0, 20.0, -30.0)
VERSOR = (0.19412116347420977, 0.2911817452113146, 0.38824232694841954)
ROWS = (
    *(0.5289621736427391, -0.5489231301242008, 0.647211260771781),
    *(0.775021286775686, 0.6231697389141913, -0.10488794757348649),
    *(-0.34574705190313404, 0.5570842608764569, 0.7550603302942244),
)
TURNED = [[7.354114350425755, 18.39875175508075, -22.476120991523437], [-24.36972171869604, 0.5362312020100752, 7.532687457840467]]
AFFINE = ItkTransform("AffineTransform", ROWS + SHIFT, CENTRE)
ZYX = ItkTransform("Euler3DTransform", (0.3, -0.5, 0.7, *SHIFT), (*CENTRE, 1.0))
ANSWERS = {
    "affine": ((AFFINE,), TURNED),
    "the same by its other name": ((ItkTransform("MatrixOffsetTransformBase", ROWS + SHIFT, CENTRE),), TURNED),
    "rigid": ((ItkTransform("Rigid3DTransform", ROWS + SHIFT, CENTRE),), TURNED),
    "versor": ((ItkTransform("VersorRigid3DTransform", VERSOR + SHIFT, CENTRE),), TURNED),
    "versor alone": (
        (ItkTransform("VersorTransform", VERSOR, CENTRE),),
        [[-2.645885649574245, -1.601248244919251, 7.5238790084765625], [-34.36972171869604, -19.463768797989925, 37.53268745784047]],
    ),
    "Euler": (
        (ItkTransform("Euler3DTransform", (0.3, -0.5, 0.7, *SHIFT), (*CENTRE, 0.0)),),
        [[8.181584817372073, 20.48452940393681, -25.819677468914954], [-38.03396789965242, 16.52471455282688, -34.4476872860663]],
    ),
    "Euler, other order": (
        (ZYX,),
        [[7.634587140511817, 19.747917586553356, -26.079564084083426], [-37.17239552033844, 9.19045559913658, -36.41756685127763]],
    ),
    "composite": (
        (ItkTransform(COMPOSITE), AFFINE, ZYX),
        [[-17.699303822857605, 37.65075897973986, -36.83974964728859], [-42.29613949003132, -2.570365316643148, -35.035079179596394]],
    ),
    "translation": ((ItkTransform("TranslationTransform", SHIFT),), (ASKED + SHIFT).tolist()),
    "identity": ((ItkTransform("IdentityTransform"),), ASKED.tolist()),
}
HERE = Path("t.tfm")
finite = st.floats(-1e6, 1e6, allow_nan=False)
affines = st.builds(ItkTransform, st.just("AffineTransform"), st.tuples(*[finite] * 12), st.tuples(*[finite] * 3))


@pytest.mark.parametrize("which", ANSWERS)
def test_points_go_where_itk_takes_them(which: str) -> None:
    transforms, answer = ANSWERS[which]
    matrix = matrix_of(HERE, transforms)
    np.testing.assert_allclose(ASKED @ matrix[:3, :3].T + matrix[:3, 3], answer, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(affines, min_size=1, max_size=3), st.booleans())
def test_files_read_back_to_the_last_bit(found: list[ItkTransform], joined: bool) -> None:
    found = [ItkTransform(COMPOSITE), *found] if joined else found
    with TemporaryDirectory() as folder:
        text, binary = Path(folder) / "t.tfm", Path(folder) / "t.h5"
        write_tfm(text, found)
        write_h5(binary, found)
        assert list(read_tfm(text)) == found
        assert list(checked(binary, read_in_child(binary))) == found


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.floats(-3.0, 3.0)] * 3), st.tuples(*[st.floats(-500.0, 500.0)] * 3))
def test_from_parent_is_the_inverse_and_ras_the_turned_frame(turn: tuple[float, ...], shift: tuple[float, ...]) -> None:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.from_rotvec(turn).as_matrix(), shift
    T = Rigid.from_matrix(matrix, target="parent", source="node")
    np.testing.assert_allclose(matrix_of(HERE, [from_parent(T)]), np.linalg.inv(matrix), atol=1e-9)
    back, said = T_parent_from_node(HERE, [from_parent(T)], parent="parent", node="node")
    np.testing.assert_allclose(back.matrix(), matrix, atol=1e-9)
    assert said == ""
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_array_equal(turned_axes(T).matrix(), flip @ matrix @ flip)


@pytest.mark.parametrize(
    ("transforms", "words"),
    [
        ((ItkTransform("AffineTransform", (1.1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0), (0, 0, 0)),), "scales its axes by 1.1, 1, 1"),
        ((ItkTransform("AffineTransform", (1, 0.1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0), (0, 0, 0)),), "leans them by 5.71 degrees"),
        ((ItkTransform("AffineTransform", (1, 0, 0, 0, 1, 0, 0, 0, -1, 0, 0, 0), (0, 0, 0)),), "mirror"),
        ((ItkTransform("AffineTransform", (0,) * 12, (0, 0, 0)),), "not rigid"),
        ((ItkTransform("AffineTransform", (1e200,) * 12, (1e200,) * 3),), "too large"),
        ((ItkTransform("VersorRigid3DTransform", (1, 1, 0, 0, 0, 0), (0, 0, 0)),), "above 1"),
        ((ItkTransform("Euler3DTransform", (0,) * 7, (0, 0, 0)),), "7 parameters"),
        ((ItkTransform("BSplineTransform", (0,) * 7, (0, 0, 0)),), "BSplineTransform, which is not read"),
        ((ItkTransform("Similarity3DTransform", (0,) * 7, (0, 0, 0)),), "Similarity3DTransform, which is not read"),
        ((AFFINE, ZYX), "no composite joins"),
        ((ItkTransform(COMPOSITE), ItkTransform(COMPOSITE)), "composites of composites"),
        ((ItkTransform(COMPOSITE),), "0 transforms"),
    ],
)
def test_what_is_no_rigid_transform_is_refused_saying_how_far(transforms: tuple[ItkTransform, ...], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        T_parent_from_node(HERE, transforms, parent="a", node="b")


def test_a_rotation_printed_short_is_mended_and_said() -> None:
    rows = tuple(round(v, 4) for v in ROWS)
    T, said = T_parent_from_node(HERE, [ItkTransform("AffineTransform", rows + SHIFT, (0.0, 0.0, 0.0))], parent="a", node="b")
    assert "printed short" in said
    np.testing.assert_allclose(T.inverse().matrix()[:3, :3].ravel(), ROWS, atol=2e-4)


@pytest.mark.parametrize(
    "text",
    [
        "Transform: AffineTransform_double_3_3\n",
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_2_2\nParameters: 1 0 0 1 0 0\n",
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\n",
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2 x\n",
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2 inf\n",
        "#Insight Transform File V1.0\nParameters: 1 2 3\n",
        "#Insight Transform File V1.0\nhello\n",
        "#Insight Transform File V1.0\n",
        "#Insight Transform File V1.0\n" + "Transform: IdentityTransform_double_3_3\nParameters:\n" * 100,
    ],
)
def test_text_that_is_no_transform_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.tfm"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused):
        read_tfm(path)


TEXT = b"#Insight Transform File V1.0\n#Transform 0\nTransform: Euler3DTransform_double_3_3\nParameters: 0 0.5 0 1 2 3\nFixedParameters: 0 0 0\n"


@settings(max_examples=60, deadline=None)
@given(edits)
def test_damaged_text_is_refused_in_our_words(changes: list[tuple[int, int, str]]) -> None:
    with TemporaryDirectory() as folder:
        read = lambda path: T_parent_from_node(path, read_tfm(path), parent="a", node="b")  # noqa: E731
        never_anything_else(read, Path(folder) / "t", damaged(TEXT, changes))


def test_hdf5_is_read_in_a_child_under_either_spelling(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    write_h5(path, [AFFINE])
    assert read_h5(path) == (AFFINE,)
    with h5py.File(path, "a") as file:
        group = file["TransformGroup/0"]
        for name in ("Parameters", "FixedParameters"):
            group.move(f"Transform{name}", f"Tranform{name}")
    assert read_h5(path) == (AFFINE,)
    assert format_of(path).name == "transform of ITK (HDF5)"


def spoiled(path: Path, how: str) -> None:
    """One hostile trick each: what a file may ask of a reader that trusts it."""
    outside = path.with_name("outside.h5")
    write_h5(outside, [AFFINE])
    write_h5(path, [AFFINE])
    with h5py.File(path, "a") as file:
        group = file["TransformGroup/0"]
        if how != "no group":
            del group["TransformParameters"]
        make: dict[str, Any] = {
            "external link": lambda: group.__setitem__(
                "TransformParameters", h5py.ExternalLink(str(outside), "/TransformGroup/0/TransformParameters")
            ),
            "soft link": lambda: group.__setitem__("TransformParameters", h5py.SoftLink("/ITKVersion")),
            "loop": lambda: group.__setitem__("TransformParameters", h5py.SoftLink("/TransformGroup/0/TransformParameters")),
            "external bytes": lambda: group.create_dataset("TransformParameters", (12,), "<f8", external=[(str(outside), 0, 96)]),
            "virtual": lambda: virtual(group, outside),
            "a bomb": lambda: group.create_dataset("TransformParameters", (2**40,), "<f8", chunks=(2**16,), compression="gzip"),
            "another filter": lambda: group.create_dataset("TransformParameters", data=np.zeros(12), chunks=(12,), compression="lzf"),
            "words": lambda: group.create_dataset("TransformParameters", data=["a"] * 12, dtype=h5py.string_dtype()),
            "NaN": lambda: group.create_dataset("TransformParameters", data=[np.nan] * 12),
            "a group": lambda: group.create_group("TransformParameters"),
            "missing": lambda: None,
            "no group": lambda: file.__delitem__("TransformGroup"),
        }
        make[how]()


def virtual(group: Any, outside: Path) -> None:
    layout = h5py.VirtualLayout((12,), "<f8")
    layout[:] = h5py.VirtualSource(str(outside), "/TransformGroup/0/TransformParameters", (12,))
    group.create_virtual_dataset("TransformParameters", layout)


TRICKS = (
    "external link",
    "soft link",
    "loop",
    "external bytes",
    "virtual",
    "a bomb",
    "another filter",
    "words",
    "NaN",
    "a group",
    "missing",
    "no group",
)


@pytest.mark.parametrize("how", TRICKS)
def test_hdf5_gives_only_numbers_of_its_own(tmp_path: Path, how: str) -> None:
    path = tmp_path / "t.h5"
    spoiled(path, how)
    with pytest.raises(InputRefused):
        checked(path, read_in_child(path))


def test_a_library_that_fails_takes_nothing_with_it(tmp_path: Path) -> None:
    """Whole files with their inner lengths and addresses overwritten: some make the library fail in ways of its own."""
    path = tmp_path / "t.h5"
    write_h5(path, [AFFINE])
    whole = path.read_bytes()
    for n, at in enumerate(range(16, len(whole), len(whole) // 2)):
        never_anything_else(read_h5, path, whole[:at] + bytes([255 - n]) * 24 + whole[at + 24 :])
    never_anything_else(read_h5, path, whole[: len(whole) // 2])
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(5 * 1024**2))
    with pytest.raises(InputRefused, match="more than"):
        read_h5(path)


@pytest.mark.parametrize("ending", [".tfm", ".h5"])
@pytest.mark.parametrize("space", ["LPS", "RAS"])
def test_a_tip_goes_out_and_comes_back(tmp_path: Path, ending: str, space: str) -> None:
    rig = a_rig(tmp_path)
    text = rig.read_text(encoding="utf-8")
    rig.write_text(
        text.replace("axis_in_marker = [0.0, -1.0, 0.0]", "axis_in_marker = [0.6, -0.8, 0.0]\ntip_mm = [90.5, -120.25, 3.125]"), encoding="utf-8"
    )
    path = tmp_path / f"tip{ending}"
    assert f"--space {space}" in export(rig, path, name="drill", space=space)
    rig.write_text(text, encoding="utf-8")
    said = bring(path, rig, name="drill", space=space)
    assert "No uncertainty is stated" in said
    tool = read_rig(rig).tool[1]
    np.testing.assert_allclose(tool.tip_mm or (), (90.5, -120.25, 3.125), atol=1e-12)
    np.testing.assert_allclose(tool.axis_in_marker, (0.6, -0.8, 0.0), atol=1e-12)
    assert read_rig(rig).tool[0].tip_mm is None


def test_slicer_shows_the_markers_own_axes(tmp_path: Path) -> None:
    """Slicer's scene is RAS: it turns what it read, and inverts it (formats: ToParent_RAS = F inv(M_LPS) F)."""
    rig, path = a_rig(tmp_path), tmp_path / "tip.tfm"
    text = rig.read_text(encoding="utf-8").replace("axis_sd_rad = 0.002", "axis_sd_rad = 0.002\ntip_mm = [7.0, -120.0, 3.0]")
    rig.write_text(text, encoding="utf-8")
    export(rig, path, name="pointer", space="RAS")
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    shown = flip @ np.linalg.inv(matrix_of(path, read_tfm(path))) @ flip
    np.testing.assert_allclose(shown[:3, 3], (7.0, -120.0, 3.0), atol=1e-12)
    np.testing.assert_allclose(shown[:3, 2], (0.0, -1.0, 0.0), atol=1e-12)


def test_a_transform_is_asked_whose_and_in_which_axes_it_is(tmp_path: Path) -> None:
    rig, path = a_rig(tmp_path), tmp_path / "t.tfm"
    path.write_bytes(TEXT)
    before = rig.read_bytes()
    for options, words in (
        ({}, "--name with a tool"),
        ({"name": "drill"}, "--space RAS"),
        ({"name": "dril", "space": "LPS"}, "did you mean 'drill'"),
    ):
        with pytest.raises(InputRefused, match=f"(?i){re.escape(words)}"):
            bring(path, rig, **options)
    for options, words in (({}, "--name with a tool"), ({"name": "drill"}, "--space RAS"), ({"name": "drill", "space": "LPS"}, "has no tip")):
        with pytest.raises(InputRefused, match=f"(?i){re.escape(words)}"):
            export(rig, tmp_path / "o.tfm", **options)
    assert rig.read_bytes() == before
    with pytest.raises(InputRefused, match="navtwin markers sheet"):
        bring(path, tmp_path / "none.toml", name="drill", space="LPS")
    seen = format_of(path).inspect(path, Options())
    assert "FromParent" in dict(seen.facts)["direction"]
    assert any("--space" in doubt for doubt in seen.doubts)
