"""Marker detection: three moving bodies before a cluttered background, followed by regions, against OpenCV's whole-frame detector in the same run.

Every frame goes through both, one after the other. Corners are held against those of the whole-frame detector with the same refinement, and against
the rendered truth; markers that appear are timed until they are reported, and those that have gone must not be.

    navtwin bench detection [--seed 1] [--frames 300] [--videos FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from detection_parts.film import BODIES, RATE_HZ, camera_of, film, lens_of
from poses_parts.part import Part
from poses_parts.world import DICTIONARY, kit
from results import cli
from results.model import BLOCKS, Figure, distribution, percentile_figures

from navtwin.errors import InputRefused
from tracking import detect_markers, estimate_pose
from tracking.detect.patterns import dictionary_of
from tracking.detect.regions import RegionDetector
from tracking.opencv import cv2

HEIGHTS_PX = (1080, 720)
FILMS = {"12markers.avi": "6X6_250", "multipattern.avi": "ARUCO_ORIGINAL", "output.avi": "4X4_50"}
#: The first frame is searched as a whole, and kernels are loaded.
WARM = 3
#: Whom we are measured against.
PEER = "OpenCV, whole frame"
#: Corners farther from those of the whole frame are counted.
APART_PX = 0.05


def whole_frame(name: str) -> cv2.aruco.ArucoDetector:
    """OpenCV's detector as it comes."""
    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(dictionary_of(name).number), cv2.aruco.DetectorParameters())


def _timed(name: str, times_ms: Mapping[str, Sequence[float]]) -> Part:
    """p50 and p99 of what is ours, and how all times lie."""
    figures = [figure for what, took in times_ms.items() if what != PEER for figure in percentile_figures(f"{name}: {what}", "ms", took)]
    return Part(figures, [distribution(f"{name}: {what}", "ms", took) for what, took in times_ms.items()])


