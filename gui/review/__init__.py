"""Looking back: a log as a timeline, plots, a picture and a report."""
