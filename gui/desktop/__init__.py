"""The window around the five places."""
