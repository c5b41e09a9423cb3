"""The parts of `poses.py`."""
