"""`docs/risk/hazards.toml`: what can go wrong, what stands against it, and which tests show that.

`python -m tests.contracts.hazards` renews the page `docs/risk/index.md` from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec

ROOT = Path(__file__).parent.parent.parent
REGISTER, PAGE = ROOT / "docs" / "risk" / "hazards.toml", ROOT / "docs" / "risk" / "index.md"

_HEAD = """# Hazards and controls

What can go wrong, what stands against it, and which tests show that it does. The suite fails where a control has no test that passed in that
very run, so a control cannot be lost quietly. This is the developers' own list for research and rehearsal software: it follows the shape of a
risk file and claims no standard. This page is made of `docs/risk/hazards.toml`.

How the twin answers each fault of tracker, patient, files, network and machine, live and by the clock: [Faults](../faults.md).

Severity: *high*, somebody acts on a wrong or missing warning; *medium*, somebody works without help and knows it; *low*, time or records are lost.
"""


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that stands against a hazard. `tests` are files, tests, or tests of one parameter, as pytest names them."""

    control: str
    tests: tuple[str, ...]


class Hazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can go wrong. `residual` is what is left of it with all controls in place."""

    id: str
    hazard: str
    severity: Literal["high", "medium", "low"]
    causes: tuple[str, ...]
    residual: str
    control: tuple[Control, ...]


class _Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hazard: tuple[Hazard, ...]


def read_hazards(path: Path = REGISTER) -> tuple[Hazard, ...]:
    """All hazards, in the order of the file."""
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Register).hazard


def is_shown_by(name: str, test: str) -> bool:
    """Whether a test that ran, as pytest names it, is one that a control names."""
    return test == name or test.startswith((f"{name}::", f"{name}["))


def unshown(hazards: Collection[Hazard], passed: Collection[str], failed: Collection[str]) -> list[str]:
    """Controls of which no named test passed, or one that did not; in words."""
    found = []
    for hazard in hazards:
        for control in hazard.control:
            for name in control.tests:
                if any(is_shown_by(name, test) for test in failed):
                    found.append(f"{hazard.id}: '{control.control}' is not shown: {name} failed")
                elif not any(is_shown_by(name, test) for test in passed):
                    found.append(f"{hazard.id}: '{control.control}' is not shown: {name} did not pass, or was skipped")
    return found


def page(hazards: Collection[Hazard]) -> str:
    """The page of the documentation."""
    lines = [_HEAD]
    for hazard in hazards:
        lines += [f"## {hazard.hazard}\n", f"`{hazard.id}`, severity {hazard.severity}. Causes: {'; '.join(hazard.causes)}.\n"]
        lines += ["| control | shown by |", "|---|---|"]
        lines += [f"| {control.control} | {'<br>'.join(f'`{name}`' for name in control.tests)} |" for control in hazard.control]
        lines.append(f"\nLeft: {hazard.residual}\n")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(read_hazards()), encoding="utf-8")
