"""What a case holds, for a person and for programs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from navtwin.scene.case import read_case_file
from navtwin.scene.model import Patient, Scene

#: The facts of the patient in the order to show them, each with its words.
_FACTS = {
    "name": "name", "id": "number", "birth_date": "born", "age": "age", "sex": "sex", "study": "study", "laterality": "side", "notes": "notes",
}  # fmt: skip


def summary(scene: Scene) -> dict[str, object]:
    """What `navtwin case show --json` prints; a fact of the patient that is not known is null."""
    return {
        "name": scene.name,
        "case_hash": scene.case_hash,
        "citation": scene.citation,
        "patient": msgspec.to_builtins(scene.patient),
        "structures": [
            {
                "name": s.name, "role": s.role, "body": s.body, "caution_mm": s.caution_mm, "danger_mm": s.danger_mm, "sd_mm": s.sd_mm,
                "color": s.color, "capped": s.capped, "triangles": len(s.surface.faces), "volume_mm3": s.surface.volume_mm3,
            }
            for s in scene.structures
        ],
        "landmarks": [msgspec.to_builtins(m) for m in scene.landmarks],
        "plans": [msgspec.to_builtins(p) for p in scene.plans],
    }  # fmt: skip


def print_scene(scene: Scene) -> None:
    """Print a case as tables. Names come from files of others: nothing in them is taken for markup."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    console = Console()
    console.print(f"[bold]{escape(scene.name)}[/bold]  ({escape(str(scene.folder))})")
    for what, value in _facts(scene.patient):
        console.print(f"{what}: {value}", markup=False, highlight=False)
    if scene.citation:
        console.print(scene.citation, markup=False, highlight=False)
    # A name that is cut could be another one's.
    structures = Table(
        Column("structure", overflow="fold"), "role", "caution", "danger", "sd", "triangles", "ml", "capped", title="structures (limits in mm)"
    )
    for s in scene.structures:
        limits = ("" if limit is None else f"{limit:g}" for limit in (s.caution_mm, s.danger_mm))
        size = (str(len(s.surface.faces)), f"{s.surface.volume_mm3 / 1000.0:.1f}")
        structures.add_row(escape(s.name), s.role, *limits, f"{s.sd_mm:g}", *size, "yes" if s.capped else "")
    points = Table("landmark or plan", "position, mm (LPS)")
    for mark in scene.landmarks:
        points.add_row(escape(mark.name), _words(mark.position_mm))
    for plan in scene.plans:
        points.add_row(escape(plan.name), f"{_words(plan.entry_mm)} to {_words(plan.target_mm)}, {plan.diameter_mm:g} wide")
    console.print(structures, points)


def case_facts(folder: Path) -> tuple[tuple[str, str], ...]:
    """What a case's own text says of it, for people: also of a case that cannot be loaded."""
    case = read_case_file(folder)
    facts = [("name", case.case.name), ("axes", "LPS"), ("units", "mm"), ("volume", "label volume" if case.ct.is_label_volume else "CT")]
    facts += [(f"patient, {what}", value) for what, value in _facts(Patient(**msgspec.structs.asdict(case.patient)))]
    facts += [("structure", f"{one.name} ({one.role})") for one in case.structure]
    facts += [("landmarks", str(len(case.landmark))), ("plans", ", ".join(one.name for one in case.plan) or "none")]
    return tuple(facts)


def _facts(patient: Patient) -> list[tuple[str, str]]:
    known = ((words, getattr(patient, name)) for name, words in _FACTS.items())
    return [(words, value) for words, value in known if value]


def _words(position_mm: tuple[float, float, float]) -> str:
    return " ".join(f"{v:.1f}" for v in position_mm)
