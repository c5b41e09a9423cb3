"""Faults in files, put before the real commands: what is wrong must be refused at import or found by `case check`, and a damaged log by `verify`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console

from faults_parts.outcome import Outcome
from navtwin.meshes.write import write_mesh
from navtwin.scene.surface import Surface
from phantoms.cases import phantom_patient
from phantoms.faults.fault import Fault
from phantoms.faults.source import rng_of
from phantoms.motion import turns
from phantoms.path import unit

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
COMMAND_S = 120.0
#: What is brought into the case once more: a bone, and a vessel that lies on one side.
BONE, VESSEL = "vertebrae_L1", "aorta"


def _navtwin(*words: object) -> subprocess.CompletedProcess[str]:
    """The real command; what it said, in one line."""
    done = subprocess.run([sys.executable, "-m", "navtwin", *map(str, words)], capture_output=True, text=True, timeout=COMMAND_S, check=False)
    done.stdout = " ".join(f"{done.stdout} {done.stderr}".split())
    return done


class Brought:
    """A mesh as it leaves another program, and what is passed with it.

    Attributes
    ----------
    points : (V, 3), as they stand in the file
    faces : (F, 3)
    unit : what `--unit` says of it
    """

    def __init__(self, surface: Surface) -> None:
        self.points, self.faces, self.unit = np.array(surface.vertices_mm), np.array(surface.faces), "mm"


def _another_patient(mesh: Brought, rng: np.random.Generator) -> None:
    """Of another size, and lying otherwise in the scanner."""
    middle = mesh.points.mean(axis=0)
    larger = float(rng.choice([rng.uniform(0.75, 0.85), rng.uniform(1.2, 1.35)]))
    turned = (mesh.points - middle) @ turns(rng.uniform(0.1, 0.4) * unit(rng.normal(size=(1, 3))))[0].T
    mesh.points = larger * turned + middle + rng.uniform(15.0, 40.0) * unit(rng.normal(size=3))


def _mirrored(mesh: Brought, rng: np.random.Generator) -> None:
    """Left for right, at the middle of the scan, as by a program that flips its images."""
    mesh.points = mesh.points * (-1.0, 1.0, 1.0)
    mesh.faces = mesh.faces[:, ::-1]


def _ras(mesh: Brought, rng: np.random.Generator) -> None:
    """In RAS, passed as LPS."""
    mesh.points = mesh.points * (-1.0, -1.0, 1.0)


def _unit(mesh: Brought, rng: np.random.Generator) -> None:
    """Millimetres passed as metres, or metres as millimetres."""
    if rng.random() < 0.5:
        mesh.unit = "m"
    else:
        mesh.points = mesh.points * 1e-3


SPOILS: dict[str, tuple[str, Callable[[Brought, np.random.Generator], None]]] = {
    "wrong-case": (BONE, _another_patient),
    "mirror": (VESSEL, _mirrored),
    "ras-for-lps": (BONE, _ras),
    "mm-for-metres": (BONE, _unit),
}


def case_fault(fault: Fault, seed: int) -> Outcome:
    """A mesh that is not what it is passed as, brought into a case; the first seed also brings it as it should be, which must be taken."""
    rng = rng_of(fault.name, seed)
    name, spoil = SPOILS[fault.name]
    patient = phantom_patient(Console(stderr=True, quiet=True))
    surface = Surface.read(patient / "surfaces" / f"{name}.ply", space="LPS")
    with tempfile.TemporaryDirectory(prefix="navtwin-faults-") as scratch:
        folder = Path(scratch)
        if seed == 1 and (said := _refusal(patient, folder / "honest", Brought(surface))):
            return _told(fault, seed, None, said, f"the honest mesh is refused too: {said}")
        mesh = Brought(surface)
        spoil(mesh, rng)
        begin_ns = time.monotonic_ns()
        said = _refusal(patient, folder / "spoilt", mesh)
        return _told(fault, seed, (time.monotonic_ns() - begin_ns) * 1e-6 if said else None, said, "" if said else "it was taken, and nothing found")


def _refusal(patient: Path, folder: Path, mesh: Brought) -> str:
    """Why a mesh is refused at import, or what `case check` finds of it then; "" where both let it pass."""
    folder.mkdir()
    case, file = folder / "case", folder / "brought.ply"
    shutil.copytree(patient, case)
    _write_bare(file, mesh)
    imported = _navtwin("import", file, "--to", case, "--name", "brought", "--role", "work", "--space", "LPS", "--unit", mesh.unit)
    if imported.returncode == 2:
        return str(imported.stdout)
    checked = _navtwin("case", "check", case)
    if checked.returncode == 0:
        return ""
    return str(checked.stdout) if "brought" in checked.stdout else f"something else: {checked.stdout}"


def _write_bare(path: Path, mesh: Brought) -> None:
    """A mesh that says nothing of its axes and unit, so that what is passed counts."""
    write_mesh(path, mesh.points, mesh.faces)
    data = path.read_bytes()
    head, end, body = data.partition(b"end_header\n")
    bare = b"".join(line + b"\n" for line in head.splitlines() if not line.startswith(b"comment"))
    path.write_bytes(bare + end + body)


def _told(fault: Fault, seed: int, delay_ms: float | None, said: str, trouble: str) -> Outcome:
    other = "something else is found" if said.startswith("something else") else ""
    return Outcome(
        fault=fault.name, seed=seed, delay_ms=None if other else delay_ms, deadline_ms=fault.deadline_ms, said=said[:300], trouble=trouble or other
    )


def log_fault(fault: Fault, seed: int) -> Outcome:
    """A damaged log: `verify` refuses it; what `recover` rescues of one that was cut is verified."""
    rng = rng_of(fault.name, seed)
    data = bytearray((GOLDEN / "session.mcap").read_bytes())
    if fault.name == "log-truncated":
        del data[round(len(data) * float(rng.uniform(0.3, 0.999))) :]
    else:
        for place in rng.integers(0, len(data), int(rng.integers(1, 9))):
            data[place] ^= 1 << int(rng.integers(0, 8))
    with tempfile.TemporaryDirectory(prefix="navtwin-faults-") as scratch:
        log, rescued = Path(scratch) / "session.mcap", Path(scratch) / "rescued.mcap"
        log.write_bytes(data)
        where = ("--case", GOLDEN / "case", "--rig", GOLDEN / "case" / "rig.toml")
        begin_ns = time.monotonic_ns()
        judged = _navtwin("verify", log, *where)
        delay_ms = (time.monotonic_ns() - begin_ns) * 1e-6
        if judged.returncode == 0:
            return _told(fault, seed, None, "", "it verifies")
        unsaid = [word for word in fault.signal.words if word not in judged.stdout]
        trouble = f"the refusal does not say {unsaid[0]}: {judged.stdout}" if unsaid else _rescue(log, rescued, where)
        return _told(fault, seed, delay_ms, judged.stdout, trouble)


def _rescue(log: Path, rescued: Path, where: tuple[object, ...]) -> str:
    """Why a damaged log cannot be rescued, "" if it can; one whose very header is gone need not be."""
    done = _navtwin("recover", log, "--out", rescued)
    if done.returncode == 2:
        return "" if "header" in done.stdout else f"recover: {done.stdout}"
    verified = _navtwin("verify", rescued, *where)
    # Where whole stretches are gone the fold cannot say the same any more; it says where it begins to differ.
    return "" if verified.returncode == 0 or done.returncode == 1 else f"what was rescued does not verify: {verified.stdout}"
