"""Frames that tempt a solver to a wrong pose: things in the way, glare, blur, noise, steep views. What it accepts is held against the truth.

Short films of a tool that moves, so that the last pose may decide where it is allowed to. In each stand the tool (dodecahedron or cube), a flat board
tilted by up to 75 deg, and single markers of the same dictionary that belong to neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from phantoms.camera import Glare, Occluder, Optics, Placed, Square, true_markers
from poses_parts.world import DICTIONARY, LENS, Array, Body, error, facing, kit, normalised_square, place, pose, views
from tracking import MarkerBody
from tracking.detect.patterns import cells
from tracking.kit.bodies import Face, PrintedBody
from tracking.pose.ambiguity import Continuity
from tracking.pose.estimate import PoseEstimate, estimate_pose_views

FILM, RATE_HZ = 25, 30.0
TILT_DEG = 75.0
#: A pose turned by more than this from the truth is wrong (mirrored, or another's); so is one a third as far off that its covariance does not admit.
WRONG_DEG, WRONG_MM, WRONG_SQUARE = 10.0, 15.0, 100.0
#: A corner counts as visible if its face looks towards the camera to within this angle, besides being in the image, in front of all and not in glare.
STEEPEST_DEG = 75.0
STRANGERS, STRANGER_SIDE_MM = (40, 41, 42), 22.0
#: Saturating glare hides a corner within this many of its sds.
GLARE_SDS = 1.5


@dataclass
class Tally:
    """Counts over films, for one body.

    Attributes
    ----------
    frames, accepted : all frames, and those with a pose
    six, six_accepted : frames with at least 6 corners visible, be it of markers half covered, and those of them with a pose
    whole, whole_accepted : frames with at least 2 markers visible as a whole (the fewest that hold 6 corners), and those of them with a pose
    wrong : poses accepted that are mirrored or another's; where : which, as (seed of the film, frame, deg, mm)
    continued : poses in which the last one decided
    worst_deg : greatest turn of an accepted pose from the truth
    """

    frames: int = 0
    accepted: int = 0
    six: int = 0
    six_accepted: int = 0
    whole: int = 0
    whole_accepted: int = 0
    wrong: int = 0
    continued: int = 0
    worst_deg: float = 0.0
    where: list[tuple[int, int, float, float]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in ("frames", "accepted", "six", "six_accepted", "whole", "whole_accepted", "wrong", "continued"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.worst_deg = max(self.worst_deg, other.worst_deg)
        self.where += other.where


def told(tally: Tally) -> dict[str, object]:
    """The figures of a tally."""
    return {
        "frames": tally.frames,
        "accepted": tally.accepted,
        "two_whole_markers": tally.whole,
        "accepted_percent": 100.0 * tally.whole_accepted / tally.whole if tally.whole else "-",
        "six_corners": tally.six,
        "six_accepted_percent": 100.0 * tally.six_accepted / tally.six if tally.six else "-",
        "by_continuity": tally.continued,
        "worst_deg": tally.worst_deg,
        "wrong": tally.wrong,
        "where": tally.where[:3] or "",
    }


def hostile(frames: int, seed: int, jobs: int) -> dict[str, Tally]:
    """Tallies of `frames` frames (rounded up to whole films), by body."""
    films = range(-(-frames // FILM))
    total = dict[str, Tally]()
    with ProcessPoolExecutor(jobs) as pool:
        results = pool.map(film, (seed * 1_000_003 + n for n in films)) if jobs > 1 else map(film, (seed * 1_000_003 + n for n in films))
        for tallies in results:
            for name, tally in tallies.items():
                total.setdefault(name, Tally()).add(tally)
    return total


def film(seed: int) -> dict[str, Tally]:
    """One film, from its seed alone."""
    rng = np.random.default_rng(seed)
    bodies = kit()
    tool = "dodecahedron" if rng.random() < 0.5 else "cube"
    acting = {tool: bodies[tool], "flat board": bodies["flat board"], "one marker": _one_marker(bodies["flat board"])}
    memories, tallies = {name: Continuity() for name in acting}, {name: Tally() for name in acting}
    for number, (poses, optics, occluders) in enumerate(_frames(rng, tool)):
        placed = [(bodies[name], T) for name, T in poses.items()]
        strangers = _strangers(rng)
        seen = views([*placed, *strangers], optics, rng, occluders=occluders)
        scene = [Placed(T, body.sheets) for body, T in [*placed, *strangers]]
        visible = {t.id: t.visible & ~_in_glare(t.corners_px, optics) for t in true_markers(LENS, scene, optics, occluders)}
        t_ns = round(number / RATE_HZ * 1e9)
        for name, body in acting.items():
            truth = poses["flat board" if name == "one marker" else name]
            found = estimate_pose_views(seen, body.markers, memories[name].at(t_ns))
            memories[name].took(t_ns, found)
            seen_corners = [visible[n] for n in body.markers.ids.tolist() if n in visible and _turned_here(body, n, truth)]
            _count(tallies[name], found, truth, seen_corners, (seed, number))
    return tallies


def _count(tally: Tally, found: PoseEstimate, truth: Array, visible: list[Array], where: tuple[int, int]) -> None:
    accepted = found.status == "OK"
    six, whole = sum(int(v.sum()) for v in visible) >= 6, sum(bool(v.all()) for v in visible) >= 2
    tally.frames += 1
    tally.accepted += accepted
    tally.six += six
    tally.six_accepted += accepted and six
    tally.whole += whole
    tally.whole_accepted += accepted and whole
    if not accepted:
        return
    tally.continued += found.continued
    off, square = error(found, truth), normalised_square(found, truth)
    deg, mm = float(np.degrees(np.linalg.norm(off[:3]))), float(np.linalg.norm(off[3:]))
    tally.worst_deg = max(tally.worst_deg, deg)
    if deg > WRONG_DEG or (square > WRONG_SQUARE and (deg > WRONG_DEG / 3.0 or mm > WRONG_MM / 3.0)):
        tally.wrong += 1
        tally.where.append((*where, round(deg, 1), round(mm, 1)))


def _one_marker(board: Body) -> Body:
    """The first marker of the board, taken as a body of its own: the hardest thing to tell from its mirror image."""
    face = board.printed.faces[0]
    alone = Face(face.outline_mm, face.ids[:1], face.corners_mm[:1])
    made = PrintedBody("one marker", "one marker", DICTIONARY, board.printed.side_mm, (alone,), (None,))
    return Body(made, board.sheets, MarkerBody(board.markers.ids[:1], board.markers.corners_mm[:1]))


def _frames(rng: np.random.Generator, tool: str) -> Iterator[tuple[dict[str, Array], Optics, list[Occluder]]]:
    """Poses in the tracker's axes, optics and things in the way, frame by frame. What moves, moves steadily."""
    names = (tool, "flat board")
    start = {name: (facing(rng, TILT_DEG), place(rng, 60.0)) for name in names}
    motion = {name: (np.radians(60.0) * rng.uniform(-1.0, 1.0, 3), 150.0 * rng.uniform(-1.0, 1.0, 3)) for name in names}
    blur, noise, exposure = rng.uniform(0.6, 2.0), rng.uniform(1.0, 6.0), rng.uniform(0.0, 15.0)
    lamp, drift = np.array([rng.normal(0.0, 40.0), rng.normal(0.0, 40.0)]), rng.normal(0.0, 60.0, 2)
    for number in range(FILM):
        t_s = (number - FILM / 2.0) / RATE_HZ
        poses = dict[str, Array]()
        for name in names:
            turn, shift = start[name]
            spin, speed = motion[name]
            poses[name] = pose(Rotation.from_rotvec(spin * t_s) * turn, shift + speed * t_s)
        middle = _pixel(poses[tool if number % 2 else "flat board"][:3, 3])
        glare = tuple(Glare(*(middle + lamp + t_s * drift), rng.uniform(5.0, 25.0), rng.uniform(80.0, 400.0)) for _ in range(rng.integers(0, 3)))
        spin, speed = motion[tool]
        optics = Optics(
            blur_px=blur, noise_dn=noise, exposure_ms=exposure, sub_exposures=5, motion=(*spin, *speed), glare=glare, slope=(0.1, -0.1), vignette=0.2
        )
        yield poses, optics, [_hand(rng, poses[name]) for name in names if rng.random() < 0.6]


