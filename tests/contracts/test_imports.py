"""The rooms and who may import whom (DESIGN section 3). Stated here as what is allowed, so that a new room starts with nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.contracts.sources import ROOMS, ROOT, files, imports, where

#: What is touched to assess accuracy, and in which order: who prints the points and who plays the hand have to know it. Data, no judgement.
ASSESSED = ("navtwin.assess.artefact", "navtwin.assess.plan", "navtwin.assess.sheet")
#: What each room may import of the others. A room may always import itself.
MAY_IMPORT = {
    "gui": ("navtwin.nouns", "navtwin.rigid", "navtwin.errors", "navtwin.bus", "navtwin.scene", "navtwin.record", "navtwin.sound", "navtwin.volumes"),
    # `calibrate` is arithmetic like `rigid`: the twin's worker needs it too, and navtwin may not import tracking.
    "tracking": (
        "navtwin.nouns",
        "navtwin.rigid",
        "navtwin.errors",
        "navtwin.offers",
        "navtwin.record",
        "navtwin.calibrate",
        "navtwin.files",
        "navtwin.igtl",
        "navtwin.jit",
        *ASSESSED,
    ),
    "phantoms": ("navtwin.nouns", "navtwin.rigid", "navtwin.errors", "navtwin.scene", "navtwin.record", "navtwin.volumes", "navtwin.jit", *ASSESSED),
    "navtwin": (),
}
#: What the inner rooms of navtwin may import of navtwin.
INNER = {
    "navtwin/kernels": ("navtwin.kernels", "navtwin.jit"),
    "navtwin/jit.py": (),
    "navtwin/errors.py": (),
    "navtwin/calibrate": ("navtwin.calibrate", "navtwin.rigid", "navtwin.errors"),
    "navtwin/rigid.py": ("navtwin.errors",),
    "navtwin/nouns": ("navtwin.nouns", "navtwin.rigid", "navtwin.errors"),
    "navtwin/twin": ("navtwin.twin", "navtwin.nouns", "navtwin.rigid", "navtwin.errors", "navtwin.kernels", "navtwin.scene"),
    # A fleet does what the commands do for one log; dask and Parquet stay in it.
    "navtwin/fleet": ("navtwin.fleet", "navtwin.errors", "navtwin.nouns", "navtwin.record", "navtwin.report", "navtwin.scene", "navtwin.twin"),
    "navtwin/bus": ("navtwin.bus", "navtwin.nouns", "navtwin.rigid", "navtwin.errors"),
}
#: The package itself says only its version.
HARMLESS = ("navtwin.__version__",)


def _is_in(module: str, allowed: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in (*allowed, *HARMLESS))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    strays = [
        f"{where(path, node)} imports {module}"
        for path in files(room)
        for node, module in imports(path)
        if module.split(".")[0] in ROOMS and module.split(".")[0] != room and not _is_in(module, MAY_IMPORT[room])
    ]
    assert not strays


@pytest.mark.parametrize("room", INNER)
def test_an_inner_room_imports_only_what_it_may(room: str) -> None:
    strays = [
        f"{where(path, node)} imports {module}"
        for path in files(room)
        for node, module in imports(path)
        if module.split(".")[0] == "navtwin" and not _is_in(module, INNER[room])
    ]
    assert not strays


def test_nothing_imports_tests_or_benchmarks() -> None:
    assert not [where(path, node) for path in files(*ROOMS) for node, module in imports(path) if module.split(".")[0] in ("tests", "benchmarks")]


def test_import_linter_agrees() -> None:
    """The project's own contracts hold too."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_core_loads_no_window_no_camera_and_no_mesh_library() -> None:
    """What cannot be imported cannot be slow, crash or hold a lock in the process that warns."""
    heavy = ("PySide6", "vtkmodules", "pyvista", "matplotlib", "cv2", "trimesh", "gui")
    code = (
        "import sys, navtwin.run.launch, navtwin.run.live, navtwin.run.workers, navtwin.twin, navtwin.scene.case, navtwin.record.log;"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
