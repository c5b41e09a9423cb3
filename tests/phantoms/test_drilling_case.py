"""The temporal bone as a case, its rig, and how `navtwin demo` casts its parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from navtwin.errors import NavtwinError
from navtwin.nouns import read_rig
from navtwin.scene.case import load_scene
from navtwin.volumes.read import read_ct
from phantoms import demo
from phantoms.drilling import temporal_bone as bone
from phantoms.drilling.rig import BURR_RADIUS_MM, DRILL, drilling_rig
from phantoms.drilling.temporal_bone_case import LIMITS, temporal_bone_case
from phantoms.rig import demo_rig, write_rig
from phantoms.volume import Grid

COARSE = Grid(origin_mm=(-52.0, -38.0, -36.0), spacing_mm=(0.8, 0.8, 0.8), shape_ijk=(76, 91, 79))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path / "cache"))


def test_drilling_rig_is_written_and_read_back(tmp_path: Path) -> None:
    rig = drilling_rig()
    assert read_rig(write_rig(tmp_path, rig)) == rig
    drill = next(tool for tool in rig.tool if tool.name == DRILL)
    assert drill.cutter is not None and drill.cutter.profile == "sphere"
    assert drill.cutter.radius_mm == BURR_RADIUS_MM == next(p.radius_mm for p in drill.part if p.name == drill.cutter.part)
    assert rig.body == demo_rig().body and rig.tracker == demo_rig().tracker


@pytest.mark.heavy
def test_case_of_the_temporal_bone(tmp_path: Path) -> None:
    """The product's own case builder, given the phantom's CT and labels, finds the analytic shapes again."""
    temporal_bone_case(tmp_path / "case", grid=COARSE)
    scene = load_scene(tmp_path / "case")
    assert read_rig(tmp_path / "case" / "rig.toml") == drilling_rig()
    carved = [s for s in scene.structures if s.carve_mm is not None]
    assert [s.name for s in carved] == [bone.BONE] and carved[0].role == "work"
    assert [s.removal_of for s in scene.structures if s.removal_of] == [bone.BONE]
    assert {s.name: (s.caution_mm, s.danger_mm) for s in scene.structures if s.role == "critical"} == LIMITS
    assert scene.patient.laterality == "left" and len(scene.landmarks) >= 6
    for name, shape in bone.critical().items():
        vertices = scene.structure(name).surface.vertices_mm
        vertices = vertices[((vertices > (-50.0, -36.0, -34.0)) & (vertices < (6.0, 32.0, 24.0))).all(axis=1)]
        assert np.sqrt(np.mean(shape.distance_mm(vertices) ** 2)) < 0.25 * COARSE.spacing_mm[0], name
    planned = scene.structure(bone.REMOVAL).surface
    assert planned.is_watertight and np.abs(bone.planned_removal().distance_mm(planned.vertices_mm)).max() < 0.02
    ct = read_ct(tmp_path / "case" / "ct.nii.gz")
    for place, low, high in (((6.0, 20.0, -20.0), -1024, -900), ((-14.0, 5.0, 4.8), -1024, -900), ((-9.2, 20.5, 4.0), 150, 350)):
        k, j, i = (round((p - o) / 0.8) for p, o in zip(place[::-1], COARSE.origin_mm[::-1], strict=True))
        assert low <= ct.hu[k, j, i] <= high, "air outside and in the antrum, blood in the sinus"


@pytest.mark.parametrize(
    "what, patient, expected", [("pedicle", "phantom", "pedicle"), ("drill", "temporal-bone", "mastoid"), ("drill", "phantom", "lamina")]
)
def test_the_demo_is_cast(monkeypatch: pytest.MonkeyPatch, what: str, patient: str, expected: str) -> None:
    for name in ("phantom_patient", "temporal_bone_patient", "laminectomy_patient"):
        monkeypatch.setattr(f"phantoms.cases.{name}", lambda console, name=name: Path(name))
    script, case = demo._cast(Console(), what, patient)
    assert script == expected and {"pedicle": "phantom", "mastoid": "temporal_bone", "lamina": "laminectomy"}[script] in case.name


def test_a_demo_that_is_not_there_is_refused() -> None:
    with pytest.raises(NavtwinError, match="no patient 'thorax' for this demo"):
        demo._cast(Console(), "drill", "thorax")
    with pytest.raises(NavtwinError, match="no demo 'drilling'"):
        demo.demo("drilling")


def test_the_case_of_a_demo_is_handed_out(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "case.toml").write_text("x", encoding="utf-8")
    demo._copy_case(tmp_path / "kept", tmp_path / "mine")
    assert (tmp_path / "mine" / "case.toml").read_text(encoding="utf-8") == "x"
    with pytest.raises(NavtwinError, match="already there"):
        demo._copy_case(tmp_path / "kept", tmp_path / "mine")
