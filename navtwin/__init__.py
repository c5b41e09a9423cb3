"""navtwin: a surgical-navigation digital twin with real-time two-way feedback."""

__version__ = "0.1.0"
