"""Volumes that were scanned, and label volumes: read from the files of other programs, placed exactly or refused."""
