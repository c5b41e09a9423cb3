"""A log belongs to the case that it was recorded on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from navtwin.errors import InputRefused
from navtwin.run.relive import refuse_other_case, world_of
from navtwin.scene.lock import write_lock
from tests.golden.make import CASE, RIG, SESSION


def test_a_log_is_refused_over_another_case_and_taken_over_its_own(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(CASE, other)
    text = (other / "case.toml").read_text(encoding="utf-8")
    (other / "case.toml").write_text(text.replace("golden balls", "someone else"), encoding="utf-8")
    names = [p.relative_to(other).as_posix() for p in sorted(other.rglob("*")) if p.is_file() and p.name not in ("case.lock", "rig.toml")]
    write_lock(other, names)
    scene, _ = world_of(SESSION, CASE, RIG)
    refuse_other_case(SESSION, scene)
    stranger, _ = world_of(SESSION, other, RIG)
    with pytest.raises(InputRefused, match=r"recorded on another case.*--case"):
        refuse_other_case(SESSION, stranger)
