"""Whose pose a transform is: `<Body>ToTracker`, under the name that the rig has for the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from navtwin.igtl.header import DEVICE_BYTES
from navtwin.nouns import Rig
from navtwin.record.igsio import SPLIT

#: The metadata key under which PLUS gives the full name of a transform whose device name was cut.
FULL_NAME: Final = "IGTL_DEVICE_NAME"
_MOST_TOLD: Final = 32


class Names:
    """Maps transforms to the rig's bodies, and remembers in words what could not be mapped.

    Parameters
    ----------
    tracker : what the sender calls the tracker's frame
    plain : whether a name without `To` is a body's, in tracker axes; the protocol does not say, so the user must

    Attributes
    ----------
    remarks : each strange name once, with what is wrong with it
    """

    def __init__(self, rig: Rig, tracker: str, *, plain: bool) -> None:
        self.remarks: list[str] = []
        self._bodies = {body.name for body in rig.body}
        self._tracker, self._plain = tracker, plain
        self._known: dict[str, str | None] = {}

    def body(self, name: str, metadata: Mapping[str, str]) -> str | None:
        """The body of a TRANSFORM or POSITION with this device name; None where there is none."""
        return self._look_up(metadata.get(FULL_NAME, name), whole=FULL_NAME in metadata or len(name) < DEVICE_BYTES)

    def full_tool_name(self, name: str, metadata: Mapping[str, str]) -> str:
        """The name of a TDATA's tool: PLUS cuts it too, but not in the key of the tool's status."""
        if len(name) < DEVICE_BYTES:
            return name
        whole = [key.removesuffix("Status") for key in metadata if key.startswith(name) and key.endswith("Status")]
        return whole[0] if len(whole) == 1 else name

    def tool(self, name: str, metadata: Mapping[str, str]) -> str | None:
        """The body of a tool of a TDATA, by its full name."""
        return self._look_up(name, whole=len(name) < DEVICE_BYTES or f"{name}Status" in metadata)

    def _look_up(self, name: str, *, whole: bool) -> str | None:
        key = name if whole else f"{name}\0"
        if key not in self._known:
            if len(self._known) > 1000:
                # A sender that invents names: forget them all rather than grow.
                self._known.clear()
            body, fault = self._judge(name, whole=whole)
            self._known[key] = body
            if fault and len(self.remarks) < _MOST_TOLD:
                self.remarks.append(f"ignored: '{name}', {fault}")
        return self._known[key]

    def _judge(self, name: str, *, whole: bool) -> tuple[str | None, str]:
        if not name.isprintable() or len(name) > 200:
            return None, "no printable name"
        split = list(SPLIT.finditer(name))
        if not split:
            if not self._plain:
                return None, f"which does not say in which axes it is: name it <Body>To{self._tracker}, or pass plain=1 if it is in the tracker's"
            origin = name
        elif len(split) > 1:
            return None, "in which 'To' stands more than once"
        elif not whole:
            return None, "which is cut to 20 characters: send version 2 with metadata, or use shorter names"
        elif name[split[0].end() :] != self._tracker:
            return None, f"which is no pose in the tracker's axes (To{self._tracker}; another name is declared with tracker=NAME)"
        else:
            origin = name[: split[0].start()]
        alike = [body for body in self._bodies if body.lower() == origin.lower()]
        body = origin if origin in self._bodies else alike[0] if len(alike) == 1 else None
        return body, "" if body else f"for the rig has no body '{origin}' (it has {', '.join(sorted(self._bodies))})"
