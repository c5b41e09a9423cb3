"""Bone that is being drilled, before the augmented view's camera: a knob with a nerve and a sinus in it, and what is planned to be removed of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyvista as pv

from gui.augmented.model import Context
from gui.link.shared_bone import SharedBone, Standing
from navtwin.bus.video import VideoPicture
from navtwin.nouns import Cutter, Rig, Setup
from navtwin.nouns.video import VideoFrame
from navtwin.rigid import Rigid
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Patient, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import VolumeBox
from tests.gui.augmented_room import jpeg
from tests.gui.room import rig
from tests.gui.test_augmented_model import CAMERA, T_CT_FROM_REF, context, frame, moment, ref_body, setup

SIDE_MM = 0.5
NERVE, SINUS, PLANNED = "#f2c14e", "#5b8def", "#d98cff"
#: The camera looks down on the knob's top, from 210 mm.
T_CAMERA_FROM_CT = Rigid.from_matrix([[1, 0, 0, 0], [0, -1, 0, 8], [0, 0, -1, 210], [0, 0, 0, 1]], target="camera", source="ct")
CUTTER = Cutter(part="burr", profile="sphere", radius_mm=1.5)
BONE_RIG: Rig = msgspec.structs.replace(rig(), camera=(CAMERA,), tool=tuple(msgspec.structs.replace(tool, cutter=CUTTER) for tool in rig().tool))


def _ellipsoid(half_mm: tuple[float, float, float], middle_mm: tuple[float, float, float]) -> Surface:
    mesh = pv.Icosphere(nsub=5).scale(half_mm).translate(middle_mm)
    return Surface.from_arrays(mesh.points.astype(float), mesh.regular_faces)


def _tube(points: list[tuple[float, float, float]], radius_mm: float) -> Surface:
    mesh = pv.Spline(np.array(points), 60).tube(radius=radius_mm, n_sides=24).triangulate().clean()
    return Surface.from_arrays(mesh.points.astype(float), mesh.regular_faces)


@cache
def scene() -> Scene:
    whole = _ellipsoid((26.0, 18.0, 12.0), (0.0, 0.0, -12.0))
    nerve = _tube([(-4.0, 16.0, -7.0), (-2.0, 6.0, -6.0), (3.0, -2.0, -8.0), (8.0, -9.0, -14.0), (9.0, -14.0, -19.0)], 0.9)
    sinus = _tube([(-20.0, 8.0, -12.0), (-15.0, 0.0, -9.0), (-14.0, -8.0, -12.0), (-16.0, -13.0, -16.0)], 3.0)
    planned = _ellipsoid((13.0, 9.0, 8.0), (2.0, 1.0, -1.0))
    structures = (
        Structure("temporal bone", "work", "ref", whole, None, None, 0.3, 15.0, "#e6d9c2", 1.0, False, carve_mm=SIDE_MM),
        Structure("facial nerve", "critical", "ref", nerve, 2.0, 1.0, 0.3, 15.0, NERVE, 1.0, False),
        Structure("sigmoid sinus", "critical", "ref", sinus, 2.0, 1.0, 0.3, 15.0, SINUS, 1.0, False),
        Structure("mastoidectomy", "context", "ref", planned, None, None, 0.3, 15.0, PLANNED, 0.3, False, removal_of="temporal bone"),
    )
    box = VolumeBox(((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), (1, 1, 1))
    return Scene("knob", structures, (), (), Patient(), box, Path("ct.nii.gz"), Path(), "knob")


def live() -> Carvable:
    """The bone, whole."""
    return Carvable(scene().structures[0].surface, SIDE_MM)


def drilled(bone: Carvable, strokes: int = 5) -> Carvable:
    """A part of what is planned, stroke by stroke, deepest in the middle."""
    for n in range(strokes):
        y = -4.0 + 2.2 * n
        bone.carve((-4.0, y, -1.5), (9.0, y, -3.0), 2.4)
    bone.carve((0.0, 0.0, -2.0), (4.0, 0.0, -5.5), 1.6)
    return bone


def shared(bone: Carvable, epoch: str = "e1", standing: Standing | None = None, of: Scene | None = None) -> SharedBone:
    made = SharedBone(of or scene(), scene().structures[0])
    made.begin(bone)
    made.epoch = epoch
    made.say(standing or Standing("whole"))
    return made


def bone_frame(**changes: Any) -> VideoFrame:
    return frame(**({"bodies": (ref_body(T_CAMERA_FROM_CT @ T_CT_FROM_REF),)} | changes))


def bone_picture(**changes: Any) -> VideoPicture:
    return VideoPicture(bone_frame(**changes), jpeg())


def bone_setup(**changes: Any) -> Setup:
    return setup(**({"case_hash": "knob"} | changes))


def bone_context(rig: Rig = BONE_RIG) -> Context:
    return context(scene=scene(), rig=rig, moment=moment(setup=bone_setup()))
