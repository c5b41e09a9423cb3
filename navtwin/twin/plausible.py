"""Whether a hand can have made a pose: what leaps, turns like a flipped marker or takes another body's place is not believed.

Every body of the rig is followed in tracker axes, the reference too. Where it is, is the middle of its markers: about that a flip turns it.
A pose that is not believed becomes INVALID before anything of the fold sees it; decision 21 gives the reasons for each rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from navtwin.nouns import Body, Pose, Rig, Sighting, TrackerFrame
from navtwin.rigid import Quat, Vec3

#: A body unseen for so long makes a new start: nothing ties it to where it was.
NEW_START_NS = 500_000_000
#: What noise may add to any way, and how many of the body's declared standard deviations on top.
NOISE_MM, NOISE_RAD, NOISE_SDS = 3.0, math.radians(3.0), 6.0
#: A body that leapt is believed where it is once it has stayed for so many frames, and for so long, without another leap.
STEADY_FRAMES, STEADY_NS = 5, 100_000_000
#: A pose that leaps back counts as the old one where it lies no farther from it than a hand goes in this time.
RETURN_S = 0.1
#: Two bodies nearer than this cannot be told apart by place.
APART_MM = 20.0
#: Of the way between two bodies, how near to the other's place one must come to have taken it.
TAKEN_SHARE = 1.0 / 3.0

#: A refusal is told for so long after the last pose that was refused: one frame is too short for an eye.
SHOWN_NS = 1_000_000_000

Doubt = Literal["", "leapt", "turned", "taken", "exchanged"]
_STRENGTH: dict[Doubt, int] = {"": 0, "leapt": 1, "turned": 2, "taken": 3, "exchanged": 4}


class Place(NamedTuple):
    """Where the middle of a body's markers was, tracker axes, mm; how the body was turned; and when."""

    t_mm: Vec3
    q_wxyz: Quat
    t_ns: int


@dataclass(slots=True)
class Track:
    """What is remembered of one body.

    Attributes
    ----------
    middle_mm : of its markers, in its own axes; None at its origin
    seen, good : the last pose that came, and the last that was believed
    doubt, why : why it is not believed now, as a kind and in words; "" if it is
    partner : the body with which it exchanged places
    told_ns, told : when a pose of it was refused last; why, in words, and the partner then
    steady_ns, steady : since when, and for how many frames, it has gone on from where it leapt to
    """

    body: str
    middle_mm: Vec3 | None
    noise_mm: float
    noise_rad: float
    seen: Place | None = None
    good: Place | None = None
    doubt: Doubt = ""
    why: str = ""
    partner: str = ""
    told_ns: int | None = None
    told: tuple[str, str] = ("", "")
    steady_ns: int = 0
    steady: int = 0

    def unseen(self, t_ns: int) -> bool:
        return self.seen is None or t_ns - self.seen.t_ns >= NEW_START_NS


