"""The block of bone as a case and a rig on the disk, for commands."""

from __future__ import annotations

from pathlib import Path

import msgspec
import nibabel as nib
import numpy as np

from navtwin.nouns import Rig, read_rig
from navtwin.scene.build import write_case
from navtwin.scene.case import CaseFile, CaseSection, CtSection, LandmarkEntry, StructureEntry, load_scene, surface_file
from navtwin.scene.model import Scene
from tests.record.drilling import Drilled, drill, recorded
from tests.twin.drill_world import DrillWorld, bone_scene
from tests.twin.world import HEADER

RIG_TEXT = """\
reference = "ref"

[tracker]
name = "test"
rate_hz = 60.0
latency_ms = 2.0
max_age_ms = 100.0
{bodies}
[[tool]]
name = "drill"
body = "drill"
axis_in_marker = [0.0, 0.0, 1.0]
axis_sd_rad = 0.0
tip_mm = [0.0, 0.0, 0.0]
tip_covariance = [1e-6, 0.0, 0.0, 1e-6, 0.0, 1e-6]
[[tool.part]]
name = "burr"
from_mm = [0.0, 0.0, 0.0]
to_mm = [0.0, 0.0, 0.0]
radius_mm = 2.0
[tool.cutter]
part = "burr"
profile = "sphere"
radius_mm = 2.0
"""
_BODY = '\n[[body]]\nname = "{}"\nsd_mm = 0.01\nsd_rad = 0.0001\n'


def make_case(folder: Path, carve_mm: float | None = 0.5) -> tuple[Scene, Rig]:
    """The world's nerve and block of bone, in a scan of voxels of 2 mm; `rig.toml` beside them."""
    folder.mkdir()
    scan = folder.parent / f"{folder.name}.nii"
    affine = np.diag((-2.0, -2.0, 2.0, 1.0))
    affine[:3, 3] = (38.0, 38.0, -38.9)
    nib.save(nib.Nifti1Image(np.zeros((40, 40, 40), np.int16), affine), scan)
    structures = bone_scene().structures
    case = CaseFile(
        case=CaseSection(name="block"),
        ct=CtSection(file=scan.name),
        structure=tuple(
            StructureEntry(
                name=s.name, file=surface_file(s.name), role=s.role, sd_mm=0.0, caution_mm=s.caution_mm, danger_mm=s.danger_mm,
                carve_mm=carve_mm if s.name == "bone" else None,
            )
            for s in structures
        ),
        landmark=tuple(LandmarkEntry(name=n, position_mm=p) for n, p in (("a", (10.0, 0.0, 0.0)), ("b", (0.0, 10.0, 0.0)), ("c", (0.0, -9.0, 0.0)))),
    )  # fmt: skip
    write_case(folder, case, {s.name: s.surface for s in structures}, scan)
    (folder / "rig.toml").write_text(RIG_TEXT.format(bodies="".join(_BODY.format(name) for name in ("ref", "drill"))), encoding="utf-8")
    return load_scene(folder), read_rig(folder / "rig.toml")


def drilled_session(case: Path, log: Path, *, keep_last: bool = True) -> Drilled:
    """A session of the case in `case`, recorded as a core does."""
    world = DrillWorld(scene=load_scene(case), rig=read_rig(case / "rig.toml"), register=False)
    drill(world)
    header = msgspec.structs.replace(HEADER, case_path=str(case), rig_path=str(case / "rig.toml"))
    return recorded(world, log, kept=(60, *((len(world.events),) if keep_last else ())), header=header)
