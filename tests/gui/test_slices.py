"""The slices: what may be shown, and the pixels of what is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

from gui.slices.cutter import SlicePictures
from gui.slices.model import FIELDS_MM, LATE_NS, Request, SlicesModel, sight_of
from gui.slices.painting import Cuts, field_of, paint_slice, to_px
from gui.slices.view import SlicesView
from navtwin.nouns import State
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.crossings import Crossings
from navtwin.scene.model import Scene
from navtwin.scene.slices import PLANES, Plane
from navtwin.volumes.volume import Volume, placed, volume_box
from tests.gui.room import DANGER_S, HIDDEN_S, MS, Desk, rig, scene
from tests.gui.test_desktop import NoPicture, opened, scenery

SIZES: dict[Plane, tuple[int, int]] = dict.fromkeys(PLANES, (220, 180))


def volume() -> Volume:
    """A scan around the made-up scene: 1000 HU to the patient's left, -1000 HU to his right."""
    T = np.diag((2.0, 2.0, 2.0, 1.0))
    T[:3, 3] = -160.0
    hu = np.full((161, 161, 161), -1000, np.int16)
    hu[:, :, 80:] = 1000
    return placed(hu, T, scene().ct_path)


def scanned(shape: int = 161) -> Scene:
    from dataclasses import replace

    return replace(scene(), volume=volume_box(volume().T_ct_from_ijk, (shape,) * 3))


@pytest.fixture
def cuts() -> Cuts:
    made = Cuts(scanned(), {s.name: Crossings(s.surface.vertices_mm, s.surface.faces) for s in scanned().structures})
    made.load(volume())
    return made


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def view(qtbot: Any, cuts: Cuts) -> Iterator[SlicesView]:
    """Slices whose cutter is a call and not a thread."""
    made = SlicesView(cuts.scene, rig())
    qtbot.addWidget(made)
    made.resize(250, 600)
    made.show()
    made._told("")

    def cut(request: Request) -> None:
        pictures = SlicePictures(request, {}, {})
        for plane in request.sizes_px:
            pictures.images[plane], pictures.names_px[plane] = paint_slice(cuts, request, plane)
        made._came(pictures)

    made.cutter.ask = cut  # type: ignore[method-assign]
    return made


def rgb(image: QImage) -> np.ndarray:
    made = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(made.constBits(), dtype=np.uint8).reshape(made.height(), made.bytesPerLine())
    return rows[:, : 3 * made.width()].reshape(made.height(), made.width(), 3).copy()


def shot(widget: QWidget) -> np.ndarray:
    return rgb(widget.grab().toImage())


def near(image: np.ndarray, color: str, tolerance: int = 40) -> np.ndarray:
    return np.abs(image.astype(int) - QColor(color).getRgb()[:3]).max(axis=-1) < tolerance


def request(at: Vec3 = (0.0, 0.0, 0.0), field_mm: float = 75.0) -> Request:
    from gui.slices.model import Sight

    return Request(at, field_mm, "bone", SIZES, 1.0, Sight("", "", "", None))


def tell(view: SlicesView, desk: Desk, t_s: float, *, frozen: bool = False) -> State:
    state, _ = desk.tell(t_s)
    view.show_moment(desk.board.moment(), desk.clock.ns, frozen=frozen)
    view.show_moment(desk.board.moment(), desk.clock.ns, frozen=frozen)
    return state


# --- what may be shown


def test_a_known_instrument_is_followed_and_a_hidden_one_is_not(desk: Desk):
    model = SlicesModel(scanned())
    state, _ = desk.tell(DANGER_S)
    sight = model.look(desk.board.moment())
    assert sight.known
    assert state.instruments[0].pose is not None
    was = model.at_mm
    assert was == state.instruments[0].pose.t_mm
    desk.tell(HIDDEN_S)
    sight = model.look(desk.board.moment())
    assert (sight.words, sight.why, sight.T_ct_from_tip) == ("UNKNOWN", "hidden", None)
    assert model.at_mm == was


@pytest.mark.parametrize("silence_ms", [150, 400])
def test_too_old_or_over_a_lost_link_nothing_is_known(desk: Desk, silence_ms: int):
    desk.tell(DANGER_S)
    desk.clock.ns += silence_ms * MS
    assert sight_of(scanned(), desk.board.moment()).words == "UNKNOWN"


def test_beyond_the_scan_is_said_and_the_planes_stay(desk: Desk):
    model = SlicesModel(scanned(shape=3))
    was = model.at_mm
    desk.tell(DANGER_S)
    assert model.look(desk.board.moment()).words == "OUT OF SCAN"
    assert model.at_mm == was


