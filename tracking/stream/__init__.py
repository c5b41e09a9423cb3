"""Pictures in, tracker frames out: the source that the twin reads."""
