"""The place of the case: its scan in slices and in 3D, its structures, plans and facts, and how they are changed on purpose."""
