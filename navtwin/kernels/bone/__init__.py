"""Bone that is drilled away: a narrow band of signed distances in bricks, cut by a swept burr, and the surface of what is left.

`bricks` says how it lies in memory, `fill` makes it from a surface, `cut` takes from it what a cutter of some `profile` passes through. `journal`
keeps what was there before, `fingerprint` names the whole by a hash, `doubt` says where what is shown may be gone, `way` how much bone is on a way.
`sheet` and `branch` lay surface and tree, `growth` keeps them up to date.
"""
