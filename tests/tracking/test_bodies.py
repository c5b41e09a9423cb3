"""Printed bodies: plane square faces that look outwards; nets that fold back into them; and a camera that reads them."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.errors import InputRefused
from tests.tracking.rendered import CAMERA
from tracking import detect_markers, estimate_pose
from tracking.detect.patterns import cells, dictionary_of
from tracking.kit.bodies import (
    PENTAGON_SQUARE,
    PENTAGON_SQUARE_UP,
    PrintedBody,
    cube,
    dodecahedron,
    face_axes,
    flat_board,
    largest_side,
    reference_board,
)
from tracking.kit.net import Piece, unfold
from tracking.opencv import cv2

TAGS = "APRILTAG_36h11"
BODIES = [make("body", TAGS, 8, 3) for make in (reference_board, flat_board, cube, dodecahedron)]
SOLIDS = BODIES[2:]
named = pytest.mark.parametrize("body", BODIES, ids=lambda body: body.shape)
folded = pytest.mark.parametrize("body", SOLIDS, ids=lambda body: body.shape)


@named
def test_markers_are_plane_squares_of_the_stated_side(body: PrintedBody) -> None:
    corners = body.marker_body().corners_mm
    sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    np.testing.assert_allclose(sides, body.side_mm, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(corners[:, 2] - corners[:, 0], axis=1), body.side_mm * np.sqrt(2.0), atol=1e-9)
    np.testing.assert_allclose(corners[:, 0] + corners[:, 2], corners[:, 1] + corners[:, 3], atol=1e-9)


@named
def test_corners_go_clockwise_as_seen_from_outside(body: PrintedBody) -> None:
    for face in body.faces:
        outward = face_axes(face.outline_mm)[2]
        if len(body.faces) > 1:
            assert face.outline_mm.mean(axis=0) @ outward > 0.0
        for a, b, c, _ in face.corners_mm:
            assert np.cross(b - a, c - b) @ outward < 0.0
            np.testing.assert_allclose((face.corners_mm - face.outline_mm[0]) @ outward, 0.0, atol=1e-9)


@folded
def test_solids_are_closed_regular_and_about_their_centre(body: PrintedBody) -> None:
    edges = [tuple(np.round(p, 6) + 0.0) for face in body.faces for k in range(len(face.outline_mm)) for p in face.outline_mm[[k, k - 1]]]
    pairs = [frozenset(pair) for pair in zip(edges[::2], edges[1::2], strict=True)]
    assert all(pairs.count(pair) == 2 for pair in pairs)
    lengths = [np.linalg.norm(np.subtract(*tuple(pair))) for pair in pairs]
    np.testing.assert_allclose(lengths, lengths[0], atol=1e-5)
    corners = np.unique(np.round(np.concatenate([face.outline_mm for face in body.faces]), 6), axis=0)
    assert len(corners) - len(set(pairs)) + len(body.faces) == 2  # Euler
    np.testing.assert_allclose(corners.mean(axis=0), 0.0, atol=1e-5)
    distance = [face.outline_mm.mean(axis=0) @ face_axes(face.outline_mm)[2] for face in body.faces]
    np.testing.assert_allclose(distance, distance[0], atol=1e-9)
    np.testing.assert_allclose(face_axes(body.faces[-1].outline_mm)[2], (0.0, -1.0, 0.0), atol=1e-9)
    assert body.faces[-1].ids == ()


@named
def test_each_marker_has_a_white_cell_round_it(body: PrintedBody) -> None:
    cell = body.side_mm / 8
    for face in body.faces:
        outline = face.flat(face.outline_mm)
        edge = np.roll(outline, -1, axis=0) - outline
        inward = np.column_stack([-edge[:, 1], edge[:, 0]]) / np.linalg.norm(edge, axis=1)[:, None]
        quads = face.flat(face.corners_mm)
        for number, quad in enumerate(quads):
            middle = quad.mean(axis=0)
            grown = middle + (quad - middle) * (body.side_mm + 2.0 * cell) / body.side_mm
            assert ((grown[:, None] - outline) * inward).sum(axis=2).min() > -1e-6
            others = np.delete(quads, number, axis=0)
            assert all(np.abs(other - middle).max(axis=1).min() >= body.side_mm / 2.0 + cell for other in others)


def test_the_pentagon_holds_no_larger_upright_square() -> None:
    """The constants against the two edges that bound the square: above it and beside it."""
    widest = []
    for low in np.linspace(0.0, 0.3, 30001):
        sides = 1.0 + 2.0 * low / np.tan(np.radians(72.0))
        apex = np.tan(np.radians(54.0)) / 2.0 + 0.5 / np.sin(np.radians(36.0))
        roof = 2.0 * np.tan(np.radians(54.0))
        widest.append((min(sides, roof * (apex - low) / (1.0 + roof)), low))
    side, low = max(widest)
    assert side == pytest.approx(PENTAGON_SQUARE, abs=1e-5)
    assert low + side / 2.0 == pytest.approx(PENTAGON_SQUARE_UP, abs=2e-5)


def _whole(pieces: tuple[Piece, ...]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    return {n: (o, c) for piece in pieces for n, o, c in zip(piece.faces, piece.outlines, piece.corners, strict=True)}


def _turned(points: np.ndarray, on: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
    return (points - on) @ cv2.Rodrigues(axis * angle)[0].T + on


@folded
def test_the_net_folds_into_the_body(body: PrintedBody) -> None:
    """Fold the flat net about its fold lines by the body's dihedral angle: every marker comes to lie where the body has it."""
    net = _whole(unfold(body))
    normals = [face_axes(face.outline_mm)[2] for face in body.faces]
    for root in (n for n, parent in enumerate(body.parents) if parent is None):
        flat = {n: tuple(np.concatenate([a, np.zeros((*a.shape[:-1], 1))], axis=-1) for a in parts) for n, parts in net.items()}
        children = {n: [m for m, parent in enumerate(body.parents) if parent == n] for n in net}
        stack, members = [root], [root]
        while stack:
            parent = stack.pop()
            for child in children[parent]:
                # The hinge: the two corners that both outlines share in the plane.
                mine, its = flat[child][0], flat[parent][0]
                hinge = [p for p in its if np.linalg.norm(mine - p, axis=1).min() < 1e-6]
                assert len(hinge) == 2
                axis = (hinge[1] - hinge[0]) / np.linalg.norm(hinge[1] - hinge[0])
                if np.cross(axis, mine.mean(axis=0) - hinge[0]) @ np.cross(its[1] - its[0], its[2] - its[1]) > 0.0:
                    axis = -axis
                angle = np.arccos(normals[child] @ normals[parent])
                moving, grown = [child], [child]
                while grown:
                    grown = [m for n in grown for m in children[n]]
                    moving += grown
                for n in moving:
                    flat[n] = tuple(_turned(points, hinge[0], axis, angle) for points in flat[n])
                stack.append(child)
                members.append(child)
        # Root's plane to the body, then all the rest must follow.
        x, y, z = face_axes(body.faces[root].outline_mm)
        rotation, centre = np.column_stack([x, y, z]), body.faces[root].outline_mm.mean(axis=0)
        for n in members:
            np.testing.assert_allclose(flat[n][0] @ rotation.T + centre, body.faces[n].outline_mm, atol=1e-6)
            np.testing.assert_allclose(flat[n][1] @ rotation.T + centre, body.faces[n].corners_mm, atol=1e-6)


