"""The picture in three dimensions, and when it is painted."""
