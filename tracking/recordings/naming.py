"""Bodies of a recording under the names that the rig has for them."""

from __future__ import annotations

from collections.abc import Iterable

from navtwin.nouns import Rig


def as_in_rig(bodies: Iterable[str], rig: Rig | None) -> list[str]:
    """The names, with those that differ from a body of the rig in case only spelt as in the rig. Each name of the rig is given once."""
    bodies = list(bodies)
    known = {body.name for body in rig.body} if rig is not None else set[str]()
    taken = known & set(bodies)
    found = []
    for body in bodies:
        alike = sorted(name for name in known - taken if name.lower() == body.lower())
        found.append(body if body in known or not alike else alike[0])
        taken.add(found[-1])
    return found