def _ratio(name: str, ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Of the medians, with that of each stretch of the film."""
    stretches = zip(np.array_split(ours, BLOCKS), np.array_split(theirs, BLOCKS), strict=True) if len(ours) >= 10 * BLOCKS else ()
    blocks = tuple(float(np.median(a) / np.median(b)) for a, b in stretches)
    return Figure(name=name, value=float(np.median(ours) / np.median(theirs)), unit="x", blocks=blocks)


def rendered(frames: int, height_px: int, seed: int) -> Part:
    """Times, and how far what is found agrees with the whole-frame detector and with the truth."""
    lens = lens_of(height_px)
    camera, bodies = camera_of(lens), [kit()[name].markers for name in BODIES]
    ids = frozenset(int(number) for body in bodies for number in body.ids)
    follow, peer = RegionDetector({DICTIONARY: ids}, lens.width_px, lens.height_px), whole_frame(DICTIONARY)
    ours, posed, theirs, apart, normalised = [], [], [], [], []
    unnoticed, waits, strangers = dict[int, int](), list[int](), 0
    for number, frame in enumerate(film(frames, height_px, seed)):
        start = time.perf_counter()
        found = follow.detect(frame.grey)[DICTIONARY]
        detected = time.perf_counter()
        for body in bodies:
            estimate_pose(found, body, camera)
        ready = time.perf_counter()
        peer.detectMarkers(frame.grey)
        done = time.perf_counter()
        whole = detect_markers(frame.grey, DICTIONARY)
        rows, truth = {int(i): row for row, i in enumerate(found.ids)}, {m.id: m for m in frame.truth}
        strangers += sum(i not in truth for i in rows)
        for i, marker in truth.items():
            row = rows.get(i)
            if row is not None and marker.visible.all() and found.joint_covariance_px is not None:
                error = (found.corners_px[row] - marker.corners_px).ravel()
                normalised.append(float(error @ np.linalg.solve(found.joint_covariance_px[row], error)) / 8.0)
        for row, i in enumerate(whole.ids.tolist()):
            if i in rows:
                apart.append(float(np.abs(found.corners_px[rows[i]] - whole.corners_px[row]).max()))
                waits.append(unnoticed.pop(i, 0))
            else:
                unnoticed[i] = unnoticed.get(i, 0) + 1
        unnoticed = {i: count for i, count in unnoticed.items() if i in whole.ids}
        if number >= WARM:
            ours.append((detected - start) * 1e3)
            posed.append((ready - start) * 1e3)
            theirs.append((done - ready) * 1e3)
    name = f"{height_px}p"
    found_part = _timed(name, {"regions": ours, "regions and poses": posed, PEER: theirs})
    far, longest = 100.0 * float(np.mean(np.array(apart) > APART_PX)), max([*waits, *unnoticed.values()]) * 1e3 / RATE_HZ
    found_part.figures += [
        _ratio(f"{name}: regions and poses, times OpenCV's whole frame", posed, theirs),
        *percentile_figures(f"{name}: corners apart", "px", apart, (50.0, 95.0, 99.0)),
        Figure(name=f"{name}: corners apart by more than {APART_PX:g} px", value=far, unit="%"),
        Figure(name=f"{name}: longest wait for a new marker", value=longest, unit="ms"),
        Figure(name=f"{name}: markers reported that are not there", value=float(strangers), unit=""),
        Figure(name=f"{name}: normalised squared corner error", value=float(np.mean(normalised)), unit="", better="none"),
    ]
    return found_part


def filmed(path: Path, dictionary: str) -> Part:
    """A real video."""
    video, follow, peer = cv2.VideoCapture(str(path)), None, whole_frame(dictionary)
    ours, theirs, apart, seen, whole_seen = [], [], [], 0, 0
    while True:
        more, image = video.read()
        if not more:
            break
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        follow = follow or RegionDetector({dictionary: frozenset(range(len(dictionary_of(dictionary).black)))}, grey.shape[1], grey.shape[0])
        start = time.perf_counter()
        found = follow.detect(grey)[dictionary]
        detected = time.perf_counter()
        peer.detectMarkers(grey)
        theirs.append((time.perf_counter() - detected) * 1e3)
        ours.append((detected - start) * 1e3)
        whole = detect_markers(grey, dictionary)
        seen, whole_seen = seen + len(found.ids), whole_seen + len(whole.ids)
        for row, i in enumerate(whole.ids.tolist()):
            near = [np.abs(c - whole.corners_px[row]).max() for c in found.corners_px[found.ids == i]]
            apart += [min(near)] if near else []
    if not ours:
        raise InputRefused(f"{path.name} has no picture that can be read", "--videos takes the folder of scikit-surgery's films")
    part = _timed(path.name, {"regions": ours, PEER: theirs})
    part.figures += [Figure(name=f"{path.name}: markers", value=float(seen), unit="", better="more")]
    part.figures += [Figure(name=f"{path.name}: markers, whole frame", value=float(whole_seen), unit="", better="none")]
    part.figures += percentile_figures(f"{path.name}: corners apart", "px", apart, (50.0,)) if apart else ()
    return part


def measure(frames: int, seed: int) -> Part:
    """The rendered film in both sizes.

    Raises
    ------
    InputRefused
        So few frames that nothing is left to time.
    """
    if frames < 2 * WARM:
        raise InputRefused(f"--frames {frames}: too few to time", f"ask for {2 * WARM} or more")
    return sum((rendered(frames, height_px, seed) for height_px in HEIGHTS_PX), Part())


def main() -> int:
    options = argparse.ArgumentParser(prog="navtwin bench detection", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--frames", type=int, default=300, help="rendered frames of each size")
    options.add_argument("--videos", type=Path, help=f"folder with {', '.join(FILMS)} of scikit-surgery")
    cli.add_options(options)
    arguments = options.parse_args()
    run = cli.run_begun("detection", arguments)
    part = measure(arguments.frames, arguments.seed)
    if arguments.videos is not None:
        part = sum((filmed(arguments.videos / name, of) for name, of in FILMS.items()), part)
    return cli.finish(
        arguments,
        run.result(
            settings={"frames": arguments.frames},
            figures=part.figures,
            distributions=part.distributions,
            tables=part.tables,
            seeds=[arguments.seed],
        ),
    )


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
