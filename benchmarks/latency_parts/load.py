"""What the twin is loaded with while it is measured, and how that is named: a figure names its load."""

from __future__ import annotations

from dataclasses import dataclass, replace

from navtwin.errors import InputRefused

RATE_HZ, SECONDS = (30.0, 5000.0), (2.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class Load:
    """One load.

    Attributes
    ----------
    structures : 0 for a case as it is; else a made-up one with `instruments` (burr and shaft each) and `triangles` to each structure
    subscribers : clients beside the one that is measured; `stalled` more are stopped and read nothing
    busy : a process for each core that does nothing but burn
    gui : a desktop paints the moving instrument meanwhile
    one_core : the core's process may use one processor alone
    curve, log : encrypted sockets; a log is written
    """

    name: str
    rate_hz: float = 60.0
    seconds: float = 30.0
    instruments: int = 2
    structures: int = 0
    triangles: int = 100_000
    subscribers: int = 0
    stalled: int = 0
    busy: bool = False
    gui: bool = False
    one_core: bool = False
    curve: bool = False
    log: bool = True

    def __post_init__(self) -> None:
        _within("--rate", self.rate_hz, *RATE_HZ)
        _within("--seconds", self.seconds, *SECONDS)
        _within("--instruments", self.instruments, 1, 8)
        _within("--structures", self.structures, 0, 60)
        _within("--triangles", self.triangles, 100, 2_000_000)
        _within("--subscribers", self.subscribers, 0, 50)
        _within("--stalled", self.stalled, 0, 50)

    def at(self, rate_hz: float, seconds: float) -> Load:
        """The same load at another rate."""
        return replace(self, rate_hz=rate_hz, seconds=seconds)

    @property
    def words(self) -> str:
        """All of it in a line."""
        words = [f"{self.rate_hz:g} Hz", f"{self.seconds:g} s", "CURVE" if self.curve else "plain"]
        if self.structures:
            words.append(f"{self.instruments} instruments (burr, shaft) x {self.structures} structures x {self.triangles} triangles")
        else:
            words.append("the case as it is")
        words += [f"{self.subscribers} subscribers"] if self.subscribers else []
        words += [f"{self.stalled} stalled"] if self.stalled else []
        words += [word for word, on in (("a desktop", self.gui), ("every core busy", self.busy), ("one core", self.one_core)) if on]
        words.append("recorded" if self.log else "not recorded")
        return ", ".join(words)


def _within(flag: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InputRefused(f"{flag} {value:g} is not {least:g} to {most:g}", f"pass a number of {least:g} to {most:g}")


def _full(name: str, **more: object) -> Load:
    return Load(name, rate_hz=400.0, seconds=30.0, instruments=3, structures=15, **more)  # type: ignore[arg-type]


#: The loads that figures are claimed for. `--seconds` makes each as long as the claim asks.
LOADS = {
    load.name: load
    for load in (
        Load("plain"),
        Load("curve", curve=True),
        _full("full"),
        _full("crowd", subscribers=9, stalled=1, gui=True),
        Load("busy", busy=True),
        Load("rate", rate_hz=1000.0, seconds=60.0, instruments=1, structures=8, one_core=True),
    )
}
