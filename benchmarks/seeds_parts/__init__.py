"""What the benchmark over many seeds is made of."""
