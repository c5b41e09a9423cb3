"""Slices through the scan: cut in a thread, painted, marked."""
