"""What holds for every test: one thread for linear algebra, and properties that are tried on the same examples every time.

A change is then judged by what it changed; HYPOTHESIS_PROFILE=explore tries other examples.
"""

from __future__ import annotations

import os
import sys

from hypothesis import settings

# The matrices here are small: threads would only wait for each other, and on a loaded machine for long. Read once, when NumPy is loaded.
if "numpy" not in sys.modules:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("same", derandomize=True)
settings.register_profile("explore")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
