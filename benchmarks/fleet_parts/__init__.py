"""Parts of the fleet and replay benchmarks."""
