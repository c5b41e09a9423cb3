"""A whole mastoidectomy on the temporal bone whose truth is known: cut along the true strokes, and as the twin saw it through tracker and patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set

import numpy as np
import numpy.typing as npt
from proximity_parts.rows import Row, figure
from rich.console import Console

from drilling_parts.whole_step import whole_step_row
from navtwin.nouns import BoneUndone, Carved, Rig, TrueSetup, Truth, read_rig
from navtwin.report.against_truth import judge_session
from navtwin.report.gather import gather
from navtwin.run.session import new_header
from navtwin.run.simulate import simulate
from navtwin.scene.carvable import Carvable
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene
from phantoms.cases import temporal_bone_patient
from phantoms.drilling.mastoid import mastoid
from phantoms.drilling.meshed import meshed
from phantoms.drilling.performance import Drilled, perform_drilling
from phantoms.drilling.rig import DRILL
from phantoms.drilling.solids import Common
from phantoms.drilling.temporal_bone_case import CARVE_MM
from phantoms.drilling.truth import closest_on
from phantoms.rig import RIG_FILE
from phantoms.shapes import Box

F64 = npt.NDArray[np.float64]
#: Walls are told of where they are no thicker.
THICKEST_MM = 3.0
#: Vertices of the whole surface are left out where no burr came near.
NEAR_CUT_MM = 0.5
VOLUME_SIDE_MM = 0.15
#: Of the true shape, so much around the cuts is made into a surface, on a grid of this side, and drilled on a grid of that.
AROUND_MM, SHAPE_SIDE_MM = 5.0, 0.4


def mastoid_rows(clock: Callable[[], int], rows: Set[str], seed: int = 1) -> Iterator[Row]:
    """Without noise, and with it (`mastoid`); what a step takes (`step`)."""
    folder = temporal_bone_patient(Console(stderr=True))
    scene, rig = load_scene(folder), read_rig(folder / RIG_FILE)
    drilled = perform_drilling(scene, rig, mastoid(), seed)
    if "step" in rows:
        yield whole_step_row(scene, rig, list(drilled.items("benchmark")), clock)
    if "mastoid" in rows:
        yield _exact_row(drilled)
        yield _noise_row(scene, rig, drilled, seed)


def _exact_row(drilled: Drilled) -> Row:
    """The product's own bone, made from the shape itself and cut along the strokes that were truly made."""
    bone, cuts = Carvable(meshed(_around(drilled), SHAPE_SIDE_MM), CARVE_MM), drilled.bone.cuts
    for a, b in zip(cuts.start_mm, cuts.end_mm, strict=True):
        bone.carve(a, b, cuts.radius_mm)
    off = _off_wall(bone, drilled)
    thickness, true_thickness = _thickness(bone, drilled)
    over = thickness - true_thickness
    return Row(
        f"mastoidectomy, true strokes, {bone.side_mm:g} mm",
        [
            figure("mean of the wall", float(off.mean()), "mm"),
            figure("volume off by", 100.0 * abs(bone.removed_mm3 / _true_mm3(drilled) - 1.0), "%"),
            figure("thickness, mean error", float(np.abs(over).mean()), "mm"),
            figure("thickness, most told too much", float(over.max()), "mm"),
        ],
        note=f"{len(cuts)} strokes, {len(off)} vertices of the wall, {len(over)} walls under {THICKEST_MM:g} mm",
    )


