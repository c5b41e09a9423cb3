"""Where in a session the playhead stands, and how it moves. No Qt: whoever turns it passes the time."""

from __future__ import annotations

from typing import Final

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


class Player:
    """A playhead.

    Attributes
    ----------
    at_ns : where it stands, 0 to `end_ns`
    speed : times the pace of the session
    """

    def __init__(self, end_ns: int, at_ns: int = 0) -> None:
        self.end_ns, self.at_ns, self.speed = end_ns, at_ns, 1.0
        self._turned_ns: int | None = None

    @property
    def playing(self) -> bool:
        return self._turned_ns is not None

    def play(self, now_ns: int) -> None:
        """Go on from here; from the beginning where the end was reached."""
        if self.at_ns >= self.end_ns:
            self.at_ns = 0
        self._turned_ns = now_ns

    def pause(self) -> None:
        self._turned_ns = None

    def seek(self, t_ns: int) -> None:
        """Stand at `t_ns`, or at the nearer end."""
        self.at_ns = min(max(0, t_ns), self.end_ns)

    def turn(self, now_ns: int) -> None:
        """Move as far as time has passed since the last turn; stop at the end."""
        if self._turned_ns is None:
            return
        moved_ns, self._turned_ns = round((now_ns - self._turned_ns) * self.speed), now_ns
        self.seek(self.at_ns + moved_ns)
        if self.at_ns >= self.end_ns:
            self.pause()

    def change_speed(self, step: int) -> None:
        """One step faster (1) or slower (-1)."""
        self.speed = SPEEDS[min(max(0, SPEEDS.index(self.speed) + step), len(SPEEDS) - 1)]
