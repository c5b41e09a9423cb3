"""Changes to a recipe: each gives a new one, and refuses by name what cannot be."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import Edit, Painted, Recipe, Sphere, Threshold, Tube
from navtwin.scene.author.telling import told


def with_step(recipe: Recipe, edit: Edit) -> Recipe:
    """One more step at the end."""
    return replace(recipe, edit=(*recipe.edit, edit))


def without_step(recipe: Recipe, step: int) -> Recipe:
    """Less step number `step`, from 1 on."""
    at = _step(recipe, step, (Threshold, Tube, Sphere, Painted))
    if len(recipe.edit) == 1:
        raise InputRefused("it is the structure's only step", "take the whole structure out: navtwin structure remove")
    return replace(recipe, edit=(*recipe.edit[:at], *recipe.edit[at + 1 :]))


def with_radius(recipe: Recipe, step: int | None, radius_mm: float) -> Recipe:
    """A tube or sphere of another radius, the same all along."""
    at = _step(recipe, step, (Tube, Sphere))
    edit = recipe.edit[at]
    return _put(recipe, at, replace(edit, radii_mm=(radius_mm,)) if isinstance(edit, Tube) else replace(edit, radius_mm=radius_mm))


def with_level(recipe: Recipe, step: int | None, hu: float) -> Recipe:
    """A threshold at another HU."""
    at = _step(recipe, step, (Threshold,))
    return _put(recipe, at, replace(recipe.edit[at], hu=hu))


def moved(recipe: Recipe, step: int | None, number: int, to_mm: Vec3) -> Recipe:
    """Point `number` (from 1 on) of a tube elsewhere; of a sphere its centre is point 1, of a threshold its seeds."""
    at = _step(recipe, step, (Tube, Sphere, Threshold))
    edit = recipe.edit[at]
    if isinstance(edit, Sphere):
        _refuse_number(number, 1, edit)
        return _put(recipe, at, replace(edit, centre_mm=to_mm))
    points = edit.points_mm if isinstance(edit, Tube) else edit.seeds_mm if isinstance(edit, Threshold) else ()
    _refuse_number(number, len(points), edit)
    points = (*points[: number - 1], to_mm, *points[number:])
    return _put(recipe, at, replace(edit, points_mm=points) if isinstance(edit, Tube) else replace(edit, seeds_mm=points))


def inserted(recipe: Recipe, step: int | None, number: int, at_mm: Vec3) -> Recipe:
    """One more point of a tube's centre line, or seed of a threshold, which becomes number `number`.

    Where each point has its own radius, its own is the mean of its neighbours'.
    """
    at = _step(recipe, step, (Tube, Threshold))
    edit = recipe.edit[at]
    points = edit.points_mm if isinstance(edit, Tube) else edit.seeds_mm if isinstance(edit, Threshold) else ()
    _refuse_number(number, len(points) + 1, edit)
    more = (*points[: number - 1], at_mm, *points[number - 1 :])
    if not isinstance(edit, Tube):
        return _put(recipe, at, replace(edit, seeds_mm=more))
    radii = edit.radii_mm
    if len(radii) > 1:
        beside = radii[max(number - 2, 0) : number]
        radii = (*radii[: number - 1], sum(beside) / len(beside), *radii[number - 1 :])
    return _put(recipe, at, replace(edit, points_mm=more, radii_mm=radii))


def without_point(recipe: Recipe, step: int | None, number: int) -> Recipe:
    """One point of a tube's centre line, or seed of a threshold, less."""
    at = _step(recipe, step, (Tube, Threshold))
    edit = recipe.edit[at]
    points = edit.points_mm if isinstance(edit, Tube) else edit.seeds_mm if isinstance(edit, Threshold) else ()
    _refuse_number(number, len(points), edit)
    fewer = (*points[: number - 1], *points[number:])
    if not isinstance(edit, Tube):
        return _put(recipe, at, replace(edit, seeds_mm=fewer))
    radii = edit.radii_mm if len(edit.radii_mm) == 1 else (*edit.radii_mm[: number - 1], *edit.radii_mm[number:])
    return _put(recipe, at, replace(edit, points_mm=fewer, radii_mm=radii))


def _put(recipe: Recipe, at: int, edit: Edit) -> Recipe:
    return replace(recipe, edit=(*recipe.edit[:at], edit, *recipe.edit[at + 1 :]))


def _step(recipe: Recipe, step: int | None, kinds: Sequence[type]) -> int:
    """The index of the step that is meant: the one named, else the only one of the right kind."""
    steps = "; ".join(told(edit, n) for n, edit in enumerate(recipe.edit, 1))
    if step is None:
        fitting = [n for n, edit in enumerate(recipe.edit) if isinstance(edit, tuple(kinds))]
        if len(fitting) != 1:
            raise InputRefused(f"{'no' if not fitting else 'more than one'} step of it can be changed so", f"name one with --step: {steps}")
        return fitting[0]
    if not 1 <= step <= len(recipe.edit) or not isinstance(recipe.edit[step - 1], tuple(kinds)):
        raise InputRefused(f"step {step} cannot be changed so", f"its steps: {steps}")
    return step - 1


def _refuse_number(number: int, most: int, edit: Edit) -> None:
    if not 1 <= number <= most:
        raise InputRefused(f"there is no point {number} in it: {told(edit)}", f"points count from 1 to {most}" if most else "it has none")
