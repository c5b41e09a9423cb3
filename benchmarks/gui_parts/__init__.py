"""What the benchmarks of the desktop share."""
