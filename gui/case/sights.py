"""What three slices look at: one point that they share, and for each of them what part of its plane is in view. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS, PLANES, RIGHT, UP, Plane, in_plane
from navtwin.volumes.volume import Volume, VolumeBox

F64 = npt.NDArray[np.float64]
WindowName = Literal["soft", "bone", "lung", "brain"]
#: Grey windows: centre and width, HU.
WINDOWS: Final[dict[WindowName, tuple[float, float]]] = {
    "bone": (500.0, 2000.0), "soft": (50.0, 400.0), "lung": (-600.0, 1500.0), "brain": (40.0, 90.0),
}  # fmt: skip
WINDOW_NAMES: Final = tuple(WINDOWS)
NARROWEST_HU: Final = 10.0
#: One step of the wheel changes the size of what is seen by this factor.
ZOOM_STEP: Final = 1.2
FINEST_MM_PER_PX: Final = 0.01
#: What is seen at most, as a multiple of the whole scan.
WIDEST: Final = 2.0
#: The way that a step of the wheel goes along the axis across: away from whoever looks at the slice.
AWAY: Final[dict[Plane, float]] = {"axial": 1.0, "coronal": 1.0, "sagittal": -1.0}
#: Letters of the patient's sides along x, y and z: below 0 and above.
SIDES: Final = ("RL", "AP", "IS")


@dataclass
class Sights:
    """Three planes through one point of a scanned volume.

    Attributes
    ----------
    box : where something is known
    cursor_mm : the point that the planes share, ct
    window_hu : centre and width of the grey window
    middles_mm : for each plane the point of ct in the middle of its picture; what it says across the plane does not count
    mm_per_px, sizes_px : of each picture
    """

    box: VolumeBox
    cursor_mm: Vec3 = (0.0, 0.0, 0.0)
    window_hu: tuple[float, float] = WINDOWS["bone"]
    middles_mm: dict[Plane, Vec3] = field(default_factory=dict)
    mm_per_px: dict[Plane, float] = field(default_factory=dict)
    sizes_px: dict[Plane, tuple[int, int]] = field(default_factory=lambda: dict.fromkeys(PLANES, (400, 300)))

    def __post_init__(self) -> None:
        self._low, self._high = self.box.bounds_mm()
        self.cursor_mm = _vec((self._low + self._high) / 2.0)
        self.fit()

    def field(self, plane: Plane) -> Field:
        """Where the picture of a plane lies now."""
        width, height = self.sizes_px[plane]
        at = list(self.middles_mm[plane])
        at[ACROSS[plane]] = self.cursor_mm[ACROSS[plane]]
        return Field(plane, (at[0], at[1], at[2]), self.mm_per_px[plane], width, height)

    def fit(self) -> None:
        """See the whole scan in every plane."""
        for plane in PLANES:
            self.middles_mm[plane] = _vec((self._low + self._high) / 2.0)
            self.mm_per_px[plane] = self._whole(plane)

    def resize(self, plane: Plane, width_px: int, height_px: int) -> None:
        """The picture has another size; it keeps its middle, and shows no less than before along its shorter side."""
        before = self.sizes_px[plane]
        fitted = math.isclose(self.mm_per_px[plane], self._whole(plane))
        self.sizes_px[plane] = (max(1, width_px), max(1, height_px))
        self.mm_per_px[plane] = self._whole(plane) if fitted else self.mm_per_px[plane] * min(before) / min(self.sizes_px[plane])

    def point_at(self, plane: Plane, x_px: float, y_px: float) -> Vec3:
        """The point of ct under a pixel."""
        seen = self.field(plane)
        axis, sign = UP[plane]
        at = list(seen.at_mm)
        at[RIGHT[plane]] += (x_px - seen.width_px / 2.0) * seen.mm_per_px
        at[axis] -= sign * (y_px - seen.height_px / 2.0) * seen.mm_per_px
        return (at[0], at[1], at[2])

    def zoom(self, plane: Plane, steps: float, x_px: float | None = None, y_px: float | None = None) -> None:
        """Nearer (positive) or farther; what lies under the pixel stays there, the cursor where none is named."""
        under = self.cursor_mm if x_px is None or y_px is None else self.point_at(plane, x_px, y_px)
        before = self.mm_per_px[plane]
        after = min(WIDEST * self._whole(plane), max(FINEST_MM_PER_PX, before / ZOOM_STEP**steps))
        self.mm_per_px[plane] = after
        middle = np.array(self.middles_mm[plane])
        self.middles_mm[plane] = self._held(np.array(under) + (middle - under) * (after / before))

    def pan(self, plane: Plane, dx_px: float, dy_px: float) -> None:
        """Move the picture by so many pixels; its middle stays within the scan."""
        axis, sign = UP[plane]
        at = np.array(self.middles_mm[plane])
        at[RIGHT[plane]] -= dx_px * self.mm_per_px[plane]
        at[axis] += sign * dy_px * self.mm_per_px[plane]
        self.middles_mm[plane] = self._held(at)

    def scroll(self, plane: Plane, slices: int) -> None:
        """Go so many slices away from the viewer (negative: towards him), from the middle of one slice to the middle of another."""
        number, count = self.slice_number(plane)
        row = self._stack(plane)
        along = self.box.T_ijk_from_ct[row][ACROSS[plane]]
        way = slices if along * AWAY[plane] > 0.0 else -slices
        wanted = min(count - 1, max(0, number - 1 + way))
        at = list(self.cursor_mm)
        at[ACROSS[plane]] += (wanted - self._index(row)) / along
        self.cursor_mm = (at[0], at[1], at[2])

    def slice_number(self, plane: Plane) -> tuple[int, int]:
        """Which of how many slices the cursor lies in, from 1 on."""
        row = self._stack(plane)
        count = self.box.shape_ijk[row]
        return min(count, max(1, round(self._index(row)) + 1)), count

    def go_to(self, point_mm: Vec3) -> None:
        """Bring the cursor to a point, the nearest within the scan's bounds; a picture that would not show it moves there."""
        self.cursor_mm = self._held(np.array(point_mm))
        for plane in PLANES:
            half = np.array(self.sizes_px[plane]) * self.mm_per_px[plane] / 2.0
            away = in_plane(np.subtract(self.cursor_mm, self.middles_mm[plane]), plane)
            if (np.abs(away) > half).any():
                self.middles_mm[plane] = self.cursor_mm

    def turn_window(self, steps: int = 1) -> None:
        """Go on to the next grey window with a name."""
        name = self.window_name
        at = -1 if name is None else WINDOW_NAMES.index(name)
        self.window_hu = WINDOWS[WINDOW_NAMES[(at + steps) % len(WINDOW_NAMES)]]

    def drag_window(self, dx_px: float, dy_px: float) -> None:
        """Wider to the right, brighter upwards: a 250th of the width for each pixel."""
        centre, width = self.window_hu
        self.window_hu = (centre + dy_px * width / 250.0, max(NARROWEST_HU, width * 2.0 ** (dx_px / 250.0)))

    @property
    def window_name(self) -> WindowName | None:
        """None where it was dragged to something else."""
        return next((name for name, window in WINDOWS.items() if window == self.window_hu), None)

    @property
    def window_words(self) -> str:
        """`bone`, or its centre and width where it has no name."""
        centre, width = self.window_hu
        return self.window_name or f"C {centre:.0f} W {width:.0f}"

    def place_words(self, plane: Plane) -> str:
        """Where the plane lies: `S 12.5 mm`, by the patient's side and the distance from the origin of ct."""
        axis = ACROSS[plane]
        mm = self.cursor_mm[axis]
        return f"{SIDES[axis][int(mm >= 0.0)]} {abs(mm):.1f} mm"

    def _stack(self, plane: Plane) -> int:
        """The voxel axis that runs across the plane most nearly."""
        return int(np.argmax(np.abs(np.array(self.box.T_ijk_from_ct)[:3, ACROSS[plane]])))

    def _index(self, row: int) -> float:
        T = self.box.T_ijk_from_ct[row]
        x, y, z = self.cursor_mm
        return T[0] * x + T[1] * y + T[2] * z + T[3]

    def _whole(self, plane: Plane) -> float:
        right, up = np.abs(in_plane(self._high - self._low, plane))
        width, height = self.sizes_px[plane]
        return max(float(right) / width, float(up) / height, FINEST_MM_PER_PX)

    def _held(self, point: F64) -> Vec3:
        return _vec(np.clip(point, self._low, self._high))


def hu_at(volume: Volume, point_mm: Vec3) -> float | None:
    """The value of the voxel that holds a point of ct; None beyond the scan."""
    if not volume.box.contains(point_mm):
        return None
    i, j, k = np.rint(np.linalg.inv(volume.T_ct_from_ijk) @ (*point_mm, 1.0)).astype(int)[:3]
    nk, nj, ni = volume.hu.shape
    inside = 0 <= i < ni and 0 <= j < nj and 0 <= k < nk
    return float(volume.hu[k, j, i]) if inside else None


def _vec(point: F64) -> Vec3:
    return (float(point[0]), float(point[1]), float(point[2]))
