"""What may stand behind a scene: cloth, tables and instruments, none of them a marker."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phantoms.camera.lens import Lens
from phantoms.camera.raster import fill
from phantoms.camera.render import Backdrop

Array = npt.NDArray[np.float64]


def cloth(lens: Lens, rng: np.random.Generator, *, mean_dn: float = 105.0, spread_dn: float = 12.0) -> Backdrop:
    """A draped cloth: soft folds of several sizes."""
    return Backdrop(np.clip(mean_dn + spread_dn * _folds(lens, rng), 0.0, 255.0))


def cluttered(lens: Lens, rng: np.random.Generator, *, things: int = 40) -> Backdrop:
    """A cloth with things on it: bright and dark cards, trays, rods and rings, some of them square with sharp corners, to tempt a detector."""
    picture = np.ascontiguousarray(cloth(lens, rng).sharp)
    scale = lens.width_px / 1920.0
    for _ in range(things):
        centre = rng.uniform((0.0, 0.0), (lens.width_px, lens.height_px))
        shape = rng.choice(["card", "rod", "ring"], p=[0.5, 0.3, 0.2])
        grey = float(rng.uniform(15.0, 230.0))
        if shape == "card":
            outer = _box(rng.uniform(40.0, 220.0, 2) * scale, rng)
            _draw(picture, centre + outer, grey)
            if rng.random() < 0.5:
                _draw(picture, centre + 0.7 * outer, float(rng.uniform(15.0, 230.0)))
        elif shape == "rod":
            _draw(picture, centre + _box(np.array([rng.uniform(200.0, 700.0), rng.uniform(6.0, 24.0)]) * scale, rng), grey)
        else:
            around = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
            circle = rng.uniform(15.0, 70.0) * scale * np.stack([np.cos(around), np.sin(around)], axis=1)
            _draw(picture, centre + circle, grey)
            _draw(picture, centre + 0.6 * circle, float(picture.mean()))
    return Backdrop(picture)


def _draw(picture: npt.NDArray[np.float32], polygon: Array, grey: float) -> None:
    fill(picture, 0, 0, np.ascontiguousarray(polygon), grey, picture.shape[1], picture.shape[0])


def _box(size: Array, rng: np.random.Generator) -> Array:
    """(4, 2) corners of a turned rectangle about the origin."""
    angle = rng.uniform(0.0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * size) @ turn.T)


def _folds(lens: Lens, rng: np.random.Generator) -> Array:
    """(H, W) of mean 0 and sd 1: random heights on grids of several widths, joined smoothly, the finer the flatter."""
    total = np.zeros((lens.height_px, lens.width_px))
    for step_px in (400, 120, 40, 12):
        rows, columns = lens.height_px // step_px + 2, lens.width_px // step_px + 2
        heights = rng.standard_normal((rows, columns))
        at_row, at_column = np.arange(lens.height_px) / step_px, np.arange(lens.width_px) / step_px
        i, j = at_row.astype(int), at_column.astype(int)
        f, g = _ease(at_row - i)[:, None], _ease(at_column - j)[None, :]
        upper = heights[i][:, j] * (1.0 - g) + heights[i][:, j + 1] * g
        lower = heights[i + 1][:, j] * (1.0 - g) + heights[i + 1][:, j + 1] * g
        total += (step_px / 400.0) ** 0.7 * (upper * (1.0 - f) + lower * f)
    return np.asarray((total - total.mean()) / total.std())


def _ease(u: Array) -> Array:
    return u * u * (3.0 - 2.0 * u)