@folded
def test_nothing_overlaps_on_the_paper(body: PrintedBody) -> None:
    """Two convex outlines are apart if an edge of one has the other wholly outside (separating axis)."""
    for piece in unfold(body):
        shapes = [*piece.outlines, *[tab[::-1] if _area(tab) < 0.0 else tab for tab in piece.tabs]]
        assert all(_area(shape) > 0.0 for shape in shapes)
        for n, one in enumerate(shapes):
            for other in shapes[:n]:
                assert _apart(one, other) or _apart(other, one)


def _area(shape: np.ndarray) -> float:
    x, y = shape.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2.0


def _apart(one: np.ndarray, other: np.ndarray) -> bool:
    edge = np.roll(one, -1, axis=0) - one
    arm = other[:, None] - one
    return bool(((edge[:, 0] * arm[..., 1] - edge[:, 1] * arm[..., 0]) <= 1e-6).all(axis=0).any())


@folded
def test_every_edge_is_folded_or_has_one_tab(body: PrintedBody) -> None:
    pieces = unfold(body)
    edges = sum(len(face.outline_mm) for face in body.faces) // 2
    hinges = sum(parent is not None for parent in body.parents)
    assert sum(len(piece.tabs) for piece in pieces) == edges - hinges
    assert sum(len(piece.folds) for piece in pieces) == edges
    assert sum(len(piece.cuts) for piece in pieces) == edges - hinges
    net = _whole(pieces)
    for piece in pieces:
        for tab, under in zip(piece.tabs, piece.under, strict=True):
            # The tab's own face is the one that has its first and last corner; on the body, that edge is the other face's too.
            own = next(n for n in piece.faces if all(np.linalg.norm(net[n][0] - corner, axis=1).min() < 1e-6 for corner in tab[[0, 3]]))
            rows = [int(np.linalg.norm(net[own][0] - corner, axis=1).argmin()) for corner in tab[[0, 3]]]
            for corner in body.faces[own].outline_mm[rows]:
                assert np.linalg.norm(body.faces[under].outline_mm - corner, axis=1).min() < 1e-6


