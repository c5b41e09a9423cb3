"""What a run of the accuracy benchmark is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.results.model import Distribution, Figure, Table

#: What each part of the benchmark hands in.
Rows = tuple[tuple[Figure, ...], tuple[Table, ...], tuple[Distribution, ...]]


@dataclass(frozen=True)
class Settings:
    """How much is tried, on what.

    Attributes
    ----------
    registrations : seeded registrations of each kind
    pivots : seeded pivot calibrations of each kind
    seeds, first : rehearsals of the whole chain, and the first one's seed
    case : folder of the case that they are rehearsed on, with its rig.toml; the demo's if None
    jobs : processes
    quiet : no progress bars
    """

    registrations: int = 1000
    pivots: int = 500
    seeds: int = 20
    first: int = 1
    case: Path | None = None
    jobs: int = 2
    quiet: bool = False
