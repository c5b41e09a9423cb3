"""The stretch of time that timeline and plot both show. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field

#: No closer than this, ns: a frame every 16 ms can then be told from the next.
LEAST_NS = 200_000_000
_STEPS_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_LEAST_TICK_PX = 90.0


@dataclass
class Axis:
    """From `start_ns` to `end_ns`, drawn between `left_px` and `right_px`; never beyond [`first_ns`, `last_ns`]."""

    first_ns: int
    last_ns: int
    start_ns: int = 0
    end_ns: int = 0
    left_px: float = field(default=0.0)
    right_px: float = field(default=100.0)

    def __post_init__(self) -> None:
        self.last_ns = max(self.last_ns, self.first_ns + LEAST_NS)
        self.show(self.start_ns, self.end_ns or self.last_ns)

    def show(self, start_ns: int, end_ns: int) -> None:
        """Show this stretch, or the nearest one that there is."""
        width = min(max(end_ns - start_ns, LEAST_NS), self.last_ns - self.first_ns)
        self.start_ns = min(max(start_ns, self.first_ns), self.last_ns - width)
        self.end_ns = self.start_ns + width

    def zoom(self, factor: float, x_px: float) -> None:
        """Show `factor` times as much, with what is at `x_px` kept there."""
        middle = self.time(x_px)
        width = min(max((self.end_ns - self.start_ns) * factor, LEAST_NS), self.last_ns - self.first_ns)
        share = (middle - self.start_ns) / (self.end_ns - self.start_ns)
        self.show(round(middle - share * width), round(middle + (1.0 - share) * width))

    def follow(self, t_ns: int) -> None:
        """Turn the page where `t_ns` has left what is shown."""
        width = self.end_ns - self.start_ns
        if t_ns < self.start_ns or t_ns > self.end_ns:
            self.show(t_ns - width // 10, t_ns + 9 * width // 10)

    def x(self, t_ns: int) -> float:
        """Where a time is drawn, px; it may lie beyond the edges."""
        return self.left_px + (t_ns - self.start_ns) / (self.end_ns - self.start_ns) * (self.right_px - self.left_px)

    def time(self, x_px: float) -> int:
        """The time at a place, no further than the edges."""
        share = (min(max(x_px, self.left_px), self.right_px) - self.left_px) / max(1.0, self.right_px - self.left_px)
        return round(self.start_ns + share * (self.end_ns - self.start_ns))

    def ticks(self, scale: float = 1.0) -> list[tuple[int, str]]:
        """Round times, as far apart as their labels need."""
        per_px = (self.end_ns - self.start_ns) / max(1.0, self.right_px - self.left_px)
        step_ns = next((round(s * 1e9) for s in _STEPS_S if s * 1e9 >= _LEAST_TICK_PX * scale * per_px), round(_STEPS_S[-1] * 1e9))
        first = -(-self.start_ns // step_ns)
        return [(n * step_ns, time_words(n * step_ns, step_ns)) for n in range(first, self.end_ns // step_ns + 1)]


def time_words(t_ns: int, step_ns: int = 100_000_000) -> str:
    """`1:23.4`, with as many decimals as steps of `step_ns` need; hours where there are any."""
    decimals = 0 if step_ns >= 1_000_000_000 else 1 if step_ns >= 100_000_000 else 2
    units = t_ns // 10 ** (9 - decimals)
    seconds, rest = divmod(units, 10**decimals)
    tail = f".{rest:0{decimals}d}" if decimals else ""
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}{tail}" if hours else f"{minutes}:{seconds % 60:02d}{tail}"
