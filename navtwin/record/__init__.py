"""The session's log: written while it runs, read back whole or not at all, rescued, replayed, compared bit for bit, exported."""
