"""A camera with known answers: marker scenes rendered through a lens model, with exact truth. It shares no code with what finds markers and poses."""

from __future__ import annotations

from phantoms.camera.lens import Lens, project
from phantoms.camera.optics import Glare, Optics
from phantoms.camera.render import Backdrop, render
from phantoms.camera.scene import Occluder, Placed
from phantoms.camera.sheets import Sheet, Square, plain, printed
from phantoms.camera.truth import TrueMarker, true_markers

__all__ = [
    "Backdrop", "Glare", "Lens", "Occluder", "Optics", "Placed", "Sheet", "Square", "TrueMarker", "plain", "printed", "project", "render",
    "true_markers",
]  # fmt: skip
