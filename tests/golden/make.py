"""Makes what stands in this folder: a tiny case of balls with its rig, and a session recorded on it.

    python -m tests.golden.make            records session.mcap anew, on the case that is there
    python -m tests.golden.make --case     makes the case anew too (its vertices come from sine and cosine, which differ between machines)

The session must replay to the bit. Record it anew only where the fold was meant to say something else, and say so in the change.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import nibabel as nib
import numpy as np

from navtwin.nouns import (
    Accept,
    Ack,
    AudioPause,
    Collect,
    Command,
    Event,
    EventBody,
    Header,
    Mark,
    Mute,
    Notice,
    Order,
    PivotResult,
    Pose,
    Register,
    SetLimits,
    Sighting,
    Spindle,
    Tick,
    ToolSelect,
    TrackerFrame,
    Undo,
    read_rig,
)
from navtwin.record.hashes import code_hash, rig_hash, with_session
from navtwin.record.log import LogWriter
from navtwin.rigid import Quat, Rigid, Vec3
from navtwin.run.core import Core
from navtwin.scene.build import write_case
from navtwin.scene.case import CaseFile, CaseSection, CtSection, LandmarkEntry, PlanEntry, StructureEntry, load_scene, surface_file
from navtwin.scene.surface import Surface
from tests.twin.world import LATENCY_NS, MS, PERIOD_NS, RADIUS_MM, ball, registration

FOLDER = Path(__file__).resolve().parent
CASE = FOLDER / "case"
RIG = CASE / "rig.toml"
SESSION = FOLDER / "session.mcap"
RINGS = 10
TICK_NS = 10 * MS
#: The drill's tip in its marker's axes, and where the reference is in the tracker's.
TIP_MM: Vec3 = (0.5, 90.0, 120.0)
HOME_MM: Vec3 = (5.0, -3.0, 1.0)

RIG_TEXT = """\
# The rig of the golden session. Lengths in mm, angles in rad.
reference = "ref"

[tracker]
name = "golden"
rate_hz = 60.0
latency_ms = 15.0
output_delay_ms = 5.0
max_age_ms = 100.0

[[body]]
name = "ref"
sd_mm = 0.02
sd_rad = 0.0003

[[body]]
name = "drill"
sd_mm = 0.05
sd_rad = 0.0005

[[tool]]
name = "drill"
body = "drill"
axis_in_marker = [0.0, 0.6, 0.8]
axis_sd_rad = 0.001
[[tool.part]]
name = "burr"
from_mm = [0.0, 0.0, 0.0]
to_mm = [0.0, 0.0, 0.0]
radius_mm = 1.5
[[tool.part]]
name = "neck"
from_mm = [0.0, 0.0, 0.0]
to_mm = [0.0, 0.0, -50.0]
radius_mm = 1.2
"""


def make_case(folder: Path = CASE) -> None:
    """Two critical balls and a bone, in a scan of 8 x 8 x 8 voxels of 50 mm."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    scan = folder.parent / "scan.nii"
    affine = np.diag((-50.0, -50.0, 50.0, 1.0))
    affine[:3, 3] = (175.0, 175.0, -175.0)
    nib.save(nib.Nifti1Image(np.zeros((8, 8, 8), dtype=np.int16), affine), scan)
    balls = {
        "canal": ("critical", ball((0.0, 0.0, 0.0), RADIUS_MM, RINGS), 4.0, 2.0),
        "aorta": ("critical", ball((0.0, 30.0, 5.0), RADIUS_MM, RINGS), 6.0, 3.0),
        "bone": ("work", ball((22.0, 12.0, 0.0), 8.0, RINGS), None, None),
    }
    surfaces: dict[str, Surface] = {name: entry[1] for name, entry in balls.items()}
    case = CaseFile(
        case=CaseSection(name="golden balls"),
        ct=CtSection(file="scan.nii"),
        structure=tuple(
            StructureEntry(name=name, file=surface_file(name), role=role, sd_mm=0.1, caution_mm=caution, danger_mm=danger)  # type: ignore[arg-type]
            for name, (role, _, caution, danger) in balls.items()
        ),
        landmark=tuple(LandmarkEntry(name=n, position_mm=p) for n, p in (("a", (10.0, 0.0, 0.0)), ("b", (0.0, 10.0, 0.0)), ("c", (0.0, 0.0, 10.0)))),
        plan=(PlanEntry(name="p", entry_mm=(60.0, 0.0, 0.0), target_mm=(25.0, -5.0, 0.0), diameter_mm=3.0, tolerance_mm=1.0),),
    )
    try:
        write_case(folder, case, surfaces, scan)
    finally:
        scan.unlink()
    RIG.with_name(RIG.name).write_text(RIG_TEXT, encoding="utf-8", newline="\n")


