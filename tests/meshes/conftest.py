from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from navtwin.scene.case import CASE_FILE, CT_FILE, CaseFile, CaseSection, CtSection, StructureEntry, named_files, surface_file
from navtwin.scene.case_text import case_text
from navtwin.scene.lock import write_lock
from navtwin.scene.surface import Surface
from tests.kernels import meshes

#: The middle of the scan, LPS mm: a half turn away from it there is no scan.
MIDDLE = np.array([40.0, 60.0, 30.0])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A scan of 80 mm around `MIDDLE`, with a ball of 20 mm in it."""
    folder = tmp_path / "case"
    (folder / "surfaces").mkdir(parents=True)
    T_ras_from_ijk = np.diag([-4.0, -4.0, 4.0, 1.0])
    T_ras_from_ijk[:3, 3] = (MIDDLE - 40.0) * (-1, -1, 1)
    nib.save(nib.Nifti1Image(np.zeros((21, 21, 21), np.int16), T_ras_from_ijk), folder / CT_FILE)
    vertices, faces = meshes.sphere(20.0, 2)
    Surface.from_arrays(vertices + MIDDLE, faces).write(folder / surface_file("ball"))
    entry = StructureEntry(name="ball", file=surface_file("ball"), role="context", sd_mm=0.5)
    content = CaseFile(case=CaseSection(name="test"), ct=CtSection(file=CT_FILE), structure=(entry,))
    (folder / CASE_FILE).write_text(case_text(content), encoding="utf-8")
    write_lock(folder, named_files(content))
    return folder
