"""What a check finds, and a reading of case.toml that goes on after the first fault."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Noun
from navtwin.nouns.tables import explain
from navtwin.scene.case import CASE_FILE, CaseFile, LandmarkEntry, PlanEntry, StructureEntry


class Finding(Noun, frozen=True):
    """One thing that is wrong, or that should be looked at."""

    level: Literal["fault", "warning"]
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.level}: {self.problem} ({self.remedy})" if self.remedy else f"{self.level}: {self.problem}"


def fault(problem: str, remedy: str = "mend case.toml") -> Finding:
    return Finding(level="fault", problem=problem, remedy=remedy)


def warning(problem: str, remedy: str = "") -> Finding:
    return Finding(level="warning", problem=problem, remedy=remedy)


def read_leniently(folder: Path) -> tuple[CaseFile | None, list[Finding]]:
    """Decode case.toml as far as it can be: every unknown key and every wrong value is a fault, not only the first."""
    path = folder / CASE_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "name the folder of a case") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputRefused(f"{path} is not valid TOML: {error}", "mend that line") from error
    faults = list(_drop_unknown(table, CaseFile, ""))
    for field in ("structure", "landmark", "plan"):
        entries = table.get(field, [])
        kind: Any = {"structure": StructureEntry, "landmark": LandmarkEntry, "plan": PlanEntry}[field]
        if isinstance(entries, list):
            table[field] = [e for n, e in enumerate(entries) if not _wrong(e, kind, f"{field}[{n}]", faults)]
    return (None if _wrong(table, CaseFile, CASE_FILE, faults) else msgspec.convert(table, CaseFile)), faults


def _wrong(value: Any, kind: Any, where: str, faults: list[Finding]) -> bool:
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, InputRefused) as error:
        name = f" ('{value['name']}')" if isinstance(value, dict) and isinstance(value.get("name"), str) else ""
        faults.append(fault(f"{where}{name}: {explain(error, kind)}"))
        return True
    return False


def _drop_unknown(value: Any, kind: Any, where: str) -> Iterator[Finding]:
    """Name every key that the schema does not know, and take it out."""
    if isinstance(value, list):
        for n, entry in enumerate(value):
            yield from _drop_unknown(entry, kind, f"{where}[{n}]")
    elif isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {f.encode_name: f.type for f in msgspec.structs.fields(kind)}
        for key in [k for k in value if k not in fields]:
            yield fault(f"unknown key '{key}'{f' in {where}' if where else ''}: {nearest(key, fields)}")
            del value[key]
        for key, entry in value.items():
            inner = getattr(fields[key], "__args__", (fields[key],))[0]
            yield from _drop_unknown(entry, inner, f"{where}.{key}" if where else key)
