"""A structure that can be drilled: what is left of it, how far it is from anything, and how much is gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.kernels import Forest
from navtwin.kernels.bone.bricks import Bricks
from navtwin.kernels.bone.doubt import change_doubt, doubt_differences, no_doubt
from navtwin.kernels.bone.fill import BLOCK, bricks_of
from navtwin.kernels.bone.way import bone_on_way, values
from navtwin.nouns.drilling import BoneState, Cutter, PoseRows, Trespass
from navtwin.scene import bone_state
from navtwin.scene.answers import ClosestPoints
from navtwin.scene.batches import in_batches
from navtwin.scene.bone_cache import kept_or_made
from navtwin.scene.bone_field import FARTHEST_MM, I8, I32, I64, BoneField, Point, solid_of
from navtwin.scene.bone_grid import grid_around
from navtwin.scene.bone_skin import BoneSkin
from navtwin.scene.extract import extract_surface
from navtwin.scene.model import Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume

F64 = npt.NDArray[np.float64]
U64 = npt.NDArray[np.uint64]
Progress = Callable[[float], None]

#: Coarsest cell that is chosen by itself: a burr of 1.5 mm radius then spans four.
COARSEST_MM = 0.375
#: Stretches that can be taken back, and bricks that are kept for it in all: 64 MB.
MOST_STRETCHES, MOST_KEPT = 20, 2**14


class _Stretch(NamedTuple):
    """What a stretch changed: bricks as they were before it, and what was gone then."""

    bricks: I32
    cells: I8
    gone: int
    most: int


class Carvable:
    """A solid on a grid of cubic cells along the `ct` axes.

    The grid is filled with exact distances to the surface, so neither a scan's thick slices nor its handedness matter to a carve.

    Attributes
    ----------
    side_mm : of a cell
    revision : one more whenever the bone changes
    case_hash, structure : whose bone it is; "" where it is no case's
    """

    def __init__(self, surface: Surface, side_mm: float, progress: Progress | None = None) -> None:
        """Put a closed surface on a grid.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1

        Raises
        ------
        InputRefused : the surface has no inside, or needs more memory than there is; it names the finest side that fits
        """
        origin, shape = grid_around(surface, side_mm)
        self._start(bricks_of(surface.forest, origin, float(side_mm), shape, progress))

    def _start(self, bricks: Bricks, case_hash: str = "", structure: str = "") -> None:
        self._field, self._doubt = BoneField(bricks), no_doubt(bricks.table.size)
        self.side_mm, self.revision = float(bricks.side[0]), 0
        self.case_hash, self.structure = case_hash, structure
        self._skin = BoneSkin()
        self._before: tuple[int, int] | None = None
        self._past: deque[_Stretch] = deque(maxlen=MOST_STRETCHES)

    @classmethod
    def from_volume(
        cls, volume: Volume, threshold_hu: float | None = None, labels: int | Sequence[int] | None = None, side_mm: float | None = None
    ) -> Carvable:
        """What lies at or above a threshold of a CT, or some labels of a label volume.

        Parameters
        ----------
        side_mm : side of a cell; by default the finest of the voxel's sides, and COARSEST_MM at most

        Raises
        ------
        InputRefused : as `extract_surface`, and as the class
        """
        surface = extract_surface(volume, threshold_hu=threshold_hu, labels=labels)
        return cls(surface, min(*volume.spacing_mm, COARSEST_MM) if side_mm is None else side_mm)

    @classmethod
    def of(cls, structure: Structure, case_hash: str, progress: Progress | None = None) -> Carvable:
        """A structure of a case, before any drilling; its field is kept in the user's cache.

        Parameters
        ----------
        case_hash : of the case that it is in
        progress : told the share that is done, 0 to 1

        Raises
        ------
        InputRefused : the structure cannot be drilled, or as the class
        """
        if structure.carve_mm is None:
            raise InputRefused(f"structure '{structure.name}' is not one that is drilled", "give it carve_mm in case.toml")
        side_mm = float(structure.carve_mm)
        origin, shape = grid_around(structure.surface, side_mm)

        def make() -> Bricks:
            return bricks_of(structure.surface.forest, origin, side_mm, shape, progress)

        bone = cls.__new__(cls)
        bone._start(kept_or_made((case_hash, structure.name, side_mm), shape, make), case_hash, structure.name)
        return bone

    @property
    def bricks(self) -> Bricks:
        """The grid as kernels know it; another object after a cut that needed more room."""
        return self._field.bricks

    @property
    def hash(self) -> str:
        """16 hexadecimal digits: equal where the bone is, however it came to be so."""
        return f"{int(self.bricks.total[0]):016x}"

    @property
    def removed_mm3(self) -> float:
        """Volume that is gone since it was whole, mm^3."""
        return self._field.removed_mm3

    @property
    def part_mm3(self) -> float:
        """The smallest volume that is told from none, mm^3."""
        return self._field.part_mm3

    @property
    def changed(self) -> I64:
        """Numbers of the bricks that are not as they were when it was whole, ascending."""
        return self._field.changed()

    def carve(self, a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_mm: float) -> float:
        """Remove the capsule around a-b (a == b: a ball) and return the volume that it took, mm^3; what is gone already counts no more.

        Raises
        ------
        InputRefused : a place or radius that is not finite, or absurdly large
        """
        a, b = _point(a_mm), _point(b_mm)
        if a is None or b is None or not 0.0 <= radius_mm <= FARTHEST_MM:
            raise InputRefused(f"a capsule from {a_mm!r} to {b_mm!r} of radius {radius_mm} cannot be carved", "skip poses that are not known")
        before = self._field.gone, self._field.most
        changed, took = self._field.carve(a, b, float(radius_mm))
        self._note(changed, before, a, (b[0] - a[0], b[1] - a[1], b[2] - a[2]), float(radius_mm))
        return took

    def sweep(self, cutter: Cutter, earlier: PoseRows | None, now: PoseRows) -> float:
        """Remove what a cutter passes through between two poses, and return the volume that it took, mm^3.

        A ball takes the capsule between both places of the tip; others move along the screw between the poses.

        Parameters
        ----------
        earlier, now : T_ct_from_tip; None: it is at one place only

        Raises
        ------
        InputRefused : a profile that nobody knows; poses that are not rigid, or half a turn apart
        """
        solid, before = solid_of(cutter), (self._field.gone, self._field.most)
        changed, took, tip, way, reach = self._field.sweep(solid, now if earlier is None else earlier, now)
        self._note(changed, before, tip, way, reach)
        return took

    def _note(self, changed: int, before: tuple[int, int], tip: Point, way: Point, reach_mm: float) -> None:
        if changed:
            self.revision += 1
            self._before = before if self._before is None else self._before
            if self._doubt.bits[0] > 0:  # where no bone is shown any more, none that is shown is gone
                change_doubt(self.bricks, self._doubt, tip, way, reach_mm + BLOCK * self.side_mm, False, True)

    def begin_stretch(self) -> None:
        """What is cut from here on can be taken back by itself. What is cut outside any stretch begins one."""
        self._close()
        self._before = self._field.gone, self._field.most

    def _close(self) -> None:
        if self._before is not None:
            kept = self._field.new_stretch()
            rows = int(kept.kept[0])
            self._past.append(_Stretch(kept.bricks[:rows].copy(), kept.cells[:rows].copy(), *self._before))
            self._before = None
            while sum(len(s.bricks) for s in self._past) > MOST_KEPT:
                self._past.popleft()

    def undo_stretch(self) -> bool:
        """Take the newest stretch back, also one that cut nothing; False where none is kept any more. Bone that comes back is doubtful."""
        self._close()
        if not self._past:
            return False
        stretch = self._past.pop()
        left = self._field.cells(stretch.bricks)
        if self._field.write(stretch.bricks, stretch.cells):
            self.revision += 1
        self._field.gone, self._field.most = stretch.gone, stretch.most
        for n, brick in enumerate(stretch.bricks.tolist()):
            doubt_differences(self._doubt, brick, left[n], stretch.cells[n])
        return True

    @property
    def forest(self) -> Forest:
        """The tree of what is left, up to date: one structure. The first time it is planted, which takes a second or two for a head."""
        return self._skin.forest(self.bricks)

    def closest(self, points_mm: npt.ArrayLike) -> ClosestPoints:
        """Signed distances of (N, 3) points to what is left, mm. Faces are those of `forest`.

        Raises
        ------
        InputRefused : nothing is left
        """
        return self._skin.closest(self.bricks, points_mm)

    def surface(self) -> Surface:
        """The surface of what is left, as a mesh of its own.

        Raises
        ------
        InputRefused : nothing is left
        """
        return self._skin.surface(self.bricks, self.revision)

    def patch(self, brick: int) -> tuple[F64, I32]:
        """The surface of one brick: vertices_mm (V, 3) float64, on its borders the neighbours' to the bit, and faces (F, 3) int32."""
        self._field.slots((brick,))
        return self._skin.patch(self.bricks, int(brick))

    def bone_on_way(self, from_mm: npt.ArrayLike, to_mm: npt.ArrayLike) -> tuple[float, bool]:
        """Length of bone on a straight way, mm, by interpolated distances, and whether some of that bone may be gone.

        Raises
        ------
        InputRefused : a place that is not finite
        """
        start, end = _point(from_mm), _point(to_mm)
        if start is None or end is None:
            raise InputRefused(f"there is no way from {from_mm!r} to {to_mm!r}", "ask between places that are known")
        bone_mm, is_doubtful = bone_on_way(self.bricks, self._doubt.blocks, start, end)
        return float(bone_mm), bool(is_doubtful)

    def values(self, points_mm: npt.ArrayLike) -> F64:
        """(N,) signed distances of (N, 3) points to what is left, mm, clamped at two sides and interpolated; NaN where a point is not finite."""
        points = np.ascontiguousarray(points_mm, np.float64).reshape(-1, 3)
        found = np.empty(len(points))
        in_batches(lambda part: values(self.bricks, points[part], found[part]), len(points))
        return found

    def doubt(self, a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_mm: float) -> None:
        """Bone within the capsule around a-b may be gone, though it is shown.

        Raises
        ------
        InputRefused : a place or radius that is not finite
        """
        self._change_doubt(a_mm, b_mm, radius_mm, True)

    def settle(self, centre_mm: npt.ArrayLike, radius_mm: float) -> None:
        """Bone is known again in blocks of 4 x 4 x 4 points whose middles lie within a ball: as `doubt`."""
        self._change_doubt(centre_mm, centre_mm, radius_mm, False)

    def _change_doubt(self, a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_mm: float, is_doubtful: bool) -> None:
        a, b = _point(a_mm), _point(b_mm)
        if a is None or b is None or not 0.0 <= radius_mm <= FARTHEST_MM:
            raise InputRefused(f"bone from {a_mm!r} to {b_mm!r} within {radius_mm} is nowhere", "pass places that are known")
        change_doubt(self.bricks, self._doubt, a, (b[0] - a[0], b[1] - a[1], b[2] - a[2]), float(radius_mm), is_doubtful, False)

    @property
    def touched(self) -> I64:
        """Numbers of the bricks that changed or are doubtful, ascending."""
        if self._doubt.bits[0] == 0:
            return self.changed
        return np.union1d(self.changed, np.flatnonzero(self._doubt.blocks))

    @property
    def doubtful(self) -> float:
        """Share of the bricks that changed or are doubtful, 0 to 1, in which bone that is shown may be gone."""
        return float(self._doubt.bits[0]) / (64.0 * len(self.touched)) if self._doubt.bits[0] > 0 else 0.0

    def cells(self, bricks: npt.ArrayLike) -> I8:
        """(N, 16, 16, 16) int8, what bricks hold, indexed k, j, i; see `kernels.bone.bricks`.

        Raises
        ------
        InputRefused : a brick beyond the grid
        """
        return self._field.cells(bricks)

    def doubts(self, bricks: npt.ArrayLike) -> U64:
        """(N,) uint64, which blocks of bricks are doubtful, as in `kernels.bone.doubt.Doubt`."""
        self._field.slots(bricks)
        found: U64 = self._doubt.blocks[np.asarray(bricks, np.int64).reshape(-1)]
        return found

    def put(self, bricks: npt.ArrayLike, cells: I8, doubts: U64 | None = None) -> None:
        """Set what bricks hold, and which of their blocks are doubtful: the same bone, to the bit, as where that comes from. Ends all stretches.

        Raises
        ------
        InputRefused : a brick beyond the grid, or one that never held bone; nothing is changed then
        """
        numbers = np.asarray(bricks, np.int64).reshape(-1)
        if cells.shape != (len(numbers), 16, 16, 16) or cells.dtype != np.int8:
            raise InputRefused(f"cells of {len(numbers)} bricks are {cells.dtype} of shape {cells.shape}", "pass (N, 16, 16, 16) int8")
        self._lay(numbers, cells)
        if doubts is not None:
            self._set_doubts(numbers, doubts)

    def _lay(self, numbers: I64, cells: I8) -> None:
        if self._field.write(numbers, cells):
            self.revision += 1
        self._field.new_stretch()
        self._past.clear()
        self._before = None

    def _set_doubts(self, numbers: I64, doubts: U64) -> None:
        self._doubt.blocks[numbers] = doubts
        self._doubt.bits[0] = int(np.bitwise_count(self._doubt.blocks).sum())

    def state(self, session: str = "", *, stretch: int = 0, undone: int = 0, trespasses: tuple[Trespass, ...] = (), plain: bool = False) -> BoneState:
        """The bone as it is, to be kept, or to start another session from.

        Parameters
        ----------
        session, stretch, undone, trespasses : as in `BoneState`
        plain : do not compress its cells: then they are the same bytes on every machine
        """
        return bone_state.pack(self, session, stretch, undone, trespasses, plain=plain)

    def take(self, state: BoneState) -> None:
        """Be the bone that a state holds, whatever came before.

        Raises
        ------
        InputRefused : a state of other bone, or one that is damaged; nothing is changed then
        """
        numbers, cells, doubts = bone_state.unpack(self, state)
        back = np.setdiff1d(self.changed, numbers)
        self._lay(np.concatenate([back, numbers]), np.concatenate([self._field.whole(back), cells]))
        self._doubt.blocks[:] = 0
        self._set_doubts(numbers, doubts)
        self._field.most = round(state.removed_mm3 / self._field.part_mm3)

    def whole_cells(self, bricks: I64) -> I8:
        """What bricks that are `changed` held when the bone was whole."""
        return self._field.whole(bricks)


def _point(place: npt.ArrayLike) -> Point | None:
    """A place as three numbers; None where it is none."""
    x, y, z = (float(v) for v in np.asarray(place, np.float64).reshape(3))
    return (x, y, z) if max(abs(x), abs(y), abs(z)) <= FARTHEST_MM else None
