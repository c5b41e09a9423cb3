"""Alerts and lamps, as they are shown in every place."""
