"""Our own cases and rigs, for the door: what they are, and a case as a segmentation that Slicer reads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from navtwin.files.formats import HEAD_BYTES, Format, Inspection, Options, Peek, Report
from navtwin.scene.case import CASE_FILE

#: What a rig.toml always has.
_RIG_KEYS: Final = {"reference", "tracker", "body"}


def _is_case(peek: Peek) -> bool:
    return peek.is_folder and (peek.path / CASE_FILE).is_file()


def _is_rig(peek: Peek) -> bool:
    if peek.is_folder or peek.packed or not peek.head or len(peek.head) >= HEAD_BYTES:
        return False
    try:
        return tomllib.loads(peek.head.decode("utf-8-sig")).keys() >= _RIG_KEYS
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return False


def _inspect_case(path: Path, options: Options) -> Inspection:
    from navtwin.scene.check import check_case
    from navtwin.scene.show import case_facts

    report = check_case(path)
    return Inspection("navtwin case", case_facts(path), tuple(str(finding) for finding in report.findings))


def _inspect_rig(path: Path, options: Options) -> Inspection:
    from navtwin.nouns import read_rig

    rig = read_rig(path)
    facts = [("tracker", f"{rig.tracker.name}, {rig.tracker.rate_hz:g} Hz"), ("reference", rig.reference)]
    facts += [("body", one.name) for one in rig.body]
    facts += [("tool", f"{one.name} on {one.body}, parts {', '.join(part.name for part in one.part)}") for one in rig.tool]
    facts += [("camera", f"{one.name}, {one.width_px} x {one.height_px}") for one in rig.camera]
    return Inspection("navtwin rig", (("axes", "each body's own"), ("units", "mm, rad"), *facts))


def _write_segmentation(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.scene.as_voxels import write_segmentation

    return write_segmentation(path, to, report, options.name)


FORMATS: tuple[Format, ...] = (
    Format("navtwin case", _is_case, _inspect_case, writes={("case", ".seg.nrrd"): _write_segmentation}, ours="case"),
    Format("navtwin rig", _is_rig, _inspect_rig, ours="rig"),
)
