"""What the window asks of each of its places."""

from __future__ import annotations

from typing import Protocol

from gui.link.board import Moment


class Place(Protocol):
    """A QWidget made from a `Desk` when it is first entered.

    A place asks for nothing on the bus by itself: what it does is asked for by a person. It says errors where they arose, in words, with the remedy.
    """

    @property
    def unsaved(self) -> str:
        """What would be lost if the window closed now, in words; "" for nothing."""

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        """Show this moment: called 30 times a second and at each news, while the place is in front."""

    def set_scale(self, scale: float) -> None:
        """Draw everything that much larger than designed. Also called when the theme has changed."""

    def entered(self) -> None:
        """It has come to the front."""

    def left(self) -> None:
        """It is no longer in front: nothing it shows needs to be kept up."""

    def release(self) -> None:
        """The window closes: give threads, processes and graphics back."""
