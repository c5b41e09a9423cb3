"""What holds for every test: one thread for linear algebra, and properties that are tried on the same examples every time.

A change is then judged by what it changed; HYPOTHESIS_PROFILE=explore tries other examples. A run of everything also shows every control of a hazard.
"""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

from tests.contracts.hazards import read_hazards, unshown

# The matrices here are small: threads would only wait for each other, and on a loaded machine for long. Read once, when NumPy is loaded.
if "numpy" not in sys.modules:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("same", derandomize=True)
settings.register_profile("explore")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


class HazardControls:
    """At the end of a run of the whole suite: every control of `docs/risk/hazards.toml` has tests that passed in it, or the run has failed."""

    def __init__(self) -> None:
        self._passed: set[str] = set()
        self._failed: set[str] = set()
        self._unshown: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
        elif report.passed and report.when == "call":
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._unshown = unshown(read_hazards(), self._passed, self._failed)
            if self._unshown:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unshown:
            terminalreporter.section("controls of hazards without a test that passed", red=True)
            for line in self._unshown:
                terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    # A part of the suite shows a part of the controls; and each worker sees a part of the run.
    chosen = config.option.file_or_dir or config.option.keyword or config.option.markexpr or config.option.collectonly
    if not chosen and not hasattr(config, "workerinput"):
        config.pluginmanager.register(HazardControls(), "hazard-controls")
