"""The desktop from a CT to a report: five places driven by keys and mouse, on an X server where there is one."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def display() -> Iterator[dict[str, str]]:
    """An environment with a screen: Xvfb's, or Qt's own off-screen platform where that is not installed."""
    if shutil.which("Xvfb") is None:
        yield {"QT_QPA_PLATFORM": "offscreen"}
        return
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"], pass_fds=(write,), stderr=subprocess.DEVNULL
    )
    os.close(write)
    try:
        assert select.select([read], [], [], 30.0)[0], "Xvfb does not start"
        yield {"DISPLAY": f":{os.read(read, 16).decode().strip()}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        os.close(read)
        server.terminate()
        server.wait()


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_five_places_from_a_ct_to_a_report(patient: Path, tmp_path: Path, display: dict[str, str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    own = {
        "NAVTWIN_DRIVE_CASE": str(patient), "NAVTWIN_DRIVE_SCAN": str(patient / "ct.nii.gz"), "NAVTWIN_DRIVE_OUT": str(out),
        "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }  # fmt: skip
    driven = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", "tests/end_to_end/desktop_drive.py"],
        cwd=ROOT, env=os.environ | display | own, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert driven.returncode == 0, driven.stdout[-6000:] + driven.stderr[-2000:]
