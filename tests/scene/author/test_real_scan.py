"""A surgeon's own CT, without labels, from DICOM to a case that watches: a plastic skull with rods in it, beside a head holder."""

from __future__ import annotations

from pathlib import Path

import pytest

from navtwin.scene import load_scene
from navtwin.scene.author.into_case import Declared, add_made
from navtwin.scene.author.recipe import Cut, Sphere, Threshold, Tube
from navtwin.scene.check import check_case
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from tests.scene.cases import SHARED

PHANTOM = SHARED / "ct" / "skull_phantom" / "std_5mm_dicom"
FOREHEAD = (-4.1, 23.0, 761.2)
#: Some slices, to be quick.
SLAB = (-200.0, -200.0, 752.0, 200.0, 300.0, 778.0)


@pytest.mark.heavy
@pytest.mark.skipif(not PHANTOM.is_dir(), reason="the data pack is not here")
def test_from_dicom_to_a_watched_case(tmp_path: Path) -> None:
    case = tmp_path / "skull"
    build_case(case, name="skull", sources=Sources(PHANTOM), wanted=())
    assert any("nothing is being watched" in f.problem for f in check_case(case).findings)
    add_made(case, Declared("all", "context"), (Threshold(300.0, crop_mm=SLAB),), "me", "2026-11-22")
    picked = Threshold(300.0, seeds_mm=(FOREHEAD,), cut=(Cut((0.0, 0.0, 752.0), (0.0, 0.0, 1.0)), Cut((0.0, 0.0, 778.0), (0.0, 0.0, -1.0))))
    add_made(case, Declared("skull", "work"), (picked,), "me", "2026-11-22")
    rod = (Tube(((-16.0, 82.0, 755.0), (-16.0, 82.0, 775.0)), (3.0,)), Sphere((-16.0, 82.0, 775.0), 4.0))
    add_made(case, Declared("rod", "critical", 3.0, 1.5, sd_mm=1.0), rod, "me", "2026-11-22")
    scene = load_scene(case)
    skull, both = scene.structure("skull").surface, scene.structure("all").surface
    assert skull.closest(FOREHEAD).distance_mm[0] < 0.5
    assert skull.bounds_mm[0][2] == pytest.approx(752.0, abs=0.01)
    assert both.bounds_mm[0][0] < skull.bounds_mm[0][0] - 20.0, "the head holder reaches farther out"
    assert skull.is_watertight and scene.structure("rod").surface.sign.is_certain
    assert not any(f.level == "fault" or "watched" in f.problem for f in check_case(case).findings)
