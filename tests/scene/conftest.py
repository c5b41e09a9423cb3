from __future__ import annotations

from pathlib import Path

import pytest

from navtwin.scene.build import Wanted
from navtwin.scene.case import CASE_FILE
from navtwin.scene.check import relock
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from tests.scene.cases import BONE, VESSEL, at_ijk, write_patient


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache; those of one run share one, so that a case is extracted once."""
    cache = tmp_path_factory.getbasetemp() / "navtwin-cache"
    monkeypatch.setenv("NAVTWIN_CACHE", str(cache))
    return cache


@pytest.fixture
def patient(tmp_path: Path) -> tuple[Path, Path]:
    return write_patient(tmp_path)


WANTED = (Wanted("bone", "work", (BONE,)), Wanted("vessel", "critical", (VESSEL,), caution_mm=2.0, danger_mm=1.2, sd_mm=0.3))


@pytest.fixture
def case(tmp_path: Path, patient: tuple[Path, Path]) -> Path:
    """A sound case with three landmarks and a plan that runs clear through the bone."""
    folder = tmp_path / "case"
    build_case(folder, name="test", sources=Sources(*patient), wanted=WANTED)
    text = (folder / CASE_FILE).read_text(encoding="utf-8")
    for name, index in (("top", (16, 20, 19)), ("side", (16, 32, 12)), ("front", (6, 20, 12))):
        text += f'\n[[landmark]]\nname = "{name}"\nposition_mm = {list(at_ijk(*index))}\n'
    text += f'\n[[plan]]\nname = "through"\nentry_mm = {list(at_ijk(14, 9, 12))}\ntarget_mm = {list(at_ijk(14, 28, 12))}\n'
    text += "diameter_mm = 3.0\ntolerance_mm = 1.0\n"
    (folder / CASE_FILE).write_text(text, encoding="utf-8")
    relock(folder)
    return folder
