"""The scripts by name: each performed on a case, as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from navtwin.nouns import Rig, SourceItem
from phantoms.drilling.lamina import lamina
from phantoms.drilling.mastoid import mastoid
from phantoms.drilling.performance import perform_drilling
from phantoms.drilling.site import Site
from phantoms.performance import perform
from phantoms.rehearsal import items_of, stream_name

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

SITES: Mapping[str, Callable[[], Site]] = {"mastoid": mastoid, "lamina": lamina}


def perform_script(script: str, scene: Scene, rig: Rig, seed: int) -> tuple[Iterator[SourceItem], float]:
    """Perform `pedicle`, `mastoid` or `lamina` on a case.

    Returns
    -------
    items : in order of arrival; the script's clock starts at 0, and each frame is followed by its truth
    navigation_s : when navigation begins, on that clock

    Raises
    ------
    InputRefused : the case or the rig lacks what the script needs
    """
    name = stream_name(seed, script)
    if script in SITES:
        drilled = perform_drilling(scene, rig, SITES[script](), seed)
        return drilled.items(name), drilled.played.script.navigation_s
    performance = perform(scene, rig, seed)
    return items_of(performance, name), performance.script.navigation_s
