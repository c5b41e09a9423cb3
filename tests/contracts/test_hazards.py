"""The list of hazards: it can be read, names tests that exist, stands on the site as it is, and what it asks of a run is asked of every run."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.hazards import PAGE, ROOT, Control, Hazard, page, read_hazards, unshown

HAZARDS = read_hazards()


def test_the_page_is_made_of_the_list() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(HAZARDS), "renew it: python -m tests.contracts.hazards"


def test_every_hazard_has_a_name_of_its_own_causes_and_controls() -> None:
    assert len({h.id for h in HAZARDS}) == len(HAZARDS)
    for hazard in HAZARDS:
        assert hazard.causes, hazard.id
        assert hazard.control, hazard.id
        assert hazard.residual, f"{hazard.id}: nothing is without a rest"
        assert all(control.tests for control in hazard.control), hazard.id


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda h: h.id)
def test_the_tests_that_a_control_names_exist(hazard: Hazard) -> None:
    for control in hazard.control:
        for name in control.tests:
            file, _, function = name.partition("::")
            assert (ROOT / file).is_file(), name
            defined = {node.name for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
            assert not function or function.partition("[")[0] in defined, f"{hazard.id}: {name} is no test"


def test_a_control_without_a_test_that_passed_is_named() -> None:
    hazard = Hazard("h", "it breaks", "high", ("age",), "a little", (Control("glue", ("tests/a.py::test_one", "tests/b.py")),))
    assert unshown([hazard], {"tests/a.py::test_one[x]", "tests/b.py::test_two"}, set()) == []
    assert "tests/b.py did not pass" in unshown([hazard], {"tests/a.py::test_one"}, set())[0]
    assert "tests/a.py::test_one failed" in unshown([hazard], {"tests/a.py::test_one[x]", "tests/b.py::test_two"}, {"tests/a.py::test_one[y]"})[0]
    assert len(unshown([hazard], {"tests/a.py::test_one_more", "tests/bb.py::test_two"}, set())) == 2, "a name that only begins alike is another test"


CONFTEST = """
import tests.conftest as suite
from tests.contracts.hazards import Control, Hazard

suite.read_hazards = lambda: (Hazard("h", "it breaks", "high", ("age",), "a little", (Control("glue", ("test_it.py::test_glue",)),)),)


def pytest_configure(config):
    config.pluginmanager.register(suite.HazardControls())
"""


@pytest.mark.parametrize(("body", "code"), [("pass", 0), ("__import__('pytest').skip('no glue here')", 1)])
def test_a_run_in_which_a_control_was_only_skipped_has_failed(tmp_path: Path, body: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(f"def test_glue():\n    {body}\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "pytest.ini", "--rootdir", ".", "test_it.py"]
    ran = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=100)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert ("'glue' is not shown" in ran.stdout) == bool(code)
