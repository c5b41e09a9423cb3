"""Properties are tried on the same examples every time, so that a change is judged by what it changed; HYPOTHESIS_PROFILE=explore tries others."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("explore")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
