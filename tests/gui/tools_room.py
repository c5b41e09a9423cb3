"""A case that is small enough to build in a moment: 64 voxels a side, with a ball and a rod of known size in it; and hands for the tools."""

from __future__ import annotations

from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np

from gui.case.tools.touch import Touch
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from navtwin.scene.slices import Plane
from navtwin.volumes.volume import placed
from navtwin.volumes.write import write_nifti

#: Of voxels, mm; the first lies at the origin.
SIDE_MM, COUNT = 1.0, 64
BALL_MM, BALL_RADIUS_MM = (20.0, 20.0, 20.0), 8.0
#: A rod along z through here, from end to end of the scan.
ROD_XY_MM, ROD_RADIUS_MM = (46.0, 44.0), 4.0
HU = 300.0


def bright() -> np.ndarray:
    """(k, j, i) HU: 300 on the surfaces of ball and rod, more within, 100 a mm."""
    k, j, i = np.meshgrid(*[np.arange(COUNT) * SIDE_MM] * 3, indexing="ij")
    ball = BALL_RADIUS_MM - np.sqrt((i - BALL_MM[0]) ** 2 + (j - BALL_MM[1]) ** 2 + (k - BALL_MM[2]) ** 2)
    rod = ROD_RADIUS_MM - np.hypot(i - ROD_XY_MM[0], j - ROD_XY_MM[1])
    return np.asarray(np.clip(HU + 100.0 * np.maximum(ball, rod), -200.0, 1500.0).astype(np.int16))


def small_case(folder: Path) -> Path:
    """A case of that scan, without any structure."""
    T = np.diag([SIDE_MM, SIDE_MM, SIDE_MM, 1.0])
    write_nifti(placed(bright(), T, folder / "scan.nii"), folder / "scan.nii")
    build_case(folder / "case", name="small", sources=Sources(folder / "scan.nii", None), wanted=())
    return folder / "case"


def touch(x: float, y: float, z: float, plane: Plane | None = "axial", *, more: bool = False, reach: float = 1.5) -> Touch:
    return Touch(plane, (x, y, z), reach, more)


def click(tool: Any, *at: Touch) -> None:
    for one in at:
        tool.press(one)
        tool.release(one)


def drag(tool: Any, start: Touch, *way: Touch) -> None:
    tool.press(start)
    for one in way:
        tool.drag(one)
    tool.release(way[-1])


def ring(radius: float, z: float, corners: int = 40, turn: float = 2 * pi) -> list[Touch]:
    return [touch(30 + radius * cos(t), 30 + radius * sin(t), z) for t in np.linspace(0.0, turn, corners)]
