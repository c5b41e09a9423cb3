"""Recorded poses as a source."""
