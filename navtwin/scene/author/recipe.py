"""What a structure was made of: by whom, when, how sure, and step by step. Small, exact and kept in the case, so that it can be changed later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from math import dist
from pathlib import Path

import msgspec

from navtwin.errors import InputRefused
from navtwin.nouns import Noun, read_toml
from navtwin.rigid import Vec3

#: Radii that a part of a patient can have, mm.
THINNEST_MM, THICKEST_MM = 0.1, 150.0
#: More than a hand clicks or paints.
MOST_POINTS = 2000
MOST_OUTLINES = 1000
MOST_EDITS = 64
#: A seed this near to a voxel of the structure picks it, mm.
REACH_MM = 3.0
_HEAD = """\
# How this structure was made, in the CT's own axes (DICOM LPS), mm. `navtwin structure edit` changes it and builds the surface anew.
"""


class Cut(Noun, frozen=True):
    """A plane through `point_mm`; the side that `keep` points to stays."""

    point_mm: Vec3
    keep: Vec3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not dist(self.keep, (0.0, 0.0, 0.0)) > 1e-9:
            raise InputRefused("a cut plane has no direction", "state the normal that points to the side to keep")


class Threshold(Noun, frozen=True, tag_field="kind", tag="threshold", omit_defaults=True):
    """All of the CT at or above `hu`, as far as the rest says.

    Attributes
    ----------
    upper_hu : and at or below this
    seeds_mm : keep the islands that hold these points (voxels joined by their faces); none: all but specks
    reach_mm : a seed that lies in no island takes the nearest one, at most this far away
    crop_mm : lowest and highest corner of a box along the axes of ct: x0 y0 z0 x1 y1 z1
    fill_mm3 : cavities closed on all sides, up to this volume each, become solid
    """

    hu: float
    upper_hu: float | None = None
    seeds_mm: tuple[Vec3, ...] = ()
    reach_mm: float = REACH_MM
    crop_mm: tuple[float, float, float, float, float, float] | None = None
    cut: tuple[Cut, ...] = ()
    fill_mm3: float = 0.0
    subtract: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.upper_hu is not None and not self.upper_hu > self.hu:
            raise InputRefused(f"the upper threshold {self.upper_hu:g} HU is not above {self.hu:g} HU", "state the lower one as hu")
        if self.crop_mm is not None and not all(low < high for low, high in zip(self.crop_mm[:3], self.crop_mm[3:], strict=True)):
            raise InputRefused("the crop box is empty", "state its lowest corner x0 y0 z0, then its highest x1 y1 z1")
        if self.fill_mm3 < 0.0 or self.reach_mm < 0.0:
            raise InputRefused(f"fill_mm3 = {self.fill_mm3:g} and reach_mm = {self.reach_mm:g}", "neither is below 0")
        if len(self.seeds_mm) > MOST_POINTS or len(self.cut) > MOST_EDITS:
            raise InputRefused("a threshold has too many seeds or cut planes", f"{MOST_POINTS} and {MOST_EDITS} are the most")


class Tube(Noun, frozen=True, tag_field="kind", tag="tube", omit_defaults=True):
    """A centre line with a radius, its ends round.

    Attributes
    ----------
    points_mm : two or more, along the centre line
    radii_mm : one for all, or one for each point
    straight : straight pieces between the points; else a centripetal Catmull-Rom curve through them
    """

    points_mm: tuple[Vec3, ...]
    radii_mm: tuple[float, ...]
    straight: bool = False
    subtract: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= len(self.points_mm) <= MOST_POINTS:
            raise InputRefused(f"a tube has {len(self.points_mm)} points", f"click from 2 to {MOST_POINTS} along its centre line")
        if len(self.radii_mm) not in (1, len(self.points_mm)):
            raise InputRefused(f"a tube has {len(self.points_mm)} points and {len(self.radii_mm)} radii", "state one radius, or one for each point")
        for radius in self.radii_mm:
            refuse_radius("tube", radius)
        for n, (one, other) in enumerate(pairwise(self.points_mm), 1):
            if dist(one, other) < 1e-3:
                raise InputRefused(f"points {n} and {n + 1} of a tube are the same", "leave one out")
        length = sum(dist(one, other) for one, other in pairwise(self.points_mm))
        if length < max(self.radii_mm):
            raise InputRefused(
                f"a tube is {length:.3g} mm long and {max(self.radii_mm):g} mm in radius", "make it a sphere, or click its whole length"
            )


class Sphere(Noun, frozen=True, tag_field="kind", tag="sphere", omit_defaults=True):
    """A ball."""

    centre_mm: Vec3
    radius_mm: float
    subtract: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_radius("sphere", self.radius_mm)


class Outline(Noun, frozen=True):
    """A closed polygon on one slice; the last point joins the first."""

    points_mm: tuple[Vec3, ...]


class Painted(Noun, frozen=True, tag_field="kind", tag="painted", omit_defaults=True):
    """Outlines on parallel slices, the shape between them interpolated.

    Attributes
    ----------
    outline : one inside another on the same slice is a hole; slices in any order, none need be at an even distance
    normal : of the slices
    thickness_mm : of a slice: the shape ends half of it beyond the first and the last one; by default the least distance between painted ones
    """

    outline: tuple[Outline, ...]
    normal: Vec3 = (0.0, 0.0, 1.0)
    thickness_mm: float | None = None
    subtract: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.outline) <= MOST_OUTLINES:
            raise InputRefused(f"a painted structure has {len(self.outline)} outlines", f"paint from 1 to {MOST_OUTLINES}")
        for n, one in enumerate(self.outline, 1):
            if not 3 <= len(one.points_mm) <= MOST_POINTS:
                raise InputRefused(f"outline {n} has {len(one.points_mm)} points", f"draw it with 3 to {MOST_POINTS}")
        if not dist(self.normal, (0.0, 0.0, 0.0)) > 1e-9:
            raise InputRefused("the slices of a painted structure have no normal", "state it: 0 0 1 is axial")
        if self.thickness_mm is not None and not 0.0 < self.thickness_mm <= 50.0:
            raise InputRefused(f"a slice is {self.thickness_mm:g} mm thick", "state more than 0 and at most 50")


Edit = Threshold | Tube | Sphere | Painted


class Recipe(Noun, frozen=True, omit_defaults=True):
    """A structure as it was made.

    Attributes
    ----------
    author, made : who made it, and on which day, YYYY-MM-DD
    changed_by, changed : who changed it last, and when; "" where nobody did
    sd_mm : how far the author holds its surface to be off, one standard deviation
    edit : joined from the first to the last; one that subtracts takes from all before it
    """

    author: str
    made: str
    sd_mm: float
    edit: tuple[Edit, ...]
    changed_by: str = ""
    changed: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.author.strip():
            raise InputRefused("a structure has no author", "state who makes it (--author)")
        for day in (self.made, self.changed or self.made):
            try:
                date.fromisoformat(day)
            except ValueError:
                raise InputRefused(f"'{day}' is no day", "write it as YYYY-MM-DD") from None
        if self.sd_mm < 0.0:
            raise InputRefused(f"sd_mm is {self.sd_mm:g}", "it is 0 or more")
        if not 1 <= len(self.edit) <= MOST_EDITS:
            raise InputRefused(f"a structure is made of {len(self.edit)} steps", f"1 to {MOST_EDITS} are possible")
        if self.edit[0].subtract:
            raise InputRefused("the first step of a structure takes away", "there is nothing yet to take from")


def refuse_radius(what: str, radius_mm: float) -> None:
    """Refuse what no part of a patient measures."""
    if not THINNEST_MM <= radius_mm <= THICKEST_MM:
        raise InputRefused(f"a {what} has a radius of {radius_mm:g} mm", f"it is between {THINNEST_MM:g} and {THICKEST_MM:g} mm")


def points_of(edit: Edit) -> Iterator[tuple[str, Vec3]]:
    """The points that were placed by hand, each with what it is called."""
    match edit:
        case Threshold():
            yield from ((f"seed {n}", p) for n, p in enumerate(edit.seeds_mm, 1))
        case Tube():
            yield from ((f"point {n}", p) for n, p in enumerate(edit.points_mm, 1))
        case Sphere():
            yield "the centre", edit.centre_mm
        case Painted():
            yield from ((f"point {n} of outline {m}", p) for m, one in enumerate(edit.outline, 1) for n, p in enumerate(one.points_mm, 1))


def read_recipe(path: Path) -> Recipe:
    """Read a recipe strictly.

    Raises
    ------
    InputRefused : missing, no TOML, unknown keys, or anything that cannot be
    """
    return read_toml(path, Recipe)


def recipe_text(recipe: Recipe) -> str:
    """The recipe as TOML; reading it gives the same numbers to the last bit."""
    import tomlkit

    table = msgspec.to_builtins(recipe)
    # Tables come last, or what follows them would be theirs.
    return _HEAD + tomlkit.dumps({key: table[key] for key in sorted(table, key=lambda key: key == "edit")})
