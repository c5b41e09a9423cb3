"""The draft of a case: what it shows, what it takes back, and what becomes of it when the case changes under it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from gui.case.draft import FIRST_LIMITS_MM, CaseDraft, looks_in
from gui.case.session_limits import SessionLimits
from gui.link.board import Moment
from navtwin.errors import InputRefused
from navtwin.nouns import SetLimits, Setup
from navtwin.scene.case import CaseFile, CaseSection, CtSection, PlanEntry, StructureEntry

AORTA = StructureEntry(name="aorta", file="surfaces/a.ply", role="critical", sd_mm=0.4, caution_mm=3.0, danger_mm=1.8, color="#d8654f")
BONE = StructureEntry(name="bone", file="surfaces/b.ply", role="work", sd_mm=0.3)
SKIN = StructureEntry(name="skin", file="surfaces/s.ply", role="context", sd_mm=1.0, opacity=0.1)
PLAN = PlanEntry(name="left", entry_mm=(0.0, 0.0, 0.0), target_mm=(0.0, 30.0, 0.0), diameter_mm=3.0, tolerance_mm=1.0)
CASE = CaseFile(case=CaseSection(name="x"), ct=CtSection(file="ct.nii.gz"), structure=(AORTA, BONE, SKIN), plan=(PLAN,))


@pytest.fixture
def draft() -> CaseDraft:
    return CaseDraft(Path("case"), CASE)


def test_a_slider_that_is_dragged_is_one_step(draft: CaseDraft) -> None:
    draft.alter_structure("bone", color="#000000")
    for percent in range(90, 40, -10):
        draft.alter_structure("bone", "opacity bone", opacity=percent / 100.0)
    assert draft.structure("bone").opacity == 0.5
    draft.settle()
    draft.alter_structure("bone", "opacity bone", opacity=0.2)
    draft.take_back()
    assert draft.structure("bone").opacity == 0.5
    draft.take_back()
    assert (draft.structure("bone").opacity, draft.structure("bone").color) == (1.0, "#000000")
    draft.take_back()
    assert not draft.changed and draft.words() == ()


def test_what_is_not_watched_has_no_limits_and_gets_its_own_back(draft: CaseDraft) -> None:
    draft.alter_structure("aorta", caution_mm=4.0)
    draft.alter_structure("aorta", role="context")
    assert (draft.structure("aorta").caution_mm, draft.structure("aorta").danger_mm) == (None, None)
    draft.alter_structure("aorta", role="critical")
    assert (draft.structure("aorta").caution_mm, draft.structure("aorta").danger_mm) == (3.0, 1.8)
    draft.alter_structure("bone", role="critical")
    assert (draft.structure("bone").caution_mm, draft.structure("bone").danger_mm) == FIRST_LIMITS_MM
    assert draft.faults() == ()


def test_limits_that_cannot_be_are_told_and_not_lost(draft: CaseDraft) -> None:
    draft.alter_structure("aorta", danger_mm=5.0)
    assert draft.structure("aorta").danger_mm == 5.0
    assert "danger 5 mm is not between 0 and caution 3 mm" in draft.faults()[0]


def test_changes_in_words(draft: CaseDraft) -> None:
    draft.alter_structure("aorta", caution_mm=4.0)
    draft.alter_plan("left", entry_mm=(3.0, 4.0, 0.0))
    draft.add_plan(replace(PLAN, name="right"))
    draft.alter_patient(age=" 54 y ", notes="   ")
    assert draft.words() == ("aorta: caution 3 → 4 mm", "plan left: entry moved by 5.0 mm", "plan right: new", "patient: age unknown → 54 y")
    draft.remove_plan("left")
    assert "plan left: removed" in draft.words()
    assert draft.now.patient.notes is None


@pytest.mark.parametrize("act", [
    lambda d: d.add_plan(PLAN), lambda d: d.add_plan(replace(PLAN, name="  ")), lambda d: d.alter_plan("left", diameter_mm=0.0),
])  # fmt: skip
def test_what_is_refused_leaves_the_draft_as_it_was(draft: CaseDraft, act: object) -> None:
    with pytest.raises(InputRefused):
        act(draft)  # type: ignore[operator]
    assert not draft.changed


def test_a_change_made_elsewhere_keeps_what_is_not_written(draft: CaseDraft) -> None:
    """The tools put a structure into the case while limits are a draft; another one is gone with its draft."""
    draft.alter_structure("aorta", caution_mm=4.0)
    draft.alter_structure("skin", color="#ffffff")
    draft.alter_patient(sex="female")
    nerve = replace(AORTA, name="nerve", file="surfaces/n.ply")
    now = replace(CASE, structure=(replace(AORTA, color="#2bb39b"), BONE, nerve), patient=replace(CASE.patient, age="60 y"))
    draft.rebase(now)
    aorta = draft.structure("aorta")
    assert (aorta.caution_mm, aorta.color) == (4.0, "#2bb39b")
    assert (draft.now.patient.sex, draft.now.patient.age) == ("female", "60 y")
    assert [one.name for one in draft.now.structure] == ["aorta", "bone", "nerve"]
    assert draft.words() == ("aorta: caution 3 → 4 mm", "patient: sex unknown → female")


def test_what_is_changed_while_it_is_written_stays_a_draft(draft: CaseDraft) -> None:
    draft.alter_structure("aorta", caution_mm=4.0)
    written = draft.now
    draft.alter_structure("aorta", caution_mm=5.0)
    draft.accept(written)
    assert draft.changed and draft.words() == ("aorta: caution 4 → 5 mm",)
    draft.take_back()
    assert not draft.changed


def test_veils_are_hidden_until_they_are_asked_for() -> None:
    assert {name: look.visible for name, look in looks_in(CASE, {}).items()} == {"aorta": True, "bone": True, "skin": False}
    assert looks_in(CASE, {"skin": True, "bone": False})["skin"].visible


def moment(epoch: str, case_hash: str, case_path: str = "") -> Moment:
    setup = Setup(collecting="", samples=0, calibrated=(), landmarks=(), spread_mm=(), sweep_points=0, pending=(),
                  case_hash=case_hash, case_path=case_path)  # fmt: skip
    return Moment("up", 0, epoch, None, 0, None, setup)


def test_a_session_keeps_the_limits_it_started_with(draft: CaseDraft, tmp_path: Path) -> None:
    session = SessionLimits()
    assert session.follow(moment("e1", "h1"), tmp_path, "h1", draft.written) and session.runs
    assert session.missing(draft.now) == ()
    draft.alter_structure("aorta", caution_mm=4.0)
    wanted = SetLimits(structure="aorta", caution_mm=4.0, danger_mm=1.8)
    assert session.missing(draft.now) == (wanted,)
    # Written or not, the session does not have them, until it is told.
    draft.accept(draft.now)
    session.follow(moment("e1", "h1"), tmp_path, "h2", draft.written)
    assert session.missing(draft.now) == (wanted,)
    session.told(wanted)
    assert session.missing(draft.now) == ()
    # Limits that cannot be are not sent.
    draft.alter_structure("aorta", danger_mm=9.0)
    assert session.missing(draft.now) == ()


def test_of_a_session_on_older_files_no_limit_is_taken_for_known(draft: CaseDraft, tmp_path: Path) -> None:
    session = SessionLimits()
    session.follow(moment("e1", "old", str(tmp_path)), tmp_path, "new", draft.written)
    assert session.runs and [order.structure for order in session.missing(draft.now)] == ["aorta"]


def test_a_session_on_another_case_is_none_of_ours(draft: CaseDraft, tmp_path: Path) -> None:
    session = SessionLimits()
    session.follow(moment("e1", "other", str(tmp_path / "other")), tmp_path, "h1", draft.written)
    assert not session.runs and session.missing(draft.now) == ()
