"""What `navtwin bench all` does: which benchmarks it runs, how it runs one, and the report of them all."""
