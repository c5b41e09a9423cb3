"""Cameras, marker bodies and latency measured, judged and written down."""
