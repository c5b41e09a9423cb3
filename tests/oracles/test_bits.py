"""The same bits whatever the processor, the Python, and the run."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oracles.bits import digest

ROOT = Path(__file__).resolve().parents[2]
#: Other interpreters to ask, divided like PATH; what is called python3.11 to python3.13 on the PATH is asked too.
OTHER_PYTHONS = "NAVTWIN_OTHER_PYTHONS"


def _digest_of(python: str, **environment: str) -> str:
    """Compiled the first time, then kept: the kernels' cache knows processor, Python and the state of the sources."""
    env = os.environ | environment | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-m", "tests.oracles.bits"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are x86-64 processors")
@pytest.mark.parametrize("processor", ["generic", "nehalem", "haswell"])
def test_another_processor_gives_the_same_bits(processor: str) -> None:
    """SSE2 only; SSE4.2; AVX2 with fused multiply-add there for the taking. The features are that processor's own, not this machine's."""
    features = {"generic": "", "nehalem": "+sse4.2,+popcnt", "haswell": "+avx2,+fma,+bmi,+bmi2,+popcnt"}[processor]
    assert _digest_of(sys.executable, NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES=features) == digest()


def _other_pythons() -> list[str]:
    named = [path for path in os.environ.get(OTHER_PYTHONS, "").split(os.pathsep) if path]
    found = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13) if minor != sys.version_info.minor]
    candidates = dict.fromkeys([*named, *(path for path in found if path)])
    return [p for p in candidates if subprocess.run([p, "-c", "import numba, numpy, platformdirs"], capture_output=True, check=False).returncode == 0]


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_another_python_gives_the_same_bits() -> None:
    others = _other_pythons()
    if not others:
        pytest.skip(f"no other Python here has Numba: name one in {OTHER_PYTHONS}")
    for python in others:
        assert _digest_of(python) == digest(), python


def test_twice_is_the_same() -> None:
    assert digest() == digest()
