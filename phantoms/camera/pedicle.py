"""The whole rehearsal of `phantoms.performance` before the rendered camera: the same hands, orders and truth, with printed bodies on the tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import Rig, SourceItem, TrackerFrame
from navtwin.rigid import Rigid
from phantoms.camera.background import cluttered
from phantoms.camera.bodies import MadeBody, make_body
from phantoms.camera.scripts import SCENE_STREAM, Studio, named
from phantoms.camera.take import CameraTruth, Take, Track
from phantoms.motion import Poses
from phantoms.path import frames, unit
from phantoms.performance import Performance, perform
from phantoms.rehearsal import items_of, stream_name
from phantoms.rig import FACING
from phantoms.stage import constant
from phantoms.touch import Approach
from phantoms.trajectories import plans_by_side

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

Array = npt.NDArray[np.float64]

#: The camera looks at a point over the level, mm out of the back, to the left and to the head, from so far away.
LOOKED_AT_MM, AWAY_MM = (115.0, -20.0, -30.0), 540.0
#: From there it stands out of the back, to the left and to the feet, so that the tools' markers seldom come before the reference's.
TO_CAMERA = (0.75, 0.55, -0.35)
#: Stand-ins for the reflecting spheres that the scripted tracker would see on a body; a rendered camera sees the print instead.
STAND_INS = ((-30.0, -30.0, 0.0), (30.0, -30.0, 0.0), (0.0, 40.0, 0.0))


def film_pedicle(studio: Studio, case: Scene | None) -> Take:
    """Film the rehearsal of a case.

    Raises
    ------
    InputRefused : no case, or one or a rig that the rehearsal cannot use
    """
    rig = studio.needs_rig("pedicle")
    if case is None:
        raise InputRefused(
            "the rendered camera's script 'pedicle' films the rehearsal of a case",
            "pass the case folder, to `navtwin run` or `navtwin film --case`",
        )
    performance = perform(case, _with_spheres(rig), studio.seed)
    T_camera_from_ct = _camera_on_patient(performance, case)
    tracks, bodies = dict[str, Track](), dict[str, MadeBody]()
    for name in performance.fits:
        bodies[name] = make_body(named(rig, name))
        tracks[name] = _track(performance, name, T_camera_from_ct)
    corners = {name: (body.ids, body.corners_mm) for name, body in bodies.items()}
    truth = CameraTruth(studio.lenses, studio.places, corners, performance.made, tracks)
    backdrops = tuple(cluttered(lens, studio.rng(*SCENE_STREAM, n)) for n, lens in enumerate(studio.lenses))

    def items() -> Iterator[int | SourceItem]:
        for item in items_of(performance, stream_name(studio.seed)):
            yield item.number if isinstance(item, TrackerFrame) else item

    return Take(
        name="pedicle",
        seed=studio.seed,
        capture_ns=performance.capture_ns,
        arrival_ns=performance.arrival_ns,
        sheets={name: body.sheets for name, body in bodies.items()},
        truth=truth,
        optics=studio.optics,
        backdrops=backdrops,
        items=items,
        setup_ns=int(performance.script.navigation_s * 1e9),
    )


def _with_spheres(rig: Rig) -> Rig:
    """The rig with spheres in place of prints: what the rehearsal is written for. Its tracker's measurements are not used, only what truly moves."""
    bodies = tuple(msgspec.structs.replace(body, markers_mm=STAND_INS, dictionary="", marker=()) for body in rig.body)
    return msgspec.structs.replace(rig, body=bodies)


def _camera_on_patient(performance: Performance, case: Scene) -> Poses:
    """T_camera_from_ct: the camera stands still and upright, near enough to see print; the patient is knocked before it."""
    view, stage, script = Approach.over(*plans_by_side(case)), performance.stage, performance.script
    assert script.bump is not None
    z = -unit(np.array(TO_CAMERA) @ np.array([view.back, view.left, view.head]))
    x = unit(np.cross(view.head, z))
    rows = np.array([x, np.cross(z, x), z])
    standing = np.eye(4)
    standing[:3, :3], standing[:3, 3] = rows, -rows @ (view.out(*LOOKED_AT_MM) - AWAY_MM * z)
    T_camera_from_ct = Rigid.from_matrix(standing, target="camera", source="ct")
    T_camera_from_tracker = T_camera_from_ct @ stage.T_tracker_from_ct.inverse()
    knocked = stage.T_tracker_from_ct_at(performance.times_s, script.bump, view.middle_mm)
    return constant(T_camera_from_tracker, len(knocked)).then(knocked)


def _track(performance: Performance, name: str, T_camera_from_ct: Poses) -> Track:
    """A body's true way, from what carries it."""
    count = len(performance.capture_ns)
    carried = [tool for tool in performance.rig.tool if tool.body == name and tool.name in performance.made]
    if not carried:
        return Track.open(T_camera_from_ct.then(constant(performance.stage.T_ct_from_ref, count)))
    motion, made = performance.motion[carried[0].name], performance.made[carried[0].name]
    tip = Poses(np.tile(frames(made.axis[None], np.array(FACING)), (count, 1, 1)), np.tile(made.tip_mm, (count, 1)))
    return Track(T_camera_from_ct.then(motion.T_ct_from_tip).then(tip.inverse()), motion.present, motion.seen)
