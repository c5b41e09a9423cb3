"""`navtwin sbom`: every part that an installation is made of, as a software bill of materials in the format CycloneDX.

It lists what is installed, not what was asked for: the distributions that navtwin requires, and what these require, with version, licence as their
makers state it, and who requires whom. Parts of an extra that is not installed are left out, and named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from packaging.requirements import Requirement

PRODUCT = "navtwin"


@dataclass(frozen=True)
class Part:
    """One installed distribution.

    Attributes
    ----------
    name, version : as its maker writes them
    licence : an SPDX expression, or the words that the maker states; "" where it states none
    needs : normalised names of the parts that it requires
    """

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it (PyPA, names and normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(found: Distribution) -> str:
    """What the maker states: an expression, else the classifiers, else the first line of the field."""
    meta = found.metadata
    if "License-Expression" in meta:
        return meta["License-Expression"]
    classified = [c.rpartition(" :: ")[2] for c in meta.get_all("Classifier") or () if c.startswith("License :: ") and c.count(" :: ") > 1]
    lines = meta["License"].strip().splitlines() if "License" in meta else []
    return " OR ".join(classified) or (lines[0].strip() if lines else "")


def _required(found: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    """What a distribution requires on this machine, with the extras of it that were asked for."""
    from packaging.requirements import Requirement

    for text in found.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield requirement


def installed_parts(product: str = PRODUCT, extras: frozenset[str] = frozenset()) -> tuple[dict[str, Part], list[str]]:
    """Every part that `product` needs, by normalised name (itself among them), and the names of those that are required and not installed."""
    parts: dict[str, Part] = {}
    absent: set[str] = set()
    asked: dict[str, frozenset[str]] = {}
    waiting = [(product, extras)]
    while waiting:
        name, wanted = waiting.pop()
        key = normalised(name)
        if key in parts and wanted <= asked[key]:
            continue
        asked[key] = wanted | asked.get(key, frozenset())
        try:
            found = distribution(name)
        except PackageNotFoundError:
            absent.add(name)
            continue
        required = list(_required(found, asked[key]))
        needs = tuple(sorted({normalised(r.name) for r in required}))
        parts[key] = Part(str(found.metadata["Name"]), found.version, licence_of(found), needs)
        waiting += [(r.name, frozenset(r.extras)) for r in required]
    return parts, sorted(absent)


def _component(part: Part, kind: str) -> Component:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    url = PackageURL("pypi", name=normalised(part.name), version=part.version)
    licences = [LicenseFactory().make_from_string(part.licence)] if part.licence else []
    return Component(name=part.name, version=part.version, type=ComponentType(kind), bom_ref=str(url), purl=url, licenses=licences)


def bill(parts: dict[str, Part], product: str = PRODUCT) -> Bom:
    """The parts as a CycloneDX document: the product on top, and who requires whom."""
    from cyclonedx.model.bom import Bom

    components = {key: _component(part, "application" if key == product else "library") for key, part in parts.items()}
    made = Bom(components=[c for key, c in components.items() if key != product])
    made.metadata.component = components[product]
    for key, part in parts.items():
        made.register_dependency(components[key], [components[need] for need in part.needs if need in components])
    return made


def as_json(made: Bom) -> str:
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    return make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def sbom(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="write it here; without it the parts are listed as a table")] = None,
    extra: Annotated[list[str] | None, typer.Option(help="also the parts of this extra; repeat for more")] = None,
) -> None:
    """List every installed part with version and licence (software bill of materials, CycloneDX 1.6)."""
    from rich.console import Console
    from rich.table import Table

    extras = frozenset(extra or ())
    known = set(distribution(PRODUCT).metadata.get_all("Provides-Extra") or ())
    if unknown := extras - known:
        raise InputRefused(f"navtwin has no extra {', '.join(sorted(unknown))}", f"there are {', '.join(sorted(known))}")
    parts, absent = installed_parts(extras=extras)
    console = Console(stderr=output is not None)
    if output is None:
        table = Table("part", "version", "licence as its maker states it", title=f"What {PRODUCT} {parts[PRODUCT].version} is made of")
        for part in sorted(parts.values(), key=lambda p: p.name.lower()):
            table.add_row(part.name, part.version, part.licence or "not stated")
        console.print(table)
    else:
        try:
            text = as_json(bill(parts))
        except ModuleNotFoundError as error:
            raise InputRefused(f"the format needs {error.name}, which is not installed", "pip install 'navtwin[sbom]'") from error
        with whole_file(output) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
        console.print(f"{output}: {len(parts)} parts")
    if absent:
        console.print(f"required, and not installed, so not listed: {', '.join(absent)}", highlight=False)
