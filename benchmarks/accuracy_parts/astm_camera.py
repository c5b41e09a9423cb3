"""The same on the printed rig as the rendered camera films it: the kit's bodies, the camera's pictures, the markers found in them, pivot and all."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console

from navtwin.assess.assessment import Assessment, assess
from navtwin.assess.collector import Collector
from navtwin.assess.plan import Design, touches
from navtwin.assess.session import Teller, take_touches
from navtwin.assess.sheet import printed_sheet
from navtwin.assess.taken import Assessed, TouchFile, read_touches
from navtwin.errors import InputRefused
from navtwin.nouns import Rig, RigCamera, SourceEnded, TrackerFrame, read_rig
from navtwin.record.hashes import rig_hash
from phantoms.camera.stand import HEIGHT_PX, own_lenses
from tracking.kit.sheet import make_sheet
from tracking.stream.sources import open_camera_source

POINTER = "pointer"
#: Fewer points than on a real rig: every picture is rendered.
DESIGN = Design(places=("middle", "near", "far"), repeats=4, points=8)
#: The film goes on whether or not a touch was taken: places where one is missing are filmed again, so often at most.
DWELL_S, ROUNDS = 0.8, 3


def assess_rendered(seed: int, design: Design = DESIGN, *, height_px: int = HEIGHT_PX, quiet: bool = False) -> Assessment:
    """One assessment before the rendered camera, whose pictures are so high."""
    with tempfile.TemporaryDirectory() as folder:
        rig = calibrated_rig(Path(folder), seed, height_px)
        asked = touches(printed_sheet(), design)
        about = Assessed(
            artefact=printed_sheet(),
            design=design,
            tool=POINTER,
            tracker="one rendered camera, printed bodies",
            source=f"camera:phantom:assess:{seed}",
            rig_hash=rig_hash(rig),
            begun_utc="",
        )
        path = Path(folder) / "touches.jsonl"
        file = TouchFile(path, about)
        with Console(stderr=True, quiet=quiet).status("ASTM F2554, rendered camera"), (Path(folder) / "said.txt").open("w") as said:
            for _ in range(ROUNDS):
                missing = [p for p in design.places if any(t.place == p and t.number not in file.taken for t in asked)]
                if not missing:
                    break
                source = open_camera_source(f"phantom:assess:{seed}?{_options(design, missing)}", None, rig)
                try:
                    take_touches(source, rig, POINTER, asked, file, DWELL_S, Teller(said, sound=False))
                finally:
                    source.close()
        file.close()
        if len(file.taken) < len(asked):
            raise InputRefused(f"{len(file.taken)} of {len(asked)} touches were taken of the rendered sheet", "choose another --first")
        return assess(*read_touches(path), asked=len(asked))


def _options(design: Design, places: Sequence[str]) -> str:
    return f"lens=rig&places={','.join(places)}&repeats={design.repeats}&points={design.points}"


def calibrated_rig(folder: Path, seed: int, height_px: int) -> Rig:
    """The kit's rig with the camera's true lens, and the pointer's tip as a pivot before the same camera finds it."""
    path = folder / "rig.toml"
    path.write_text(make_sheet().rig, encoding="utf-8")
    lens = own_lenses(1, height_px)[0]
    camera = RigCamera(
        name="rendered",
        width_px=lens.width_px,
        height_px=lens.height_px,
        focal_px=(float(lens.matrix[0, 0]), float(lens.matrix[1, 1])),
        centre_px=(float(lens.matrix[0, 2]), float(lens.matrix[1, 2])),
        distortion=tuple(float(k) for k in lens.distortion),
    )
    rig = replace(read_rig(path), camera=(camera,))
    collector = Collector(rig, printed_sheet(), POINTER)
    collector.pivot(_frames(f"phantom:pivot:{POINTER}:{seed}?lens=rig", rig))
    tip_mm, covariance = collector.tip
    tools = tuple(replace(t, tip_mm=tip_mm, tip_covariance=covariance) if t.name == POINTER else t for t in rig.tool)
    return replace(rig, tool=tools)


def _frames(address: str, rig: Rig) -> list[TrackerFrame]:
    source, frames = open_camera_source(address, None, rig), list[TrackerFrame]()
    try:
        while True:
            item = source.read(1.0)
            if isinstance(item, TrackerFrame):
                frames.append(item)
    except SourceEnded:
        return frames
    finally:
        source.close()
