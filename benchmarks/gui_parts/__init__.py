"""What the benchmarks of the desktop share."""

#: What the witness in the window's process says at the first picture of a state.
READY = "witness: ready"
