"""The parts of `benchmarks/recorded.py`."""
