"""One-minute session logs, many and quickly: each the navigation of a scripted rehearsal with trembling of its own, run flat out at logical time.

The setup (calibration and registration, which take a minute of camera work) is worked out once; in each log its results stand at the beginning.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import msgspec

from navtwin.nouns import (
    Collect,
    Command,
    Event,
    EventBody,
    Header,
    Notice,
    PivotResult,
    Pose,
    Register,
    RegistrationResult,
    Rig,
    Sighting,
    SourceEnded,
    TrackerFrame,
    encode,
    read_rig,
)
from navtwin.record.format import PARTIAL, Record
from navtwin.record.hashes import code_hash, file_hash, with_session
from navtwin.record.log import LogWriter
from navtwin.record.mcap_file import McapFile
from navtwin.record.read import read_log
from navtwin.run.session import new_header
from navtwin.run.simulate import simulate
from navtwin.scene.case import load_scene
from navtwin.scene.data import cache_folder
from navtwin.scene.model import Scene
from navtwin.twin import new_memory, step
from phantoms.rig import RIG_FILE
from phantoms.source import open_source

#: What each log adds to the tremor that it was made with, mm: enough that warnings come at other frames.
TREMBLE_MM = 0.05
#: The seed of the rehearsal that all logs are made of.
REHEARSAL = 1


def made_logs(case: Path, count: int, seconds: float, distinct: int, jobs: int, told: Callable[[int], None]) -> list[Path]:
    """So many logs in the cache, made where they are not there yet; `told` hears how many more are ready.

    Parameters
    ----------
    distinct : so many are sessions of their own; the others are these again under headers of their own, which costs the same to verify
    """
    scene, rig = _world(case)
    key = hashlib.sha256(b"%b %b %b %g" % (scene.case_hash.encode(), encode(rig), _maker().encode(), seconds)).hexdigest()[:16]
    folder = cache_folder("fleet") / key
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"minute-{number:04d}.mcap" for number in range(1, count + 1)]
    originals = [path for path in paths[:distinct] if not path.is_file()]
    told(sum(path.is_file() for path in paths[:distinct]))
    if originals:
        _script(case, seconds)
        with ProcessPoolExecutor(max(1, min(jobs, len(originals)))) as pool:
            for _ in pool.map(_make, originals, [case] * len(originals), [seconds] * len(originals)):
                told(1)
    for number, path in enumerate(paths[distinct:], start=distinct):
        if not path.is_file():
            _again(paths[number % distinct], path, number + 1)
        told(1)
    return paths


def _maker() -> str:
    """The code that decides what is in the logs."""
    return code_hash() + file_hash(__file__)


@cache
def _world(case: Path) -> tuple[Scene, Rig]:
    return load_scene(case), read_rig(case / RIG_FILE)


@cache
def _script(case: Path, seconds: float) -> tuple[tuple[int, EventBody], ...]:
    """Setup's results and orders, then `seconds` of navigation: worked out by one full run, and kept beside the logs for other processes."""
    scene, rig = _world(case)
    kept = cache_folder("fleet") / f"script-{hashlib.sha256((scene.case_hash + _maker()).encode()).hexdigest()[:16]}-{seconds:g}.json"
    if kept.is_file():
        return tuple((event.t_ns, event.body) for event in msgspec.json.decode(kept.read_bytes(), type=list[Event]))
    source = open_source(f"pedicle:{REHEARSAL}", scene, rig)
    header = new_header(scene, rig, case / RIG_FILE, source.name, 0.0)
    setup: list[tuple[int, EventBody]] = []
    navigation: list[tuple[int, EventBody]] = []
    for event, _ in simulate(scene, rig, _items(source), header):
        if event.t_ns < source.setup_ns:
            setup += [(event.t_ns, event.body)] if isinstance(event.body, Command | PivotResult | RegistrationResult) else []
        elif event.t_ns < source.setup_ns + seconds * 1e9:
            navigation.append((event.t_ns, event.body))
    start_ns = navigation[0][0]
    # Samples are not collected again: the results stand for them.
    answers = [(start_ns, body) for _, body in setup if not (isinstance(body, Command) and isinstance(body.order, Collect | Register))]
    script = (*answers, *navigation, (navigation[-1][0], Notice(alarm="SOURCE_ENDED", active=True)))
    part = kept.with_name(kept.name + PARTIAL)
    part.write_bytes(msgspec.json.encode([Event(seq=n, t_ns=t_ns, body=body) for n, (t_ns, body) in enumerate(script)]))
    part.replace(kept)
    return script


def _items(source: object) -> Iterator[object]:
    while True:
        try:
            yield source.read(0.0)  # type: ignore[attr-defined]
        except SourceEnded:
            return


def _make(path: Path, case: Path, seconds: float) -> None:
    """One session, with trembling by its number."""
    scene, rig = _world(case)
    number = int(path.stem.rpartition("-")[2])
    rng = random.Random(number)
    header = _header(scene, rig, case, number)
    memory = new_memory(scene, rig, header)
    path.with_name(path.name + PARTIAL).unlink(missing_ok=True)
    with LogWriter(path, live=False) as log:
        log.write_header(header)
        for seq, (t_ns, body) in enumerate(_script(case, seconds), start=1):
            event = Event(seq=seq, t_ns=t_ns, body=_trembling(body, rng) if isinstance(body, TrackerFrame) else body)
            log.write_event(event)
            log.write_outputs(seq, t_ns, [(m.topic, encode(m.body)) for m in step(scene, memory, event)])


def _header(scene: Scene, rig: Rig, case: Path, number: int) -> Header:
    drawn = new_header(scene, rig, case / RIG_FILE, f"phantom:pedicle:{REHEARSAL} trembling {number}", 0.0)
    return with_session(msgspec.structs.replace(drawn, utc_anchor_ns=number * 60_000_000_000, monotonic_anchor_ns=0))


def _trembling(frame: TrackerFrame, rng: random.Random) -> TrackerFrame:
    return msgspec.structs.replace(frame, sightings=tuple(_trembled(sighting, rng) for sighting in frame.sightings))


def _trembled(sighting: Sighting, rng: random.Random) -> Sighting:
    if sighting.pose is None:
        return sighting
    x, y, z = (v + rng.gauss(0.0, TREMBLE_MM) for v in sighting.pose.t_mm)
    return msgspec.structs.replace(sighting, pose=Pose(q_wxyz=sighting.pose.q_wxyz, t_mm=(x, y, z)))


def _again(original: Path, path: Path, number: int) -> None:
    """The same session under a header of its own: another file with another hash."""
    path.with_name(path.name + PARTIAL).unlink(missing_ok=True)
    file = McapFile(path)
    for record in read_log(original):
        if record.channel == "/header":
            header = msgspec.json.decode(record.data, type=Header)
            renamed = with_session(msgspec.structs.replace(header, utc_anchor_ns=number * 60_000_000_000))
            file.add(Record(record.channel, record.seq, record.t_ns, encode(renamed)))
        else:
            file.add(record)
    file.finish()
