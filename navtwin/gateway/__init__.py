"""The twin for programs that speak OpenIGTLink (3D Slicer, PLUS): a client of the bus that serves poses, distances and alerts, and takes commands."""
