"""Cutters between poses, and what they trespass on."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from navtwin.errors import InputRefused
from navtwin.nouns.drilling import Cutter, PoseRows
from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface
from navtwin.scene.trespassed import Trespassed
from tests.kernels import meshes

SIDE = 0.45
BURR = Cutter(part="burr", profile="sphere", radius_mm=2.0)
PEAR = Cutter(part="burr", profile="pear", radius_mm=2.0, length_mm=4.0, neck_radius_mm=1.0)
ROD = Cutter(part="burr", profile="cylinder", radius_mm=1.5, length_mm=4.0)
BLOCK = Surface.from_arrays(*meshes.box((9.0, 9.0, 9.0)))


def pose(tip: tuple[float, float, float], turn: Rotation | None = None) -> PoseRows:
    R = (turn or Rotation.identity()).as_matrix()
    return tuple(np.concatenate([R, np.reshape(tip, (3, 1))], axis=1).ravel().tolist())


@pytest.mark.parametrize("cutter", [BURR, PEAR, ROD])
def test_cutting_along_is_cutting_where_it_went(cutter: Cutter) -> None:
    """In one sweep, and in four: within what straight pieces stray."""
    one, other = (Carvable(BLOCK, SIDE) for _ in range(2))
    turn = Rotation.from_rotvec((0.0, 0.1, 0.02))
    took = one.sweep(cutter, pose((-2.0, 0.0, 0.0)), pose((2.0, 0.5, 0.3), turn))
    for n in range(4):
        a, b = (pose((4.0 * t - 2.0, 0.5 * t, 0.3 * t), Rotation.from_rotvec(t * turn.as_rotvec())) for t in (n / 4, (n + 1) / 4))
        other.sweep(cutter, a, b)
    assert took == one.removed_mm3 == pytest.approx(other.removed_mm3, rel=0.01)
    assert one.revision == 1 and 1 < other.revision <= 4


def test_a_ball_takes_the_capsule_between_both_tips_however_it_turns() -> None:
    one, other = (Carvable(BLOCK, SIDE) for _ in range(2))
    one.sweep(BURR, pose((-2.0, 0.3, 0.1)), pose((2.0, 1.0, 0.0), Rotation.from_rotvec((0, math.pi, 0))))
    other.carve((-2.0, 0.3, 0.1), (2.0, 1.0, 0.0), 2.0)
    assert one.hash == other.hash and one.removed_mm3 == other.removed_mm3
    one.sweep(BURR, None, pose((5.0, 5.0, 5.0)))
    other.carve((5.0, 5.0, 5.0), (5.0, 5.0, 5.0), 2.0)
    assert one.hash == other.hash


def test_a_pears_neck_lies_behind_its_tip() -> None:
    """Behind is -Z of the tip, towards the hand."""
    bone = Carvable(BLOCK, SIDE)
    bone.sweep(PEAR, None, pose((0.0, 0.0, 0.0)))
    np.testing.assert_allclose(bone.closest([[0.0, 0.0, 2.0], [0.0, 0.0, -5.0]]).distance_mm, 0.0, atol=0.1)
    assert bone.closest([[0.0, 0.0, -4.0]]).distance_mm[0] == pytest.approx(1.0, abs=0.12)


def test_a_drilled_wall_is_smooth() -> None:
    """Many overlapping strokes at all angles to the grid: the wall is as far from their axes as the burr is wide, everywhere."""
    bone, t = Carvable(BLOCK, SIDE), np.linspace(-4.0, 4.0, 60)
    path = np.stack([t, 0.4 * t + 0.1, -0.7 * t], axis=1)
    for a, b in zip(path[:-1].tolist(), path[1:].tolist(), strict=True):
        bone.carve(a, b, 2.0)
    corners = bone.surface().vertices_mm
    wall = corners[(np.abs(corners) < 8.5).all(axis=1)]
    way = (path[-1] - path[0]) / np.linalg.norm(path[-1] - path[0])
    along = np.clip((wall - path[0]) @ way, 0.0, np.linalg.norm(path[-1] - path[0]))
    off = np.linalg.norm(wall - path[0] - along[:, None] * way, axis=1) - 2.0
    assert len(wall) > 1000
    assert np.abs(off).mean() < 0.02 and np.abs(off).max() < 0.06
    assert np.ptp(off[(along > 0.0) & (along < along.max())]) < 0.06  # no stairs


@pytest.mark.parametrize("bad", [(np.nan, 0.0, 0.0), (np.inf, 0.0, 0.0), (1e300, 0.0, 0.0)])
@pytest.mark.parametrize("cutter", [BURR, PEAR])
def test_unknown_and_absurd_poses_cut_nothing(bad: tuple[float, float, float], cutter: Cutter) -> None:
    bone = Carvable(BLOCK, SIDE)
    hashed = bone.hash
    for earlier, now in ((pose((0, 0, 0)), pose(bad)), (pose(bad), pose((0, 0, 0))), (None, pose(bad))):
        with pytest.raises(InputRefused, match="no way between the poses"):
            bone.sweep(cutter, earlier, now)
    assert (bone.hash, bone.removed_mm3, bone.revision) == (hashed, 0.0, 0)
    assert not bone.undo_stretch()


def test_poses_that_are_not_rigid_or_half_a_turn_apart_cut_nothing() -> None:
    bone = Carvable(BLOCK, SIDE)
    for now in (pose((0, 0, 0), Rotation.from_rotvec((math.pi, 0, 0))), (*(2.0 * v for v in pose((0, 0, 0))),)):
        with pytest.raises(InputRefused, match="no way between the poses"):
            bone.sweep(PEAR, pose((0, 0, 0)), now)  # type: ignore[arg-type]
    assert bone.removed_mm3 == 0.0


@pytest.mark.parametrize(
    "change", [{"profile": "match"}, {"radius_mm": 0.0}, {"profile": "cylinder"}, {"profile": "pear", "length_mm": 3.0, "neck_radius_mm": 2.5}]
)
def test_cutters_that_are_none_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputRefused, match=r"profile|no solid"):
        Carvable(BLOCK, SIDE).sweep(msgspec.structs.replace(BURR, **change), None, pose((0, 0, 0)))


def test_wholly_outside_takes_nothing_and_larger_than_the_bone_takes_all() -> None:
    bone = Carvable(BLOCK, SIDE)
    assert bone.sweep(PEAR, pose((50.0, 0, 0)), pose((60.0, 1.0, 0))) == 0.0 and bone.revision == 0
    assert bone.sweep(BURR, pose((11.5, 0.0, 0.0)), pose((11.5, 5.0, 0.0))) == 0.0 and bone.revision == 0
    assert bone.sweep(msgspec.structs.replace(BURR, radius_mm=100.0), None, pose((0, 0, 0))) == pytest.approx(18.0**3, rel=0.005)
    assert bone.bone_on_way([-20, 0, 0], [20, 0, 0]) == (0.0, False)
    with pytest.raises(InputRefused, match="nothing is left"):
        bone.closest([[0.0, 0.0, 0.0]])


def test_trespassed_volume_is_the_overlap_counted_once() -> None:
    """A ball-shaped structure within the bone, a burr that goes through it to and fro, and another structure that it never meets."""
    bone = Carvable(BLOCK, SIDE)
    corners, triangles = meshes.sphere(4.0, 5)
    inner = Surface.from_arrays(corners + np.array([1.0, 0.5, -0.5]), triangles)
    met, missed = Trespassed(inner, bone), Trespassed(Surface.from_arrays(*meshes.box((0.5, 0.5, 0.5))), bone)
    faces = len(inner.faces)
    there, back = pose((-8.0, 0.5, -0.5)), pose((8.0, 0.5, -0.5))
    took = met.sweep(BURR, there, back)
    height = math.sqrt(16.0 - 4.0)
    ring = 4.0 / 3.0 * math.pi * height**3  # a ball less a bore through it: the napkin ring
    assert took == pytest.approx(4.0 / 3.0 * math.pi * 64.0 - ring, rel=0.005)
    assert met.sweep(BURR, back, there) == 0.0 and met.volume_mm3 == took
    assert missed.sweep(BURR, pose((5, 5, 5)), pose((6, 6, 5))) == 0.0 == missed.volume_mm3
    assert len(inner.faces) == faces


def test_a_structure_that_reaches_beyond_the_bone_counts_where_bone_may_be() -> None:
    bone = Carvable(BLOCK, SIDE)
    around = Trespassed(Surface.from_arrays(*meshes.box((40.0, 40.0, 40.0))), bone)
    assert around.sweep(BURR, None, pose((0, 0, 0))) == pytest.approx(4.0 / 3.0 * math.pi * 8.0, rel=0.005)


def bits_of_everything() -> str:
    """Hash, volume and ways after a hundred strokes of all cutters."""
    bone, rng = Carvable(BLOCK, SIDE), np.random.default_rng(0)
    said = [bone.hash]
    for n in range(99):
        turn, tip = Rotation.from_rotvec(rng.normal(0, 0.5, 3)), rng.uniform(-9, 9, 3)
        earlier = pose((float(tip[0]), float(tip[1]), float(tip[2])), turn)
        now = pose((float(tip[0]) + 0.6, float(tip[1]), float(tip[2]) - 0.3), Rotation.from_rotvec(rng.normal(0, 0.02, 3)) * turn)
        took = bone.sweep((BURR, PEAR, ROD)[n % 3], earlier, now)
        said.append(f"{bone.hash} {took.hex()} {bone.bone_on_way(rng.uniform(-12, 12, 3), tip)[0].hex()}")
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_a_plainer_cpu_cuts_the_same_bone() -> None:
    """The baseline of this architecture: no wide vectors, no fused multiply-add."""
    code = "from tests.scene.test_carvable_cutters import bits_of_everything; print(bits_of_everything())"
    plain = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    there = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True, timeout=280)
    assert there.stdout.strip() == bits_of_everything()
