"""Bone that is drilled away, with known answers: a temporal bone made of shapes, drilling scripts, and the exact carve that they truly make."""
