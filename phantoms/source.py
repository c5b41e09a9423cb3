"""The source `phantom:NAME[:SEED]`: a scripted rehearsal of the case at hand, made on the fly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Rig, SourceEnded, SourceItem

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

#: The scripts there are. `pedicle`: pedicle screws left and right, with every warning provoked. `mastoid`: a mastoidectomy on the built-in temporal
#: bone. `lamina`: half an arch drilled away on the built-in spine.
SCRIPTS = ("pedicle", "mastoid", "lamina")
DEFAULT_SEED = 1


class PhantomSource:
    """A scripted stream. It is not live: items carry the script's own clock, from 0 on, and the loop paces them."""

    live = False

    def __init__(self, name: str, items: Iterator[SourceItem], setup_ns: int) -> None:
        self.name = name
        self.setup_ns = setup_ns
        self._items = items

    def read(self, timeout_s: float) -> SourceItem | None:
        """The next item, at once; raises SourceEnded behind the last."""
        item = next(self._items, None)
        if item is None:
            raise SourceEnded(self.name)
        return item

    def close(self) -> None:
        """Forget the rest; reading on raises SourceEnded."""
        self._items = iter(())


def open_source(address: str, case: Scene, rig: Rig) -> PhantomSource:
    """Open `pedicle`, `mastoid` or `lamina`, or one with `:SEED` behind it (with or without `phantom:` before it).

    Raises
    ------
    InputRefused : an unknown script, a seed that is no whole number >= 0, or a case or rig that the script cannot use
    """
    from phantoms.rehearsal import stream_name
    from phantoms.scripts import perform_script

    script, _, seed_text = address.removeprefix("phantom:").partition(":")
    if script not in SCRIPTS:
        raise InputRefused(f"there is no phantom '{script}'", nearest(script, SCRIPTS))
    if seed_text and not (seed_text.isascii() and seed_text.isdigit()):
        raise InputRefused(f"'{seed_text}' is no seed", f"write phantom:{script}:SEED with a whole number, or leave it out")
    seed = int(seed_text) if seed_text else DEFAULT_SEED
    items, navigation_s = perform_script(script, case, rig, seed)
    return PhantomSource(stream_name(seed, script), items, int(navigation_s * 1e9))
