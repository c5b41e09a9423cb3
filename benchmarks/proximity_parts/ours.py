"""Our own core, asked as the peers are: from Python, one question at a time or a whole array."""

from __future__ import annotations

import numpy as np

from navtwin.scene.surface import Surface
from proximity_parts.pair_peers import AskPose
from proximity_parts.point_peers import AskPoint, AskPoints
from proximity_parts.streams import SHAFT_RADIUS_MM


def point(surface: Surface) -> AskPoint:
    return surface.probe()


def points(surface: Surface) -> AskPoints:
    return lambda many: surface.closest(many).distance_mm


def capsule(surface: Surface) -> AskPose:
    ask = surface.probe().capsule
    return lambda pose: ask(*pose.shaft_ends_mm, SHAFT_RADIUS_MM)


def distance(surface: Surface, instrument: Surface, within_mm: float = np.inf) -> AskPose:
    probe = surface.pair_probe(instrument)
    return lambda pose: probe(pose.rigid.matrix(), within_mm)
