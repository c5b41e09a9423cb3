"""What the columns of a CSV recording are: read from its header, or declared by the user (`--columns`). Nothing is guessed.

A declaration is a list of column names, separated by commas, and words `key=value`, separated by blanks::

    t_s,x_m,y_m,z_m,qx,qy,qz,qw from=marker to=tracker body=Drill
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from navtwin.errors import InputRefused, nearest
from navtwin.record.tracks_csv import FIELD, MORE
from tracking.recordings.text_numbers import shown

#: To copy, where a declaration is missing.
EXAMPLE: Final = "--columns 't_s,x_mm,y_mm,z_mm,qx,qy,qz,qw from=marker to=tracker body=Drill'"
_WORDS: Final = frozenset(("from", "to", "body", "angles"))
_UNIT_NS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_TIME: Final = re.compile(r"(?:t|time)(?:_(capture|arrival|device))?_(ns|us|ms|s)")
_PLACE: Final = re.compile(r"([xyz])_(mm|m)")
_MATRIX: Final = re.compile(r"m(?:[0-2][0-2]|[0-2]3_(?:mm|m)|3[0-3])")
_ANGLE: Final = re.compile(r"r([xyz])_(deg|rad)")
_EULER: Final = frozenset(("roll", "pitch", "yaw", "a", "b", "g", "alpha", "beta", "gamma", "rx", "ry", "rz", "euler_x", "euler_y", "euler_z"))
_OF_FRAMES: Final = ("number", "stamp", "filter", "stages", "body")
_OF_BODIES: Final = ("status", "valid", *MORE)
_IGNORED: Final = "-"


@dataclass
class Body:
    """Where a body's columns are.

    Attributes
    ----------
    place : column and factor to mm, of x, y, z
    parts : columns of the rotation by name: a quaternion's qw qx qy qz, a matrix's m00 to m22 (m30 to m33 too), or angles rx ry rz
    angle_unit : deg or rad
    texts : further columns by name: status, valid, reason, rms_mm ...
    """

    place: dict[str, tuple[int, float]] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    angle_unit: str = ""
    texts: dict[str, int] = field(default_factory=dict)

    @property
    def form(self) -> str:
        """q, m or r: which kind of rotation the first of its parts belongs to."""
        return next((name[0] for name in self.parts), "")

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the parts of its rotation, in the order in which they are read."""
        return {"q": ("qw", "qx", "qy", "qz"), "m": _ROTATION, "r": ("rx", "ry", "rz"), "": ()}[self.form]


_ROTATION: Final = tuple(f"m{row}{column}" for row in range(3) for column in range(3))


@dataclass
class Layout:
    """The columns of a recording, by position.

    Attributes
    ----------
    times : what a time is of (capture, arrival, device, or "" where it is not said) -> column, ns per unit
    of_frames : number, stamp, filter, stages, body (of a long table, a row for each body)
    bodies : of a wide table, by name; of a long one, the one under ""
    fields : further columns, kept as text
    """

    times: dict[str, tuple[int, int]] = field(default_factory=dict)
    of_frames: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    width: int = 0


def words_of(declaration: str, known: frozenset[str], example: str) -> dict[str, str]:
    """The words `key=value` of a declaration.

    Raises
    ------
    InputRefused : a key that is not known, or a word twice
    """
    found: dict[str, str] = {}
    for word in declaration.split():
        key, equals, value = word.partition("=")
        if not equals:
            continue
        if key not in known:
            raise InputRefused(f"--columns says '{shown(word, 60)}', which nothing is known of", f"{nearest(key, known)} An example: {example}")
        if key in found or not value:
            raise InputRefused(f"--columns says '{key}=' {'twice' if value else 'without a value'}", f"an example: {example}")
        found[key] = value
    return found


def split_declaration(declaration: str) -> tuple[list[str], dict[str, str]]:
    """The column names (none, where the file's own header is to be used) and the words. Raises InputRefused."""
    lists = [word for word in declaration.split() if "=" not in word]
    if len(lists) > 1:
        raise InputRefused(
            f"--columns has more than one list of columns ('{shown(lists[1])}')", f"separate columns by commas, without blanks: {EXAMPLE}"
        )
    return (lists[0].split(",") if lists else []), words_of(declaration, _WORDS, EXAMPLE)


