"""The whole step of the fold while a drill cuts, warnings included, with fifteen other structures watched."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import trimesh
from proximity_parts.rows import Row
from results.model import percentile_figures

from navtwin.kernels.errorbar import warm_up as warm_up_errorbar
from navtwin.nouns import Rig, SourceItem, State, TrackerFrame
from navtwin.run.session import new_header
from navtwin.run.simulate import simulate
from navtwin.scene.model import Scene, Structure
from navtwin.scene.surface import Surface
from phantoms.rig import RIG_FILE

WATCHED = 15
#: Faces of each of those that are added to the case's own: an icosahedron's, four times as many with each subdivision.
SUBDIVISIONS, FACES = 5, 20_480


def whole_step_row(scene: Scene, rig: Rig, items: list[SourceItem], clock: Callable[[], int]) -> Row:
    """A mastoidectomy through the fold; of its frames those in which a drill cut."""
    watched = with_watched(scene, WATCHED)
    warm_up_errorbar()
    times: list[int] = []
    run = simulate(watched, rig, items, new_header(scene, rig, scene.folder / RIG_FILE, "benchmark", 0.0))
    # As the loop does before a session: what lives now lives on. Events are not kept, so nothing piles up meanwhile.
    gc.collect()
    gc.freeze()
    while True:
        begun = clock()
        step = next(run, None)
        took = clock() - begun
        if step is None:
            break
        event, messages = step
        if isinstance(event.body, TrackerFrame) and any(isinstance(m.body, State) and _cuts(m.body) for m in messages):
            times.append(took)
    gc.unfreeze()
    triangles = sum(len(s.surface.faces) for s in watched.structures)
    return Row(
        "whole step while cutting",
        list(percentile_figures("took", "ms", np.array(times) / 1e6)),
        note=f"{len(times)} frames, {len(watched.structures) - 1} other structures, {triangles} triangles at first",
    )


def _cuts(state: State) -> bool:
    return any(drill.status == "CUTTING" for drill in state.drills)


def with_watched(scene: Scene, count: int) -> Scene:
    """The scene with balls in its bone, so many that it has `count` structures beside that."""
    bone = scene.carvable
    assert bone is not None
    ball = trimesh.creation.icosphere(subdivisions=SUBDIVISIONS, radius=2.0)
    assert len(ball.faces) == FACES
    rng = np.random.default_rng(3)
    middles = rng.uniform(*bone.surface.bounds_mm, size=(max(0, count - len(scene.structures) + 1), 3))
    surfaces = (Surface.from_arrays(ball.vertices + at, ball.faces) for at in middles)
    added = (Structure(f"watched {n}", "critical", bone.body, s, 2.0, 1.0, 0.2, 15.0, "#ffcc00", 1.0, False) for n, s in enumerate(surfaces))
    return replace(scene, structures=(*scene.structures, *added))
