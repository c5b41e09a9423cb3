"""Bone that is being drilled in the augmented view, by its pixels: the hole, what is still to be removed, and that neither hides what is critical."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from gui.augmented.bone import DOUBTFUL, NO_MIRROR, BoneSight
from gui.augmented.crop import Sight, crop_of
from gui.augmented.depths import COARSE
from gui.augmented.drawing import Drawing, Prepared, Wanted, draw
from gui.augmented.model import judge
from gui.augmented.painting import paint_patient
from gui.augmented.painting_bone import left_words
from gui.link.shared_bone import SharedBone, Standing
from navtwin.scene import palette
from navtwin.scene.carvable import Carvable
from navtwin.scene.lens import Lens
from navtwin.scene.removal_view import Left, PlannedBone
from tests.gui.augmented_bone_room import (
    BONE_RIG,
    NERVE,
    PLANNED,
    T_CAMERA_FROM_CT,
    bone_context,
    bone_frame,
    bone_picture,
    bone_setup,
    drilled,
    live,
    scene,
    shared,
)
from tests.gui.augmented_room import HEAD, Room
from tests.gui.test_augmented_model import CAMERA

SIZE, SIGHT = (900, 560), Sight(3.0, (644.0, 318.0))
PREPARED: list[Prepared] = []


def prepared() -> Prepared:
    PREPARED[:] = PREPARED or [Prepared.of(scene(), BONE_RIG)]
    return PREPARED[0]


def drawn_with(bone: SharedBone | None, epoch: str = "e1") -> tuple[Drawing, str]:
    frame, context = bone_frame(), bone_context()
    seen, words = BoneSight().now(bone, prepared(), epoch)
    return draw(prepared(), frame, judge(frame, context), context, crop_of(frame, SIGHT, SIZE), seen), words


def painted(drawing: Drawing, wanted: Wanted | None = None) -> npt.NDArray[np.int64]:
    """(rows, columns, 4) red, green, blue, alpha of what hangs on the patient."""
    layer = paint_patient(drawing, wanted or Wanted(), SIZE, scale(), 1.0)
    assert layer is not None
    image = layer[0].convertToFormat(QImage.Format.Format_RGBA8888)
    return np.frombuffer(image.constBits(), np.uint8).reshape(SIZE[1], SIZE[0], 4).astype(np.int64)


def scale() -> float:
    return SIZE[0] / crop_of(bone_frame(), SIGHT, SIZE).width_px


def at(*point_mm: float) -> tuple[int, int]:
    """Row and column of a point of ct."""
    crop = crop_of(bone_frame(), SIGHT, SIZE)
    x, y = (Lens.of(CAMERA).project(T_CAMERA_FROM_CT.apply(point_mm)) - (crop.left_px, crop.top_px) + 0.5) * scale()
    return int(y), int(x)


def like(pixels: npt.NDArray[np.int64], color: str, tolerance: int = 40) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(pixels[..., :3] - QColor(color).getRgb()[:3]).max(axis=-1) < tolerance) & (pixels[..., 3] > 150))


def test_the_hole_is_shaded_where_it_was_drilled_and_has_a_rim_and_nothing_else_is() -> None:
    only = Wanted(structures=False, plan=False)
    before, after = (drawn_with(shared(bone))[0] for bone in (live(), drilled(live())))
    assert before.scene.hole is None and after.scene.hole is not None
    after = replace(after, scene=replace(after.scene, removals=()))
    pixels = painted(after, only)
    floor, deepest, beside = at(7.0, 2.0, -4.0), at(4.0, 0.0, -6.0), at(18.0, 2.0, -3.0)
    assert pixels[floor][3] > 100 and pixels[beside][3] == 0
    # A wall that is deeper, or turned aside, is darker.
    assert pixels[deepest][:3].sum() < pixels[floor][:3].sum()
    rim = like(pixels, palette.TEXT, 60)
    assert rim.sum() > 200
    columns = np.nonzero(rim)[1]
    left, right = at(-7.0, 0.0, -1.0)[1], at(12.0, 0.0, -2.0)[1]
    assert left - 12 < columns.min() < left + 12 and right - 12 < columns.max() < right + 12
    assert not rim[floor[0] - 6 : floor[0] + 6, floor[1] - 6 : floor[1] + 6].any()


def test_what_is_to_be_removed_is_tinted_and_goes_where_it_was_drilled() -> None:
    only = Wanted(structures=False, plan=False)
    bone = live()
    whole, _ = drawn_with(shared(bone))
    (marks,) = whole.scene.removals
    assert marks.share == pytest.approx(1.0, abs=0.02)
    place = at(10.0, 1.0, -1.0)
    tint = painted(whole, only)[place[0] - 8 : place[0] + 8, place[1] - 8 : place[1] + 8, 3]
    assert 20 < tint.mean() < 120, "translucent: the picture is seen through it"
    assert like(painted(whole, only), PLANNED).sum() > 300
    # All that is planned there, and a little more, is taken.
    bone.carve((10.0, -9.0, -1.0), (10.0, 11.0, -1.0), 7.0)
    cut, _ = drawn_with(shared(bone))
    assert cut.scene.removals[0].share < 0.8
    bare = painted(replace(cut, scene=replace(cut.scene, hole=None)), only)[place[0] - 8 : place[0] + 8, place[1] - 8 : place[1] + 8, 3]
    assert bare.max() == 0


def test_the_removals_colour_hides_no_critical_structure() -> None:
    drawing, _ = drawn_with(shared(live()))
    without = replace(drawing, scene=replace(drawing.scene, removals=()))
    nerve = like(painted(without), NERVE, 60)
    assert nerve.sum() > 150
    still = like(painted(drawing), NERVE, 60)
    assert (still & nerve).sum() > 0.97 * nerve.sum()


def test_a_nerve_under_a_thinner_cover_is_drawn_more_plainly() -> None:
    bone = live()
    deep, _ = drawn_with(shared(bone))
    place = at(-2.0, 6.0, -6.0)
    bone.carve((-2.0, 6.0, 0.0), (-2.0, 6.0, -2.8), 2.2)
    near, _ = drawn_with(shared(bone))
    alphas = []
    for drawing in (deep, near):
        plain = replace(drawing, scene=replace(drawing.scene, removals=(), hole=None))
        alphas.append(painted(plain)[place][3])
    assert alphas[1] > 1.15 * alphas[0]


@pytest.mark.parametrize(
    ("make", "epoch", "words"),
    [
        (lambda bone: None, "e1", NO_MIRROR),
        (lambda bone: shared(bone, standing=Standing("partial")), "e1", "some of what was drilled is not known yet"),
        (lambda bone: shared(bone, standing=Standing("stale")), "e1", "what was drilled lately is not known"),
        (lambda bone: shared(bone, standing=Standing("other", "another case")), "e1", "another case"),
        (lambda bone: shared(bone, epoch="e0"), "e1", "another session"),
        (lambda bone: shared(bone, of=replace(scene(), case_hash="other")), "e1", NO_MIRROR),
    ],
)
def test_bone_that_is_not_the_cores_is_not_drawn_and_no_depth_is_claimed(
    make: Callable[[Carvable], SharedBone | None], epoch: str, words: str
) -> None:
    drawing, said = drawn_with(make(drilled(live())), epoch)
    assert said.startswith("drilling not drawn, depths not known: ") and words in said
    assert drawing.scene.hole is None and not drawing.scene.removals and not drawing.scene.has_depths
    # Outlined as if they lay bare: nothing is shown deeper than it may be.
    assert all((loop.below_mm == 0.0).all() for traced in drawing.scene.structures for loop in traced.loops)
    assert like(painted(drawing), NERVE, 60).sum() > 150


def test_where_no_tool_drills_the_bone_is_as_any_other() -> None:
    rig = msgspec.structs.replace(BONE_RIG, tool=tuple(msgspec.structs.replace(tool, cutter=None) for tool in BONE_RIG.tool))
    made, frame, context = Prepared.of(scene(), rig), bone_frame(), bone_context(rig=rig)
    seen, words = BoneSight().now(None, made, "e1")
    drawing = draw(made, frame, judge(frame, context), context, crop_of(frame, SIGHT, SIZE), seen)
    assert words == "" and drawing.scene.has_depths and drawing.depths is COARSE
    nerve = next(traced for traced in drawing.scene.structures if traced.name == "facial nerve")
    assert np.median(nerve.seen_below_mm) > 4.0


def test_bone_in_doubt_is_drawn_and_that_is_said() -> None:
    bone = drilled(live())
    bone.doubt((0.0, 0.0, -4.0), (4.0, 0.0, -4.0), 2.0)
    drawing, said = drawn_with(shared(bone))
    assert said == DOUBTFUL and drawing.scene.hole is not None


def test_what_is_left_is_laid_anew_no_more_often_than_the_eye_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, laid = [100.0], list[int]()
    monkeypatch.setattr("gui.augmented.bone.time.monotonic", lambda: now_s[0])
    lay = PlannedBone.left

    def counted(self: PlannedBone, bone: Carvable) -> Left:
        laid.append(bone.revision)
        return lay(self, bone)

    monkeypatch.setattr(PlannedBone, "left", counted)
    bone = live()
    held, sight = shared(bone), BoneSight()
    for n in range(12):
        now_s[0] += 0.05
        bone.carve((0.0, 0.3 * n, 0.0), (2.0, 0.3 * n, -1.0), 2.0)
        sight.now(held, prepared(), "e1")
    assert len(laid) == 3
    now_s[0] += 0.3
    sight.now(held, prepared(), "e1")
    sight.now(held, prepared(), "e1")
    assert laid[3:] == [bone.revision]


@pytest.mark.parametrize(("share", "words"), [(1.0, "100 % left"), (0.43, "43 % left"), (0.004, "1 % left"), (0.0, "0 % left")])
def test_a_rest_is_never_called_nothing(share: float, words: str) -> None:
    assert left_words(share) == words


@pytest.fixture
def room(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    for name, ours in (("SCENE", scene()), ("picture", bone_picture), ("setup", bone_setup)):
        monkeypatch.setattr(f"tests.gui.augmented_room.{name}", ours)
    made = Room(qtbot, rig=BONE_RIG)
    made.view.set_bone(shared(drilled(live())))
    made.enter()
    made.hear()
    yield made
    made.view.release()


def test_the_view_draws_it_and_one_key_takes_it_away(room: Room) -> None:
    room.play(320)
    assert room.view.why == "" and "drilling" not in room.view.words
    assert room.view.controls.switches["drilling"].isVisibleTo(room.view)
    shown = room.view._shown
    assert shown is not None and any("mastoidectomy" in label.words and label.words.endswith("% left") for label in shown.patient_labels)
    QTest.keyClick(room.view, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    room.give()
    shown = room.view._shown
    assert shown is not None and not any("mastoidectomy" in label.words for label in shown.patient_labels)
    assert shown.depths is not None, "the depths of critical structures stay"
    QTest.keyClick(room.view, Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)


def test_the_view_says_why_there_is_no_bone_and_shows_no_legend_of_depths(room: Room) -> None:
    room.view.set_bone(shared(drilled(live()), standing=Standing("partial")))
    room.play(320)
    assert room.view.words.startswith("drilling not drawn, depths not known: some of what was drilled is not known yet")
    without = room.pixels()[HEAD:]
    room.view.set_bone(shared(drilled(live())))
    room.play(200)
    legend = np.abs(room.pixels()[HEAD:].astype(int) - without).max(axis=-1)[4:28, :400]
    assert (legend > 30).mean() > 0.2
