"""The room at the command line."""
