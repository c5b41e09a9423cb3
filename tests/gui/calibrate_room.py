"""What tests of the place Calibrate share: a child that speaks as a calibration does, a rig of one printed body, and a look at pixels."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

#: A calibration that does as its environment says, and takes the orders of its standard input. Its picture is red, with a ring of corners.
CHILD = textwrap.dedent(
    """
    import os, select, sys, time
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice
    from PySide6.QtGui import QColor, QImage
    from navtwin.bus.video import VideoServer
    from navtwin.nouns import encode
    from navtwin.nouns.calibration import CalibrationEnded, CalibrationVerdict, Figure, Goal, Progress, ViewCoverage
    from navtwin.nouns.video import VideoFrame

    say = lambda line: print(encode(line).decode(), flush=True)
    mode, rig, orders = os.environ["CHILD"], sys.argv[sys.argv.index("--rig") + 1], []

    def hear(seconds):
        if select.select([0], [], [], seconds)[0]:
            orders.extend(os.read(0, 4096).decode().split())

    image = QImage(64, 36, QImage.Format.Format_RGB888)
    image.fill(QColor("#c03020"))
    data, buffer = QByteArray(), None
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG", 95)
    video = VideoServer(port=0)
    full = tuple((1.0 if c < 4 else 0.0) for c in range(8))
    coverage = ViewCoverage("camera", (full,) * 6, ("lower right corner",), (10.0, 30.0), (400.0, 600.0))
    number = 0
    if mode == "waits":
        hear(30.0)
    if mode == "absent":
        print("navtwin: there is no camera 0. Plug it in.", file=sys.stderr)
        sys.exit(2)
    while not {"finish", "cancel"} & set(orders):
        now = time.monotonic_ns()
        number += 1
        corners = tuple((320.0 + 40 * k, 300.0) for k in range(8))
        video.publish(VideoFrame("e", "camera", number, now, now, now, 64, 36, 1280, 720, points_px=corners), bytes(data.data()))
        say(Progress("camera", "collecting", f"bring the board to the lower right corner of the image", 9, 20, 0.45,
            (Goal("tilted", 14.0, 25.0, "deg"),), (coverage,), (Figure("held out", 0.31, "px"),), video.port))
        hear(0.03)
        if mode == "dies" and number > 5:
            print("camera 0 gives no picture. Plug it in again.", file=sys.stderr)
            sys.exit(2)
    if "cancel" in orders:
        say(CalibrationEnded("camera", False, "cancelled: nothing was stored"))
        sys.exit(0)
    good = mode != "refused"
    say(CalibrationVerdict("camera", "camera", good, () if good else ("too little tilt: <b>tilt</b> it",), (Figure("held out", 0.27, "px"),),
        ("camera: 1280 x 720 px",), ("camera camera: held_out_px = 0.27",) if good else (), good))
    while good and not {"accept", "reject"} & set(orders):
        hear(0.05)
    stored = "accept" in orders
    if stored:
        text = open(rig).read()
        open(rig, "w").write(text + '''
    [[camera]]
    name = "camera"
    width_px = 1280
    height_px = 720
    focal_px = [900.0, 900.0]
    centre_px = [640.0, 360.0]
    held_out_px = 0.27
    calibrated = "2026-11-22"
    ''')
    say(CalibrationEnded("camera", stored, "stored in rig.toml" if stored else "nothing was stored"))
    sys.exit(0 if good else 1)
    """
)
RIG = """
reference = "ref"
[tracker]
name = "camera"
rate_hz = 30.0
latency_ms = 60.0
[[body]]
name = "ref"
sd_mm = 0.3
sd_rad = 0.005
dictionary = "4X4_50"
[[body.marker]]
id = 0
corners_mm = [[0, 0, 0], [20, 0, 0], [20, 20, 0], [0, 20, 0]]
[[tool]]
name = "drill"
body = "ref"
axis_in_marker = [0.0, -1.0, 0.0]
axis_sd_rad = 0.02
[[tool.part]]
name = "burr"
from_mm = [0.0, 0.0, 0.0]
to_mm = [0.0, 0.0, 0.0]
radius_mm = 1.5
"""


def pixels(widget: QWidget) -> Any:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def near(image: Any, color: str, within: int = 24) -> float:
    """Share of the pixels that are about this colour."""
    rgb = np.array(QColor(color).getRgb()[:3])
    return float((np.abs(image - rgb).max(axis=-1) < within).mean())
