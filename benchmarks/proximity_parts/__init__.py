"""What `benchmarks/proximity.py` is put together from: anatomy, queries, contestants, the referee of their answers, rows and tables."""
