"""A case from a person's own scan: any CT that can be read, any segmentation that lies in it, bone by a threshold where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.scene.build import Report, Wanted, cache_key, deliver, refuse_bad_limits, refuse_taken, write_case
from navtwin.scene.case import CT_FILE, CaseFile, CaseSection, CtSection, PatientSection, ScannedSection, read_case_file
from navtwin.scene.labelled import all_of, doubts_of_thresholds, surfaces_of
from navtwin.scene.scan import PatientScan, Sources, content_hash, read_scan
from navtwin.volumes.labels.read import read_segmentation
from navtwin.volumes.labels.scan import UNKNOWN


def build_case(folder: Path, *, name: str, sources: Sources, wanted: Sequence[Wanted], report: Report = lambda text: None) -> tuple[str, ...]:
    """Build a case without landmarks and plans; returns sentences on what was assumed, which the case keeps as its doubts.

    Where no structure is asked for, all of the segmentation's come in as context. The volume is kept as NIfTI with the same voxels, whatever
    it came from.

    Raises
    ------
    InputRefused : whatever is wrong with CT, labels, a structure or its limits; nothing is left behind
    """
    refuse_taken(folder)
    refuse_bad_limits(wanted)
    if sources.ct is None and sources.labels is None:
        raise InputRefused("a case needs a scanned volume", "pass --ct CT; or --no-ct and --labels, where a label volume is all there is")
    if sources.names is not None and sources.labels is None:
        raise InputRefused("--names says nothing without --labels", "pass --labels too, or leave it out")
    report("looking at the files")
    parts = [content_hash(path) if path else "" for path in (sources.ct, sources.labels, sources.names)]
    options = (sources.series, sources.resample, sources.space, sources.unit, sources.identify, sources.notes)
    key = cache_key("new", name, *parts, repr(options), repr(tuple(wanted)))
    deliver(folder, key, lambda target: _make(target, name, sources, wanted, report))
    return read_case_file(folder).case.doubts


def _make(target: Path, name: str, sources: Sources, wanted: Sequence[Wanted], report: Report) -> None:
    scan: PatientScan | None = None
    if sources.ct is not None:
        report("reading the CT")
        scan = read_scan(sources.ct, sources)
    labels = None
    if sources.labels is not None:
        report("reading the labels")
        labels = read_segmentation(
            sources.labels, ct=scan.volume if scan else None, names=sources.names, scan=scan.known_by if scan else UNKNOWN
        )  # fmt: skip
        wanted = wanted or all_of(labels)
        refuse_bad_limits(wanted)
    entries, surfaces = surfaces_of(wanted, labels, scan.volume if scan else None, report)
    scanned = scan.volume.scanned if scan else None
    known_by = scan.known_by if scan else UNKNOWN
    of_thresholds = doubts_of_thresholds(wanted, scan.volume if scan else None)
    said = (*(scan.said if scan else ()), *(labels.remarks if labels else ()), *of_thresholds)
    case = CaseFile(
        case=CaseSection(name=name, doubts=said),
        patient=scan.patient if scan else PatientSection(notes=sources.notes),
        ct=CtSection(
            file=CT_FILE,
            is_label_volume=scan is None,
            frame=known_by.frame,
            series=known_by.series,
            scanned=ScannedSection(scanned.T_ijk_from_ct, scanned.shape_ijk) if scanned else None,
        ),
        structure=tuple(entries),
    )
    report("writing the case")
    volume = scan.volume if scan else labels.volume if labels else None
    assert volume is not None, "refused above"
    write_case(target, case, surfaces, volume)
