from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from navtwin import kernels
from tests.kernels import meshes

IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def frame_of(parts: int, structures: int = 4) -> kernels.Frame:
    """Parts that stand where their capsules say: every pose is the identity."""
    frame = kernels.new_frame(np.zeros((parts, 7)), structures)
    frame.now[:] = IDENTITY
    return frame


def measure(forest: kernels.Forest, frame: kernels.Frame, capsules: np.ndarray) -> None:
    frame.parts[:] = capsules
    kernels.measure_frame(forest, frame, kernels.workspace())


def answer(frame: kernels.Frame) -> bytes:
    outputs = (frame.distance, frame.on_structure, frame.on_axis, frame.face, frame.flags, frame.swept, frame.swept_when)
    return b"".join(a.tobytes() for a in outputs)


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
    forest, frame = scene(), frame_of(4)
    for capsules in path(50):
        measure(forest, frame, capsules)
        for p, c in enumerate(capsules):
            for s in range(4):
                one = kernels.capsule(forest, s, *map(float, c), -1, np.inf, kernels.workspace())
                assert frame.distance[p, s] == one.distance
                assert tuple(frame.on_structure[p, s]) == (one.x, one.y, one.z)
                assert tuple(frame.on_axis[p, s]) == (one.axis_x, one.axis_y, one.axis_z)
                assert frame.face[p, s] == one.face
                assert frame.flags[p, s] == kernels.KNOWN + kernels.DEPTH_IS_BOUND * one.depth_is_bound


def test_hints_of_another_frame_or_of_nonsense_change_no_bit() -> None:
    forest, warm, cold = scene(), frame_of(4), frame_of(4)
    rng = np.random.default_rng(0)
    for capsules in path(60):
        measure(forest, warm, capsules)
        cold.hints[:] = rng.integers(-(2**31), 2**31, cold.hints.shape) if rng.random() < 0.5 else -1
        measure(forest, cold, capsules)
        assert answer(warm) == answer(cold)


def moving(frame: kernels.Frame, capsules: np.ndarray, shift: float) -> None:
    """A step of parts that stay where they are on their instruments, which move."""
    frame.parts[:] = capsules
    frame.earlier[:] = frame.now
    frame.now[:, 3::4] += shift


def test_near_pairs_first_and_the_rest_afterwards_is_all_at_once_to_the_bit() -> None:
    forest, whole, parted = scene(), frame_of(4), frame_of(4)
    capsules, work, beyond, put_off = path(1)[0], kernels.workspace(), np.array([5.0, 20.0, 40.0, -np.inf]), 0
    for frame in (whole, parted):
        frame.watch[:] = 30.0
    for shift in np.random.default_rng(2).normal(0.0, 1.5, 60):
        for frame in (whole, parted):
            moving(frame, capsules, shift)
        kernels.measure_frame(forest, whole, work)
        before = answer(parted)
        kernels.ask_near(parted, beyond)
        rest = ~parted.asked
        kernels.measure_frame(forest, parted, work)
        assert (whole.distance[rest] > np.broadcast_to(beyond, rest.shape)[rest]).all()
        assert before != answer(parted) or rest.all()
        np.copyto(parted.asked, rest)
        kernels.measure_frame(forest, parted, work)
        assert answer(parted) == answer(whole)
        put_off += int(rest.sum())
    assert 60 < put_off < 15 * 60


def test_what_is_not_asked_stays_as_it_was_and_an_unknown_way_is_asked() -> None:
    forest, frame, work = scene(), frame_of(4), kernels.workspace()
    frame.parts[:] = path(1)[0]
    kernels.ask_near(frame, np.full(4, -np.inf))
    assert frame.asked.all(), "nothing is known yet"
    kernels.measure_frame(forest, frame, work)
    before = answer(frame)
    frame.earlier[:] = frame.now
    frame.now[:, 3::4] += 1.0
    kernels.ask_near(frame, np.full(4, -np.inf))
    assert not frame.asked.any()
    kernels.measure_frame(forest, frame, work)
    assert answer(frame) == before
    frame.now[1] = np.nan
    kernels.ask_near(frame, np.full(4, -np.inf))
    assert frame.asked.all(axis=1).tolist() == [False, True, False, False]


@pytest.mark.parametrize("at", range(7))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_unknown_and_masks_no_other(at: int, bad: float) -> None:
    forest, frame, whole = scene(), frame_of(4), frame_of(4)
    capsules = path(3)[1].copy()
    measure(forest, whole, capsules)
    capsules[2, at] = bad
    measure(forest, frame, capsules)
    assert np.isnan(frame.distance[2]).all()
    assert np.isnan(frame.on_structure[2]).all()
    assert np.isnan(frame.on_axis[2]).all()
    assert (frame.face[2] == -1).all()
    assert (frame.flags[2] == 0).all()
    others = [0, 1, 3]
    assert (frame.distance[others] == whole.distance[others]).all()
    assert (frame.flags[others] & kernels.KNOWN).all()


def test_a_negative_radius_is_unknown() -> None:
    frame, capsules = frame_of(1), np.array([[0.0, 0, 0, 1, 1, 1, -1e-9]])
    measure(scene(), frame, capsules)
    assert np.isnan(frame.distance).all()
    assert not frame.flags.any()


def test_warm_up_names_every_kernel_and_leaves_none_to_compile() -> None:
    named: list[str] = []
    kernels.warm_up(named.append)
    assert sorted(named) == sorted(kernels.KERNELS)
    frame = frame_of(4)
    before = len(kernels.measure_frame.signatures)
    measure(scene(), frame, path(1)[0])
    assert len(kernels.measure_frame.signatures) == before


def digest_of_everything() -> str:
    """Tree, pseudonormals and 200 frames, hashed."""
    forest, frame = scene(), frame_of(4)
    digest = hashlib.sha256(b"".join(a.tobytes() for a in forest))
    for capsules in path(200):
        measure(forest, frame, capsules)
        digest.update(answer(frame))
    return digest.hexdigest()


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_a_plainer_cpu_gives_the_same_bits() -> None:
    """The baseline of this architecture: no wide vectors, no fused multiply-add. Compiled once, then cached under that CPU's name."""
    code = "from tests.kernels.test_frame import digest_of_everything; print(digest_of_everything())"
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=290)
    assert done.stdout.strip() == digest_of_everything()
