"""Libraries that give the distance between a mesh and an instrument: coal and FCL, with their trees, transforms and requests kept.

A question is a `Pose`, an answer the distance in mm, 0 where the two cross. Who does not know beforehand whether they do asks for the distance alone,
or whether they collide first: where they cross both ways are asked; where they are apart the first is never slower.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from navtwin.scene.surface import Surface
from proximity_parts.streams import SHAFT_MM, SHAFT_RADIUS_MM, Pose

AskPose = Callable[[Pose], float]


@lru_cache(maxsize=4)
def coal_tree(surface: Surface) -> Any:
    import coal

    model = coal.BVHModelOBBRSS()
    model.beginModel(len(surface.faces), len(surface.vertices_mm))
    model.addVertices(surface.vertices_mm)
    model.addTriangles(surface.faces.astype(np.int64))
    model.endModel()
    return model


def _coal_distance(anatomy: Any, instrument: Any, centred: bool) -> AskPose:
    import coal

    request, result = coal.DistanceRequest(), coal.DistanceResult()
    here, there = coal.Transform3s.Identity(), coal.Transform3s()
    request.enable_signed_distance = False

    def ask(pose: Pose) -> float:
        there.setRotation(pose.rotation)
        there.setTranslation(pose.shaft_middle_mm if centred else pose.tip_mm)
        result.clear()
        return float(coal.distance(anatomy, here, instrument, there, request, result))

    return ask


def coal_capsule(surface: Surface) -> AskPose:
    import coal

    return _coal_distance(coal_tree(surface), coal.Capsule(SHAFT_RADIUS_MM, SHAFT_MM), centred=True)


def coal_distance(surface: Surface, instrument: Surface) -> AskPose:
    return _coal_distance(coal_tree(surface), coal_tree(instrument), centred=False)


def _coal_collides(anatomy: Any, instrument: Any, margin_mm: float) -> Callable[[Pose], bool]:
    import coal

    request, result = coal.CollisionRequest(), coal.CollisionResult()
    here, there = coal.Transform3s.Identity(), coal.Transform3s()
    request.num_max_contacts, request.enable_contact, request.security_margin = 1, False, margin_mm

    def ask(pose: Pose) -> bool:
        there.setRotation(pose.rotation)
        there.setTranslation(pose.tip_mm)
        result.clear()
        return bool(coal.collide(anatomy, here, instrument, there, request, result))

    return ask


def coal_or_crossing(surface: Surface, instrument: Surface) -> AskPose:
    measure = coal_distance(surface, instrument)
    return lambda pose: max(measure(pose), 0.0)


def coal_collides_first(surface: Surface, instrument: Surface) -> AskPose:
    collides, measure = _coal_collides(coal_tree(surface), coal_tree(instrument), 0.0), coal_distance(surface, instrument)
    return lambda pose: 0.0 if collides(pose) else measure(pose)


def coal_capped(surface: Surface, instrument: Surface, cap_mm: float) -> AskPose:
    """Whether anything is within the cap, and only then how far."""
    anatomy, moving = coal_tree(surface), coal_tree(instrument)
    near, measure = _coal_collides(anatomy, moving, cap_mm), _coal_distance(anatomy, moving, centred=False)
    return lambda pose: measure(pose) if near(pose) else cap_mm


@lru_cache(maxsize=4)
def fcl_tree(surface: Surface) -> Any:
    import fcl

    model = fcl.BVHModel()
    model.beginModel(len(surface.vertices_mm), len(surface.faces))
    model.addSubModel(surface.vertices_mm, surface.faces)
    model.endModel()
    return model


def _fcl_distance(anatomy: Any, instrument: Any, centred: bool) -> AskPose:
    import fcl

    here, there, request = fcl.CollisionObject(anatomy, fcl.Transform()), fcl.CollisionObject(instrument, fcl.Transform()), fcl.DistanceRequest()

    def ask(pose: Pose) -> float:
        there.setRotation(pose.rotation)
        there.setTranslation(pose.shaft_middle_mm if centred else pose.tip_mm)
        return float(fcl.distance(here, there, request, fcl.DistanceResult()))

    return ask


def fcl_capsule(surface: Surface) -> AskPose:
    import fcl

    return _fcl_distance(fcl_tree(surface), fcl.Capsule(SHAFT_RADIUS_MM, SHAFT_MM), centred=True)


def fcl_distance(surface: Surface, instrument: Surface) -> AskPose:
    return _fcl_distance(fcl_tree(surface), fcl_tree(instrument), centred=False)


def fcl_or_crossing(surface: Surface, instrument: Surface) -> AskPose:
    measure = fcl_distance(surface, instrument)
    return lambda pose: max(measure(pose), 0.0)


def fcl_collides_first(surface: Surface, instrument: Surface) -> AskPose:
    import fcl

    here, there = (fcl.CollisionObject(fcl_tree(each), fcl.Transform()) for each in (surface, instrument))
    request, measure = fcl.CollisionRequest(num_max_contacts=1, enable_contact=False), fcl_distance(surface, instrument)

    def ask(pose: Pose) -> float:
        there.setRotation(pose.rotation)
        there.setTranslation(pose.tip_mm)
        return 0.0 if fcl.collide(here, there, request, fcl.CollisionResult()) else measure(pose)

    return ask


CAPSULE: dict[str, Callable[[Surface], AskPose]] = {"coal": coal_capsule, "FCL": fcl_capsule}
APART: dict[str, Callable[[Surface, Surface], AskPose]] = {"coal": coal_distance, "FCL": fcl_distance}
CROSSING: dict[str, Callable[[Surface, Surface], AskPose]] = {
    "coal": coal_or_crossing,
    "FCL": fcl_or_crossing,
    "coal, collide first": coal_collides_first,
    "FCL, collide first": fcl_collides_first,
}
CAP_MM = 10.0
CAPPED: dict[str, Callable[[Surface, Surface], AskPose]] = APART | {"coal, margin first": partial(coal_capped, cap_mm=CAP_MM)}
