"""Bone that is drilled away: a narrow band of signed distances in bricks, cut by a swept burr, and the surface of what is left.

`bricks` says how it lies in memory, `fill` makes it from a surface, `cut` takes from it, `sheet` and `branch` keep surface and tree up to date.
"""
