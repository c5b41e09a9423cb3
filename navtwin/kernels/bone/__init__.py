"""Bone that is drilled away: a narrow band of signed distances in bricks, cut by a swept burr, and the surface of what is left.

`bricks` says how it lies in memory, `fill` makes it from a surface, `cut` takes from it; `sheet` lays the surface of a brick, `branch` its part of
the tree, and `growth` keeps all of it up to date.
"""
