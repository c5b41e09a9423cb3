#!/usr/bin/env python3
"""The two commands of navtwin, on a machine that has nothing but Python: `python3 nav.py demo` and `python3 nav.py test`.

Each does its own set-up (a virtual environment in `.venv`, the locked packages, this project) and only what is missing of it.
Anything else is passed on to the `navtwin` command: `python3 nav.py doctor`.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "navtwin-setup.sha256"
LOCK = ROOT / "requirements.lock"
OLDEST, NEWEST = (3, 11), (3, 13)

#: Shared libraries that the wheels of VTK, Qt and OpenCV expect from a Linux system, and the Debian packages that carry them.
SYSTEM_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}

#: What `test` runs, in order. Each must pass.
CHECKS = (
    ("style", ["-m", "ruff", "check", "."]),
    ("format", ["-m", "ruff", "format", "--check", "."]),
    ("types", ["-m", "mypy"]),
    ("room laws", ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]),
    ("tests", ["-m", "pytest", "-n", "2", "--dist", "loadfile"]),
)


def say(text):
    print(f"nav: {text}", flush=True)


def stop(text):
    raise SystemExit(f"nav: {text}")


def run(command, **more):
    """Run a command; end with its exit code where it fails."""
    code = subprocess.run(command, cwd=ROOT, check=False, **more).returncode
    if code:
        raise SystemExit(code)


def venv_python():
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def require_python():
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        stop(f"Python {platform.python_version()} is not supported. Run this with Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}.")


def require_system_libraries():
    """Linux only: find what is missing by loading it; install it where we may, else print the command that does."""
    if platform.system() != "Linux":
        return
    missing = sorted({package for library, package in SYSTEM_LIBRARIES.items() if not loads(library)})
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if shutil.which("apt-get") and os.geteuid() == 0:
        say(f"installing system libraries: {' '.join(missing)}")
        quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        run(["apt-get", "update", "-qq"], **quiet)
        run(command, **quiet)
    else:
        stop(f"system libraries are missing. Run: sudo {' '.join(command)}   (or your system's packages of the same libraries), then this again.")


def loads(library):
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def setup_hash():
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for path in (LOCK, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def set_up():
    """Bring `.venv` up to the lock. Nothing to do is the usual case, and takes milliseconds."""
    wanted = setup_hash()
    if STAMP.is_file() and STAMP.read_text() == wanted and venv_python().is_file():
        return
    begun = time.monotonic()
    require_system_libraries()
    if not venv_python().is_file():
        say("making .venv")
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False, capture_output=True, text=True)
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            stop(f"python -m venv failed: {made.stdout.strip() or made.stderr.strip()} On Debian and Ubuntu: sudo apt-get install python3-venv")
    say("installing the locked packages (about 300 MB to download, once)")
    pip = [str(venv_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)])
    run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    STAMP.write_text(wanted)
    say(f"set up in {time.monotonic() - begun:.0f} s")


def test(arguments):
    begun = time.monotonic()
    for name, command in CHECKS:
        say(name)
        run([str(venv_python()), *command, *(arguments if name == "tests" else [])])
    say(f"all checks passed in {time.monotonic() - begun:.0f} s")


def main():
    if len(sys.argv) < 2:
        stop("say what to do: `python3 nav.py demo`, `python3 nav.py test`, or any navtwin command (`python3 nav.py --help` lists them)")
    require_python()
    set_up()
    if sys.argv[1] == "test":
        test(sys.argv[2:])
    else:
        run([str(venv_python()), "-m", "navtwin", *sys.argv[1:]])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
