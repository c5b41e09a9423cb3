"""Write what was changed in a case's facts: how structures are shown and watched, its landmarks and plans, and what is known of the patient."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from msgspec.structs import replace

from navtwin.errors import InputRefused
from navtwin.scene.amend import Draft, amended
from navtwin.scene.author.into_case import refuse_limits
from navtwin.scene.author.recipe import read_recipe, recipe_text
from navtwin.scene.case import CaseFile, StructureEntry
from navtwin.scene.surface import Surface


def write_facts(folder: Path, before: CaseFile, after: CaseFile, author: str, day: str, declared: Collection[str] = ()) -> None:
    """Make a case say what `after` says of its structures, landmarks, plans and patient; shapes and all other files stay.

    Parameters
    ----------
    before : what case.toml said when the changes were begun
    author, day : who changes it, and when (YYYY-MM-DD): kept with the recipe of a structure made by hand whose declared error changes
    declared : names of structures whose error the author has declared now

    Raises
    ------
    InputRefused : the case was changed meanwhile; limits that do not fit; a structure made by hand becomes critical and nobody declares its error;
        whatever `amended` refuses. The case is then as it was.
    """
    with amended(folder) as draft:
        if draft.case != before:
            raise InputRefused(f"{folder} was changed meanwhile by somebody else", "take the changes back, open the case again, and make them anew")
        for old, new in zip(before.structure, after.structure, strict=True):
            if new != old:
                _put(draft, old, new, author, day, declared)
        draft.case = replace(draft.case, landmark=after.landmark, plan=after.plan, patient=after.patient)


def _put(draft: Draft, old: StructureEntry, new: StructureEntry, author: str, day: str, declared: Collection[str]) -> None:
    refuse_limits(new.name, new.role, new.caution_mm, new.danger_mm)
    if not old.made:
        draft.replace_structure(old.name, new)
        return
    if new.role == "critical" and old.role != "critical" and old.name not in declared:
        raise InputRefused(
            f"'{old.name}' was made by hand and is to be critical, and nobody declares how far it may be off",
            "state its standard deviation in mm: half a voxel at best, more where its edge is not seen",
        )
    recipe = read_recipe(draft.folder / old.made)
    if new.sd_mm == recipe.sd_mm:
        draft.replace_structure(old.name, new)
        return
    # The same shape under another error: the recipe says who holds it to be that good now.
    changed = recipe_text(replace(recipe, sd_mm=new.sd_mm, changed_by=author, changed=day))
    draft.replace_structure(old.name, new, Surface.read(draft.folder / old.file), changed)
