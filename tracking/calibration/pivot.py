"""Pivot calibration as tracking offers it. The mathematics is in `navtwin.calibrate`, for registration's worker calls it too."""

from navtwin.calibrate import PivotCalibration, calibrate_pivot

__all__ = ["PivotCalibration", "calibrate_pivot"]
