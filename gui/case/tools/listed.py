"""The structures of the open case as the tools list them: read from what is loaded, so that nothing is loaded twice."""

from __future__ import annotations

from pathlib import Path

from navtwin.scene.author.into_case import Listed
from navtwin.scene.author.recipe import read_recipe
from navtwin.scene.author.telling import told
from navtwin.scene.case import read_case_file
from navtwin.scene.model import Scene


def listed_of(scene: Scene, folder: Path) -> tuple[Listed, ...]:
    """All structures in the case's order, those made by hand with their recipes.

    Raises
    ------
    InputRefused : case.toml or a recipe cannot be read
    """
    made = {entry.name: entry.made for entry in read_case_file(folder).structure}
    found = []
    for one in scene.structures:
        recipe = read_recipe(folder / made[one.name]) if made.get(one.name) else None
        steps = tuple(told(edit, n) for n, edit in enumerate(recipe.edit, 1)) if recipe is not None else ()
        volume_mm3 = one.surface.volume_mm3 if recipe is not None else 0.0
        found.append(Listed(one.name, one.role, volume_mm3, one.sd_mm, one.caution_mm, one.danger_mm, recipe, steps))
    return tuple(found)
