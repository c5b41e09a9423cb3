"""What `navtwin calibrate ... --progress` prints for a screen: a line of JSON each, in the order of things.

`progress` while it goes on, then one `verdict`, then `ended`. On its standard input the command takes the words of `ORDERS`, a line each.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from navtwin.nouns.base import Noun

Calibration = Literal["camera", "cameras", "markers", "tool", "axis", "hand-eye", "time", "latency", "look"]
#: `finish`: enough is collected, compute; `cancel`: leave, nothing is kept; `accept`, `reject`: whether the verdict's result goes into the rig.
ORDERS = ("finish", "cancel", "accept", "reject")


class Goal(Noun, frozen=True):
    """Something to be reached, and how far it is: 12 of 20 views, 14 of 20 deg to the left.

    Attributes
    ----------
    unit : of both numbers, "" for a count
    """

    name: str
    reached: float
    wanted: float
    unit: str = ""


class Figure(Noun, frozen=True):
    """A number that tells how good a calibration is.

    Attributes
    ----------
    value : None where it is not known
    unit : "" for a count or a share
    """

    name: str
    value: float | None
    unit: str = ""


class ViewCoverage(Noun, frozen=True):
    """Where one camera has seen the board so far.

    Attributes
    ----------
    cells_share : rows from the top of the picture, in each its cells from the left: 0 for no corner seen, 1 for enough
    missing : regions of the picture that still hold no board, in words
    tilt_deg, distance_mm : of the board in each view kept; before the lens is known, by a guess of it
    """

    camera: str
    cells_share: tuple[tuple[float, ...], ...]
    missing: tuple[str, ...] = ()
    tilt_deg: tuple[float, ...] = ()
    distance_mm: tuple[float, ...] = ()


class Progress(Noun, frozen=True, tag_field="kind", tag="progress"):
    """How far a calibration is, and what to do next.

    Attributes
    ----------
    phase : `opening` the source, `collecting`, `computing`
    words : what to do next, or what is wrong, for the operator
    views, views_wanted : pictures, poses or readings kept; None wanted where a recording is read to its end
    done_share : how much of what is aimed at is there, 0 to 1; None where that cannot be known
    figures : quality so far
    video_port : where this calibration's pictures are published (topic `video`), None without
    """

    what: Calibration
    phase: Literal["opening", "collecting", "computing"]
    words: str
    views: int = 0
    views_wanted: int | None = None
    done_share: float | None = None
    goals: tuple[Goal, ...] = ()
    coverage: tuple[ViewCoverage, ...] = ()
    figures: tuple[Figure, ...] = ()
    video_port: int | None = None


class CalibrationVerdict(Noun, frozen=True, tag_field="kind", tag="verdict"):
    """What a calibration found, and what the gate makes of it.

    Attributes
    ----------
    name : of the camera, body or tool
    reasons : why it is refused, in words
    lines : the result in sentences, as the command says it without `--progress`
    writes : what would be changed in the rig, as lines of `TABLE NAME: key = value`; none where nothing would be stored
    waits : the command waits for `accept` or `reject`
    result, picture : paths of the result file and of the evidence, "" without
    """

    what: Calibration
    name: str
    accepted: bool
    reasons: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    lines: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    waits: bool = False
    result: str = ""
    picture: str = ""


class CalibrationEnded(Noun, frozen=True, tag_field="kind", tag="ended"):
    """The last line: whether the rig was changed."""

    what: Calibration
    stored: bool
    words: str = ""


CalibrationLine = Progress | CalibrationVerdict | CalibrationEnded
decode_line = msgspec.json.Decoder(CalibrationLine).decode
