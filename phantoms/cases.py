"""The demonstration's patients as ready cases with the demonstration rig, each made once and kept in the user's cache."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from navtwin.scene.build import RECIPE_VERSION, cache_key, is_sound
from navtwin.scene.data import cache_folder, get_thorax
from phantoms.drilling.rig import drilling_rig
from phantoms.rig import RIG_FILE, write_rig


def thorax_patient(console: Console) -> Path:
    """The real patient's case: the CT is fetched if it is not there yet.

    Raises
    ------
    DataUnavailable : the CT is not there and cannot be fetched
    """
    from navtwin.scene.thorax import RECIPE, build_thorax_case

    data = get_thorax()
    return _kept("thorax", cache_key(RECIPE), lambda folder: build_thorax_case(folder, data, _say(console)), console)


def phantom_patient(console: Console) -> Path:
    """The built-in procedural patient's case; needs nothing but the program."""
    from phantoms.patient_case import phantom_case

    return _kept("phantom", cache_key(RECIPE_VERSION), phantom_case, console)


def temporal_bone_patient(console: Console) -> Path:
    """The built-in temporal bone's case, with the rig that drills it."""
    from phantoms.drilling.temporal_bone_case import recipe_key, temporal_bone_case

    return _kept("temporal-bone", recipe_key(), lambda folder: temporal_bone_case(folder, _say(console)), console)


def laminectomy_patient(console: Console) -> Path:
    """The built-in patient's case with the rig whose drill takes bone away."""
    from phantoms.patient_case import phantom_case

    def make(folder: Path) -> None:
        phantom_case(folder)
        write_rig(folder, drilling_rig())

    return _kept("laminectomy", cache_key(RECIPE_VERSION), make, console)


def _say(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(f"[dim]building the case: {text}[/]", highlight=False)


def _kept(name: str, key: str, make: Callable[[Path], None], console: Console) -> Path:
    """The case folder of this name and recipe, made if it is missing or no longer sound."""
    folder = cache_folder("demo") / f"{name}-{key[:12]}"
    if not is_sound(folder):
        shutil.rmtree(folder, ignore_errors=True)
        console.print(f"building the {name} case (once)")
        make(folder)
    if not (folder / RIG_FILE).is_file():
        write_rig(folder)
    return folder
