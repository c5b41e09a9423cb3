"""Alarm sounds: how they are made, which is to be heard, and the thread that sees that it is. No Qt."""
