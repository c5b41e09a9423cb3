"""The fold: pose chain, proximity, levels, alerts, technical alarms, setup."""

from navtwin.twin.memory import Memory, new_memory
from navtwin.twin.step import say, step

__all__ = ["Memory", "new_memory", "say", "step"]
