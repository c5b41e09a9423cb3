"""What a head takes that can be drilled: the grid, its surface and the tree."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from proximity_parts.rows import Row, figure

from navtwin.scene.surface import Surface

#: In a process of its own: what is resident with the drilled head, and when it is gone; what malloc keeps for later is given back before either.
MEMORY = """
import ctypes, gc, sys
import numpy as np
from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface

def resident_mb():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024.0 / 1e6

mesh = np.load(sys.argv[1])
bone = Carvable(Surface.from_arrays(mesh["vertices"], mesh["faces"]), float(sys.argv[2]))
triangles = int((bone.forest.leaf_faces > 0).sum())
with_it = resident_mb()
del bone
print(with_it - resident_mb(), triangles)
"""


def memory_row(surface: Surface, side_mm: float) -> Row:
    """Resident memory that the drilled head adds."""
    with tempfile.TemporaryDirectory() as folder:
        mesh = Path(folder) / "mesh.npz"
        np.savez(mesh, vertices=surface.vertices_mm, faces=surface.faces)
        said = subprocess.run([sys.executable, "-c", MEMORY, str(mesh), str(side_mm)], capture_output=True, text=True, check=True).stdout
    resident, triangles = (float(word) for word in said.split())
    figures = [figure("resident", resident, "MB"), figure("of each triangle", resident * 1e6 / triangles, "bytes")]
    return Row(f"memory of a head, {side_mm:g} mm", figures, note=f"{triangles:.0f} triangles")
