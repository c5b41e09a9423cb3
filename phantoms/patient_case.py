"""The built-in patient as a case, made by the same steps as a real one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from phantoms.drilling.rig import DRILLING_RIG_FILE, drilling_rig
from phantoms.patient import GRID, PLANNED, landmarks, plans, tissues, write_patient
from phantoms.rig import write_rig

NAME = "phantom: pedicle screws at T12"
BURR_DIAMETER_MM = 3.0
PLAN_TOLERANCE_MM = 1.0
#: Of the vertebra that the plans are for: it can be drilled away.
CARVE_MM = 0.3


def phantom_case(folder: Path, report: Callable[[str], None] = lambda text: None) -> None:
    """Build the built-in patient's case at `folder`, with the demonstration rig in it, and beside it the one whose drill takes bone away.

    Structures, roles and limits are those of the thorax case; landmarks and plans are exact points of the shapes.

    Raises
    ------
    InputRefused : `folder` is taken; nothing is left behind
    """
    from navtwin.scene import read_ct, read_labels
    from navtwin.scene.build import Wanted, build_structures, cache_key, deliver, read_names, structure_entry, write_case
    from navtwin.scene.case import CT_FILE, CaseFile, CaseSection, CtSection, LandmarkEntry, PatientSection, PlanEntry
    from navtwin.scene.skin import extract_skin
    from navtwin.scene.thorax import SKIN, wanted_structures

    def make(target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".phantom.") as scratch:
            report("CT of the phantom")
            ct, labels, table = write_patient(Path(scratch))
            volume = read_ct(ct)
            entries, surfaces = build_structures(read_labels(labels, volume), wanted_structures(read_names(table)), report)
            entries = [msgspec.structs.replace(e, carve_mm=CARVE_MM) if e.name == PLANNED else e for e in entries]
            report("skin")
            skin = extract_skin(volume)
            entries.append(structure_entry(Wanted("skin", "context", (), sd_mm=1.0, color=SKIN, opacity=0.15), skin.capped))
            surfaces["skin"] = skin.surface
            case = CaseFile(
                case=CaseSection(name=NAME),
                patient=PatientSection(study="Made of analytic shapes: every true distance is known", notes="No patient: the built-in phantom."),
                ct=CtSection(file=CT_FILE),
                structure=tuple(entries),
                landmark=tuple(LandmarkEntry(name=name, position_mm=p) for name, p in landmarks().items()),
                plan=tuple(
                    PlanEntry(name=name, entry_mm=entry, target_mm=target, diameter_mm=BURR_DIAMETER_MM, tolerance_mm=PLAN_TOLERANCE_MM)
                    for name, (entry, target) in plans().items()
                ),
            )
            write_case(target, case, surfaces, ct)

    recipe = (tissues(), wanted_structures({tissue.name: tissue.label for tissue in tissues()}), GRID, landmarks(), plans(), CARVE_MM)
    deliver(folder, cache_key("phantom", *(repr(part) for part in recipe)), make)
    write_rig(folder)
    write_rig(folder, drilling_rig(), DRILLING_RIG_FILE)
