"""What is no mesh, no pose or no question is refused by name with the remedy, or answered "unknown"; never with a number."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from navtwin import Rigid, Surface
from navtwin.errors import InputRefused
from tests.oracles import shapes

CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])


def box() -> Surface:
    shape = shapes.box()
    return Surface.from_arrays(shape.vertices, shape.faces)


def with_vertex(value: float) -> np.ndarray:
    vertices = CORNERS.copy()
    vertices[2, 1] = value
    return vertices


@pytest.mark.parametrize(
    ("vertices", "faces", "names"),
    [
        (with_vertex(np.nan), [[0, 1, 2]], "vertex 2"),
        (with_vertex(np.inf), [[0, 1, 2]], "vertex 2"),
        (with_vertex(-np.inf), [[0, 1, 2]], "vertex 2"),
        (CORNERS, [[0, 1, 2], [0, 1, 3]], "face 1"),
        (CORNERS, [[0, 1, 2], [0, 1, -1]], "face 1"),
        (CORNERS, [[0, 1, 2**31 - 1]], "face 0"),
        (CORNERS, np.array([[0, 1, 2**32]], np.int64), "face 0"),
        (CORNERS, np.array([[0, 1, 2**63]], np.uint64), "face 0"),
        (np.zeros((0, 3)), np.zeros((0, 3), np.int32), "no faces"),
        (CORNERS, np.zeros((0, 3), np.int32), "no faces"),
        (CORNERS, [], "no faces"),
        (CORNERS, [0, 1, 2], r"\(F, 3\)"),
        (CORNERS[:, :2], [[0, 1, 2]], r"\(V, 3\)"),
    ],
)
def test_a_mesh_that_is_none(vertices: np.ndarray, faces: object, names: str) -> None:
    with pytest.raises(InputRefused, match=names) as refused:
        Surface.from_arrays(vertices, faces)  # type: ignore[arg-type]
    problem_and_remedy = str(refused.value)
    assert "\n" not in problem_and_remedy and len(problem_and_remedy) > 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit what a process may allocate")
@pytest.mark.parametrize(
    ("vertices", "faces", "names"),
    [
        ("np.eye(3)", "np.broadcast_to(np.arange(3), (2**31 + 1, 3))", "triangles|faces"),
        ("np.broadcast_to(np.zeros(3), (2**31 + 1, 3))", "[[0, 1, 2]]", "vert"),
    ],
)
def test_more_than_an_int32_can_count(vertices: str, faces: str, names: str) -> None:
    """Refused by their number before a byte is copied: the array is one row, repeated by a stride of 0, and no memory is there to copy it to."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))\n"
        f"import numpy as np; from navtwin import Surface; Surface.from_arrays({vertices}, {faces})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert "InputRefused" in last and re.search(names, last), last


@pytest.mark.parametrize("corners", [CORNERS, CORNERS[[0, 1, 1]], CORNERS[[0, 0, 0]], CORNERS * 1e-6, CORNERS * 1e4])
def test_a_mesh_of_one_triangle_answers_everything(corners: np.ndarray) -> None:
    surface = Surface.from_arrays(corners, [[0, 1, 2]])
    assert surface.closest([[0.0, 0.0, 5.0]]).distance_mm.tolist() == [5.0]
    assert surface.closest_to_capsule([0.0, 0, 5], [0.0, 0, 9], 1.0).distance_mm == 4.0
    other = surface.closest_to_surface(surface, shifted(7.0))
    assert (other.distance_mm, other.face, other.other_face, other.intersects) == (7.0, 0, 0, False)
    assert surface.first_hit([[9e4, 0, 5]], [[1.0, 0, 0]]).face.tolist() == [-1]
    assert not surface.is_watertight


def shifted(z: float) -> Rigid:
    T = np.eye(4)
    T[2, 3] = z
    return Rigid.from_matrix(T, target="ct", source="tip/drill")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", range(3))
