"""How often the registration was verified in a session, and the longest stretch in which nobody did."""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.nouns import AlertSet


@dataclass
class VerifiedNotes:
    """Gathered from the alert sets of the navigation phase: when a registration came into use, and when a check found it good.

    Attributes
    ----------
    at_ns : the instants from which its age counts: acceptances and good checks, in the order of the session
    checks : how many of them were checks
    """

    at_ns: list[int]
    checks: int = 0
    _known: tuple[int | None, int | None] = (None, None)

    def take(self, published: AlertSet) -> None:
        """One alert set."""
        now = (published.health.registered_ns, published.health.verified_ns)
        if now == self._known:
            return
        registered, verified = now
        if registered is not None and registered != self._known[0]:
            self.at_ns.append(registered)
        if verified is not None and verified != self._known[1]:
            self.at_ns.append(verified)
            self.checks += 1
        self._known = now

    def figures(self, end_ns: int) -> Verification | None:
        """What it comes to at the end of the session; None where the log does not tell of it."""
        if not self.at_ns:
            return None
        gaps = [later - earlier for earlier, later in zip(self.at_ns, [*self.at_ns[1:], end_ns], strict=True)]
        return Verification(self.checks, max(gaps) * 1e-9, (end_ns - self.at_ns[-1]) * 1e-9)


@dataclass(frozen=True)
class Verification:
    """Good checks of the registration by a touch of a landmark.

    Attributes
    ----------
    checks : how many there were
    longest_s : longest time without one, or without a new registration
    last_s : how long before the end the last of these was
    """

    checks: int
    longest_s: float
    last_s: float

    def in_words(self) -> str:
        """One line."""
        if not self.checks:
            return f"not verified: no landmark was touched as a check in {_duration(self.longest_s)}"
        times = "once" if self.checks == 1 else f"{self.checks} times"
        return f"verified {times} by touch, the last {_duration(self.last_s)} before the end; longest without: {_duration(self.longest_s)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120.0 else f"{int(seconds // 60)} min"