def test_the_same_slices_are_asked_for_once_and_lateness_is_told(desk: Desk):
    model = SlicesModel(scanned())
    desk.tell(DANGER_S)
    model.look(desk.board.moment())
    asked = model.wanted(SIZES, 1.0, 0)
    assert asked is not None
    assert model.wanted(SIZES, 1.0, 1) is None
    assert not model.late(LATE_NS)
    assert model.late(LATE_NS + 1)
    model.came(asked, LATE_NS + 2)
    assert not model.late(10 * LATE_NS)
    model.choose_window(1)
    assert model.wanted(SIZES, 1.0, 0) is not None


def test_windows_go_round_and_magnification_has_ends():
    model = SlicesModel(scanned())
    names = [model.window]
    for _ in range(3):
        model.choose_window(1)
        names.append(model.window)
    assert set(names) == {"soft", "bone", "lung"}
    assert names[0] == names[3]
    model.zoom(50)
    assert model.field_mm == FIELDS_MM[0]
    model.zoom(-50)
    assert model.field_mm == FIELDS_MM[-1]


# --- pixels


@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_the_scan_is_the_right_way_round(cuts: Cuts, plane: Plane):
    """The patient's left, white here, is on the right of axial and coronal pictures."""
    image = rgb(paint_slice(cuts, request((0.0, 60.0, 60.0)), plane)[0])
    assert image[20:60, 150:200].mean() > 150
    assert image[20:60, 20:70].mean() < 30


@pytest.mark.parametrize("plane", PLANES)
def test_outlines_are_in_their_colours_where_they_must_be(cuts: Cuts, plane: Plane):
    """The canal's wall, 8 mm from the middle of an axial picture, and as two lines in the others."""
    asked = request()
    image = rgb(paint_slice(cuts, asked, plane)[0])
    wall = {"axial": (0.0, -8.0, 0.0), "coronal": (8.0, 0.0, 3.0), "sagittal": (0.0, 8.0, 3.0)}[plane]
    x, y = np.round(to_px(wall, field_of(asked, plane))).astype(int)
    found = near(image, "#f2c14e")
    assert found[y - 2 : y + 3, x - 2 : x + 3].any()
    assert not found[85:95, 105:115].any()


def test_outlines_differ_in_their_dashes_and_not_in_colour_alone(cuts: Cuts):
    """The canal's line is whole, the aorta's is broken."""
    asked = request((0.0, -22.0, 0.0), 140.0)
    image, field = rgb(paint_slice(cuts, asked, "axial")[0]), field_of(asked, "axial")
    shares = []
    for color, middle, radius in (("#f2c14e", (0.0, 0.0), 8.0), ("#d8654f", (12.0, -45.0), 11.0)):
        turn = np.linspace(0.0, 2.0 * np.pi, 400)
        points = np.stack((middle[0] + radius * np.cos(turn), middle[1] + radius * np.sin(turn), np.zeros(400)), axis=-1)
        px = np.round(to_px(points, field) - 0.5).astype(int)
        found = near(image, color, 60)
        shares.append(np.mean([found[y - 1 : y + 2, x - 1 : x + 2].any() for x, y in px]))
    assert shares[0] > 0.9
    assert 0.3 < shares[1] < 0.95 * shares[0]


