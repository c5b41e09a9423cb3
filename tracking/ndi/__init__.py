"""Trackers of Northern Digital (Polaris, Vega, Aurora) through the library ndicapi, an optional extra."""