class Plausible:
    """The gate in front of the pose chain. `judge` takes the frames in order."""

    def __init__(self, rig: Rig) -> None:
        self._speed_mm_s = rig.tracker.most_speed_mm_s or math.inf
        self._turn_rad_s = math.radians(rig.tracker.most_turn_deg_s) or math.inf
        self.tracks = {body.name: Track(body.name, _middle(body), *_noise(body)) for body in rig.body}

    def refused(self, now_ns: int) -> dict[str, tuple[str, str]]:
        """Bodies of which a pose was refused in the last second: why, in words, and the body with which each exchanged places, "" if with none."""
        return {t.body: t.told for t in self.tracks.values() if t.told_ns is not None and now_ns - t.told_ns < SHOWN_NS}

    def judge(self, frame: TrackerFrame, now_ns: int) -> TrackerFrame:
        """The frame, that enters the fold now, with every pose that is not believed made INVALID; the very same frame where all are."""
        t_ns = frame.t_capture_ns
        places: dict[str, Place] = {}
        questions: list[str] = []
        for s in frame.sightings:
            track = self.tracks.get(s.body)
            if track is None or s.pose is None or s.body in places:
                continue
            # Of a body that is there twice, the first is what the chain takes.
            place = places[s.body] = _place(track, s.pose, t_ns)
            if track.doubt or track.good is None or not self._is_ordinary(track, track.good, place):
                questions.append(s.body)
        swaps = self._exchanges(questions, places) if len(questions) > 1 else {}
        for name in questions:
            self._settle(self.tracks[name], places[name], swaps, places)
        for name, place in places.items():
            track = self.tracks[name]
            track.seen = place
            if track.doubt:
                track.told_ns, track.told = now_ns, (track.why, track.partner)
            else:
                track.good = place
        if not any(self.tracks[name].doubt for name in questions):
            return frame
        return msgspec.structs.replace(frame, sightings=tuple(self._refused(s) for s in frame.sightings))

    def _refused(self, s: Sighting) -> Sighting:
        track = self.tracks.get(s.body)
        if track is None or not track.doubt or s.pose is None:
            return s
        return Sighting(body=s.body, status="INVALID", reason=track.why)

    def _is_ordinary(self, track: Track, came: Place, here: Place) -> bool:
        """Whether it is so near to where it was believed that no question arises: neither a leap nor an exchange."""
        (ax, ay, az), (bx, by, bz) = came.t_mm, here.t_mm
        x, y, z = bx - ax, by - ay, bz - az
        gap_s = (here.t_ns - came.t_ns) * 1e-9
        most = min(track.noise_mm + self._speed_mm_s * gap_s, (1.0 - TAKEN_SHARE) * APART_MM)
        if x * x + y * y + z * z > most * most:
            return False
        (aw, ai, aj, ak), (bw, bi, bj, bk) = came.q_wxyz, here.q_wxyz
        # The angle is at most pi/sqrt(2) times the chord 2 sin(angle/4) = sqrt(2 - 2 |q.q'|) between the quaternions.
        chord2 = 2.0 - 2.0 * abs(aw * bw + ai * bi + aj * bj + ak * bk)
        limit = track.noise_rad + self._turn_rad_s * gap_s
        return chord2 * 4.935 <= limit * limit or turned_rad(came.q_wxyz, here.q_wxyz) <= limit

    def _within(self, track: Track, came: Place, here: Place, gap_s: float) -> tuple[bool, bool]:
        """Whether a hand can have brought it there in that time: by its place, and by its turn."""
        return (
            math.dist(came.t_mm, here.t_mm) <= track.noise_mm + self._speed_mm_s * gap_s,
            turned_rad(came.q_wxyz, here.q_wxyz) <= track.noise_rad + self._turn_rad_s * gap_s,
        )

    def _effort(self, came: Place, here: Place) -> float:
        """How far two poses lie apart, whatever the time between them: in seconds that a hand at its fastest needs."""
        by_place = math.dist(came.t_mm, here.t_mm) / self._speed_mm_s
        return max(by_place, turned_rad(came.q_wxyz, here.q_wxyz) / self._turn_rad_s)

    def _exchanges(self, names: list[str], places: dict[str, Place]) -> dict[str, str]:
        """Bodies that, since they were last seen, have come to be where another was, and it where they were."""
        found: dict[str, str] = {}
        for n, a in enumerate(names):
            for b in names[n + 1 :]:
                if a not in found and b not in found and self._takes(a, b, places[a]) and self._takes(b, a, places[b]):
                    found[a], found[b] = b, a
        return found

    def _takes(self, name: str, other: str, here: Place) -> bool:
        """Whether a body is now where another one was seen last, and was not near there before."""
        came, theirs = self.tracks[name].seen, self.tracks[other].seen
        if came is None or theirs is None or here.t_ns - min(came.t_ns, theirs.t_ns) >= NEW_START_NS:
            return False
        apart = math.dist(came.t_mm, theirs.t_mm)
        reach = self.tracks[name].noise_mm + self._speed_mm_s * (here.t_ns - theirs.t_ns) * 1e-9
        return apart >= APART_MM and math.dist(here.t_mm, theirs.t_mm) <= min(reach, TAKEN_SHARE * apart)

    def _settle(self, track: Track, here: Place, swaps: dict[str, str], places: dict[str, Place]) -> None:
        """Believe a pose or not."""
        other = swaps.get(track.body, "")
        if track.good is None or track.seen is None or (track.unseen(here.t_ns) and self._partner_unseen(track, here.t_ns)):
            _believe(track)
            return
        by_place, by_turn = self._within(track, track.good, here, (here.t_ns - track.good.t_ns) * 1e-9)
        reached = by_place and by_turn
        if other:
            if track.doubt == "exchanged" and track.partner == other and reached:
                _believe(track)
            else:
                self._doubt(track, "exchanged", here, f"it exchanged places with {other}", other)
        elif not track.doubt:
            if not reached:
                self._leap(track, track.good, here, places, is_turn=by_place)
        elif all(self._within(track, track.seen, here, (here.t_ns - track.seen.t_ns) * 1e-9)):
            track.steady += 1
            if track.doubt == "leapt" and reached and track.steady >= STEADY_FRAMES and here.t_ns - track.steady_ns >= STEADY_NS:
                _believe(track)
        elif reached and self._has_returned(track, track.good, track.seen, here):
            _believe(track)
        else:
            by_place, _ = self._within(track, track.seen, here, (here.t_ns - track.seen.t_ns) * 1e-9)
            self._leap(track, track.seen, here, places, is_turn=by_place)

    def _has_returned(self, track: Track, good: Place, seen: Place, here: Place) -> bool:
        """Whether a pose that has leapt again is back where the body was believed to be."""
        return all(self._within(track, good, here, RETURN_S)) and self._effort(good, here) < self._effort(seen, here)

    def _partner_unseen(self, track: Track, t_ns: int) -> bool:
        """A body that exchanged places is free only with its partner: one that stays in sight may still go by the other's name."""
        if track.doubt != "exchanged":
            return True
        partner = self.tracks[track.partner]
        return partner.doubt != "exchanged" or partner.partner != track.body or partner.unseen(t_ns)

    def _leap(self, track: Track, came: Place, here: Place, places: dict[str, Place], *, is_turn: bool) -> None:
        """Name what a leap looks like; of two leaps the worse one counts."""
        gap_ms = (here.t_ns - came.t_ns) * 1e-6
        if is_turn:
            degrees = turned_rad(came.q_wxyz, here.q_wxyz) * (180.0 / math.pi)
            self._doubt(track, "turned", here, f"it turned by {degrees:.0f} deg in {gap_ms:.0f} ms, as a flipped marker does")
            return
        for other in self.tracks:
            if other != track.body and self._takes(track.body, other, here) and self._has_left(other, places):
                self._doubt(track, "taken", here, f"it leapt to where {other} was")
                return
        self._doubt(track, "leapt", here, f"it leapt by {math.dist(came.t_mm, here.t_mm):.0f} mm in {gap_ms:.0f} ms")

    def _has_left(self, other: str, places: dict[str, Place]) -> bool:
        """Whether a body is no longer where it was seen last."""
        now, seen = places.get(other), self.tracks[other].seen
        return now is None or seen is None or math.dist(now.t_mm, seen.t_mm) >= (1.0 - TAKEN_SHARE) * APART_MM

    def _doubt(self, track: Track, doubt: Doubt, here: Place, why: str, partner: str = "") -> None:
        if _STRENGTH[doubt] >= _STRENGTH[track.doubt]:
            track.doubt, track.why, track.partner = doubt, why, partner
        track.steady_ns, track.steady = here.t_ns, 1


