"""From a printed kit to a stored camera and tip: the place with the real commands before the rendered camera, against what that knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import theme
from gui.calibrate.place import CalibratePlace
from gui.calibrate.run_page import RunPage
from gui.calibrate.sources import PRACTICE
from gui.calibrate.tip_page import TipPage
from gui.desktop.desk import Desk
from navtwin.nouns import read_rig
from navtwin.scene import palette
from phantoms.camera.stand import own_lenses
from phantoms.rig import make_tools
from tests.gui import room
from tests.gui.calibrate_room import near, pixels
from tracking.kit.sheet import make_sheet, write_sheet

#: A calibration on a machine that others use too.
PATIENCE_MS = 100_000


@pytest.fixture
def place(qtbot: Any, tmp_path: Path) -> Iterator[CalibratePlace]:
    theme.choose("dark")
    write_sheet(make_sheet(), tmp_path / "sheet.pdf", tmp_path / "rig.toml")
    link = room.Desk()
    desk = Desk(link.board, link.orders.append, (5810, 5811), link.clock)
    desk.open_rig(tmp_path / "rig.toml")
    made = CalibratePlace(desk)
    qtbot.addWidget(made)
    made.setStyleSheet(theme.style_sheet(1.0))
    made.set_scale(1.0)
    made.resize(1190, 640)
    made.show()
    made.entered()
    yield made
    made.release()
    desk.release()


def practise(qtbot: Any, run: RunPage) -> bool:
    """Calibrate before the rendered camera and accept; whether a picture with something found in it was seen meanwhile."""
    run.prepare.source.kind.setCurrentText(PRACTICE.title)
    seen = []
    run.start.click()

    def decided() -> bool:
        if not seen and any(shot.found for shot in run.live.picture.shots.values()) and run.course.phase == "collecting":
            seen.append(near(pixels(run.live.picture), palette.PLAN, 40))
        return run.course.phase in ("deciding", "over")

    qtbot.waitUntil(decided, timeout=PATIENCE_MS)
    assert run.course.phase == "deciding", run.course.advice(0)
    run.accept.click()
    qtbot.waitUntil(lambda: run.course.phase == "over", timeout=PATIENCE_MS)
    return bool(seen) and seen[0] > 0.001


@pytest.mark.heavy
@pytest.mark.timeout(400)
def test_a_kit_is_calibrated_to_what_is_true(qtbot: Any, place: CalibratePlace, tmp_path: Path):
    assert place.chosen == "camera/"
    camera = place.pages["camera"]
    assert isinstance(camera, RunPage)
    assert practise(qtbot, camera), "the live picture shows the board with its corners"
    rig = read_rig(tmp_path / "rig.toml")
    found, lens = rig.camera[0], own_lenses(1, 720)[0]
    assert np.allclose(found.focal_px, np.diag(lens.matrix)[:2], atol=6.0 * max(found.intrinsics_sd[:2]))
    assert {s.key: s.state for s in place.steps}["camera/"] == "done"
    # The pivot's film shows bodies as drawn, so that nothing has to be measured before it.
    place.choose("pivot/pointer")
    tip = place.pages["pivot"]
    assert isinstance(tip, TipPage) and not tip.in_session
    assert practise(qtbot, tip.command), "the live picture shows markers with their outlines"
    rig = read_rig(tmp_path / "rig.toml")
    truth = make_tools(rig, np.random.default_rng([1, 2, 2]))["pointer"].tip_mm
    stored = next(tool for tool in rig.tool if tool.name == "pointer")
    assert stored.tip_mm is not None and np.linalg.norm(np.subtract(stored.tip_mm, truth)) < 0.2
    assert {s.key: s.state for s in place.steps}["pivot/pointer"] == "done"
