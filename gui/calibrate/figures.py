"""A calibration's figures for people: which of them count, what they mean, and their numbers with units. No Qt."""

from __future__ import annotations

import math

from navtwin.nouns.calibration import Calibration, Figure

#: Of each calibration the figures to look at, in that order, and what they mean; the rest stands in the result's own sentences.
MEANING: dict[Calibration, dict[str, str]] = {
    "camera": {"held out": "error on views left out", "rms": "error in the fit", "cells seen share": "picture covered"},
    "cameras": {"held out": "error on views left out", "epipolar": "off epipolar lines", "rms": "error in the fit"},
    "markers": {
        "held out": "error on views left out",
        "plan held out": "the same with the plan",
        "off plan rms": "off the plan (RMS)",
        "scale": "size against the plan",
        "sd": "error of its pose (sd)",
    },
    "tool": {
        "tip sd": "tip known to (sd per axis)",
        "rms": "poses agree within (RMS): not how accurate the tip is",
        "angle": "turned by up to",
        "poses": "poses",
        "kept": "of them in the fit",
    },
    "axis": {
        "axis sd": "axis known to (sd)",
        "tip off axis": "tip beside the axis",
        "angle": "spun by",
        "rms": "poses agree within (RMS): not how accurate the axis is",
    },
    "latency": {"latency": "from light to arrival", "mean sd": "known to (sd)", "stamp error": "stamps are off by", "readings": "readings"},
}


def figure_rows(what: Calibration, figures: tuple[Figure, ...]) -> list[tuple[str, str]]:
    """(meaning, value) of those that count; all by their own names where none is known."""
    meaning = MEANING.get(what, {})
    known = [(meaning[figure.name], figure_words(figure)) for name in meaning for figure in figures if figure.name == name]
    return known or [(figure.name, figure_words(figure)) for figure in figures]


def figure_words(figure: Figure) -> str:
    """A figure's value with its unit; angles in degrees, shares in percent, what is not known as a dash."""
    value, unit = figure.value, figure.unit
    if value is None:
        return "—"
    if unit == "rad":
        value, unit = math.degrees(value), "deg"
    elif not unit and figure.name.endswith("share"):
        value, unit = 100.0 * value, "%"
    if not unit and value == int(value):
        return f"{value:.0f}"
    digits = 0 if unit == "%" and abs(value) >= 10.0 else 3 if abs(value) < 10.0 else 1
    return f"{value:.{digits}f}" + {"deg": "°", "": ""}.get(unit, f" {unit}")
