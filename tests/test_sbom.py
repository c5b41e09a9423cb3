"""The list of parts: what is installed and nothing else, who requires whom, and what is missing by name."""

from __future__ import annotations

import json
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from navtwin.cli import app
from navtwin.errors import InputRefused
from navtwin.run.sbom import Part, as_json, bill, installed_parts, normalised


def test_every_part_is_installed_and_every_requirement_is_a_part() -> None:
    parts, absent = installed_parts()
    assert not absent
    assert {"navtwin", "numpy", "numba", "llvmlite", "pyzmq", "vtk"} <= parts.keys()
    for key, part in parts.items():
        assert normalised(part.name) == key
        assert part.version == version(part.name)
        assert all(need in parts for need in part.needs), part
    assert "pytest" not in parts, "what tests need is no part of the product"


def test_an_extra_brings_its_parts() -> None:
    assert "distributed" not in installed_parts()[0]
    parts, _ = installed_parts(extras=frozenset({"fleet"}))
    assert {"distributed", "pyarrow", "tornado"} <= parts.keys()
    assert "distributed" in parts["navtwin"].needs


def test_what_is_required_and_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Half:
        metadata = distribution("navtwin").metadata
        version = "1"
        requires = ("numpy>=2", "no-such-part>=1", "elsewhere>=1; sys_platform == 'amiga'")

    monkeypatch.setattr("navtwin.run.sbom.distribution", lambda name: Half() if name == "navtwin" else distribution(name))
    parts, absent = installed_parts()
    assert absent == ["no-such-part"], "and what another system needs is not missing here"
    assert set(parts) == {"navtwin", "numpy"}


def test_the_file_names_versions_licences_and_who_requires_whom(tmp_path: Path) -> None:
    file = tmp_path / "parts.cdx.json"
    told = CliRunner().invoke(app, ["sbom", "--output", str(file)])
    assert told.exit_code == 0, told.output
    document = json.loads(file.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "navtwin"
    components = {c["name"]: c for c in document["components"]}
    assert components["numba"]["version"] == version("numba")
    assert components["numba"]["purl"] == f"pkg:pypi/numba@{version('numba')}"
    assert components["msgspec"]["licenses"]
    graph = {d["ref"]: d.get("dependsOn", []) for d in document["dependencies"]}
    assert f"pkg:pypi/llvmlite@{version('llvmlite')}" in graph[f"pkg:pypi/numba@{version('numba')}"]


def test_a_licence_in_words_that_are_no_expression_is_kept_as_words() -> None:
    parts = {"navtwin": Part("navtwin", "1", "Apache-2.0", ("odd",)), "odd": Part("odd", "2", "do as you like", ())}
    document = json.loads(as_json(bill(parts)))
    assert document["components"][0]["licenses"] == [{"license": {"name": "do as you like"}}]


def test_an_unknown_extra_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputRefused, match="no extra flet"):
        CliRunner().invoke(app, ["sbom", "--extra", "flet"], catch_exceptions=False)