def _turned(rng: random.Random, w: float, x: float, y: float, z: float) -> Quat:
    """A quaternion near the given one, of unit length."""
    q = [v + rng.gauss(0.0, 3e-4) for v in (w, x, y, z)]
    length = sum(v * v for v in q) ** 0.5
    return (q[0] / length, q[1] / length, q[2] / length, q[3] / length)


def _sightings(rng: random.Random, at_mm: Vec3 | None, *, ref: bool = True, refused: bool = False) -> tuple[Sighting, ...]:
    """Reference at home, drill with its tip at `at_mm`, both trembling."""
    home = Pose(q_wxyz=_turned(rng, 1.0, 0.0, 0.0, 0.0), t_mm=tuple(rng.gauss(v, 0.02) for v in HOME_MM))  # type: ignore[arg-type]
    seen = Sighting(body="ref", status="OK", pose=home, rms_mm=0.1) if ref else Sighting(body="ref", status="OUT_OF_VIEW")
    if refused:
        return (seen, Sighting(body="drill", status="INVALID", reason="not a rotation"))
    if at_mm is None:
        return (seen, Sighting(body="drill", status="MISSING"))
    # The tool's axis (0, 0.6, 0.8) turned to -x, so that the drill comes from +x.
    turned = Rigid.from_quaternion(_turned(rng, *(v * 0.5**0.5 for v in (1.0, 0.0, -0.8, 0.6))), (0.0, 0.0, 0.0), target="tracker", source="marker")
    at = tuple(p - d + h + rng.gauss(0.0, 0.05) for p, d, h in zip(at_mm, turned.direction(TIP_MM), HOME_MM, strict=True))
    pose = Pose(q_wxyz=turned.q_wxyz, t_mm=at)  # type: ignore[arg-type]
    covariance = (1e-7, 0.0, 0.0, 1e-5, 0.0, 0.0, 1e-7, 0.0, 0.0, 1e-5, 0.0, 1e-7, 0.0, 0.0, 1e-5, 2e-3, 1e-4, 0.0, 2e-3, 0.0, 4e-3)
    return (seen, Sighting(body="drill", status="OK", pose=pose, covariance=covariance, rms_mm=0.12))


def bodies() -> Iterator[tuple[int, EventBody]]:
    """The session's inputs and their times: every level, every kind of loss, every kind of order, from two sides."""
    rng = random.Random(5)
    now, number, ids = 1_000 * MS, itertools.count(1), itertools.count(1)

    def order(what: Order, who: str = "ana") -> tuple[int, EventBody]:
        return now, Command(who=who, id=str(next(ids)), order=what)

    def seen_at(tip_mm: Vec3) -> TrackerFrame:
        return TrackerFrame(source="golden", number=next(number), t_capture_ns=now - LATENCY_NS, t_arrival_ns=now, sightings=_sightings(rng, tip_mm))

    yield order(Collect(what="pivot", tool="drill", action="start"))
    for _ in range(3):
        now += PERIOD_NS
        yield now, seen_at((60.0, 0.0, 0.0))
    yield order(Collect(what="pivot", tool="drill", action="stop"))
    yield (
        now,
        PivotResult(
            request="pivot/drill/1", tool="drill", accepted=True, reasons=(), tip_mm=TIP_MM, covariance=(2e-3, 1e-4, 0.0, 2e-3, 0.0, 4e-3),
            rms_mm=0.2, samples=300,
        ),
    )  # fmt: skip
    yield order(Accept(result="pivot/drill"))
    yield order(Collect(what="landmark", tool="drill", action="start", landmark="a"))
    now += PERIOD_NS
    yield now, seen_at((12.0, 0.0, 0.0))
    yield order(Collect(what="landmark", tool="drill", action="stop", landmark="a"))
    yield order(Register(method="landmarks"))
    yield now, msgspec.structs.replace(registration(False), request="registration/0")
    yield order(Accept(result="registration"))
    covariance = (1e-6, 1e-7, 0.0, 1e-6, 0.0, 0.0, 1e-6, 0.0, 0.0, 0.0, 0.0, 1e-6, 0.0, 0.0, 0.0, 1e-2, 1e-3, 0.0, 1e-2, 0.0, 1e-2)
    yield now, msgspec.structs.replace(registration(), covariance=covariance, centroid_mm=(3.0, -2.0, 40.0))
    yield order(Accept(result="registration"))
    yield order(ToolSelect(tools=("drill",)))
    tip_at, next_tick = 52.0, now + TICK_NS
    plan: list[tuple[int, str]] = [
        (20, "near"), (20, "hold"), (4, "hidden"), (14, "hold"), (10, "hidden"), (6, "hold"), (8, "blind"), (8, "hold"), (3, "refused"), (9, "in"),
        (6, "hold"), (9, "out"), (18, "hold"), (3, "late"), (9, "aside"), (14, "hold"), (9, "silence"), (8, "hold"), (3, "clock"), (8, "out"),
    ]  # fmt: skip
    side = 0.0
    for n, (count, what) in enumerate(plan):
        if n in ORDERS:
            for who, made in ORDERS[n]:
                yield order(made, who)
        for _ in range(count):
            now += PERIOD_NS
            while next_tick < now:
                yield next_tick, Tick()
                next_tick += TICK_NS
            tip_at += {"near": -1.9, "in": -0.45, "out": 1.1}.get(what, 0.0)
            side += 3.4 if what == "aside" else 0.0
            if what == "silence":
                continue
            seen = None if what == "hidden" else (tip_at, side, 0.0)
            captured = now - LATENCY_NS - {"late": 120 * MS, "clock": 900 * MS}.get(what, 0)
            sightings = _sightings(rng, seen, ref=what != "blind", refused=what == "refused")
            yield now, TrackerFrame(source="golden", number=next(number), t_capture_ns=captured, t_arrival_ns=now, sightings=sightings)
    # Out of the scan as fast as a hand goes, and from there back in no time, which none does.
    for x_mm in (60.0, 105.0, 150.0, 195.0, 240.0, 260.0, 260.0, 260.0, 20.0):
        now += PERIOD_NS
        yield now, seen_at((x_mm, 0.0, 0.0))
    yield now, Notice(alarm="RECORDING_FAILED", active=True, detail="the disk was pulled")
    yield now, Notice(alarm="RECORDING_FAILED", active=False)
    yield now, Notice(alarm="SOURCE_ENDED", active=True)
    for _ in range(30):
        now += TICK_NS
        yield now, Tick()


