from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    cache = tmp_path_factory.getbasetemp() / "navtwin-cache"
    monkeypatch.setenv("NAVTWIN_CACHE", str(cache))
    return cache
