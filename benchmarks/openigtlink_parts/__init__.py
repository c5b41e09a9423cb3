"""The parts of `openigtlink.py`."""