#: What is asked before which stretch of the plan, and by whom.
ORDERS: dict[int, tuple[tuple[str, Order], ...]] = {
    1: (("ana", Mark(label="near")), ("ben", Mute(structure="canal")), ("ana", Spindle(on=True))),
    3: (("ben", AudioPause(seconds=0.3)), ("ana", SetLimits(structure="canal", caution_mm=9.0, danger_mm=4.0))),
    5: (("ana", Undo()), ("ana", Mute(structure="bone"))),
    8: (
        ("ana", Ack(epoch="another", alert="canal/drill/burr", level="DANGER")),
        ("ben", SetLimits(structure="aorta", caution_mm=12.0, danger_mm=8.0)),
    ),
    10: (("ben", Ack(epoch="", alert="canal/drill/burr", level="CONTACT")), ("ben", Ack(epoch="", alert="aorta/drill/burr", level="CAUTION"))),
    14: (("ana", Undo()), ("ana", Spindle(on=False)), ("ana", AudioPause(seconds=500.0))),
}


def events(epoch: str) -> Iterator[Event]:
    """The session's events; the epoch stands in for the empty one of `ORDERS`, which cannot know it."""
    for seq, (t_ns, body) in enumerate(bodies(), start=1):
        if isinstance(body, Command) and isinstance(body.order, Ack) and not body.order.epoch:
            body = msgspec.structs.replace(body, order=msgspec.structs.replace(body.order, epoch=epoch))  # noqa: PLW2901
        yield Event(seq=seq, t_ns=t_ns, body=body)


def make_session(path: Path = SESSION) -> None:
    """Run the events through the core and record them, with a clock that only counts."""
    scene, rig = load_scene(CASE), read_rig(RIG)
    header = with_session(
        Header(
            session="", version="golden", utc_anchor_ns=0, monotonic_anchor_ns=0,
            case_path="tests/golden/case", rig_path="tests/golden/case/rig.toml",
            case_hash=scene.case_hash, rig_hash=rig_hash(rig), code_hash=code_hash(), source="golden", speed=0.0, python="", machine="",
        )
    )  # fmt: skip
    path.unlink(missing_ok=True)
    host = itertools.count(0, 1000)
    with LogWriter(path, live=False) as log:
        core = Core(scene, rig, header, publish=lambda topic, payload: None, answer=lambda seq, payload: None, log=log, host_ns=lambda: next(host))
        for event in events(header.session):
            core.take(event.t_ns, event.body)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--case", action="store_true", help="make the case anew too")
    if options.parse_args().case or not CASE.is_dir():
        make_case()
    make_session()
    print(f"{SESSION.stat().st_size} bytes")


if __name__ == "__main__":
    main()
