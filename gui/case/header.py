"""The head of the case's column: whose case it is, how large its scan, and what a check of it finds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui import theme
from gui.case.parts import button, words
from gui.desktop.desk import Desk
from gui.desktop.jobs import Job, Report
from navtwin.bus.words import name_words
from navtwin.scene.findings import Finding
from navtwin.scene.model import Patient, Scene
from navtwin.volumes.volume import Volume

if TYPE_CHECKING:
    from navtwin.scene.check import CaseReport

UNSTATED = "age, sex and side unknown"


class CaseHeader(QWidget):
    """Name, patient, scan, findings.

    Signals
    -------
    checked : the CaseReport of the open case
    """

    checked = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._scene: Scene | None = None
        self._job: Job | None = None
        self._open = False
        self.findings: tuple[Finding, ...] = ()
        self.name, self.patient, self.scan = words(), words(dim=True), words(dim=True)
        self.name.setObjectName("detail")
        self.verdict = button("", "What `navtwin case check` finds in this case", self._turn, "flat", "Ctrl+F")
        self.told = words()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        top = QHBoxLayout()
        top.addWidget(self.name, 1)
        top.addWidget(self.verdict, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(top)
        for part in (self.patient, self.scan, self.told):
            column.addWidget(part)
        self._show()

    def set_scale(self, scale: float) -> None:
        self.verdict.setFixedHeight(round(32 * scale))

    def set_scene(self, scene: Scene | None) -> None:
        """Show a case, and check it beside the window."""
        if self._job is not None and self._job.running:
            self._job.cancel()
        if scene is None or self._scene is None or scene.folder != self._scene.folder:
            self._open = False
        self._scene, self.findings = scene, ()
        self.name.setText(name_words(scene.name) if scene else "")
        self.patient.setText(patient_words(scene.patient) if scene else "")
        self.scan.setText(f"CT {' × '.join(map(str, scene.volume.shape_ijk))}" if scene else "")
        if scene is not None:
            self._job = self._desk.beside("checking the case", partial(_check, scene), self._checked)
        self._show()

    def show_volume(self, volume: Volume) -> None:
        """The scan is read: its voxels' size is known."""
        sides = " × ".join(f"{side:.3g}" for side in volume.spacing_mm)
        extent = " × ".join(f"{side * count:.0f}" for side, count in zip(volume.spacing_mm, volume.shape_ijk, strict=True))
        self.scan.setText(f"CT {' × '.join(map(str, volume.shape_ijk))} of {sides} mm")
        self.scan.setToolTip(f"{extent} mm in all")

    def _checked(self, report: CaseReport | None, refused: str) -> None:
        if refused == "cancelled":
            return
        self.findings = report.findings if report is not None else (Finding(level="fault", problem=refused, remedy=""),)
        self._show()
        if report is not None:
            self.checked.emit(report)

    def _show(self) -> None:
        checking = self._job is not None and self._job.running and not self.findings
        self.verdict.setText("checking …" if checking else verdict_words(self.findings))
        self.verdict.setVisible(self._scene is not None)
        self.verdict.setEnabled(bool(self.findings))
        worst = "bad" if any(one.level == "fault" for one in self.findings) else "warn"
        theme.say(self.told, "\n\n".join(map(finding_words, self.findings)) if self._open else "", worst)

    def _turn(self) -> None:
        self._open = not self._open
        self._show()


def verdict_words(findings: Sequence[Finding]) -> str:
    """`⚠ 2 warnings ▾`, or that nothing is wrong."""
    faults = sum(one.level == "fault" for one in findings)
    counts = [f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((faults, "fault"), (len(findings) - faults, "warning")) if n]
    return f"⚠ {', '.join(counts)} ▾" if counts else "✓ checked"


def finding_words(finding: Finding) -> str:
    """A finding as sentences."""
    problem = finding.problem[:1].upper() + finding.problem[1:]
    return f"{problem}. {finding.remedy[:1].upper()}{finding.remedy[1:]}." if finding.remedy else f"{problem}."


def patient_words(patient: Patient) -> str:
    """What is known of the patient on one line; that nothing is."""
    known = [patient.name, patient.age, patient.sex, patient.laterality, patient.study]
    return ", ".join(fact for fact in known if fact) or UNSTATED


def _check(scene: Scene, report: Report) -> CaseReport:
    from navtwin.scene.check import check_case

    report("checking")
    return check_case(scene.folder)
