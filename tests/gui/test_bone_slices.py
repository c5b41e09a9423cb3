"""Drilled bone as it is dressed beside the painting, and in slices: what is gone, what is left, and what is not known."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from gui.link.shared_bone import SharedBone, Standing
from gui.picture.bone import BoneDresser
from gui.slices.model import Request, Sight
from gui.slices.painting import Cuts, outline_pen, paint_slice
from navtwin.scene import palette
from navtwin.scene.bone_actors import arrays_of
from navtwin.scene.bone_picture import grid_of, joined, shown_exactly
from navtwin.scene.bone_slices import BARE, DOUBTFUL, in_reach, wall_pieces
from navtwin.scene.carvable import Carvable
from navtwin.scene.crossings import Crossings
from navtwin.scene.cutaway import Arrays
from navtwin.scene.solids import surface_mesh
from navtwin.volumes.volume import placed
from tests.gui.bone_room import BONE
from tests.scene.bone_room import FLAT_TOP_MM, scene, whole

SIDE_MM = 0.5
#: Along the nerve, its floor 0.5 mm above it, and one that stays far from it.
DEEP, SHALLOW = ((0.0, -5.0, -3.5), (0.0, 5.0, -3.5), 2.0), ((7.0, -5.0, 0.0), (7.0, 5.0, 0.0), 2.0)
Pixels = np.ndarray[Any, Any]


class Room:
    """A bone that is drilled by hand, and its dresser."""

    def __init__(self) -> None:
        self.scene = scene()
        self.shared = SharedBone(self.scene, self.scene.structure(BONE))
        self.bone = Carvable(whole(), SIDE_MM)
        self.shared.begin(self.bone)
        self.shared.say(Standing("whole"))
        self.dresser = BoneDresser(self.shared)

    def cut(self, *strokes: tuple[Any, Any, float]) -> None:
        every = np.arange(grid_of(self.bone).bricks)
        before = self.bone.cells(every)
        for a, b, radius in strokes:
            self.bone.carve(a, b, radius)
        self.shared.changed(np.flatnonzero((self.bone.cells(every) != before).any(axis=(1, 2, 3))).tolist())

    def settled(self) -> None:
        """Wait until all that is due has been dressed."""
        exact = set(np.flatnonzero(shown_exactly(self.bone, grid_of(self.bone))).tolist())
        until = time.monotonic() + 20.0
        while self.dresser.dressed.looks.keys() != exact or self.dresser._due or self.dresser.dressed.standing != self.shared.standing:
            assert time.monotonic() < until
            time.sleep(0.01)


@pytest.fixture
def room() -> Any:
    made = Room()
    made.dresser.start()
    yield made
    made.dresser.stop()


@pytest.fixture
def slices(room: Room) -> Any:
    room.cut(DEEP, ((0.0, -5.0, -1.0), (0.0, 5.0, -1.0), 2.0), SHALLOW)
    room.settled()
    crossings = {s.name: Crossings(s.surface.vertices_mm, s.surface.faces) for s in room.scene.structures}
    cuts = Cuts(room.scene, crossings, drilled=room.dresser)
    T = np.diag((1.0, 1.0, 1.0, 1.0))
    T[:3, 3] = -20.0
    cuts.load(placed(np.full((41, 41, 41), 500, np.int16), T, Path("ct.nii.gz")))
    return cuts


def request() -> Request:
    return Request((0.0, 0.0, -3.0), 30.0, "bone", {"coronal": (300, 300)}, 1.0, Sight("UNKNOWN", "", "", None))


def painted(cuts: Cuts) -> Pixels:
    image, _ = paint_slice(cuts, request(), "coronal")
    made = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(made.constBits(), dtype=np.uint8).reshape(made.height(), made.bytesPerLine())
    return rows[:, : 3 * made.width()].reshape(made.height(), made.width(), 3).astype(int)


def at(picture: Pixels, x_mm: float, z_mm: float) -> Pixels:
    """The pixel at a place in the coronal plane: 10 px to a mm, the middle at x = 0, z = -3."""
    color: Pixels = picture[round(150 - 10 * (z_mm + 3.0)), round(150 + 10 * x_mm)]
    return color


def has(picture: Pixels, color: str, x_mm: tuple[float, float], z_mm: tuple[float, float]) -> int:
    """How many pixels of a region have a colour, near enough."""
    rgb = np.array(QColor(color).getRgb()[:3])
    part = picture[round(150 - 10 * (z_mm[1] + 3)) : round(150 - 10 * (z_mm[0] + 3)), round(150 + 10 * x_mm[0]) : round(150 + 10 * x_mm[1])]
    return int((np.abs(part - rgb).max(axis=-1) < 30).sum())


def test_what_is_gone_is_tinted_and_the_scan_still_shows(slices: Cuts):
    picture = painted(slices)
    gone, left, air = at(picture, 0.0, -2.0), at(picture, -8.0, -6.0), at(picture, 0.0, 4.0)
    assert gone[2] > gone[0] + 30
    assert left[0] == left[2] == air[0] == air[2]
    assert gone.min() > 40


def test_walls_are_lined_by_what_is_left_behind_them(slices: Cuts):
    picture = painted(slices)
    floor = ((-0.5, 0.5), (-5.9, -5.1))
    assert has(picture, palette.BANDS[0], *floor) > 10
    assert has(picture, palette.CUT_BONE, (6.5, 7.5), (-2.4, -1.6)) > 10
    assert has(picture, palette.BANDS[0], (5.0, 9.0), (-3.0, 0.0)) == 0
    assert has(picture, palette.BANDS[1], (-2.2, 2.2), (-6.0, -3.0)) > 5


def test_nothing_is_coloured_where_nothing_was_drilled(slices: Cuts):
    fresh = Room()
    fresh.dresser.start()
    fresh.settled()
    before = painted(replace(slices, drilled=fresh.dresser))
    fresh.dresser.stop()
    picture = painted(slices)
    assert (np.abs(picture - before).max(axis=-1) > 20).sum() > 1000
    away = np.s_[:, :100]  # farther to the right of the patient than anything was cut
    assert np.array_equal(picture[away], before[away])


def test_walls_that_may_be_gone_have_no_band(slices: Cuts, room: Room):
    known = painted(slices)
    room.shared.say(Standing("stale"))
    room.settled()
    stale = painted(slices)
    area = ((-3.0, 9.0), (-6.5, 0.5))
    assert sum(has(known, band, *area) for band in palette.BANDS) > 40
    assert sum(has(stale, band, *area) for band in palette.BANDS) == 0
    assert has(stale, palette.UNKNOWN, *area) > 40


def test_bone_that_may_be_gone_is_striped_and_no_other(slices: Cuts, room: Room):
    known = painted(slices)
    room.bone.doubt((-8.0, 0.0, -6.0), (-8.0, 0.0, -6.0), 1.5)
    room.shared.changed(room.bone.touched.tolist())
    until = time.monotonic() + 20.0
    while not room.dresser.dressed.vague:
        assert time.monotonic() < until
        time.sleep(0.01)
    differs = (np.abs(painted(slices) - known).max(axis=-1) > 60)[:, :300]
    inside = np.s_[150 - 10 * (-5 + 3) : 150 - 10 * (-7 + 3), 150 - 90 : 150 - 70]
    assert 0.1 < differs[inside].mean() < 0.6
    assert not differs[:, 150:].any()


def test_pieces_say_their_band_and_doubt_comes_first(room: Room):
    room.cut(DEEP, SHALLOW)
    room.bone.doubt((7.0, 0.0, -2.0), (7.0, 0.0, -2.0), 1.0)
    room.shared.changed(room.bone.touched.tolist())
    room.settled()
    looks, grid = room.dresser.dressed.looks, grid_of(room.bone)
    pieces = wall_pieces(looks, grid, "coronal", (0.0, 0.0, 0.0))
    middles = pieces.ends_mm.mean(axis=1)
    floor = np.hypot(middles[:, 0], middles[:, 1] + 5.5) < 0.3
    assert set(pieces.band[floor].tolist()) == {0}
    assert set(pieces.band[np.hypot(middles[:, 0] - 7.0, middles[:, 1] + 2.0) < 0.5].tolist()) == {DOUBTFUL}
    assert BARE in pieces.band
    assert not len(wall_pieces(looks, grid, "coronal", (0.0, 40.0, 0.0)).band)
    assert in_reach(looks, grid, "axial", (0.0, 0.0, 400.0)) == []


def test_only_what_changed_and_what_is_around_it_is_looked_at_again(room: Room):
    room.cut(SHALLOW)
    room.settled()
    before = room.dresser.dressed
    room.cut(((-7.0, 5.0, 0.0), (-7.0, 5.0, 0.0), 2.0))
    room.settled()
    after = room.dresser.dressed
    assert after.number > before.number
    same = [brick for brick, look in before.looks.items() if after.looks[brick] is look]
    assert same
    assert len(same) < len(before.looks)


def test_bone_that_is_taken_back_is_no_longer_shown_in_chunks(room: Room):
    surface = whole()
    room.dresser.ask(arrays_of(surface_mesh(surface.vertices_mm, surface.faces, 800)))
    room.bone.begin_stretch()
    room.cut(SHALLOW)
    room.settled()
    assert len(joined([look for _, look in room.dresser.dressed.chunks.values()]).faces) > 500
    touched = room.bone.touched.tolist()
    room.bone.undo_stretch()
    room.bone.settle((7.0, 0.0, 0.0), 40.0)
    room.shared.changed(touched)
    room.settled()
    dressed = room.dresser.dressed
    assert not dressed.looks
    assert all(not len(look.faces) for _, look in dressed.chunks.values())
    assert dressed.rest is not None and np.array_equal(dressed.rest[0].faces, dressed.rest[1].faces)
    assert dressed.rest[0].doubtful.max() == 0.0


def test_another_level_of_detail_comes_without_what_was_drilled(room: Room):
    room.cut(SHALLOW)
    room.settled()
    surface, heard = whole(), [0]
    room.dresser.listen(lambda: heard.append(room.dresser.dressed.number))
    meshes: list[Arrays] = []
    for triangles in (400, 900):
        mesh = arrays_of(surface_mesh(surface.vertices_mm, surface.faces, triangles))
        room.dresser.ask(mesh)
        until = time.monotonic() + 20.0
        while room.dresser.dressed.rest is None or room.dresser.dressed.rest[1] is not mesh:
            assert time.monotonic() < until
            time.sleep(0.01)
        meshes.append(room.dresser.dressed.rest[0])
    for mesh in meshes:
        middles = mesh.points_mm[mesh.faces].mean(axis=1)
        assert not (np.abs(middles - (7.0, 0.0, FLAT_TOP_MM)).max(axis=1) < 1.5).any()
    assert heard[-1] == room.dresser.dressed.number


def test_doubt_is_marked_where_nothing_was_cut_too(room: Room):
    surface = whole()
    room.dresser.ask(arrays_of(surface_mesh(surface.vertices_mm, surface.faces, 3000)))
    room.bone.doubt((0.0, 0.0, 0.0), (3.0, 0.0, 0.0), 1.5)
    room.shared.changed(room.bone.touched.tolist())
    until = time.monotonic() + 20.0
    while room.dresser.dressed.rest is None or not room.dresser.dressed.rest[0].doubtful.any():
        assert time.monotonic() < until
        time.sleep(0.01)
    rest = room.dresser.dressed.rest[0]
    top = rest.points_mm[rest.faces][..., 2].min(axis=1) > -0.5
    corners = rest.points_mm[rest.faces[top]][..., :2]
    covered = (corners.min(axis=1) < (1.5, 0.0)).all(axis=1) & (corners.max(axis=1) > (1.5, 0.0)).all(axis=1)
    assert rest.doubtful[rest.faces[top][covered]].all()
    assert rest.doubtful.mean() < 0.9


def test_a_planned_removal_is_dashed_in_the_plan_s_colour():
    structure = replace(scene().structures[1], role="context", caution_mm=None, danger_mm=None, removal_of=BONE)
    pen = outline_pen(structure, (), 1.0)
    assert pen.color() == QColor(palette.PLAN)
    assert pen.dashPattern()
