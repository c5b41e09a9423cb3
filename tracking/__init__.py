"""Where poses come from. Emits `TrackerFrame`s and knows no anatomy.

Names are loaded when first used, so that a program which only reads a recorded stream does not load the camera library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracking.body import MarkerBody
    from tracking.calibration.pivot import PivotCalibration, calibrate_pivot
    from tracking.camera_model import Camera
    from tracking.detect.markers import Markers, detect_markers
    from tracking.pose.estimate import PoseEstimate, estimate_pose

_HOME = {
    "Camera": "tracking.camera_model",
    "MarkerBody": "tracking.body",
    "Markers": "tracking.detect.markers",
    "PivotCalibration": "tracking.calibration.pivot",
    "PoseEstimate": "tracking.pose.estimate",
    "calibrate_pivot": "tracking.calibration.pivot",
    "detect_markers": "tracking.detect.markers",
    "estimate_pose": "tracking.pose.estimate",
}

__all__ = ["Camera", "MarkerBody", "Markers", "PivotCalibration", "PoseEstimate", "calibrate_pivot", "detect_markers", "estimate_pose"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tracking' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