def test_a_known_instrument_is_drawn_at_the_middle_and_a_hidden_one_is_hatched(view: SlicesView, desk: Desk):
    tell(view, desk, DANGER_S)
    for pane in view.panes.values():
        assert pane.words == ""
        image = shot(pane)
        h, w = image.shape[:2]
        assert near(image[h // 2 - 12 : h // 2 + 13, w // 2 - 12 : w // 2 + 13], "#ffffff").sum() > 8
    known = {plane: shot(pane) for plane, pane in view.panes.items()}
    tell(view, desk, HIDDEN_S)
    for plane, pane in view.panes.items():
        assert pane.words == "UNKNOWN"
        assert "hidden" in pane.why
        image = shot(pane)
        # Hatched lines across the band, in the grey of the unknown; and nothing of the slice is as bright as it was.
        band = near(image[image.shape[0] // 2 - 22 : image.shape[0] // 2 + 22, 4:40], palette.UNKNOWN, 30)
        assert 0.02 < band.mean() < 0.5
        assert not near(known[plane][image.shape[0] // 2 - 22 : image.shape[0] // 2 + 22, 4:40], palette.UNKNOWN, 12).mean() > 0.02


def test_a_view_without_slices_is_not_taken_for_one(view: SlicesView, desk: Desk):
    """The guard of these tests: with nothing cut there is no outline to be found."""
    view.cutter.ask = lambda _: None  # type: ignore[method-assign]
    tell(view, desk, DANGER_S)
    assert view.panes["axial"].words == "LOADING"
    assert near(shot(view.panes["axial"]), "#f2c14e").sum() == 0


def test_slices_that_lag_say_so_and_show_no_instrument(view: SlicesView, desk: Desk):
    tell(view, desk, DANGER_S)
    view.cutter.ask = lambda _: None  # type: ignore[method-assign]
    view.turn_window()
    for _ in range(30):
        tell(view, desk, DANGER_S)
    assert view.panes["axial"].words == "LATE"


def test_an_instrument_that_comes_back_is_not_shown_where_it_was_before(view: SlicesView, desk: Desk):
    tell(view, desk, DANGER_S)
    tell(view, desk, HIDDEN_S)
    view.cutter.ask = lambda _: None  # type: ignore[method-assign]
    tell(view, desk, DANGER_S)
    assert view.panes["axial"].words in ("LOADING", "LATE")


def test_after_hiding_and_freezing_slices_are_cut_anew_before_they_hold(view: SlicesView, desk: Desk):
    tell(view, desk, DANGER_S)
    view.cutter.ask, cut = lambda _: None, view.cutter.ask  # type: ignore[method-assign, assignment]
    view.hide()
    tell(view, desk, DANGER_S)
    view.show()
    tell(view, desk, DANGER_S)
    assert view.panes["axial"].words == "LOADING"
    view.cutter.ask = cut  # type: ignore[method-assign]
    tell(view, desk, DANGER_S, frozen=True)
    tell(view, desk, DANGER_S)
    assert view.panes["axial"].words == ""


def test_frozen_slices_say_that_they_are(view: SlicesView, desk: Desk):
    tell(view, desk, DANGER_S)
    tell(view, desk, HIDDEN_S, frozen=True)
    assert view.panes["coronal"].words == "FROZEN"


def test_a_case_that_cannot_show_grey_values_says_why_and_still_has_outlines(cuts: Cuts):
    cuts.reslicer = None
    image = rgb(paint_slice(cuts, request(), "axial")[0])
    assert near(image, "#f2c14e").sum() > 50
    assert (image.max(axis=-1) < 20).mean() > 0.8


@pytest.mark.parametrize("labels", [True, False])
def test_the_thread_loads_cuts_and_ends(qtbot: Any, tmp_path: Any, labels: bool):
    from dataclasses import replace

    import nibabel

    hu = np.zeros((40, 40, 40), np.int16) if labels else np.random.default_rng(1).integers(-900, 900, (40, 40, 40)).astype(np.int16)
    hu[5:20, 5:20, 5:20] += 7
    nibabel.save(nibabel.Nifti1Image(hu, np.diag((-4.0, -4.0, 4.0, 1.0))), tmp_path / "ct.nii.gz")
    made = SlicesView(replace(scanned(), ct_path=tmp_path / "ct.nii.gz"), rig())
    qtbot.addWidget(made)
    came: list[SlicePictures] = []
    made.cutter.cut.connect(came.append)
    made.cutter.start()
    made.cutter.ask(request((20.0, 20.0, 20.0)))
    qtbot.waitUntil(lambda: bool(came), timeout=8000)
    assert made.scan_words == ("label volume: no grey values (HU)" if labels else "")
    grey = rgb(came[0].images["axial"])
    assert (grey.std() > 30.0) != labels
    made.cutter.stop()
    assert not made.cutter._thread.is_alive()


def parts_visible(window: Any, shown: Any) -> tuple[bool, bool]:
    """Whether slices and bullseye are shown at the window's next turn."""
    window.refresh()
    return shown.slices.isVisible(), shown.bullseye.isVisible()


def test_the_window_hides_slices_and_bullseye_and_remembers_it(qtbot: Any, desk: Desk):
    for seen in (True, False):
        window = opened(qtbot, desk, NoPicture, scanned())
        shown = scenery(window)
        desk.tell(DANGER_S)
        window.refresh()
        qtbot.waitUntil(lambda window=window, shown=shown, seen=seen: parts_visible(window, shown) == (seen, seen))
        wide = shown.stage.width()
        shown.stage.slices.click()
        shown._show_bullseye()
        qtbot.waitUntil(lambda window=window, shown=shown, seen=seen: parts_visible(window, shown) == (not seen, not seen))
        qtbot.waitUntil(lambda wide=wide, shown=shown: shown.stage.width() != wide)
        window.leave()
