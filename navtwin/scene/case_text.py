"""case.toml as a person wants to read it: every section says what it is for."""

from __future__ import annotations

import json

import msgspec

from navtwin.nouns import Noun
from navtwin.scene.case import CaseFile

_HEAD = """\
# A navtwin case. Positions are in the CT's own axes (DICOM LPS: x to the patient's left, y to the back, z to the head), in mm.
# Research and rehearsal only: not a medical device.
# After an edit run `navtwin case check --lock` on this folder: it names every fault, and accepts the edit where there is none.
"""
_STRUCTURES = """\
# role: work (may be cut, no alarm of its own), critical (watched, with limits), context (only shown).
# body: the tracked body it hangs on; "ref" is the patient's reference. file: surface, labels: what it was extracted from.
# caution_mm, danger_mm: limits on the distance, less its error bar, of any instrument part.
# sd_mm, correlation_mm: how far the segmentation may be off (one standard deviation), and over what distance that error stays alike.
# capped = true: the scan ends inside the structure and its surface was closed there.
"""
_LANDMARKS = "# Points on bone to touch with the pointer for registration; six well spread are good, three not in a line the least.\n"
_PLANS = """\
# Straight planned paths: entry on bone, target where the burr's centre stops; diameter_mm is the width drilled along it,
# tolerance_mm how far off the path may go.
"""


def case_text(case: CaseFile) -> str:
    """The text of case.toml."""
    sections = [_HEAD, _table("[case]", case.case), _table("[patient]", case.patient), _table("[ct]", case.ct), _STRUCTURES]
    sections += [_table("[[structure]]", s) for s in case.structure]
    sections += [_LANDMARKS, *(_table("[[landmark]]", m) for m in case.landmark)]
    sections += [_PLANS, *(_table("[[plan]]", p) for p in case.plan)]
    return "\n".join(sections)


def _table(header: str, section: Noun) -> str:
    lines = [header]
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        if (value is not None and value != field.default) or field.required:
            lines.append(f"{field.name} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_value(v) for v in value)}]"
    if isinstance(value, float):
        return repr(round(value, 6))
    if isinstance(value, str):
        # TOML's basic strings escape as JSON's do.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
