"""Answers to the fold's requests for calibration and registration: pure functions that a worker process calls.

A request comes in, an answer goes out, nothing is kept. Data that cannot be used come back as `WorkFailed` with the reason; data that can be used but
not trusted come back as a result that the gate refused.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from navtwin.calibrate import calibrate_pivot
from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import (
    HAND_FLE_MM,
    BoneState,
    PivotRequest,
    PivotResult,
    Pose,
    RegistrationRequest,
    RegistrationResult,
    Rival,
    WorkFailed,
    symmetric,
)
from navtwin.register.bones import Bones
from navtwin.register.landmarks import checked_points, register_landmarks
from navtwin.register.levels import rival_levels
from navtwin.register.model import Array, Registration, Target
from navtwin.register.surface import register_surface
from navtwin.register.touch import ball_centres
from navtwin.rigid import Vec3
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Scene, Structure

#: A level at which the touches lie so much nearer to bone is named as what may have been touched.
BETTER_SHARE = 0.7


def answer(request: PivotRequest | RegistrationRequest, scene: Scene) -> PivotResult | RegistrationResult | WorkFailed:
    """Do what the fold asks for.

    Parameters
    ----------
    scene : structures with role `work` are the bone that is swept; critical ones tell where the registration has to be good

    Returns
    -------
    The result with the gate's verdict, or WorkFailed when the data do not allow one
    """
    try:
        return _pivot(request) if isinstance(request, PivotRequest) else _registration(request, scene)
    except NavtwinError as error:
        return WorkFailed(request=request.request, reason=str(error))


def _pivot(request: PivotRequest) -> PivotResult:
    poses = [pose.rigid(target="tracker", source=f"marker/{request.tool}").matrix() for pose in request.poses]
    covariances = np.array([symmetric(upper, 6) for upper in request.covariances]) if request.covariances else None
    found = calibrate_pivot(np.reshape(poses, (-1, 4, 4)), covariances)
    x, y, z = range(3)
    c = found.covariance
    return PivotResult(
        request=request.request,
        tool=request.tool,
        accepted=found.accepted,
        reasons=found.reasons,
        tip_mm=_vec3(found.tip_mm),
        covariance=(float(c[x, x]), float(c[x, y]), float(c[x, z]), float(c[y, y]), float(c[y, z]), float(c[z, z])),
        rms_mm=found.rms_mm,
        samples=int(found.inliers.sum()),
    )


def _registration(request: RegistrationRequest, scene: Scene) -> RegistrationResult:
    watched = critical_targets(scene, np.array(request.ct_mm, dtype=np.float64).reshape(-1, 3))
    bones = _bones(scene, request)
    found = _fitted(request, bones, watched)
    upper = found.covariance[np.triu_indices(6)]
    level, rivals = _levels(scene, request, bones, found)
    return RegistrationResult(
        request=request.request,
        accepted=found.accepted,
        reasons=(*found.reasons, *(_better(rivals) if found.reasons else ())),
        pose=Pose.from_rigid(found.T_ct_from_ref),
        fre_mm=found.fre_mm,
        landmarks=request.landmarks,
        residual_mm=tuple(float(r) for r in found.residual_mm),
        covariance=tuple(float(v) for v in upper),  # type: ignore[arg-type]
        centroid_mm=_vec3(found.centroid_mm),
        tre_at=tuple(t.name for t in watched),
        tre_mm=tuple(float(v) for v in found.tre_mm([t.point_mm for t in watched])) if watched else (),
        surface_rms_mm=found.surface_rms_mm,
        left_out_mm=tuple(float(v) if np.isfinite(v) else None for v in found.leave_one_out_mm) if len(request.landmarks) >= 4 else (),
        without=request.without,
        surface_rms_before_mm=_rms_before_mm(request, bones, found.sweep_kept),
        level=level if rivals else "",
        rivals=rivals,
    )


def _levels(scene: Scene, request: RegistrationRequest, bones: list[Structure], found: Registration) -> tuple[str, tuple[Rival, ...]]:
    """The bone that was touched as registered, and other levels that explain the touches about as well."""
    if not bones:
        return "", ()
    # A vertebra is a level, whether it may be cut or not.
    others = [s for s in scene.structures if s.role == "context" and "vertebra" in s.name.lower()]
    level, rivals = rival_levels(
        [(s.name, s.surface) for s in (*bones, *others)],
        np.array(request.sweep_ref_mm, dtype=np.float64).reshape(-1, 3),
        np.array(request.ref_mm, dtype=np.float64).reshape(-1, 3),
        found.T_ct_from_ref,
        tip_radius_mm=request.tip_radius_mm,
        sd_mm=max(b.sd_mm for b in bones),
        correlation_mm=max(b.correlation_mm for b in bones),
    )
    return level, tuple(
        Rival(
            level=r.level,
            pose=Pose.from_rigid(r.T_ct_from_ref),
            shift_mm=_vec3(r.shift_mm),
            misfit_mm=r.misfit_mm,
            found_misfit_mm=r.found_misfit_mm,
        )
        for r in rivals
    )


def _better(rivals: tuple[Rival, ...]) -> tuple[str, ...]:
    """What a refused registration may have been: the touches lie clearly better on another level."""
    if not rivals or rivals[0].misfit_mm > BETTER_SHARE * rivals[0].found_misfit_mm:
        return ()
    best = rivals[0]
    return (
        f"the touches lie better on {best.level} ({best.misfit_mm:.2f} mm off, {best.found_misfit_mm:.2f} mm as registered): "
        "was the right level touched?",
    )


def _bones(scene: Scene, request: RegistrationRequest) -> list[Structure]:
    """What is swept on: bone that was drilled with the surface that is left of it, and its walls as uncertain as the twin has them."""
    bones = [s for s in scene.structures if s.role == "work"]
    drilled = request.bone
    if drilled is None or request.method == "landmarks":
        return bones
    if all(b.name != drilled.structure for b in bones):
        raise InputRefused(f"the case has no bone '{drilled.structure}' that was drilled", "register in the session that drilled it")
    return [_drilled(b, drilled, scene.case_hash, request.wall_sd_mm) if b.name == drilled.structure else b for b in bones]


def _drilled(bone: Structure, state: BoneState, case_hash: str, wall_sd_mm: float) -> Structure:
    left = Carvable.of(bone, case_hash)
    left.take(state)
    return replace(bone, surface=left.surface(), sd_mm=float(np.hypot(bone.sd_mm, wall_sd_mm)))


def _rms_before_mm(request: RegistrationRequest, bones: list[Structure], kept: npt.NDArray[np.bool_]) -> float | None:
    """How far the touches that the fit kept stood off under the registration that is in use (RMS); None where there is none, or no sweep."""
    if request.in_use is None or not kept.any():
        return None
    touched = request.in_use.rigid(target="ct", source="ref").apply(request.sweep_ref_mm)[kept]
    off = Bones([b.surface for b in bones]).closest(touched).distance_mm - request.tip_radius_mm
    return float(np.sqrt(np.square(off).mean()))


def _fitted(request: RegistrationRequest, bones: list[Structure], targets: tuple[Target, ...]) -> Registration:
    ct = checked_points(request.ct_mm, "the landmarks in the scan") if request.ct_mm else np.zeros((0, 3))
    bone = Bones([b.surface for b in bones]) if bones else None
    # Landmarks are picked on the scan's surface; a ball touches them on the true one, and its centre stays outside.
    sd = max((b.sd_mm for b in bones), default=0.0)
    expected = ct if bone is None else ball_centres(bone, ct, request.tip_radius_mm)
    tip_sd = request.tip_sd_mm
    by_landmarks = register_landmarks(expected, request.ref_mm, names=request.landmarks, tip_sd_mm=tip_sd, targets=targets)
    floor = float(np.hypot(HAND_FLE_MM, sd))
    fle = floor if by_landmarks.fle_mm < floor else None
    if request.method == "landmarks":
        if fle is None:
            return by_landmarks
        return register_landmarks(expected, request.ref_mm, fle, names=request.landmarks, tip_sd_mm=tip_sd, targets=targets)
    if bone is None:
        raise InputRefused("the case has no structure with role 'work' to sweep on", "register by landmarks alone, or give the swept bone that role")
    return register_surface(
        bone,
        np.array(request.sweep_ref_mm, dtype=np.float64).reshape(-1, 3),
        by_landmarks.T_ct_from_ref,
        landmarks=(ct, request.ref_mm),
        names=request.landmarks,
        fle_mm=fle,
        tip_radius_mm=request.tip_radius_mm,
        tip_sd_mm=tip_sd,
        sd_mm=sd,
        correlation_mm=max(b.correlation_mm for b in bones),
        targets=targets,
    )


def critical_targets(scene: Scene, landmarks_mm: Array) -> tuple[Target, ...]:
    """For each critical structure, where some plan comes nearest to it; without a plan, its point nearest to the landmarks' middle."""
    paths = [(np.array(p.entry_mm), np.array(p.target_mm)) for p in scene.plans]
    if not paths and len(landmarks_mm):
        paths = [(landmarks_mm.mean(axis=0),) * 2]
    targets = []
    for structure in scene.structures:
        if structure.role != "critical" or structure.danger_mm is None or not paths:
            continue
        nearest = min((structure.surface.closest_to_capsule(a, b, 0.0) for a, b in paths), key=lambda c: c.distance_mm)
        way = nearest.point_mm - nearest.axis_point_mm
        length = float(np.linalg.norm(way))
        direction = way / length if length > 0.0 else np.array((0.0, 0.0, 1.0))
        targets.append(Target(structure.name, _vec3(nearest.point_mm), _vec3(direction), structure.danger_mm, structure.sd_mm))
    return tuple(targets)


def _vec3(v: Array) -> Vec3:
    return (float(v[0]), float(v[1]), float(v[2]))
