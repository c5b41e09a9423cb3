"""What a drilling hand does at any site: over, in and out again; layers, thin strokes, and what may go wrong meanwhile."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from navtwin.nouns import Drilling
from phantoms.drilling.hand import Hand
from phantoms.drilling.site import Site
from phantoms.path import unit
from phantoms.shapes import Array

#: Peak speeds, mm/s: through the air, down into the hole; of bulk removal, thinning, the last touches, and of the slip, which is still a hand's.
AIR_MM_S: Final = 90.0
DOWN_MM_S: Final = 40.0
BULK_MM_S, THIN_MM_S, FINE_MM_S, SWIPE_MM_S = 48.0, 16.0, 10.0, 300.0
#: Over the view's middle there is nothing in the way at this height; the drill waits still farther out.
CLEAR_MM, WAIT_MM = 11.0, 31.0
HIDDEN_S, SILENT_S = 0.4, 1.4
#: How far a slip starts and ends beyond the bone that it crosses.
BEYOND_MM = 7.0
#: How long after its end a stretch is taken back.
REGRET_S = 0.3


def over(site: Site, hand: Hand, point: Array) -> None:
    """Through the air to over a point, and down towards it as far as surely nothing is."""
    hand.go(_clear(site, point), peak_mm_s=AIR_MM_S)
    if (point - site.view.middle_mm) @ site.view.back < -4.0:
        hand.go(point + 3.0 * site.view.back, peak_mm_s=DOWN_MM_S)


def leave(site: Site, hand: Hand) -> None:
    """Straight out into the air."""
    hand.go(_clear(site, hand.track.stance.tip_mm), peak_mm_s=AIR_MM_S)


def _clear(site: Site, point: Array) -> Array:
    return np.asarray(point + (CLEAR_MM - (point - site.view.middle_mm) @ site.view.back) * site.view.back)


def park(site: Site, hand: Hand) -> None:
    """Aside and out of the way."""
    hand.go(site.view.out(WAIT_MM), peak_mm_s=AIR_MM_S)
    hand.go(site.view.out(WAIT_MM, left_mm=38.0), peak_mm_s=AIR_MM_S)


def cut_along(site: Site, hand: Hand, name: str, points: list[Array], peak_mm_s: float) -> None:
    """Down to a first point with the drill turning, from point to point, and out."""
    start = hand.now_s
    over(site, hand, points[0])
    hand.spin(True)
    for point in points:
        hand.go(point, peak_mm_s=peak_mm_s)
    leave(site, hand)
    hand.spin(False)
    hand.scene(name, start)


def turn_in_air(site: Site, hand: Hand) -> None:
    """The drill is tried out where no bone is."""
    start = hand.now_s
    hand.track.hold(1.0)
    hand.go(site.view.out(WAIT_MM, left_mm=-2.0, head_mm=4.0), peak_mm_s=AIR_MM_S)
    hand.spin(True)
    hand.go(site.view.out(WAIT_MM - 8.0, left_mm=-6.0, head_mm=7.0), peak_mm_s=20.0)
    hand.track.hold(0.5)
    hand.spin(False)
    hand.scene("air", start)


def clear_layers(site: Site, hand: Hand, name: str, plan: list[list[tuple[Array, Array]]], jump_mm: Array | None = None) -> None:
    """Bulk removal; with a jump, the tracker mistakes the drill for being elsewhere once, half way through."""
    start = hand.now_s
    over(site, hand, plan[0][0][0])
    hand.spin(True)
    for number, rows in enumerate(plan):
        if jump_mm is not None and number == len(plan) // 2:
            at_s = hand.now_s + 0.4
            hand.script.jumps.append((at_s, jump_mm))
            hand.script.scenes["jump"] = (at_s - 0.05, at_s + 0.05)
        hand.rows(rows, BULK_MM_S)
    leave(site, hand)
    hand.spin(False)
    hand.scene(name, start)


def swipe(site: Site, hand: Hand, first: Array, last: Array) -> None:
    """A slip across the bone, several millimetres from exposure to exposure."""
    start, way = hand.now_s, unit(last - first)
    begin, end = first - BEYOND_MM * way, last + BEYOND_MM * way
    over(site, hand, begin)
    hand.spin(True)
    hand.go(begin, peak_mm_s=40.0)
    hand.go(end, duration_s=1.875 * float(np.linalg.norm(end - begin)) / SWIPE_MM_S)
    leave(site, hand)
    hand.spin(False)
    hand.scene("swipe", start)


def cut_unseen(site: Site, hand: Hand, name: Literal["dropout", "late word"], first: Array, last: Array) -> None:
    """A stroke in which the tracker loses the drill, or in which nobody says any more that it turns."""
    start = hand.now_s
    over(site, hand, first)
    hand.spin(True)
    hand.go(first, peak_mm_s=THIN_MM_S)
    began = hand.now_s + 0.4
    hand.go(last, duration_s=2.4)
    if name == "dropout":
        hand.script.hidden.append((began, began + HIDDEN_S))
    else:
        hand.silent.append((began, began + SILENT_S))
    hand.track.hold(0.4)
    leave(site, hand)
    hand.spin(False)
    hand.scene(name, start)


def claim(site: Site, hand: Hand, first: Array, last: Array, off: Array) -> None:
    """The drill stands and is laid along a wall while the pedal is said to be pressed; the operator takes back what the twin has cut of it.

    `off` (3,) leads from the wall, mm.
    """
    start = hand.now_s
    over(site, hand, first + off)
    hand.go(first + off, peak_mm_s=THIN_MM_S)
    begun = hand.now_s
    hand.go(first, duration_s=0.4)
    hand.go(last, peak_mm_s=FINE_MM_S)
    hand.go(last + off, peak_mm_s=THIN_MM_S)
    hand.claimed.append((begun, hand.now_s))
    leave(site, hand)
    hand.script.orders.append((hand.now_s + REGRET_S, Drilling(action="undo")))
    hand.track.hold(0.8)
    hand.scene("undo", start)


def breach(site: Site, hand: Hand, near: Array, inside: Array) -> None:
    """Through what is left of a wall into what lies behind it, and out again the same way."""
    start, way = hand.now_s, unit(inside - near)
    over(site, hand, near - 4.0 * way)
    hand.spin(True)
    hand.go(near - 1.5 * way, peak_mm_s=THIN_MM_S)
    hand.track.hold(0.3)
    # At once, as a drill breaks through: a slow graze would be nobody's late alarm.
    hand.go(inside, duration_s=0.3)
    hand.track.hold(0.3)
    hand.go(near - 4.0 * way, peak_mm_s=THIN_MM_S)
    leave(site, hand)
    hand.spin(False)
    hand.scene("breach", start)
