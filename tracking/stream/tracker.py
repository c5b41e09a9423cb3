"""From one exposure of the rig's cameras to a tracker frame: markers, poses, what to believe of them, and a word for every body."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from navtwin.nouns import AppliedFilter, Body, Pose, Rig, Sighting, Stages, TrackerFrame
from navtwin.rigid import Rigid
from tracking.detect.markers import Markers
from tracking.detect.regions import RegionDetector
from tracking.detect.strangers import Strangers, short_name
from tracking.pictures.checks import check_rig, check_size
from tracking.pictures.faults import PictureCheck
from tracking.pictures.images import Picture
from tracking.pictures.pairing import half_period_ns, simultaneous
from tracking.pose.ambiguity import Continuity
from tracking.pose.estimate import View, estimate_pose_views
from tracking.pose.filters import PoseFilter, filter_of
from tracking.rig import T_tracker_from_camera, camera_of, marker_body


@dataclass
class _Track:
    """What is remembered of one body between frames."""

    filter: PoseFilter | None
    continuity: Continuity = field(default_factory=Continuity)


class MarkerTracker:
    """The printed markers of a rig, followed from exposure to exposure.

    Parameters
    ----------
    rig : with at least one camera and one body that has printed markers
    source : what the frames are to be called
    live : whether sensors make the pictures now (one that repeats then means a frozen camera)

    Raises
    ------
    InputRefused : a rig without a camera or without printed markers, an unknown dictionary
    """

    def __init__(self, rig: Rig, source: str = "camera", *, live: bool = False) -> None:
        check_rig(rig)
        self.rig, self.source = rig, source
        self.bodies = tuple(body for body in rig.body if body.marker)
        #: The markers found in the last exposure, by camera and dictionary: for pictures of it.
        self.found: dict[int, dict[str, Markers]] = {}
        #: The pictures that the last frame was made from.
        self.pictures: Sequence[Picture] = ()
        self._shapes = {body.name: marker_body(body) for body in self.bodies}
        self._cameras = [camera_of(camera) for camera in rig.camera]
        self._places = [T_tracker_from_camera(camera) for camera in rig.camera]
        wanted = wanted_markers(self.bodies)
        self._detectors = [RegionDetector(wanted, camera.width_px, camera.height_px) for camera in rig.camera]
        self._checks = [PictureCheck(noisy=live) for _ in rig.camera]
        self._tracks = {body.name: _Track(filter_of(rig.tracker.smoothing) if rig.tracker.smoothing else None) for body in self.bodies}
        self._strangers = Strangers(wanted)
        self._gap_ns = half_period_ns(rig.tracker.rate_hz)

    def track(self, images: Sequence[Picture]) -> TrackerFrame:
        """Every body of the rig that has printed markers, as one exposure shows it.

        Pictures further apart than half a period are not mixed: only the newest are used. The frame's time of arrival is the pictures'; who
        hands it on states when that was.

        Parameters
        ----------
        images : at least one, at most one of each camera

        Raises
        ------
        InputRefused : a picture of another size than the calibration's, or of a camera that the rig does not have
        """
        pictures = self.pictures = simultaneous(images, self._gap_ns)
        for picture in pictures:
            check_size(self.rig, picture)
        faults = {p.camera: fault for p in pictures if (fault := self._checks[p.camera].fault(p))}
        usable = [p for p in pictures if p.camera not in faults]
        self.found = {p.camera: self._detectors[p.camera].detect(p.grey) for p in usable}
        t_detected_ns = time.monotonic_ns()
        t_capture_ns = sum(p.t_capture_ns for p in usable or pictures) // len(usable or pictures)
        if usable:
            hint = self._strangers.hint(usable[0].grey, t_capture_ns, anything=any(len(m.ids) for f in self.found.values() for m in f.values()))
            blind = "; ".join(f"{self.rig.camera[camera].name}: {fault}" for camera, fault in faults.items())
            seen = [self._sighting(body, t_capture_ns, hint, blind) for body in self.bodies]
        else:
            reason = next(iter(faults.values()))
            seen = [(Sighting(body=body.name, status="INVALID", reason=reason), None) for body in self.bodies]
        applied = [a for _, a in seen if a is not None]
        return TrackerFrame(
            source=self.source,
            number=max(p.number for p in images),
            t_capture_ns=t_capture_ns,
            t_arrival_ns=max(p.t_arrival_ns for p in pictures),
            sightings=tuple(sighting for sighting, _ in seen),
            stamp="host" if all(p.stamp == "host" for p in pictures) else "assumed",
            filter=max(applied, key=lambda a: a.delay_ms, default=None),
            stages=Stages(
                t_image_ns=max(p.t_arrival_ns for p in pictures),
                t_detected_ns=t_detected_ns,
                t_posed_ns=time.monotonic_ns(),
            ),
        )

    def _sighting(self, body: Body, t_ns: int, hint: str, blind: str) -> tuple[Sighting, AppliedFilter | None]:
        track = self._tracks[body.name]
        views = [View(found[short_name(body.dictionary)], self._cameras[c], self._places[c]) for c, found in self.found.items()]
        estimate = estimate_pose_views(views, self._shapes[body.name], track.continuity.at(t_ns))
        track.continuity.took(t_ns, estimate)
        figures = {"rms_px": estimate.rms_px, "corners": estimate.corners, "ambiguity": None if estimate.rms_px is None else estimate.ambiguity}
        if estimate.T_camera_from_body is None or estimate.covariance is None:
            why = hint or estimate.reason if estimate.status == "OUT_OF_VIEW" else estimate.reason
            reason = "; ".join(filter(None, (why, blind)))
            return Sighting(body=body.name, status=estimate.status, reason=reason, **figures), None  # type: ignore[arg-type]
        pose = estimate.T_camera_from_body.between("tracker", f"marker/{body.name}")
        rms_mm, covariance, applied = self._rms_mm(estimate.rms_px, pose), estimate.covariance, None
        if track.filter is not None:
            pose, smooth, applied = track.filter.update(t_ns, pose, covariance)
            covariance = covariance if smooth is None else smooth
        sighting = Sighting(
            body=body.name,
            status="OK",
            pose=Pose.from_rigid(pose),
            covariance=tuple(float(v) for v in covariance[np.triu_indices(6)]),  # type: ignore[arg-type]
            rms_mm=rms_mm,
            reason="; ".join(filter(None, (estimate.reason, _disagreed(estimate.left_out), _twice(views, body), blind))),
            **figures,  # type: ignore[arg-type]
        )
        return sighting, applied

    def _rms_mm(self, rms_px: float | None, pose: Rigid) -> float | None:
        """The misfit in pixels, as long as it is at the body's distance from the nearest camera."""
        if rms_px is None:
            return None
        return float(rms_px * min(self._places[c].inverse().point(pose.t_mm)[2] / self._cameras[c].matrix[0, 0] for c in self.found))


def wanted_markers(bodies: Sequence[Body]) -> dict[str, frozenset[int]]:
    """The numbers that these bodies carry, by dictionary."""
    wanted = dict[str, frozenset[int]]()
    for body in bodies:
        name = short_name(body.dictionary)
        wanted[name] = wanted.get(name, frozenset()) | {marker.id for marker in body.marker}
    return wanted


def _disagreed(numbers: Sequence[int]) -> str:
    return f"marker {', '.join(map(str, numbers))} disagrees with the others and is not used" if numbers else ""


def _twice(views: Sequence[View], body: Body) -> str:
    """A word on markers that one picture shows twice: which of the two is the body's cannot be known, so neither is used."""
    own, twice = {marker.id for marker in body.marker}, set[int]()
    for view in views:
        values, counts = np.unique(view.markers.ids, return_counts=True)
        twice |= set(values[counts > 1].tolist()) & own
    return f"marker {', '.join(map(str, sorted(twice)))} is in the picture twice and not used" if twice else ""