def _hand(rng: np.random.Generator, T: Array) -> Occluder:
    """A finger or a cable across a body: a strip of 3 to 30 mm, at any place and slant, its end anywhere."""
    middle, scale = _pixel(T[:3, 3]), 1400.0 / T[2, 3]
    slant = rng.uniform(0.0, 2.0 * np.pi)
    along, across = np.array([np.cos(slant), np.sin(slant)]), np.array([-np.sin(slant), np.cos(slant)])
    start, width = middle + scale * rng.uniform(-45.0, 45.0, 2), scale * rng.uniform(1.5, 15.0)
    end = start + scale * 150.0 * along
    return Occluder(np.array([start - width * across, end - width * across, end + width * across, start + width * across]), rng.uniform(20.0, 230.0))


def _strangers(rng: np.random.Generator) -> list[tuple[Body, Array]]:
    """Markers of the same dictionary that no body carries."""
    found = []
    for number in STRANGERS:
        body = MarkerBody.square(number, STRANGER_SIDE_MM)
        face = Face(body.corners_mm[0], (number,), body.corners_mm)
        made = PrintedBody("stranger", "one marker", DICTIONARY, STRANGER_SIDE_MM, (face,), (None,))
        sheet = Square.of(body.corners_mm[0], cells(DICTIONARY, number), id=number)
        found.append((Body(made, (sheet,), body), pose(facing(rng, TILT_DEG), place(rng, 30.0) + np.array([0.0, 0.0, 150.0]))))
    return found


def _pixel(point_mm: Array) -> Array:
    return np.array([955.3, 543.8]) + 1400.0 * point_mm[:2] / point_mm[2]


def _turned_here(body: Body, number: int, T: Array) -> bool:
    """Whether a marker looks towards the camera to within `STEEPEST_DEG`."""
    corners = body.markers.corners_mm[body.markers.ids.tolist().index(number)] @ T[:3, :3].T + T[:3, 3]
    normal = np.cross(corners[3] - corners[0], corners[1] - corners[0])
    middle = corners.mean(axis=0)
    cosine = -float(normal @ middle) / float(np.linalg.norm(normal) * np.linalg.norm(middle))
    return cosine > np.cos(np.radians(STEEPEST_DEG))


def _in_glare(corners_px: Array, optics: Optics) -> Array:
    hidden = np.zeros(4, dtype=bool)
    for spot in optics.glare:
        away = np.linalg.norm(corners_px - [spot.x_px, spot.y_px], axis=1)
        hidden |= away < GLARE_SDS * spot.sd_px * (spot.peak_dn > 50.0)
    return hidden