def layout_of(columns: Sequence[str], words: Mapping[str, str], *, is_header: bool) -> Layout:
    """What the columns are.

    Parameters
    ----------
    is_header : the names are those of the file's header, where those that are not known are kept as text; a declared one must be known

    Raises
    ------
    InputRefused : the direction of the poses is not declared, a column is not known or there twice, or time or pose are not complete
    """
    if words.get("from") != "marker" or words.get("to") != "tracker":
        raise InputRefused(
            "it is not declared that the poses take marker coordinates to the tracker (p_tracker = R p_marker + t)", f"if they do, say so: {EXAMPLE}"
        )
    layout = Layout(width=len(columns))
    for at, column in enumerate(columns):
        _place(layout, at, column.strip(), words, is_header)
    _check(layout, words)
    return layout


def _place(layout: Layout, at: int, column: str, words: Mapping[str, str], is_header: bool) -> None:
    if column == _IGNORED:
        return
    if (time := _TIME.fullmatch(column)) is not None:
        _once(layout.times, time[1] or "", (at, _UNIT_NS[time[2]]), column)
    elif column in _OF_FRAMES:
        _once(layout.of_frames, column, at, column)
    elif column.startswith(FIELD) and len(column) > len(FIELD):
        _once(layout.fields, column.removeprefix(FIELD), at, column)
    elif not _place_of_body(layout, at, column, words):
        if column.rpartition(".")[2].lower() in _EULER:
            raise InputRefused(
                f"column '{shown(column)}' is an angle, and angles do not say about which axes and in which order they turn",
                "export quaternions; or, if they turn about fixed x, then y, then z, call them rx_deg,ry_deg,rz_deg and say angles=static-xyz",
            )
        if not is_header:
            known = ("t_s", "t_ms", "x_mm", "y_mm", "z_mm", "x_m", "qw", "qx", "qy", "qz", "m00", "m03_mm", *_OF_FRAMES, *_OF_BODIES, FIELD, _IGNORED)
            raise InputRefused(
                f"--columns has '{shown(column)}', which nothing is known of", nearest(column, known) + " A column called - is left out"
            )
        _once(layout.fields, column, at, column)


def _place_of_body(layout: Layout, at: int, column: str, words: Mapping[str, str]) -> bool:
    name, dot, part = column.rpartition(".")
    matrix, place, angle = _MATRIX.fullmatch(part), _PLACE.fullmatch(part), _ANGLE.fullmatch(part)
    if not (matrix or place or angle or part in ("qw", "qx", "qy", "qz", *_OF_BODIES)):
        return False
    body = layout.bodies.setdefault(name if dot else words.get("body", ""), Body())
    if matrix is not None and part[2] == "3" and part[1] != "3":
        place = _PLACE.fullmatch("xyz"[int(part[1])] + part[3:])
    if place is not None:
        _once(body.place, place[1], (at, 1000.0 if place[2] == "m" else 1.0), column)
    elif angle is not None:
        if body.angle_unit not in ("", angle[2]):
            raise InputRefused(f"column '{shown(column)}' has another unit than the angles before", "declare one for all")
        body.angle_unit = angle[2]
        _once(body.parts, part[:2], at, column)
    elif part in _OF_BODIES:
        _once(body.texts, part, at, column)
    else:
        _once(body.parts, part, at, column)
    return True


def _once(there: dict[Any, Any], key: Any, value: Any, column: str) -> None:
    if key in there:
        raise InputRefused(f"the columns state {shown(column)} twice", "leave one out: a column called - is left out")
    there[key] = value


def _check(layout: Layout, words: Mapping[str, str]) -> None:
    if not layout.times:
        raise InputRefused("no column is a time", f"name it with its unit: t_s, t_ms, t_us or t_ns. An example: {EXAMPLE}")
    if not layout.bodies:
        raise InputRefused("no column belongs to a pose", f"an example: {EXAMPLE}")
    is_long = "body" in layout.of_frames
    if is_long and (set(layout.bodies) != {""} or "body" in words):
        raise InputRefused("there is a column 'body' and columns or a word that name a body too", "declare one of them")
    for name, body in layout.bodies.items():
        if not name and not is_long:
            raise InputRefused("it is not declared which body the poses are of", f"name it: {EXAMPLE}")
        whose = f"of {shown(name)} " if name else ""
        if {part[0] for part in body.parts} - {body.form}:
            raise InputRefused(f"the rotation {whose}is there in two forms", "leave one out: a column called - is left out")
        missing = [axis for axis in "xyz" if axis not in body.place] + [part for part in body.order if part not in body.parts]
        if not body.form or missing:
            raise InputRefused(f"the pose {whose}lacks {', '.join(missing) or 'a rotation'}", f"a pose is a position and a rotation: {EXAMPLE}")
        if body.form == "r" and words.get("angles") != "static-xyz":
            raise InputRefused(
                f"it is not declared how the angles {whose}turn",
                "if about fixed x by rx, then fixed y by ry, then fixed z by rz, say angles=static-xyz",
            )
