"""Rows on how far poses are from the truth, and how honest their covariance is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.stats import chi2

from phantoms.camera import Optics
from poses_parts.world import FAR_MM, NEAR_MM, STATED, Array, Body, error, facing, kit, normalised_square, place, pose, views
from tracking.pose.estimate import estimate_pose_views

#: A body's radius, mm, for placing it inside the image; the pointer's tip is this far from the body, out of its handle face.
RADIUS_MM, TIP_MM = 50.0, np.array([0.0, -120.0, 0.0])
#: Greatest tilt of a body's front from the line of sight, deg.
TILT_DEG = 60.0
#: The ellipsoid that 95 of 100 errors should lie in.
WITHIN = float(chi2.ppf(0.95, 6))
#: Noise (grey levels) and blur (px) at which honesty is asked for.
HONESTY_LEVELS = ((1.0, 0.6), (2.0, 0.8), (4.0, 1.0), (8.0, 1.5))


def static(frames: int, seed: int) -> dict[str, dict[str, float]]:
    """Each body by itself, at rest, in random poses."""
    rows = {}
    for name in ("dodecahedron", "cube"):
        body, rng, off, refused = kit()[name], np.random.default_rng(seed), [], 0
        for _ in range(frames):
            truth = pose(facing(rng, TILT_DEG), place(rng, RADIUS_MM))
            found = estimate_pose_views(views([(body, truth)], STATED, rng), body.markers)
            if found.status == "OK":
                off.append(error(found, truth))
            else:
                refused += 1
        away, turned = np.linalg.norm(np.array(off)[:, 3:], axis=1), np.degrees(np.linalg.norm(np.array(off)[:, :3], axis=1))
        rows[name] = {
            "frames": frames, "refused": refused, "position_mm": float(away.mean()), "position_p95_mm": float(np.percentile(away, 95)),
            "rotation_deg": float(turned.mean()), "rotation_p95_deg": float(np.percentile(turned, 95)),
        }  # fmt: skip
    return rows


def _pointing(rng: np.random.Generator) -> tuple[Array, Array]:
    """A reference board before the camera and a pointer whose tip is at a point over it, both well inside the image."""
    while True:
        board = pose(facing(rng, 45.0), [*rng.uniform(-60.0, 60.0, 2), rng.uniform(NEAR_MM + 100.0, FAR_MM)])
        tip = np.array([*rng.uniform(-60.0, 60.0, 2), rng.uniform(-40.0, 30.0)])
        # The handle points away from the board's front; the pointer's faces look wherever they look.
        lean = Rotation.from_rotvec([np.radians(90.0), 0.0, 0.0])
        tilt, about = np.radians(rng.uniform(20.0, 60.0)), rng.uniform(0.0, 2.0 * np.pi)
        turn = (
            Rotation.from_rotvec(tilt * np.array([np.cos(about), np.sin(about), 0.0]))
            * lean
            * Rotation.from_rotvec([0.0, rng.uniform(-np.pi, np.pi), 0.0])
        )
        tool = board @ pose(turn, tip - turn.apply(TIP_MM))
        x, y, z = tool[:3, 3]
        if z > NEAR_MM and abs(x) * 1400.0 / z < 860.0 and abs(y) * 1400.0 / z < 440.0:
            return board, tool


def tip(frames: int, seed: int, stereo: bool) -> dict[str, dict[str, float]]:
    """The pointer's tip in the axes of the reference board."""
    bodies, rng, off, refused = kit(), np.random.default_rng(seed), [], 0
    reference, pointer = bodies["reference"], bodies["dodecahedron"]
    for _ in range(frames):
        board, tool = _pointing(rng)
        seen = views([(reference, board), (pointer, tool)], STATED, rng, stereo)
        found, at = (estimate_pose_views(seen, body.markers) for body in (reference, pointer))
        if found.T_camera_from_body is None or at.T_camera_from_body is None:
            refused += 1
            continue
        measured = found.T_camera_from_body.inverse().apply(at.T_camera_from_body.apply(TIP_MM))
        truth = np.linalg.solve(board, tool @ [*TIP_MM, 1.0])[:3]
        off.append(np.linalg.norm(measured - truth))
    return {"tip": {"frames": frames, "refused": refused, "mean_mm": float(np.mean(off)), "p95_mm": float(np.percentile(off, 95))}}


def honesty(frames: int, seed: int) -> dict[str, dict[str, float]]:
    """Errors in units of the stated covariance, over noise and blur, bodies, one camera and two."""
    rows, bodies, every = {}, kit(), list[float]()
    for stereo in (False, True):
        for noise_dn, blur_px in HONESTY_LEVELS:
            for name in ("dodecahedron", "cube"):
                squares = _squares(bodies[name], replace(STATED, noise_dn=noise_dn, blur_px=blur_px), stereo, frames, seed)
                rows[f"{name}, {'two cameras' if stereo else 'one camera'}, noise {noise_dn:g}, blur {blur_px:g}"] = _told(squares)
                every += squares
    return {**rows, "all": _told(every)}


def _squares(body: Body, optics: Optics, stereo: bool, frames: int, seed: int) -> list[float]:
    rng, squares = np.random.default_rng(seed), list[float]()
    for _ in range(frames):
        middle = place(rng, RADIUS_MM)
        if stereo:  # where both cameras see it
            middle[:2] *= 0.4
        truth = pose(facing(rng, TILT_DEG), middle)
        found = estimate_pose_views(views([(body, truth)], optics, rng, stereo), body.markers)
        if found.status == "OK":
            squares.append(normalised_square(found, truth))
    return squares


def _told(squares: list[float]) -> dict[str, float]:
    array = np.array(squares)
    return {"poses": len(array), "mean_of_6": float(array.mean() / 6.0), "covered_percent": float(100.0 * (array < WITHIN).mean())}
