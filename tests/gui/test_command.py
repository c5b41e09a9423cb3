"""`navtwin gui`: what it refuses, and that loading the command loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gui.command import app
from navtwin.errors import InputRefused


def test_without_a_display_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(InputRefused, match="--headless"):
        app(tmp_path)


def test_an_unknown_view_names_the_nearest(tmp_path: Path):
    with pytest.raises(InputRefused, match="posterior"):
        app(tmp_path, view="postrior")


def test_a_key_without_the_cores_key_is_refused(tmp_path: Path):
    with pytest.raises(InputRefused, match="go together"):
        app(tmp_path, key="me")


def test_a_folder_that_is_no_case_is_refused(tmp_path: Path):
    with pytest.raises(InputRefused):
        app(tmp_path, headless=True)


def test_the_command_line_loads_no_window():
    code = "import sys, gui.command; sys.exit(any(m in sys.modules for m in ('PySide6', 'vtk', 'pyvista', 'numba')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
