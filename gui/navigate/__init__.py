"""The place where the instrument is watched."""
