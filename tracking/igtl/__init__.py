"""OpenIGTLink as a source of poses: a client of PLUS, 3D Slicer and whatever else speaks it, or a port that they connect to."""
