"""Results of benchmarks: what every one of them writes, how it is held against a budget and against an earlier run, and the pages made of it."""

from results.files import load, save

__all__ = ["load", "save"]
