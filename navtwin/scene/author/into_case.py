"""Structures that were made by hand, in their case: put in, changed, taken out, listed. All of it or nothing, checked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Role
from navtwin.scene.amend import Draft, amended
from navtwin.scene.author.build import Made, build
from navtwin.scene.author.recipe import Edit, Recipe, Threshold, read_recipe, recipe_text
from navtwin.scene.author.telling import told
from navtwin.scene.build import ASSUMED_SD_MM, COLORS, Report, Wanted, structure_entry
from navtwin.scene.case import CaseFile, StructureEntry, load_scene, read_case_file, scanned_box
from navtwin.volumes.read import read_ct
from navtwin.volumes.volume import Volume, VolumeBox

#: A recipe up to so many characters is said in full when its structure is taken out.
_SAID = 4000


@dataclass(frozen=True)
class Declared:
    """What is declared of a structure, not drawn.

    Attributes
    ----------
    sd_mm : how far its surface may be off, one standard deviation; None where nobody says: refused for a critical one, else assumed
    color : `#rrggbb`; "" for the usual one of its role
    """

    name: str
    role: Role = "context"
    caution_mm: float | None = None
    danger_mm: float | None = None
    sd_mm: float | None = None
    color: str = ""
    opacity: float = 1.0


@dataclass(frozen=True)
class Altered:
    """What is declared anew; None for what stays."""

    name: str | None = None
    role: Role | None = None
    caution_mm: float | None = None
    danger_mm: float | None = None
    sd_mm: float | None = None
    color: str | None = None
    opacity: float | None = None


@dataclass(frozen=True)
class Listed:
    """A structure of a case as `navtwin structure list` tells it.

    Attributes
    ----------
    recipe : of one made by hand; None of any other
    steps : how it was made, each in a few words
    """

    name: str
    role: Role
    volume_mm3: float
    sd_mm: float
    caution_mm: float | None
    danger_mm: float | None
    recipe: Recipe | None
    steps: tuple[str, ...]


def add_made(folder: Path, declared: Declared, edits: tuple[Edit, ...], author: str, day: str, report: Report = lambda text: None) -> tuple[str, ...]:
    """Make a structure and put it into the case at `folder`; sentences on what was done and decided.

    Parameters
    ----------
    author, day : who makes it, and when (YYYY-MM-DD)

    Raises
    ------
    InputRefused : no case there; limits that do not fit; a critical one whose error nobody declares; whatever `build` refuses
    """
    if declared.role == "critical" and declared.sd_mm is None:
        raise _undeclared(declared.name)
    assumed = declared.sd_mm is None
    sd_mm = ASSUMED_SD_MM if declared.sd_mm is None else declared.sd_mm
    recipe = Recipe(author, day, sd_mm, edits)
    level = edits[0].hu if len(edits) == 1 and isinstance(edits[0], Threshold) else None
    wanted = Wanted(
        declared.name, declared.role, (), declared.caution_mm, declared.danger_mm, sd_mm, declared.color, declared.opacity, threshold_hu=level
    )  # fmt: skip
    refuse_limits(declared.name, declared.role, declared.caution_mm, declared.danger_mm)
    with amended(folder) as draft:
        made = _build(draft, recipe, report)
        draft.add_structure(structure_entry(wanted, capped=made.capped), made.surface, recipe_text(recipe))
    guess = f"nobody declared its error: one standard deviation of {sd_mm:g} mm is assumed"
    return (f"'{declared.name}' ({declared.role}) made: {_size(made)}", *_said(recipe, made), *([guess] if assumed else []))


def change_made(
    folder: Path, name: str, change: Callable[[Recipe], Recipe] | None, altered: Altered, author: str, day: str, report: Report = lambda text: None
) -> tuple[str, ...]:
    """Change a structure: how it is made, what is declared of it, or both; sentences say what it was and what it is.

    Parameters
    ----------
    change : makes a new recipe from the old one; None where only what is declared changes, which goes for any structure

    Raises
    ------
    InputRefused : as `add_made`; no such structure; one that was not made by hand and whose shape is to change; nothing to change
    """
    with amended(folder) as draft:
        old = entry_of(draft.case, name)
        entry = _redeclared(old, altered)
        if not old.made:
            if change is not None:
                raise InputRefused(
                    f"'{name}' was not made by hand, so its shape cannot be changed here", "make it anew, or mend it where it was made"
                )
            _refuse_same(old, entry, name)
            draft.replace_structure(name, entry)
            return tuple(_differences(old, entry))
        before = read_recipe(draft.folder / old.made)
        after = msgspec.structs.replace(change(before) if change else before, sd_mm=entry.sd_mm)
        if after == before:
            _refuse_same(old, entry, name)
            draft.replace_structure(name, entry)
            return tuple(_differences(old, entry))
        after = msgspec.structs.replace(after, changed_by=author, changed=day)
        made = _build(draft, after, report)
        level = after.edit[0].hu if len(after.edit) == 1 and isinstance(after.edit[0], Threshold) else None
        entry = msgspec.structs.replace(entry, capped=made.capped, threshold_hu=level)
        draft.replace_structure(name, entry, made.surface, recipe_text(after))
    changed = [f"was {told(one, n)}" for n, one in enumerate(before.edit, 1) if one not in after.edit]
    changed += [f"is {told(one, n)}" for n, one in enumerate(after.edit, 1) if one not in before.edit]
    return (*_differences(old, entry), *changed, f"'{entry.name}' built anew: {_size(made)}", *_said(after, made))


def remove(folder: Path, name: str, keep: Path | None = None) -> tuple[str, ...]:
    """Take a structure out of the case, whatever it was made from; sentences say what went.

    Parameters
    ----------
    keep : a file to write its recipe to; the case keeps no copy
    """
    text = ""
    with amended(folder) as draft:
        entry = entry_of(draft.case, name)
        if entry.made:
            text = (draft.folder / entry.made).read_text(encoding="utf-8")
        if keep is not None:
            if not text:
                raise InputRefused(f"'{name}' was not made by hand and has no recipe", "leave out --keep")
            _keep(keep, text)
        draft.remove_structure(name)
    left = [one.name for one in read_case_file(folder).structure if one.role == "critical"]
    said = [f"'{name}' ({entry.role}) is out of the case"]
    if text and keep is None:
        said.append(f"its recipe was:\n{text}" if len(text) <= _SAID else "its recipe was too long to say here, and is gone")
    if keep is not None:
        said.append(f"its recipe is kept in {keep}")
    return (*said, *(["no structure is critical any more: nothing is being watched"] if not left and entry.role == "critical" else []))


def list_structures(folder: Path) -> tuple[Listed, ...]:
    """All structures of a case, in its order.

    Raises
    ------
    InputRefused : as `load_scene`; a recipe that cannot be read
    """
    scene, case = load_scene(folder), read_case_file(folder)
    found = []
    for one, entry in zip(scene.structures, case.structure, strict=True):
        recipe = read_recipe(folder / entry.made) if entry.made else None
        steps = tuple(told(edit, n) for n, edit in enumerate(recipe.edit, 1)) if recipe else ()
        found.append(Listed(one.name, one.role, one.surface.volume_mm3, one.sd_mm, one.caution_mm, one.danger_mm, recipe, steps))
    return tuple(found)


def entry_of(case: CaseFile, name: str) -> StructureEntry:
    """The entry called `name`; InputRefused names the nearest one otherwise."""
    for entry in case.structure:
        if entry.name == name:
            return entry
    hint = nearest(name, (entry.name for entry in case.structure)) if case.structure else "it has none at all"
    raise InputRefused(f"the case has no structure '{name}'", hint)


def refuse_limits(name: str, role: Role, caution_mm: float | None, danger_mm: float | None) -> None:
    """Refuse limits that do not fit the role, before anything is built."""
    if role != "critical":
        if caution_mm is not None or danger_mm is not None:
            raise InputRefused(
                f"structure '{name}' is {role} and has limits", "only critical structures have limits: leave them out, or pass --role critical"
            )
    elif caution_mm is None or danger_mm is None:
        raise InputRefused(f"critical structure '{name}' has no limits", "pass --caution and --danger, in mm")
    elif not 0.0 < danger_mm <= caution_mm:
        raise InputRefused(f"structure '{name}': danger {danger_mm:g} mm is not between 0 and caution {caution_mm:g} mm",
                           "caution comes first, farther out; danger lies inside it")  # fmt: skip


def _undeclared(name: str) -> InputRefused:
    return InputRefused(
        f"critical structure '{name}' was made by hand, and nobody declares how far it may be off",
        "pass --sd, one standard deviation in mm: half a voxel at best, more where its edge is not seen",
    )


def _build(draft: Draft, recipe: Recipe, report: Report) -> Made:
    report("building the surface")
    return build(recipe, scanned(draft.home, draft.case, recipe))


def scanned(folder: Path, case: CaseFile, recipe: Recipe) -> Volume | VolumeBox:
    """What a recipe needs of the scan: its voxels for a threshold, else only where it lies."""
    path = folder / case.ct.file
    if case.ct.is_label_volume or not any(isinstance(edit, Threshold) for edit in recipe.edit):
        return scanned_box(folder, case)
    volume = read_ct(path)
    return volume if case.ct.scanned is None else replace(volume, scanned=scanned_box(folder, case))


def _redeclared(old: StructureEntry, altered: Altered) -> StructureEntry:
    role = altered.role or old.role
    caution, danger = altered.caution_mm, altered.danger_mm
    if role == "critical":
        caution, danger = (new if new is not None else was for new, was in ((caution, old.caution_mm), (danger, old.danger_mm)))
        if old.made and old.role != "critical" and altered.sd_mm is None:
            raise _undeclared(old.name)
    name = altered.name or old.name
    refuse_limits(name, role, caution, danger)
    usual = COLORS[role] if old.color == COLORS[old.role] else old.color
    return msgspec.structs.replace(
        old, name=name, role=role, caution_mm=caution, danger_mm=danger, color=altered.color or usual,
        sd_mm=old.sd_mm if altered.sd_mm is None else altered.sd_mm,
        opacity=old.opacity if altered.opacity is None else altered.opacity,
    )  # fmt: skip


def _refuse_same(old: StructureEntry, entry: StructureEntry, name: str) -> None:
    if entry == old:
        raise InputRefused(f"nothing of '{name}' would change", "say what is to change: navtwin structure edit --help")


def _differences(old: StructureEntry, new: StructureEntry) -> Iterator[str]:
    for key in ("name", "role", "caution_mm", "danger_mm", "sd_mm", "color", "opacity"):
        was, is_now = getattr(old, key), getattr(new, key)
        if was != is_now:
            yield f"{key} was {'none' if was is None else was}, is {'none' if is_now is None else is_now}"


def _size(made: Made) -> str:
    return f"{made.surface.volume_mm3 / 1000.0:.3g} ml, {len(made.surface.faces)} triangles"


def _said(recipe: Recipe, made: Made) -> Iterator[str]:
    yield from (told(edit, n) for n, edit in enumerate(recipe.edit, 1))
    yield from made.said
    if made.off_mm is not None and made.volume_error is not None:
        yield f"its surface lies within {made.off_mm:.2g} mm of that shape, its volume within {max(abs(100.0 * made.volume_error), 0.01):.2g} %"
    if made.capped:
        yield "the scan ends inside it: its surface was closed there"


def _keep(path: Path, text: str) -> None:
    from navtwin.files.write import whole_file

    if path.exists():
        raise InputRefused(f"{path} is already there", "name a new file")
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
