"""Structures made by hand in the window: bone, tubes, spheres and painted slices."""