@pytest.mark.parametrize("body", [BODIES[0], *SOLIDS], ids=lambda body: body.shape)
def test_a_camera_reads_the_body(body: PrintedBody) -> None:
    """Each marker's picture is warped to where the body has it: numbers and pose come back."""
    turn = cv2.Rodrigues(np.array((0.5, 0.35, 0.1)))[0] @ np.diag((1.0, -1.0, -1.0))
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, (10.0, -5.0, 320.0)
    grey = np.full((CAMERA.height_px * 2, CAMERA.width_px * 2), 225, np.uint8)
    shown = set()
    for face in body.faces:
        for number, quad in zip(face.ids, face.corners_mm, strict=True):
            seen = quad @ turn.T + pose[:3, 3]
            if -np.cross(seen[1] - seen[0], seen[3] - seen[0]) @ seen.mean(axis=0) > -0.35 * body.side_mm**2 * np.linalg.norm(seen.mean(axis=0)):
                continue
            picture = np.where(np.pad(cells(TAGS, number), 1), 20, 225).astype(np.uint8).repeat(40, 0).repeat(40, 1)
            drawn = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]) * 160.0 + 199.5
            pixels = 2.0 * (seen @ CAMERA.matrix.T)[:, :2] / seen[:, 2:] + 0.5
            to_image = cv2.getPerspectiveTransform(drawn.astype(np.float32), pixels.astype(np.float32))
            size = grey.shape[::-1]
            warped = cv2.warpPerspective(picture, to_image, size, flags=cv2.INTER_AREA, borderValue=0)
            inside = cv2.warpPerspective(np.full_like(picture, 255), to_image, size) > 127
            grey[inside] = warped[inside]
            shown.add(number)
    image = cv2.resize(grey, (CAMERA.width_px, CAMERA.height_px), interpolation=cv2.INTER_AREA)
    found = detect_markers(image, TAGS)
    assert set(found.ids.tolist()) == shown
    assert len(shown) >= 2
    estimate = estimate_pose(found, body.marker_body(), CAMERA)
    assert estimate.T_camera_from_body is not None, estimate.reason
    off = np.linalg.inv(pose) @ estimate.T_camera_from_body.matrix()
    assert np.linalg.norm(off[:3, 3]) < 1.0
    assert np.degrees(np.arccos(np.clip((np.trace(off[:3, :3]) - 1.0) / 2.0, -1.0, 1.0))) < 0.5


def test_sides_leave_the_quiet_zone_and_can_be_measured_with_a_ruler() -> None:
    assert largest_side(40.0, 8) == 32.0
    assert largest_side(PENTAGON_SQUARE * 30.0, dictionary_of(TAGS).size) == 25.0
    with pytest.raises(InputRefused, match="does not fit"):
        largest_side(0.5, 8)
