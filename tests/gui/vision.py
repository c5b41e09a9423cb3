"""How a picture of a widget looks to those who see colours otherwise, and what is left of it for those who see none."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

Pixels = np.ndarray[Any, Any]
#: Machado, Oliveira, Fernandes: A physiologically-based model for simulation of color vision deficiency. IEEE TVCG 15(6), 2009, 1291-1298,
#: at severity 1; they act on linear light. The last row of the table takes all colour away (luminance of ITU-R BT.709).
SIGHTS: dict[str, list[list[float]]] = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "grey": [[0.2126, 0.7152, 0.0722]] * 3,
}
#: A step in lightness (CIE L*) from one pixel to the next that the eye takes for an edge.
EDGE = 12.0


def pixels(widget: QWidget) -> Pixels:
    """The widget as it is painted, (h, w, 3) of 0 to 255."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def linear(srgb: Pixels) -> Pixels:
    """Linear light of sRGB values of 0 to 255."""
    share = np.asarray(srgb, dtype=float) / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def seen(picture: Pixels, sight: str) -> Pixels:
    """Linear light as it is seen."""
    return np.clip(linear(picture) @ np.array(SIGHTS[sight]).T, 0.0, 1.0)


def edges(picture: Pixels, sight: str) -> Pixels:
    """Where the seen picture has an edge of lightness; no colour counts."""
    luminance = seen(picture, sight) @ np.array([0.2126, 0.7152, 0.0722])
    lightness = np.where(luminance > 0.008856, 116.0 * np.cbrt(luminance) - 16.0, 903.3 * luminance)
    across, down = np.abs(np.diff(lightness, axis=1))[:-1], np.abs(np.diff(lightness, axis=0))[:, :-1]
    return np.asarray((across > EDGE) | (down > EDGE))


def told_apart(one: Pixels, other: Pixels, sight: str) -> int:
    """How many pixels are on an edge of only one of two pictures: none where they differ by colour alone."""
    return int(np.logical_xor(edges(one, sight), edges(other, sight)).sum())


def contrast(one: str, other: str) -> float:
    """The contrast of two #rrggbb by WCAG 2.2, 1 to 21."""
    light = [float(linear(np.array([int(c[n : n + 2], 16) for n in (1, 3, 5)])) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)
