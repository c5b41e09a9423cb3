"""A step of a recipe in a few words, for people."""

from __future__ import annotations

from navtwin.scene.author.chain import chain_of
from navtwin.scene.author.recipe import Edit, Painted, Threshold, Tube


def told(edit: Edit, number: int | None = None) -> str:
    """A step in a few words, for people."""
    sign = "less " if edit.subtract else ""
    which = "" if number is None else f"{number}: "
    return f"{which}{sign}{_words(edit)}"


def _words(edit: Edit) -> str:
    if isinstance(edit, Threshold):
        upper = f"from {edit.hu:g} HU" if edit.upper_hu is None else f"{edit.hu:g} to {edit.upper_hu:g} HU"
        words = [f"threshold {upper}"]
        words += [_counted(len(edit.seeds_mm), "seed")] if edit.seeds_mm else []
        words += ["cropped"] if edit.crop_mm is not None else []
        words += [_counted(len(edit.cut), "cut")] if edit.cut else []
        words += [f"cavities to {edit.fill_mm3:g} mm3 filled"] if edit.fill_mm3 > 0.0 else []
        return ", ".join(words)
    if isinstance(edit, Tube):
        radius = f"{edit.radii_mm[0]:g}" if len(edit.radii_mm) == 1 else f"{min(edit.radii_mm):g} to {max(edit.radii_mm):g}"
        line = "straight pieces" if edit.straight else "a curve"
        return f"tube through {len(edit.points_mm)} points ({line}, {chain_of(edit).length_mm:.1f} mm long), radius {radius} mm"
    if isinstance(edit, Painted):
        return f"painted, {_counted(len(edit.outline), 'outline')}"
    return f"sphere of radius {edit.radius_mm:g} mm"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
