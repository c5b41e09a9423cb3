"""Where the rendered camera puts edges, against where they are."""

from __future__ import annotations

import numpy as np
import pytest

from phantoms.camera import Lens, Optics, Square, project, render

MATRIX = np.array([[800.0, 0.0, 160.3], [0.0, 810.0, 119.6], [0.0, 0.0, 1.0]])
DISTORTED = np.array([-0.25, 0.12, 2e-3, -1e-3, 0.05, 0.02, -0.01, 0.004])
BLACK = np.ones((1, 1), dtype=bool)


def facing(angle_rad: float, tilt_rad: float) -> np.ndarray:
    """T_camera_from_body: the front looks at the camera, turned by an angle in the image and tilted."""
    c, s, ct, st = np.cos(angle_rad), np.sin(angle_rad), np.cos(tilt_rad), np.sin(tilt_rad)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    tilt = np.array([[1.0, 0.0, 0.0], [0.0, ct, -st], [0.0, st, ct]])
    T = np.eye(4)
    T[:3, :3] = tilt @ turn @ np.diag((1.0, -1.0, -1.0))
    return T


@pytest.mark.parametrize("distortion", [np.zeros(5), DISTORTED], ids=["pinhole", "distorted"])
@pytest.mark.parametrize("angle_deg", [0.0, 0.1, 3.0, 17.0, 30.0, 45.0, 58.0, 88.5])
@pytest.mark.parametrize("tilt_deg", [0.0, 35.0])
def test_an_edge_lies_within_a_hundredth_of_a_pixel_of_the_truth(distortion: np.ndarray, angle_deg: float, tilt_deg: float) -> None:
    """A black half plane: along its border, the share of black in a row of pixels across it says where the border is."""
    lens = Lens(MATRIX, distortion, 320, 240)
    side = 400.0
    corners = np.array([[0.0, side, 0.0], [2.0 * side, side, 0.0], [2.0 * side, -side, 0.0], [0.0, -side, 0.0]])
    square = Square.of(corners, BLACK, quiet_cells=1.0, paper_dn=255.0, ink_dn=0.0)
    T = facing(np.radians(angle_deg), np.radians(tilt_deg))
    T[:3, 3] = (1.3, -0.7, 900.0)
    grey = render(lens, [(T, [square])]).astype(np.float64)
    # The true border, sampled finely and projected.
    border = np.stack([np.zeros(40_001), np.linspace(-side, side, 40_001), np.zeros(40_001)], axis=1)
    true = project(lens, border @ T[:3, :3].T + T[:3, 3])
    steep = np.ptp(true[:, 1]) > np.ptp(true[:, 0])
    image, along, across = (grey, true[:, 1], true[:, 0]) if steep else (grey.T, true[:, 0], true[:, 1])
    inside = np.argsort(along)
    off = []
    for row in range(20, image.shape[0] - 20):
        # The mean of the border's place over this row of pixels.
        heights = np.linspace(row - 0.5, row + 0.5, 41)
        place = np.interp((heights[1:] + heights[:-1]) / 2.0, along[inside], across[inside]).mean()
        if not 12.0 < place < image.shape[1] - 12.0:
            continue
        middle = round(place)
        near = image[row, middle - 10 : middle + 11]
        white_first = near[0] > near[-1]
        share = (near.sum() if white_first else (255.0 - near).sum()) / 255.0
        off.append(middle - 10.5 + share - place)
    assert len(off) > 150
    # Quantisation to 8 bits makes at most 0.004 px of this, and about 0.001 px RMS.
    assert np.abs(off).max() < 0.01
    assert abs(np.mean(off)) < 0.002


def test_a_square_is_where_its_corners_are() -> None:
    """An unrotated black square between pixel borders is black exactly there."""
    lens = Lens(np.array([[100.0, 0.0, 32.0], [0.0, 100.0, 24.0], [0.0, 0.0, 1.0]]), np.zeros(0), 64, 48)
    # Pixels 20..29 by 10..19: from 19.5 to 29.5 and from 9.5 to 19.5 px.
    left, right, top, bottom = (19.5 - 32.0), (29.5 - 32.0), (9.5 - 24.0), (19.5 - 24.0)
    corners = np.array([[left, top, 100.0], [right, top, 100.0], [right, bottom, 100.0], [left, bottom, 100.0]])
    grey = render(lens, [(np.eye(4), [Square.of(corners, BLACK, 0.4, paper_dn=250.0, ink_dn=10.0)])])
    assert (grey[10:20, 20:30] == 10).all()
    assert (grey[6:10, 16:34] == 250).all() and (grey[20:24, 16:34] == 250).all()
    assert (grey[:6] == 120).all() and (grey[:, 34:] == 120).all()


def test_cells_are_printed_as_given() -> None:
    """Row 0 is the marker's top and column 0 its left, as seen from its front; ink covers True."""
    rng = np.random.default_rng(3)
    cells = rng.random((8, 8)) < 0.5
    lens = Lens(np.array([[100.0, 0.0, 39.5], [0.0, 100.0, 39.5], [0.0, 0.0, 1.0]]), np.zeros(0), 80, 80)
    corners = np.array([[-32.0, -32.0, 100.0], [32.0, -32.0, 100.0], [32.0, 32.0, 100.0], [-32.0, 32.0, 100.0]])
    grey = render(lens, [(np.eye(4), [Square.of(corners, cells, 0.5)])], Optics())
    assert ((grey[8:72, 8:72] < 100) == np.kron(cells, np.ones((8, 8), dtype=bool))).all()
