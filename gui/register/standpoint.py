"""Where to stand to see all landmarks."""

from __future__ import annotations

import numpy as np

from navtwin.rigid import Vec3
from navtwin.scene.model import Scene

#: Around the landmarks so much is seen at least, mm.
MARGIN_MM = 26.0


def standpoint_of(scene: Scene) -> tuple[Vec3, Vec3, Vec3, float]:
    """The landmarks' middle, the way from there to the viewer, what is up, and the radius of what is to be seen, mm.

    Landmarks are where a pointer comes: the viewer stands on that side of the bone, the one of six that most of them lie on. Of a case that has none
    the whole scan is seen.
    """
    marks = np.array([m.position_mm for m in scene.landmarks] or scene.volume.bounds_mm())
    focus = (marks.min(axis=0) + marks.max(axis=0)) / 2.0
    bones = [np.asarray(s.surface.vertices_mm) for s in scene.structures if s.role == "work"]
    inside = np.concatenate(bones).mean(axis=0) if bones else focus
    out = marks.mean(axis=0) - inside
    axis = int(np.abs(out).argmax()) if np.abs(out).max() > 1.0 else 1
    way = np.zeros(3)
    way[axis] = 1.0 if out[axis] >= 0.0 else -1.0
    # From head or feet the front is up, from everywhere else the head.
    up = (0.0, -1.0, 0.0) if axis == 2 else (0.0, 0.0, 1.0)
    radius = float(np.linalg.norm(marks - focus, axis=1).max()) + MARGIN_MM
    return _vec(focus), _vec(way), up, radius


def _vec(v: np.ndarray) -> Vec3:
    return (float(v[0]), float(v[1]), float(v[2]))
