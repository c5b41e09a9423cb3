"""Structures made by hand from a scan that has no labels: recipes that stay with the case, so that they can be changed."""
