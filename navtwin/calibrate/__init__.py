"""Calibrations from recorded poses: arrays in, numbers and a verdict out. No camera, no anatomy, no noun of the fold."""

from navtwin.calibrate.hand_eye import HandEye, RobotWorld, calibrate_hand_eye, calibrate_robot_world
from navtwin.calibrate.noise import at_least
from navtwin.calibrate.pivot import PivotCalibration, calibrate_pivot
from navtwin.calibrate.sphere import SphereFit
from navtwin.calibrate.spin import SpinCalibration, calibrate_spin
from navtwin.calibrate.time_offset import TimeOffset, time_offset

__all__ = [
    "HandEye",
    "PivotCalibration",
    "RobotWorld",
    "SphereFit",
    "SpinCalibration",
    "TimeOffset",
    "at_least",
    "calibrate_hand_eye",
    "calibrate_pivot",
    "calibrate_robot_world",
    "calibrate_spin",
    "time_offset",
]
