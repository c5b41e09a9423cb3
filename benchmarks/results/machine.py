"""What a benchmark ran on, and with which versions: two runs are only compared in full where these agree."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Keys of `this_machine()` that make two machines the same one for a comparison.
SAME = ("processor", "cores", "system")

_PACKAGES = (
    "navtwin",
    "numpy",
    "numba",
    "llvmlite",
    "scipy",
    "pyzmq",
    "msgspec",
    "mcap",
    "opencv-python",
    "pyside6-essentials",
    "vtk",
    "distributed",
)
#: What of the checkout can change a figure, as git's pathspecs.
_PROGRAM = (".", ":(exclude)*.md", ":(exclude)*.html")
_ROOT = Path(__file__).resolve().parents[2]


def _processor() -> str:
    """The model's name: `platform.processor()` is empty or only the architecture on most systems."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or platform.machine()


def _memory_gib() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f}"
    except (AttributeError, ValueError, OSError):
        return "not told by the system"


def _cores() -> int:
    """Cores that this process may use, which a container's limit or `taskset` may make fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def this_machine() -> dict[str, str]:
    """Processor, cores that may be used, memory and system. No host name and no user: reports are handed around."""
    return {
        "processor": _processor(),
        "cores": str(_cores()),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def git_revision() -> str:
    """The checkout's commit, with `+ changes DIGEST` where tracked files differ from it, so that two states of the program are told apart.

    Documents are left out: they measure nothing, and the report of a run is one of them. Says so where there is no checkout.
    """
    try:
        commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run(["git", "diff", "HEAD", "--", *_PROGRAM], cwd=_ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return commit + (f" + changes {hashlib.sha256(changed).hexdigest()[:8]}" if changed else "")


def versions() -> dict[str, str]:
    """Python, the packages that figures depend on, and the git revision."""
    found = {"python": platform.python_version(), "revision": git_revision()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
