"""Pictures: not blank, the right way round, and nothing in them that is not known."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import pyvista as pv
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor

from navtwin.bus.signals import SIGNALS
from navtwin.errors import InputRefused
from navtwin.nouns import LEVELS, AlertSet, Part, State
from navtwin.scene import palette
from navtwin.scene.distances import reading_words, structure_rows
from navtwin.scene.picture import Picture, open_plotter, render_png, render_window
from navtwin.scene.solids import capsule_mesh, surface_mesh
from navtwin.scene.views import VIEWS, check_view, edge_letters, standpoint
from tests.gui.room import CLEAR_S, CONTACT_S, DANGER_S, HIDDEN_S, rig, said, scene, with_health

SIZE = (640, 400)
Pixels = np.ndarray[Any, Any]


def read(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def share(image: Pixels, color: str) -> float:
    return float((np.abs(image - np.array(ImageColor.getrgb(color))).max(axis=-1) < 8).mean())


def middle(image: Pixels) -> Pixels:
    """The picture without its captions."""
    return image[90:300]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pixels]:
    folder = tmp_path_factory.mktemp("pictures")
    moments = {"clear": said(CLEAR_S), "danger": said(DANGER_S), "hidden": said(HIDDEN_S), "nothing": (None, None)}
    for name, (state, alerts) in moments.items():
        render_png(scene(), rig(), state, alerts, folder / f"{name}.png", SIZE, "left")
    assert not list(folder.glob("*.part"))
    return {name: read(folder / f"{name}.png") for name in moments}


def test_a_picture_has_its_size_and_is_not_blank(pictures: dict[str, Pixels]):
    for image in pictures.values():
        assert image.shape == (SIZE[1], SIZE[0], 3)
        assert (np.abs(middle(image) - np.array(ImageColor.getrgb(palette.BACKGROUND))).max(axis=-1) > 20).mean() > 0.03


def test_the_instrument_is_drawn_when_known_and_gone_when_unknown(pictures: dict[str, Pixels]):
    known, hidden, nothing = (middle(pictures[name]) for name in ("danger", "hidden", "nothing"))
    assert (np.abs(known - hidden).max(axis=-1) > 40).sum() > 100
    assert np.array_equal(hidden, nothing)


def test_the_caption_has_the_alerts_colour_only_when_there_is_one(pictures: dict[str, Pixels]):
    red = SIGNALS["high"].rgb
    assert share(pictures["danger"][:24], red) > 0.5
    assert share(pictures["clear"][:24], red) == 0.0


def test_an_unknown_view_is_refused_before_anything_is_painted(tmp_path: Path):
    with pytest.raises(InputRefused, match="axial"):
        render_png(scene(), rig(), None, None, tmp_path / "x.png", SIZE, "axail")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_instruments_without_shapes_in_the_rig_are_still_shown():
    plotter = open_plotter((64, 64))
    picture = Picture(plotter, scene(), None, "light")
    picture.show(*said(DANGER_S))
    assert picture.instruments_shown == {"drill"}
    picture.show(*said(HIDDEN_S))
    assert picture.instruments_shown == frozenset()
    plotter.close()


def test_in_contact_the_part_and_its_line_take_the_alerts_colour():
    plotter = open_plotter((320, 200))
    picture = Picture(plotter, scene(), rig(), "light")
    picture.look("left", None)
    plotter.show(auto_close=False)

    def reds(state: State | None, alerts: AlertSet | None) -> int:
        picture.show(state, alerts)
        render_window(plotter).Render()
        image = np.asarray(plotter.screenshot(None, return_img=True)).astype(int)
        return int((image[..., 0] - image[..., 1:].max(axis=-1) > 90).sum())

    # The aorta is red in both.
    assert reds(*said(CONTACT_S)) > reds(*said(CLEAR_S)) + 50
    plotter.close()


@pytest.mark.parametrize(("view", "letters"), [("posterior", ("L", "R")), ("left", ("A", "P")), ("axial", ("R", "L"))])
def test_views_look_at_the_patient_from_the_side_they_name(view: Any, letters: tuple[str, str]):
    stand = standpoint(view, scene(), None)
    assert stand is not None
    towards = np.subtract(stand.position_mm, stand.focus_mm)
    axis = {"posterior": (0, 1, 0), "left": (1, 0, 0), "axial": (0, 0, 1)}[view]
    assert np.allclose(towards / np.linalg.norm(towards), axis)
    assert edge_letters(stand) == letters


def test_the_following_view_looks_at_the_tip_and_stays_put_without_one():
    state = said(DANGER_S)[0]
    stand = standpoint("tip", scene(), state)
    assert stand is not None
    pose = state.instruments[0].pose
    assert pose is not None
    assert np.allclose(stand.focus_mm, pose.t_mm)
    assert standpoint("tip", scene(), said(HIDDEN_S)[0]) is None


def test_view_names_are_checked():
    assert [check_view(v) for v in VIEWS] == list(VIEWS)
    with pytest.raises(InputRefused, match="posterior"):
        check_view("posteror")


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(-50, 50)] * 3), st.tuples(*[st.floats(-50, 50)] * 3), st.floats(0.3, 8.0))
def test_every_vertex_of_a_capsule_lies_on_its_skin(a: tuple[float, float, float], b: tuple[float, float, float], radius: float):
    mesh = capsule_mesh(Part(name="p", from_mm=a, to_mm=b, radius_mm=radius))
    axis = np.subtract(b, a)
    length2 = float(axis @ axis)
    share_along = np.clip((mesh.points - a) @ axis / length2, 0.0, 1.0) if length2 > 0 else np.zeros(mesh.n_points)
    nearest = np.array(a) + share_along[:, None] * axis
    away = mesh.points - nearest
    assert np.allclose(np.linalg.norm(away, axis=1), radius, atol=1e-4)
    assert np.allclose(np.linalg.norm(mesh["Normals"], axis=1), 1.0, atol=1e-6)


def test_a_ball_is_a_closed_ball():
    mesh = capsule_mesh(Part(name="burr", from_mm=(1, 2, 3), to_mm=(1, 2, 3), radius_mm=1.5)).clean(tolerance=1e-6).triangulate()
    assert mesh.n_open_edges == 0
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.03)


@pytest.mark.parametrize("most", [2_000, 20_000])
def test_a_level_of_detail_keeps_the_shape_within_its_budget(most: int):
    ball = pv.Sphere(radius=40.0, theta_resolution=200, phi_resolution=200)
    mesh = surface_mesh(ball.points, ball.regular_faces, most)
    assert mesh.n_cells <= most
    assert np.abs(np.linalg.norm(mesh.points, axis=1) - 40.0).max() < 0.5
    outward = np.einsum("ij,ij->i", mesh["Normals"], mesh.points)
    assert (outward > 0.0).all()


def test_a_row_shows_unknown_as_soon_as_the_alert_set_takes_the_pair_back():
    state, alerts = said(DANGER_S)
    taken = tuple(msgspec.structs.replace(p, known=False, status="STALE") for p in alerts.pairs)
    rows = structure_rows(scene(), state, msgspec.structs.replace(alerts, pairs=taken))
    assert all(not pair.known for row in rows for pair in row.pairs)


def test_without_state_and_alerts_rows_say_why():
    assert [row.why for row in structure_rows(scene(), None, None)] == ["no word yet"] * 2
    assert [row.why for row in structure_rows(scene(), *said(DANGER_S), link_lost=True)] == ["link lost"] * 2


def test_an_instrument_in_use_that_is_unknown_is_not_hidden_behind_one_that_is_clear():
    state, alerts = said(CLEAR_S)
    pointer = tuple(msgspec.structs.replace(r, instrument="pointer", status="HIDDEN", distance_mm=None, bound_mm=None) for r in state.readings)
    both = msgspec.structs.replace(state, readings=(*state.readings, *pointer))
    in_use = structure_rows(scene(), both, with_health(alerts, selected=("drill", "pointer")))[0]
    put_away = structure_rows(scene(), both, with_health(alerts, selected=("drill",)))[0]
    assert in_use.lead is not None
    assert (in_use.lead.instrument, in_use.lead.known) == ("pointer", False)
    assert put_away.lead is not None
    assert (put_away.lead.instrument, put_away.lead.known) == ("drill", True)
    assert len(put_away.pairs) == 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.booleans()), min_size=3, max_size=3))
def test_the_leading_pair_has_the_highest_level(judged: list[tuple[Any, bool]]):
    state, alerts = said(CLEAR_S)
    pairs = list(alerts.pairs)
    for n, (level, known) in enumerate(judged):
        pairs[n] = msgspec.structs.replace(pairs[n], level=level, known=known, status="OK" if known else "STALE")
    row = structure_rows(scene(), state, msgspec.structs.replace(alerts, pairs=tuple(pairs)))[0]
    assert row.lead is not None
    assert row.lead.level == max((level for level, _ in judged), key=LEVELS.index)


def test_a_depth_that_is_only_a_bound_says_so():
    readings = said(CONTACT_S)[0].readings
    inside = next(r for r in readings if r.distance_mm is not None and r.distance_mm < 0.0)
    assert reading_words(inside).startswith("≥ ")
    assert reading_words(msgspec.structs.replace(inside, depth_is_bound=False)).endswith("inside")


def test_colours_of_levels_stand_out_from_the_background():
    def luminance(color: str) -> float:
        linear = [(c / 255 / 12.92) if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in ImageColor.getrgb(color)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    # WCAG 2.2, success criterion 1.4.3: at least 4.5 for text.
    for back, ink in itertools.product((palette.BACKGROUND, palette.RAISED), (palette.TEXT, palette.DIM, *palette.LEVEL_COLORS.values())):
        assert (luminance(ink) + 0.05) / (luminance(back) + 0.05) > 4.5