def _noise_row(scene: Scene, rig: Rig, drilled: Drilled, seed: int) -> Row:
    """The whole pipeline: calibrations, registration, tracker noise, frames that are late, lost, hidden or lying."""
    name = f"phantom:mastoid:{seed}"
    items = list(drilled.items(name))
    header = new_header(scene, rig, scene.folder / RIG_FILE, name, 0.0)
    run = list(simulate(scene, rig, items, header))
    bone = _bone_of(scene, drilled)
    cutter = next(tool.cutter for tool in rig.tool if tool.name == DRILL)
    assert cutter is not None
    stretch = 0
    for body in (message.body for _, messages in run for message in messages):
        if isinstance(body, Carved):
            if body.stretch != stretch:
                bone.begin_stretch()
                stretch = body.stretch
            bone.sweep(cutter, body.earlier, body.now)
        elif isinstance(body, BoneUndone):
            bone.undo_stretch()
    off = _off_wall(bone, drilled)
    session = gather(header, run, [item for item in items if isinstance(item, Truth | TrueSetup)])
    verdicts = [finding.verdict for finding in judge_session(session, scene, rig)]
    return Row(
        "mastoidectomy through tracker and registration",
        [
            figure("mean of the wall", float(off.mean()), "mm"),
            figure("p99 of the wall", float(np.percentile(off, 99)), "mm"),
            figure("volume off by", 100.0 * (bone.removed_mm3 / _true_mm3(drilled) - 1.0), "%", "none"),
            figure("alarms missed", verdicts.count("missed"), ""),
            figure("alarms late", verdicts.count("late"), ""),
        ],
        note=f"{len(off)} vertices of the wall, hash {bone.hash}; what was cut unseen or unsaid is in the true bone. Twin-S: 1.39 mm, published",
    )


def _around(drilled: Drilled) -> Common:
    """The bone as far as `AROUND_MM` from any cut."""
    (low, high), (lowest, highest) = drilled.bone.cuts.bounds_mm, drilled.bone.whole.bounds_mm()
    low, high = np.maximum(low, lowest), np.minimum(high, highest)
    x, y, z = (float(v) for v in 0.5 * (low + high))
    u, v, w = (float(v) for v in 0.5 * (high - low) + AROUND_MM)
    return Common(drilled.bone.whole, Box((x, y, z), (u, v, w)))


def _bone_of(scene: Scene, drilled: Drilled) -> Carvable:
    return Carvable.of(scene.structure(drilled.site.bone), scene.case_hash)


def _true_mm3(drilled: Drilled) -> float:
    return float(drilled.bone.removed_mm3([np.inf], side_mm=VOLUME_SIDE_MM)[0])


def _off_wall(bone: Carvable, drilled: Drilled) -> F64:
    """How far the drilled part of a surface lies from the true drilled bone (M,), mm."""
    vertices = bone.surface().vertices_mm
    low, high = drilled.bone.cuts.bounds_mm
    vertices = vertices[((vertices > low - 1.0) & (vertices < high + 1.0)).all(axis=1)]
    wall = vertices[np.abs(drilled.bone.cuts.distance_mm(vertices)) < NEAR_CUT_MM]
    return np.abs(drilled.bone.drilled_distance_mm(wall))


def _thickness(bone: Carvable, drilled: Drilled) -> tuple[F64, F64]:
    """Bone on the ways from where the burr was nearest to each critical structure, in each stretch: by the twin, and in truth."""
    ways = list(_ways(drilled))
    from_mm, to_mm = (np.concatenate([way[n] for way in ways]) for n in (0, 1))
    true = drilled.bone.bone_on_ways_mm(from_mm, to_mm, np.full(len(from_mm), np.inf))
    ours = np.array([bone.bone_on_way(a, b)[0] for a, b in zip(from_mm, to_mm, strict=True)])
    thin = (true > 0.0) & (true < THICKEST_MM)
    return ours[thin], true[thin]


def _ways(drilled: Drilled) -> Sequence[tuple[F64, F64]]:
    """Straight ways from the burr's centre to a structure, every tenth stroke that came near it."""
    cuts, found = drilled.bone.cuts, []
    for shape in drilled.site.anatomy.critical.values():
        centres = cuts.end_mm[::10]
        away = shape.distance_mm(centres) - cuts.radius_mm
        near = centres[(away > 0.0) & (away < THICKEST_MM)]
        found.append((near, closest_on(shape, near)))
    return found
