"""The parts of `detection.py`."""