def test_a_point_that_is_no_place_is_unknown(bad: float, at: int) -> None:
    points = np.tile([5.0, 5.0, 5.0], (3, 1))
    points[1, at] = bad
    got, whole = box().closest(points), box().closest(points[[0, 2]])
    assert np.isnan(got.distance_mm[1]) and np.isnan(got.point_mm[1]).all() and got.face[1] == -1
    assert (got.distance_mm[[0, 2]] == whole.distance_mm).all() and (got.face[[0, 2]] == whole.face).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", range(7))
def test_a_capsule_that_is_no_place_is_unknown(bad: float, at: int) -> None:
    asked = np.array([5.0, 5, 5, 6, 6, 6, 1.0])
    asked[at] = bad
    if at == 6 and bad < 0:
        with pytest.raises(InputRefused, match="radius"):
            box().closest_to_capsule(asked[:3], asked[3:6], asked[6])
        return
    got = box().closest_to_capsule(asked[:3], asked[3:6], asked[6])
    assert np.isnan(got.distance_mm) and np.isnan(got.point_mm).all() and np.isnan(got.axis_point_mm).all()
    assert got.face == -1


@pytest.mark.parametrize("radius", [-1.0, -1e-300])
def test_a_negative_radius_is_refused(radius: float) -> None:
    with pytest.raises(InputRefused, match="radius"):
        box().closest_to_capsule([5.0, 5, 5], [6.0, 6, 6], radius)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("at", range(6))
def test_a_ray_from_nowhere_or_to_nowhere_is_unknown(bad: float, at: int) -> None:
    rays = np.tile([5.0, 0.1, 0.2, -1.0, 0.0, 0.0], (2, 1))
    rays[0, at] = bad
    got = box().first_hit(rays[:, :3], rays[:, 3:])
    assert np.isnan(got.distance_mm[0]) and got.face[0] == -1
    assert got.distance_mm[1] == 4.0


def test_a_ray_without_a_direction_is_unknown() -> None:
    got = box().first_hit([[5.0, 0.1, 0.2]], [[0.0, 0.0, 0.0]])
    assert np.isnan(got.distance_mm[0]) and got.face[0] == -1


def sheared() -> np.ndarray:
    T = np.eye(4)
    T[0, 1] = 0.01
    return T


@pytest.mark.parametrize(
    ("T", "names"),
    [
        (np.diag([2.0, 2.0, 2.0, 1.0]), "orthonormal"),
        (np.diag([1.0, 1.0, -1.0, 1.0]), "mirror"),
        (sheared(), "orthonormal"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.diag([1.0, 1.0, 1.0, 2.0]), "row"),
        (np.eye(3), "shape"),
    ],
)
def test_a_pose_that_is_not_rigid_is_refused(T: np.ndarray, names: str) -> None:
    with pytest.raises(InputRefused, match=names) as refused:
        Rigid.from_matrix(T, target="ct", source="tip/drill")
    assert "T_ct_from_tip/drill" in str(refused.value)


@pytest.mark.parametrize("points", [np.zeros((4, 2)), np.zeros(4), np.zeros((2, 2, 3)), np.float64(1.0)])
def test_points_of_another_shape_are_refused(points: np.ndarray) -> None:
    with pytest.raises(InputRefused, match="points_mm has shape"):
        box().closest(points)


@pytest.mark.parametrize("end", [np.zeros(2), np.zeros((2, 3)), np.float64(0.0)])
def test_an_axis_of_another_shape_is_refused(end: np.ndarray) -> None:
    with pytest.raises(InputRefused, match="a_mm"):
        box().closest_to_capsule(end, [1.0, 2.0, 3.0], 1.0)


def test_no_points_is_no_error() -> None:
    got = box().closest(np.zeros((0, 3)))
    assert got.distance_mm.shape == (0,) and got.point_mm.shape == (0, 3) and got.face.shape == (0,)
    assert box().first_hit(np.zeros((0, 3)), np.zeros((0, 3))).face.shape == (0,)
