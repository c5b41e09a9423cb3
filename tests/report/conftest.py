"""The made-up session, written once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from navtwin.report.gather import load_session
from navtwin.report.session import Session

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def good_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session without a fault."""
    from made_up import write_session

    path = tmp_path_factory.mktemp("report") / "good.mcap"
    write_session(path)
    return path


@pytest.fixture(scope="session")
def bad_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One pair silent, one late, one that cries wolf."""
    from made_up import MadeUp, write_session

    path = tmp_path_factory.mktemp("report") / "bad.mcap"
    write_session(path, MadeUp(silent=("aorta/drill/burr",), shy=("spinal_canal/drill/neck",), jumpy=("spinal_canal/drill/burr",)))
    return path


@pytest.fixture(scope="session")
def good(good_log: Path) -> Session:
    """The session without a fault, loaded. Not to be changed."""
    return load_session(good_log)
