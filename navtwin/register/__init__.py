"""Where the patient is: landmarks and swept bone, fitted to the scan; and the gate that accepts the result or says why not."""

from navtwin.register.landmarks import register_landmarks
from navtwin.register.model import Registration, Target
from navtwin.register.surface import register_surface

__all__ = ["Registration", "Target", "register_landmarks", "register_surface"]
