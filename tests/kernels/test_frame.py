from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from navtwin import kernels
from tests.kernels import meshes


class Frame:
    """The arrays of one call."""

    def __init__(self, parts: int, structures: int) -> None:
        self.hints = np.full((parts, structures), -1, np.int32)
        self.distance = np.zeros((parts, structures))
        self.on_structure, self.on_axis = np.zeros((parts, structures, 3)), np.zeros((parts, structures, 3))
        self.face, self.flags = np.zeros((parts, structures), np.int32), np.zeros((parts, structures), np.uint8)
        self.work = kernels.workspace()

    def measure(self, forest: kernels.Forest, capsules: np.ndarray) -> None:
        kernels.frame_distances(forest, capsules, self.hints, self.distance, self.on_structure, self.on_axis, self.face, self.flags, self.work)

    def answer(self) -> bytes:
        return b"".join(a.tobytes() for a in (self.distance, self.on_structure, self.on_axis, self.face, self.flags))


def scene() -> kernels.Forest:
    shapes = [meshes.torus(nu=30, nv=20), meshes.sphere(12.0, 3), meshes.box(), meshes.soup(60, 7)]
    return kernels.join([kernels.plant(v + 25.0 * k, f)[0] for k, (v, f) in enumerate(shapes)])


def path(frames: int) -> np.ndarray:
    """(frames, 4, 7) two instruments of a ball and a shaft, wandering through the scene and sometimes through its structures."""
    t = np.linspace(0, 6, frames)
    tip = np.stack([40 * np.sin(t) + 20, 40 * np.cos(1.3 * t) + 20, 30 * np.sin(0.7 * t) + 20], -1)
    up = np.stack([np.sin(2 * t), np.cos(t), np.sin(t) + 1.5], -1)
    out = np.empty((frames, 4, 7))
    for k, shift in enumerate((0.0, 15.0)):
        out[:, 2 * k, :3] = out[:, 2 * k, 3:6] = out[:, 2 * k + 1, :3] = tip + shift
        out[:, 2 * k + 1, 3:6] = tip + shift + 60 * up
    out[:, :, 6] = (1.5, 1.2, 0.5, 6.0)
    return out


def test_a_frame_is_its_single_queries_to_the_bit() -> None:
    forest, frame = scene(), Frame(4, 4)
    for capsules in path(50):
        frame.measure(forest, capsules)
        for p, c in enumerate(capsules):
            for s in range(4):
                one = kernels.capsule(forest, s, *map(float, c), -1, kernels.workspace())
                assert frame.distance[p, s] == one.distance
                assert tuple(frame.on_structure[p, s]) == one[4:7]
                assert tuple(frame.on_axis[p, s]) == one[7:10]
                assert frame.face[p, s] == forest.face[one.slot]
                assert frame.flags[p, s] == kernels.KNOWN + kernels.DEPTH_IS_BOUND * one.depth_is_bound


def test_hints_of_another_frame_or_of_nonsense_change_no_bit() -> None:
    forest, warm, cold = scene(), Frame(4, 4), Frame(4, 4)
    rng = np.random.default_rng(0)
    for capsules in path(60):
        warm.measure(forest, capsules)
        cold.hints[:] = rng.integers(-(2**31), 2**31, cold.hints.shape) if rng.random() < 0.5 else -1
        cold.measure(forest, capsules)
        assert warm.answer() == cold.answer()


@pytest.mark.parametrize("at", range(7))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_unknown_and_masks_no_other(at: int, bad: float) -> None:
    forest, frame, whole = scene(), Frame(4, 4), Frame(4, 4)
    capsules = path(3)[1].copy()
    whole.measure(forest, capsules)
    capsules[2, at] = bad
    frame.measure(forest, capsules)
    assert np.isnan(frame.distance[2]).all()
    assert np.isnan(frame.on_structure[2]).all()
    assert np.isnan(frame.on_axis[2]).all()
    assert (frame.face[2] == -1).all()
    assert (frame.flags[2] == 0).all()
    others = [0, 1, 3]
    assert (frame.distance[others] == whole.distance[others]).all()
    assert (frame.flags[others] & kernels.KNOWN).all()


def test_a_negative_radius_is_unknown() -> None:
    frame, capsules = Frame(1, 4), np.array([[0.0, 0, 0, 1, 1, 1, -1e-9]])
    frame.measure(scene(), capsules)
    assert np.isnan(frame.distance).all()
    assert not frame.flags.any()


def test_nothing_is_allocated_inside_a_frame() -> None:
    forest, frame, frames = scene(), Frame(4, 4), path(20)
    frame.measure(forest, frames[0])
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats()
        for capsules in frames:
            frame.measure(forest, capsules)
        after = rtsys.get_allocation_stats()
    finally:
        _nrt_python.memsys_disable_stats()
    handed_over = len(forest) + len(frame.work) + 7  # Numba wraps each array it is given once
    assert after.alloc - before.alloc == handed_over * len(frames)


def test_warm_up_names_every_kernel_and_leaves_none_to_compile() -> None:
    named: list[str] = []
    kernels.warm_up(named.append)
    assert named == list(kernels.KERNELS)
    frame = Frame(4, 4)
    before = len(kernels.frame_distances.signatures)
    frame.measure(scene(), path(1)[0])
    assert len(kernels.frame_distances.signatures) == before


def digest_of_everything() -> str:
    """Tree, pseudonormals and 200 frames, hashed."""
    forest, frame = scene(), Frame(4, 4)
    digest = hashlib.sha256(b"".join(a.tobytes() for a in forest))
    for capsules in path(200):
        frame.measure(forest, capsules)
        digest.update(frame.answer())
    return digest.hexdigest()


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_a_plainer_cpu_gives_the_same_bits() -> None:
    """The baseline of this architecture: no wide vectors, no fused multiply-add. Compiled once, then cached under that CPU's name."""
    code = "from tests.kernels.test_frame import digest_of_everything; print(digest_of_everything())"
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=290)
    assert done.stdout.strip() == digest_of_everything()