def _believe(track: Track) -> None:
    track.doubt, track.why, track.partner = "", "", ""


def _middle(body: Body) -> Vec3 | None:
    """The mean of a body's markers, in its own axes; None where the rig does not state any, or where it is the origin."""
    points = body.markers_mm or tuple(corner for marker in body.marker for corner in marker.corners_mm)
    x = y = z = 0.0
    for p in points:
        x, y, z = x + p[0], y + p[1], z + p[2]
    n = len(points) or 1
    return None if x == y == z == 0.0 else (x / n, y / n, z / n)


def _noise(body: Body) -> tuple[float, float]:
    return NOISE_MM + NOISE_SDS * body.sd_mm, NOISE_RAD + NOISE_SDS * body.sd_rad


def _place(track: Track, pose: Pose, t_ns: int) -> Place:
    if track.middle_mm is None:
        return Place(pose.t_mm, pose.q_wxyz, t_ns)
    (w, i, j, k), (x, y, z), (tx, ty, tz) = pose.q_wxyz, track.middle_mm, pose.t_mm
    # v + 2 w (u x v) + 2 u x (u x v), for a unit quaternion (w, u)
    cx, cy, cz = 2.0 * (j * z - k * y), 2.0 * (k * x - i * z), 2.0 * (i * y - j * x)
    at = (tx + x + w * cx + j * cz - k * cy, ty + y + w * cy + k * cx - i * cz, tz + z + w * cz + i * cy - j * cx)
    return Place(at, pose.q_wxyz, t_ns)


def turned_rad(a: Quat, b: Quat) -> float:
    """The angle between two rotations, 0 to pi, to 0.02 rad at half a turn and far better below: 4 asin(|a -+ b| / 2) by its series.

    The chord between the quaternions, unlike their product, keeps its digits at small angles, and the series needs nothing but + - x / sqrt.
    """
    same = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] >= 0.0
    sign = 1.0 if same else -1.0
    square = 0.0
    for p, q in zip(a, b, strict=True):
        d = p - sign * q
        square += d * d
    x2 = 0.25 * square
    return 4.0 * math.sqrt(x2) * (1.0 + x2 * (1.0 / 6.0 + x2 * (3.0 / 40.0 + x2 * (15.0 / 336.0 + x2 * (105.0 / 3456.0)))))
