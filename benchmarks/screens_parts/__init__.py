"""Parts of `benchmarks/screens.py`: a display where there is none, a rehearsal's log as moments, and what each picture is to show."""
