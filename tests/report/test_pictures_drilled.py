"""The pictures at closest approach show the bone as it was drilled by then, and say so where they cannot."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from navtwin.nouns import Rig
from navtwin.record.drilled import DrilledLog
from navtwin.report import html as page_module
from navtwin.report.drilled_bone import BoneThen, bone_at_closest
from navtwin.report.gather import load_session
from navtwin.report.pictures import closest_pictures
from navtwin.report.session import Session
from navtwin.report.summary import summarise
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene
from tests.report.made_drilling import drilled_rig, drilled_scene, write_drilling
from tests.report.test_page import text_of

BONE = "temporal_bone"
SIZE_PX = (440, 320)
#: Away from the drill and from what is written over the picture: the trough's floor, seen from above.
FLOOR_MM = (-4.0, 0.0, -3.0)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """No test reads or writes the user's cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield patch
    patch.undo()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without the fourth stretch: the drill is closest at the bottom of the hole, before it goes on to the third, which is taken back."""
    path = tmp_path_factory.mktemp("drilled") / "session.mcap"
    write_drilling(path, breach=False)
    return path


@pytest.fixture(scope="module")
def session(log: Path) -> Session:
    return load_session(log)


@pytest.fixture(scope="module")
def then(log: Path, session: Session) -> BoneThen:
    return bone_at_closest(log, session, drilled_scene(), drilled_rig())


def pictures(session: Session, scene: Scene, rig: Rig, bone: BoneThen | None, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    monkeypatch.setattr("navtwin.report.pictures.PICTURE_PX", SIZE_PX)
    uris, missing = closest_pictures(session, scene, rig, bone)
    assert missing == ""
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")).astype(int) for uri in uris]


def differing(one: list[np.ndarray], other: list[np.ndarray]) -> list[int]:
    """Pixels that differ, by picture."""
    return [int((np.abs(a - b).max(axis=-1) > 20).sum()) for a, b in zip(one, other, strict=True)]


def test_it_is_the_bone_of_that_frame_and_of_no_other(session: Session, then: BoneThen) -> None:
    assert (then.structure, then.missing) == (BONE, "")
    assert then.surface is not None and session.closest is not None
    # The trough and the hole are gone; the third stretch, cut later and taken back, is not.
    scene = drilled_scene()
    whole = Carvable.of(scene.structure(BONE), scene.case_hash).surface().volume_mm3
    assert whole - then.surface.volume_mm3 == pytest.approx(session.closest.bones[0].removed_mm3, rel=0.02)
    floor, third = then.surface.closest(np.array([FLOOR_MM, (9.5, 6.0, -0.5)])).distance_mm
    assert abs(floor) < 0.3
    assert third < -0.3


def test_the_pictures_show_the_drilled_bone(session: Session, then: BoneThen, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, rig = drilled_scene(), drilled_rig()
    whole, drilled = (pictures(session, scene, rig, bone, monkeypatch) for bone in (None, then))
    assert len(drilled) == 2
    assert min(differing(whole, drilled)) > 400


def test_a_session_that_drilled_nothing_keeps_its_pictures(log: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert session.closest is not None

    def read(_: Path) -> DrilledLog:
        raise AssertionError("there is nothing to seek")

    monkeypatch.setattr(DrilledLog, "read", read)
    scene, rig = drilled_scene(), drilled_rig()
    untouched = tuple(msgspec.structs.replace(bone, changed=0) for bone in session.closest.bones)
    for bones in ((), untouched):
        calm = replace(session, closest=msgspec.structs.replace(session.closest, bones=bones))
        none = bone_at_closest(log, calm, scene, rig)
        assert (none.structure, none.surface, none.missing) == ("", None, "")
        assert differing(pictures(calm, scene, rig, none, monkeypatch), pictures(calm, scene, rig, None, monkeypatch)) == [0, 0]


def page(session: Session, bone: BoneThen | None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(page_module, "closest_pictures", lambda *_: (["data:,"], ""))
    scene, rig = drilled_scene(), drilled_rig()
    return text_of(page_module.render_page(session, scene, rig, summarise(session, scene, rig), None, bone))


def test_the_page_says_which_bone_is_drawn(session: Session, then: BoneThen, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "see-through, as it was drilled by then." in page(session, then, monkeypatch)
    assert "see-through." in page(session, None, monkeypatch)
    assert "doubtful then" not in page(session, then, monkeypatch)
    doubted = page(session, replace(then, doubtful=0.004), monkeypatch)
    assert "1 % of the drilled part was doubtful then: bone that is drawn may have been gone" in doubted


def test_the_page_says_why_the_bone_is_drawn_whole(log: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, rig = drilled_scene(), drilled_rig()
    blunt = msgspec.structs.replace(rig, tool=tuple(msgspec.structs.replace(tool, cutter=None) for tool in rig.tool))
    lost = bone_at_closest(log, session, scene, blunt)
    assert lost.surface is None
    told = page(session, lost, monkeypatch)
    assert "drawn whole, though some of it was drilled away by then" in told
    assert "no cutter in this rig" in told
    assert "as it was drilled by then" not in told


def test_bone_of_another_moment_is_not_shown_for_that_of_this(log: Path, session: Session) -> None:
    assert session.closest is not None
    scene, rig = drilled_scene(), drilled_rig()
    other = Carvable.of(scene.structure(BONE), scene.case_hash)
    named = tuple(msgspec.structs.replace(bone, hash=other.hash) for bone in session.closest.bones)
    lost = bone_at_closest(log, replace(session, closest=msgspec.structs.replace(session.closest, bones=named)), scene, rig)
    assert lost.surface is None
    assert other.hash in lost.missing
