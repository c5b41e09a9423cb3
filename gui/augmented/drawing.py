"""What is drawn over one picture, as lines in its pixels: everything is moved by the poses of that picture. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gui.augmented.crop import Crop
from gui.augmented.depths import COARSE, FINE, Depths
from gui.augmented.model import Context, Verdict
from navtwin.bus.words import ERROR_BAR_SD, name_words
from navtwin.nouns import Level, Part, Reading, Rig
from navtwin.nouns.video import VideoFrame, VideoMarker
from navtwin.rigid import Rigid
from navtwin.scene.augment import Anatomy, Eye, SceneMarks, ToolMarks, part_shells, scene_marks, tool_marks
from navtwin.scene.augment_bone import Drilled
from navtwin.scene.distances import reading_words, structure_rows
from navtwin.scene.lens import Lens
from navtwin.scene.model import Scene
from navtwin.scene.silhouette import Shell

F64 = npt.NDArray[np.float64]
#: Beyond this no line is drawn to a structure that is not threatened, mm; as in the 3D picture.
REACH_MM = 60.0
#: Points of a distance line: the lens bends it.
LINE_POINTS = 8


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn."""

    structures: bool = True
    plan: bool = True
    instrument: bool = True
    drilling: bool = True
    markers: bool = False


@dataclass(frozen=True, eq=False)
class DistanceMark:
    """The line from an instrument to a structure (N, 2) px, and its error bar (2, 2) px along it; None where that has no image."""

    line: F64
    bar: F64 | None
    words: str
    level: Level


@dataclass(frozen=True, eq=False)
class Drawing:
    """All that is drawn over one picture, in pixels of the full picture counted from the corner of the part that is shown; and how depth is shown."""

    scene: SceneMarks = field(default_factory=SceneMarks)
    tools: tuple[ToolMarks, ...] = ()
    distances: tuple[DistanceMark, ...] = ()
    markers: tuple[VideoMarker, ...] = ()
    depths: Depths = COARSE


@dataclass(frozen=True, eq=False)
class Prepared:
    """A case and a rig made ready to be drawn over pictures: that takes a second or two."""

    scene: Scene
    rig: Rig
    anatomy: Anatomy
    lenses: dict[str, Lens]
    parts: dict[str, tuple[tuple[Part, ...], tuple[Shell, ...]]]

    @classmethod
    def of(cls, scene: Scene, rig: Rig) -> Prepared:
        """
        Raises
        ------
        InputRefused : a camera with a number of coefficients that no lens model has
        """
        parts = {tool.name: (tool.part, part_shells(tool.part)) for tool in rig.tool}
        anatomy = Anatomy.of(scene, drills=can_drill(rig))
        return cls(scene, rig, anatomy, {camera.name: Lens.of(camera) for camera in rig.camera}, parts)

    @property
    def depths(self) -> Depths:
        """Millimetres count where bone is drilled."""
        return COARSE if self.anatomy.carvable is None else FINE

    def fits(self, context: Context) -> bool:
        """Whether this is what is open now."""
        return self.scene is context.scene and self.rig is context.rig


def can_drill(rig: Rig | None) -> bool:
    """Whether a rig has a tool that takes bone away: without one, the core drills nothing and says nothing of bone."""
    return rig is not None and any(tool.cutter is not None for tool in rig.tool)


def draw(prepared: Prepared, frame: VideoFrame, verdict: Verdict, context: Context, crop: Crop, drilled: Drilled | None = None) -> Drawing:
    """What a verdict lets be drawn over the part of its picture that is shown; `drilled` is None where it is not known, or nothing can be."""
    markers = tuple(_moved(marker, crop) for marker in frame.markers)
    whole = prepared.lenses.get(frame.camera)
    if whole is None or verdict.camera is None:
        return Drawing(markers=markers)
    lens = whole.cropped(crop.left_px, crop.top_px, round(crop.width_px), round(crop.height_px))
    tools = tuple(tool_marks(name, prepared.parts[name][1], prepared.parts[name][0], lens, T) for name, T in verdict.tips.items())
    eye = _eye(prepared, lens, verdict, context)
    if eye is None:
        return Drawing(tools=tools, markers=markers)
    marks, distances = scene_marks(prepared.anatomy, eye, drilled), tuple(_distances(prepared.scene, eye, verdict, context))
    return Drawing(marks, tools, distances, markers, prepared.depths)


def _moved(marker: VideoMarker, crop: Crop) -> VideoMarker:
    a, b, c, d = ((x - crop.left_px, y - crop.top_px) for x, y in marker.corners_px)
    return VideoMarker(id=marker.id, dictionary=marker.dictionary, corners_px=(a, b, c, d))


def _eye(prepared: Prepared, lens: Lens, verdict: Verdict, context: Context) -> Eye | None:
    setup = context.moment.setup
    if verdict.T_camera_from_ct is None or verdict.T_camera_from_ref is None or setup is None or setup.registration is None:
        return None
    reference = next(b for b in prepared.rig.body if b.name == prepared.rig.reference)
    return Eye(lens, verdict.T_camera_from_ct, verdict.T_camera_from_ref, setup.registration, reference)


def _distances(scene: Scene, eye: Eye, verdict: Verdict, context: Context) -> Iterator[DistanceMark]:
    """A line to each critical structure that is threatened, and to the nearest one within reach; none to what is not known.

    Its end at the instrument moves with the instrument of this picture, that at the structure with the patient: the state may be a frame apart.
    """
    moment = context.moment
    rows = [row.lead for row in structure_rows(scene, moment.state, moment.alerts, link_lost=moment.link_lost)]
    known = [(lead.level, lead.reading) for lead in rows if lead is not None and lead.reading is not None]
    nearest = min((r.distance_mm for _, r in known if r.distance_mm is not None), default=REACH_MM)
    poses = {i.instrument: i.pose for i in (moment.state.instruments if moment.state else ()) if i.status == "OK"}
    for level, reading in known:
        threatened = level != "CLEAR" or (reading.distance_mm == nearest and nearest < REACH_MM)
        pose, T_camera_from_tip = poses.get(reading.instrument), verdict.tips.get(reading.instrument)
        if not threatened or pose is None or T_camera_from_tip is None:
            continue
        T_tip_from_ct = pose.rigid(target="ct", source=f"tip/{reading.instrument}").inverse()
        mark = _mark(reading, level, eye, T_camera_from_tip @ T_tip_from_ct)
        if mark is not None:
            yield mark


def _mark(reading: Reading, level: Level, eye: Eye, T_camera_by_tip: Rigid) -> DistanceMark | None:
    if reading.on_axis_mm is None or reading.on_structure_mm is None:
        return None
    near, far = np.array(T_camera_by_tip.point(reading.on_axis_mm)), np.array(eye.T_camera_from_ct.point(reading.on_structure_mm))
    pixels = eye.lens.project(np.linspace(near, far, LINE_POINTS))
    if not np.isfinite(pixels).all():
        return None
    bar = None
    length = float(np.linalg.norm(far - near))
    if reading.sd_mm is not None and length > 0.0:
        half = ERROR_BAR_SD * reading.sd_mm / length * (far - near)
        ends = eye.lens.project(np.stack((far - half, far + half)))
        bar = ends if np.isfinite(ends).all() else None
    return DistanceMark(pixels, bar, f"{name_words(reading.structure)}  {reading_words(reading)}", level)
