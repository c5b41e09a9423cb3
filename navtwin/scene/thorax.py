"""The demo's real patient: a contrast chest CT, with a plan for two pedicle screws at T11.

T11 it is for three reasons, all measured on this CT: both pedicles have room for a 6 mm screw, the handpiece stays off bone, and the
aorta lies within the reach of a 50 mm neck, so that drilling too deep is a real danger. (L1's pedicles are wider, but there the aorta is out
of reach.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.scene.build import (
    Report,
    Wanted,
    build_structures,
    cache_key,
    deliver,
    file_hash_of_input,
    read_names,
    refuse_bad_limits,
    structure_entry,
    write_case,
)
from navtwin.scene.case import CT_FILE, CaseFile, CaseSection, CtSection, LandmarkEntry, PatientSection, PlanEntry
from navtwin.scene.data import CT, MASK, NAMES, THORAX_CITATION
from navtwin.scene.pedicle import Side, plan_pedicle, touchable_point, vertebra_axes
from navtwin.scene.skin import extract_skin
from navtwin.scene.surface import Surface
from navtwin.volumes.read import read_ct, read_labels

RECIPE = "thorax"
NAME = "thorax: pedicle screws at T11"
LEVEL = "vertebrae_T11"
VERTEBRAE = ("vertebrae_T10", "vertebrae_T11", "vertebrae_T12", "vertebrae_L1")
SIDES: tuple[Side, Side] = ("left", "right")
BONE, NERVE, ARTERY, VEIN, GULLET, SKIN = "#e6dccb", "#f2c14e", "#d8654f", "#0097ce", "#d3ab8f", "#b17a65"
#: Limits are set from the plan's own clearance: with its error bar (0.9 mm, two standard deviations) it stays outside CAUTION, and DANGER
#: begins farther out than the error bar reaches.
CANAL_CAUTION_MM, CANAL_DANGER_MM = 1.8, 1.2
AORTA_CAUTION_MM, AORTA_DANGER_MM = 3.0, 1.8
BURR_DIAMETER_MM = 3.0
PLAN_TOLERANCE_MM = 1.0

Axis = npt.NDArray[np.float64]


def wanted_structures(names: Mapping[str, int]) -> tuple[Wanted, ...]:
    """Structures with their labels. The cord's label fills the canal, so it stands for the canal."""

    def labels(name: str) -> tuple[int, ...]:
        return (names[name],)

    bones = tuple(Wanted(name, "work", labels(name), sd_mm=0.3, color=BONE) for name in VERTEBRAE)
    return (
        *bones,
        Wanted("spinal_canal", "critical", labels("spinal_cord"), CANAL_CAUTION_MM, CANAL_DANGER_MM, sd_mm=0.3, color=NERVE),
        Wanted("aorta", "critical", labels("aorta"), AORTA_CAUTION_MM, AORTA_DANGER_MM, sd_mm=0.4, color=ARTERY),
        Wanted("oesophagus", "context", labels("esophagus"), sd_mm=0.5, color=GULLET, opacity=0.6),
        Wanted("vena_cava", "context", labels("inferior_vena_cava"), sd_mm=0.5, color=VEIN, opacity=0.6),
    )


def build_thorax_case(folder: Path, data_folder: Path, report: Report = lambda text: None) -> None:
    """Build the demo's case at `folder` from the CT, mask and table in `data_folder` (`navtwin data get thorax`).

    Raises
    ------
    InputRefused : `folder` is taken, or the data are not what they should be; nothing is left behind
    """
    ct, mask, table = (data_folder / name for name in (CT, MASK, NAMES))
    wanted = wanted_structures(read_names(table))
    refuse_bad_limits(wanted)

    def make(target: Path) -> None:
        report("CT")
        volume = read_ct(ct)
        entries, surfaces = build_structures(read_labels(mask, volume), wanted, report)
        report("skin")
        skin = extract_skin(volume)
        entries.append(structure_entry(Wanted("skin", "context", (), sd_mm=1.0, color=SKIN, opacity=0.15), skin.capped))
        surfaces["skin"] = skin.surface
        report("landmarks and plan")
        case = CaseFile(
            case=CaseSection(name=NAME, citation=THORAX_CITATION),
            patient=PatientSection(
                study="Contrast-enhanced chest CT, LIDC-IDRI",
                laterality="bilateral",
                notes="Public anonymised CT: age and sex are not known. The plan is a rehearsal exercise, not this person's treatment.",
            ),
            ct=CtSection(file=CT_FILE),
            structure=tuple(entries),
            landmark=landmarks(surfaces),
            plan=plans(surfaces),
        )
        write_case(target, case, surfaces, ct)

    deliver(folder, cache_key(RECIPE, *(file_hash_of_input(path) for path in (ct, mask, table)), repr(wanted)), make)


def plans(surfaces: Mapping[str, Surface]) -> tuple[PlanEntry, ...]:
    """A path for each pedicle of the level, as wide as the burr that drills it."""
    bones = [surfaces[name] for name in VERTEBRAE]
    entries = []
    for side in SIDES:
        path = plan_pedicle(surfaces[LEVEL], surfaces["spinal_canal"], bones, side)
        entries.append(PlanEntry(
            name=f"T11 {side} pedicle", entry_mm=_rounded(path.entry_mm), target_mm=_rounded(path.target_mm),
            diameter_mm=BURR_DIAMETER_MM, tolerance_mm=PLAN_TOLERANCE_MM,
        ))  # fmt: skip
    return tuple(entries)


def landmarks(surfaces: Mapping[str, Surface]) -> tuple[LandmarkEntry, ...]:
    """Six process tips around the level that a pointer reaches from behind. T12's transverse process is but a lateral tubercle."""
    bones = [surfaces[name] for name in VERTEBRAE]
    found = []
    for level, lateral in (("T10", "transverse process"), ("T12", "lateral tubercle")):
        vertebra = surfaces[f"vertebrae_{level}"]
        axes = vertebra_axes(vertebra, surfaces["spinal_canal"])
        ways: Sequence[tuple[str, Axis]] = (
            ("spinous process", -axes.forward), (f"left {lateral}", axes.left), (f"right {lateral}", -axes.left),
        )  # fmt: skip
        found += [
            LandmarkEntry(name=f"{level} {name}", position_mm=_exact(touchable_point(vertebra, axes, bones, towards))) for name, towards in ways
        ]
    return tuple(found)


def _rounded(point_mm: Axis) -> tuple[float, float, float]:
    x, y, z = (round(float(v), 3) for v in point_mm)
    return (x, y, z)


def _exact(point_mm: Axis) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in point_mm)
    return (x, y, z)
