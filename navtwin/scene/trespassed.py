"""How much of a structure that must not be cut a cutter has been in, each part of it counted once."""

from __future__ import annotations

from navtwin.kernels.bone.fill import bricks_of
from navtwin.nouns.drilling import Cutter, PoseRows
from navtwin.scene.bone_field import BoneField, solid_of
from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface


class Trespassed:
    """The part of a structure that lies in the box of the bone that is drilled, on the same grid. The structure itself never changes.

    Parameters
    ----------
    structure : the critical structure
    like : the bone
    """

    def __init__(self, structure: Surface, like: Carvable) -> None:
        nk, nj, ni = like.bricks.table.shape
        self._field = BoneField(bricks_of(structure.forest, like.bricks.origin, like.side_mm, (nk, nj, ni)))

    @property
    def volume_mm3(self) -> float:
        """Volume that was trespassed on so far, mm^3."""
        return self._field.removed_mm3

    def sweep(self, cutter: Cutter, earlier: PoseRows | None, now: PoseRows) -> float:
        """Volume that is newly trespassed on by a cutter between two poses, mm^3; as `Carvable.sweep`."""
        return self._field.sweep(solid_of(cutter), now if earlier is None else earlier, now)[1]
