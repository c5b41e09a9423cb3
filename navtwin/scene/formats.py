"""Our own cases, for the door: what they are, and a case as a segmentation that Slicer reads."""

from __future__ import annotations

from pathlib import Path

from navtwin.files.formats import Format, Inspection, Options, Peek, Report
from navtwin.scene.case import CASE_FILE


def _is_case(peek: Peek) -> bool:
    return peek.is_folder and (peek.path / CASE_FILE).is_file()


def _inspect_case(path: Path, options: Options) -> Inspection:
    from navtwin.scene.check import check_case
    from navtwin.scene.show import case_facts

    report = check_case(path)
    return Inspection("navtwin case", case_facts(path), tuple(str(finding) for finding in report.findings))


def _write_segmentation(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.scene.as_voxels import write_segmentation

    return write_segmentation(path, to, report, options.name)


FORMATS: tuple[Format, ...] = (
    Format(
        "navtwin case", _is_case, _inspect_case, writes={("case", ".seg.nrrd"): _write_segmentation}, writes_with=frozenset({"name"}), ours="case"
    ),
)
