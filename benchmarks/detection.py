"""Marker detection: three moving bodies before a cluttered background, followed by regions, against OpenCV's whole-frame detector in the same run.

Every frame goes through both, one after the other. Corners are held against those of the whole-frame detector with the same refinement, and against
the rendered truth; markers that appear are timed until they are reported, and those that have gone must not be.

    python benchmarks/detection.py --seed 1 --json detection.json
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from common import parser, percentiles, print_rows, write_json
from detection_parts.film import BODIES, RATE_HZ, camera_of, film, lens_of
from poses_parts.world import DICTIONARY, kit
from rich.console import Console

from tracking import detect_markers, estimate_pose
from tracking.detect.patterns import dictionary_of
from tracking.detect.regions import RegionDetector
from tracking.opencv import cv2

Rows = dict[str, dict[str, float]]


def whole_frame(name: str) -> cv2.aruco.ArucoDetector:
    """OpenCV's detector as it comes."""
    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(dictionary_of(name).number), cv2.aruco.DetectorParameters())


def rendered(frames: int, height_px: int, seed: int) -> tuple[Rows, dict[str, float]]:
    """Times, ms, and how far what is found agrees with the whole-frame detector and with the truth."""
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
        if number >= 3:  # the first frame is searched as a whole, and kernels are loaded
            ours.append((detected - start) * 1e3)
            posed.append((ready - start) * 1e3)
            theirs.append((done - ready) * 1e3)
    times = {"regions": percentiles(ours), "regions and poses": percentiles(posed), "OpenCV, whole frame": percentiles(theirs)}
    figures = {
        "ratio of medians, with poses": float(np.median(posed) / np.median(theirs)),
        "corners apart, median px": float(np.median(apart)),
        "corners apart, p95 px": float(np.percentile(apart, 95)),
        "corners apart, p99 px": float(np.percentile(apart, 99)),
        "corners apart by more than 0.05 px, %": 100.0 * float(np.mean(np.array(apart) > 0.05)),
        "longest wait for a new marker, ms": max([*waits, *unnoticed.values()]) * 1e3 / RATE_HZ,
        "markers reported that are not there": strangers,
        "normalised squared corner error": float(np.mean(normalised)),
    }
    return times, figures


def filmed(path: Path, dictionary: str) -> tuple[Rows, dict[str, float]]:
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
    figures = {"markers": seen, "markers, whole frame": whole_seen, "corners apart, median px": float(np.median(apart))}
    return {"regions": percentiles(ours), "OpenCV, whole frame": percentiles(theirs)}, figures


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--frames", type=int, default=300, help="rendered frames of each size")
    options.add_argument("--videos", type=Path, help="folder with 12markers.avi, multipattern.avi and output.avi of scikit-surgery")
    given = options.parse_args()
    runs = {f"rendered {height}p": rendered(given.frames, height, given.seed) for height in (1080, 720)}
    films = {"12markers.avi": "6X6_250", "multipattern.avi": "ARUCO_ORIGINAL", "output.avi": "4X4_50"}
    runs |= {name: filmed(given.videos / name, of) for name, of in films.items()} if given.videos else {}
    for name, (times, figures) in runs.items():
        print_rows(name, "ms", times)
        for what, value in figures.items():
            Console().print(f"  {what}: {value:.3f}")
    write_json(given.json, {"seed": given.seed, **{name: {"ms": times, **figures} for name, (times, figures) in runs.items()}})


if __name__ == "__main__":
    main()
