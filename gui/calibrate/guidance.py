"""What to do in each step, in a few sentences for a person who has the things in his hands. No Qt."""

from __future__ import annotations

from gui.calibrate.steps import StepKind


def _list(*sentences: str) -> str:
    rows = "".join(f"<tr><td>{n}.&nbsp;</td><td style='padding-bottom:5px'>{sentence}</td></tr>" for n, sentence in enumerate(sentences, start=1))
    return f"<table cellspacing='0' cellpadding='0'>{rows}</table>"


GUIDANCE: dict[StepKind, str] = {
    "rig": "",
    "camera": _list(
        "Switch the camera's auto-focus off, and leave zoom and focus alone from now on: they change the lens.",
        "Glue the printed board to something flat and stiff, and measure its check square.",
        "Press <b>Start</b> and do what the large line says. Sharp pictures are taken by themselves while you hold still.",
        "A small error on the views used proves nothing: what counts is the error on views that were <b>left out</b>.",
    ),
    "cameras": _list(
        "Fix the cameras to one stiff bar. Once calibrated, nothing may move between them.",
        "Show the board where <b>both</b> see it, near and far, tilted to all sides.",
        "Say what a ruler finds between the lenses: that checks the scale of the print.",
    ),
    "markers": _list(
        "Paper bends, and folded faces end up off their plan: what was really made is measured here.",
        "Turn the body slowly before the camera, all faces, always several at a time.",
        "Say what a ruler finds of the sheet's 100 mm check square: one camera alone cannot see a wrong scale.",
    ),
    "pivot": _list(
        "Seat the tip in a small divot (a centre punch in wood or metal) that cannot move.",
        "Tilt the tool by 30° to all sides and turn it about its axis, slowly. The tip stays where it is.",
        "The residual says how well the poses agree. How well the <b>tip</b> is known is its standard deviation.",
    ),
    "axis": _list(
        "Lay the tool into a V-block, pushed against a stop, and press it down.",
        "Turn it slowly about its own axis, 120° or more, its markers in view.",
        "The drill's neck is where the axis says it is: an axis that is off by 1° is off by 1 mm at 57 mm.",
    ),
    "latency": _list(
        "Show the clock on a screen of this machine, and point the camera at it so that the clock fills the picture.",
        "Press <b>Start</b> and leave it alone for 15 s.",
        "Latency counts: at 50 mm/s, 60 ms are 3 mm, and warnings are given that much earlier.",
    ),
}
