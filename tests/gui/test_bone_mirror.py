"""The mirror of drilled bone: the same bone to the bit, and never said to be known where it is not."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from gui.link.bone import PARTIAL_NS, STALE_NS, BoneMirror, Mirror
from gui.link.shared_bone import SharedBone
from navtwin.errors import BusRefused, InputRefused
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene
from tests.gui.bone_room import BONE, Core
from tests.gui.room import MS
from tests.gui.room import scene as undrilled
from tests.scene.bone_room import scene

HERE, THERE = (-4.0, 0.0, 0.0), (4.0, 0.0, 0.0)


class Both:
    """A core, and a mirror of it without a thread."""

    def __init__(self) -> None:
        self.scene = scene()
        self.core, self.shared = Core(self.scene), SharedBone(self.scene, self.scene.structure(BONE))
        self.bone = Carvable.of(self.scene.structure(BONE), self.scene.case_hash)
        self.shared.begin(self.bone)
        self.mirror = Mirror(self.shared, self.bone)

    @property
    def kind(self) -> str:
        return self.shared.standing.kind


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Both:
    monkeypatch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.getbasetemp() / "navtwin-cache"))
    return Both()


def test_nothing_is_known_before_the_core_is_heard(both: Both):
    assert both.kind == "waiting"
    both.mirror.turn(10 * STALE_NS)
    assert both.kind == "waiting"
    assert "not known" in both.shared.standing.words


def test_it_is_the_same_bone_to_the_bit(both: Both):
    for step, at in enumerate((HERE, THERE)):
        both.core.bone.carve(at, at, 3.0)
        both.core.bone.doubt(at, at, 1.0)
        both.mirror.take(both.core.message(), step * 50 * MS)
        assert both.bone.hash == both.core.bone.hash
        assert both.bone.doubtful == both.core.bone.doubtful > 0.0
        assert (both.kind, both.shared.standing.words) == ("whole", "")


def test_doubt_that_was_lost_is_told_though_the_bone_is_the_same(both: Both):
    both.core.bone.carve(HERE, HERE, 3.0)
    both.mirror.take(both.core.message(), 0)
    both.core.bone.doubt(THERE, THERE, 2.0)
    both.mirror.take(both.core.message([]), 300 * MS)
    assert both.bone.hash == both.core.bone.hash
    assert both.kind == "partial"
    both.mirror.take(both.core.message(), 350 * MS)
    assert both.kind == "whole"


def test_what_only_comes_again_is_no_news(both: Both):
    both.core.bone.carve(HERE, HERE, 3.0)
    both.mirror.take(both.core.message(), 0)
    seen, first = both.shared.news(0)
    both.mirror.take(both.core.message(), 50 * MS)
    assert first == set(both.core.bone.touched.tolist())
    assert both.shared.news(seen) == (seen, frozenset())


def test_a_lost_message_is_told_until_its_bricks_have_come(both: Both):
    both.mirror.take(both.core.message(), 0)
    both.core.bone.carve(HERE, HERE, 3.0)
    lost = both.core.bone.touched.tolist()
    both.core.bone.carve(THERE, THERE, 2.0)
    rest = sorted(set(both.core.bone.touched.tolist()) - set(lost))
    both.mirror.take(both.core.message(rest), 100 * MS)
    assert both.kind == "whole"  # what is late by less than a picture is not told
    both.mirror.take(both.core.message(rest), 100 * MS + PARTIAL_NS)
    assert both.kind == "partial"
    both.mirror.take(both.core.message(lost), 150 * MS + PARTIAL_NS)
    assert both.kind == "whole"
    assert both.bone.hash == both.core.bone.hash


def test_silence_is_told(both: Both):
    both.mirror.take(both.core.message(), 0)
    both.mirror.turn(STALE_NS - MS)
    assert both.kind != "stale"
    both.mirror.turn(STALE_NS + MS)
    assert both.kind == "stale"
    both.mirror.take(both.core.message(), STALE_NS + 2 * MS)
    assert both.kind == "whole"


def test_another_session_begins_with_whole_bone(both: Both):
    untouched = both.bone.hash
    both.core.bone.carve(HERE, HERE, 3.0)
    both.core.bone.doubt(THERE, THERE, 1.0)
    both.mirror.take(both.core.message(), 0)
    drilled = set(both.bone.touched.tolist())
    seen, _ = both.shared.news(0)
    fresh = Core(both.scene, "e2")
    both.mirror.take(fresh.message(), 50 * MS)
    assert (both.bone.hash, both.bone.doubtful, both.shared.epoch) == (untouched, 0.0, "e2")
    assert both.shared.news(seen)[1] == drilled
    assert both.kind == "whole"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"case_hash": "of another"}, "another case"), ({"structure": "skull"}, "skull, not"), ({"side_mm": 0.25}, "0.25 mm, not 0.5 mm")],
)
def test_bone_of_something_else_is_refused_and_told(both: Both, changes: dict[str, object], words: str):
    before = both.bone.hash
    both.core.bone.carve(HERE, HERE, 3.0)
    both.mirror.take(both.core.message(**changes), 0)
    assert both.kind == "other"
    assert words in both.shared.standing.words
    assert both.bone.hash == before


def test_bricks_beyond_the_grid_are_refused_and_told(both: Both):
    before = both.bone.hash
    both.mirror.take(replace(both.core.message([0]), header=both.core.header(bricks=(10**6,))), 0)
    assert both.kind == "other"
    assert both.bone.hash == before


def test_cells_that_the_bone_refuses_are_told_and_end_nothing(both: Both, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise InputRefused("brick 3 never held any of this bone", "it belongs to other bone")

    both.mirror.take(both.core.message(), 0)
    both.core.bone.carve(HERE, HERE, 3.0)
    with monkeypatch.context() as patch:
        patch.setattr(both.bone, "put", refuse)
        both.mirror.take(both.core.message(), 0)
    assert both.kind == "other"
    assert "never held" in both.shared.standing.words


def test_the_thread_mirrors_until_it_is_stopped(both: Both):
    shared = SharedBone(both.scene, both.scene.structure(BONE))
    thread = BoneMirror(shared, lambda: both.bone, lambda: both.core)
    thread.start()
    both.core.bone.carve(HERE, HERE, 3.0)
    both.core.say()
    seen = 0
    while not shared.standing.is_known:
        seen, _ = shared.news(seen, 5.0)
    thread.stop()
    assert both.core.closed
    assert both.bone.hash == both.core.bone.hash


@pytest.mark.parametrize("fault", [InputRefused("it needs too much memory", "use 0.6 mm"), BusRefused("the port is taken", "")])
def test_why_there_is_none_is_told(both: Both, fault: Exception):
    shared = SharedBone(both.scene, both.scene.structure(BONE))

    def refuse() -> Carvable:
        raise fault

    thread = BoneMirror(shared, refuse, lambda: both.core)
    thread.run()
    assert str(fault).split("\n")[0] in shared.standing.words


def test_readers_wait_for_news_and_are_woken(both: Both):
    woken: list[frozenset[int]] = []
    seen, _ = both.shared.news(0)
    reader = threading.Thread(target=lambda: woken.append(both.shared.news(seen, 5.0)[1]))
    reader.start()
    both.shared.changed((3, 7))
    reader.join(5.0)
    assert woken == [frozenset((3, 7))]


def test_only_a_case_with_bone_to_drill_has_one():
    assert undrilled().carvable is None
    case: Scene = scene()
    assert case.carvable is case.structures[0]
    assert np.isclose(case.structures[0].carve_mm or 0.0, 0.5)
