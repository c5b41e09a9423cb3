"""What one part of a benchmark found: a benchmark of several parts puts them together in one result."""

from __future__ import annotations

from dataclasses import dataclass, field

from results.model import Distribution, Figure, Table


@dataclass
class Part:
    """Figures named so that no other part has the same, and what goes with them."""

    figures: list[Figure] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def __add__(self, other: Part) -> Part:
        return Part(self.figures + other.figures, self.distributions + other.distributions, self.tables + other.tables)
