"""What is touched: points whose places are known, on a printed sheet or a milled block."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from navtwin.nouns.base import Noun
from navtwin.nouns.tables import read_toml
from navtwin.rigid import Vec3

Array = npt.NDArray[np.float64]

#: A rectangle's corners at least: fewer say nothing about distances.
FEWEST_POINTS = 4
#: A print whose ruler says more than this was mistyped, not misprinted.
WIDEST_SCALE = 0.05


class ArtefactPoint(Noun, frozen=True):
    """A point that can be touched, in the artefact's axes."""

    name: str
    position_mm: Vec3


class Artefact(Noun, frozen=True):
    """Points at certified coordinates.

    Attributes
    ----------
    name : of the artefact
    centre : the point that is touched again and again, and with the pointer leaning
    point : all of them; z of the artefact's axes points out of it, towards the one who touches
    sd_mm : standard deviation of a coordinate, as certified, or as the print's flatness and the ruler allow
    check_mm : length that the artefact prints for a ruler, 0 where it has none
    check_sd_mm : how far a ruler's reading of it may be off (1 sd)
    """

    name: str
    centre: str
    point: tuple[ArtefactPoint, ...]
    sd_mm: float = 0.0
    check_mm: float = 0.0
    check_sd_mm: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [p.name for p in self.point]
        if len(set(names)) != len(names):
            raise InputRefused("two points of the artefact share a name", "give each its own")
        if len(names) < FEWEST_POINTS:
            raise InputRefused(f"the artefact has {len(names)} points", f"give it {FEWEST_POINTS} or more")
        if self.centre not in names:
            raise InputRefused(f"the artefact has no point '{self.centre}' to be its centre", nearest(self.centre, names))
        if self.sd_mm < 0.0 or self.check_mm < 0.0 or self.check_sd_mm < 0.0:
            raise InputRefused("sd_mm, check_mm or check_sd_mm is negative", "correct it in the artefact's file")
        spread = np.linalg.svd(self.positions_mm() - self.positions_mm().mean(axis=0), compute_uv=False)
        if spread[1] < 5.0:
            raise InputRefused("the artefact's points lie in one line, or all but", "state coordinates in mm, spread over a plane or a volume")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.point)

    def positions_mm(self, names: tuple[str, ...] | None = None) -> Array:
        """(N, 3) of the named points, of all where none is named."""
        known = {p.name: p.position_mm for p in self.point}
        return np.array([known[name] for name in (self.names if names is None else names)], dtype=np.float64)

    def scaled(self, check_mm: float) -> Artefact:
        """The artefact as it was really printed, by what a ruler says of its check length.

        Raises
        ------
        InputRefused : an artefact without one, or a reading that no printer makes
        """
        if self.check_mm <= 0.0:
            raise InputRefused(f"artefact '{self.name}' prints no length for a ruler", "leave --check-mm out")
        scale = check_mm / self.check_mm
        if not abs(scale - 1.0) < WIDEST_SCALE:
            raise InputRefused(
                f"{check_mm:g} mm is measured where {self.check_mm:g} mm was to be", "check the number; if it is right, print at 100 %"
            )
        points = tuple(
            msgspec.structs.replace(p, position_mm=(scale * p.position_mm[0], scale * p.position_mm[1], scale * p.position_mm[2])) for p in self.point
        )
        return msgspec.structs.replace(self, point=points, check_mm=check_mm)


def read_artefact(path: Path) -> Artefact:
    """Read and check an artefact's TOML. Unknown keys are refused, naming the nearest known one."""
    return read_toml(path, Artefact)


def artefact_text(artefact: Artefact) -> str:
    """The artefact as the TOML that `read_artefact` reads."""
    lines = [
        "# Points that `navtwin assess` asks to touch. Lengths in mm; z points out of the sheet or block.",
        f'name = "{artefact.name}"',
        f'centre = "{artefact.centre}"  # touched again and again, and with the pointer leaning',
        f"sd_mm = {artefact.sd_mm:g}  # of a coordinate",
        f"check_mm = {artefact.check_mm:g}  # the length printed for a ruler; 0: none",
        f"check_sd_mm = {artefact.check_sd_mm:g}  # of a ruler's reading of it",
    ]
    for point in artefact.point:
        x, y, z = point.position_mm
        lines += ["[[point]]", f'name = "{point.name}"', f"position_mm = [{x:.4f}, {y:.4f}, {z:.4f}]"]
    return "\n".join(lines) + "\n"
