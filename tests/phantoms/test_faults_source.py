"""The source `fault:NAME[:SEED]`: a rehearsal in which one thing goes wrong, once an instrument is near something critical."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Sighting, SourceItem, TrackerFrame, TrueDistance, Truth
from phantoms.faults.source import LEAST_S, Rehearsal, bodies_of, open_source, rng_of
from phantoms.faults.table import find
from phantoms.faults.theatre import Theatre, theatre_rig, theatre_scene

PERIOD_NS = 20_000_000


def _stream(near_from: int, count: int) -> Iterator[SourceItem]:
    """Frames with their truths; the burr is far from the canal before frame `near_from`, and near from then on."""
    theatre = Theatre(rng_of("test", 1))
    for n in range(count):
        t_ns = n * PERIOD_NS
        yield theatre.frame(t_ns)
        gap_mm = 3.0 if n >= near_from else 30.0
        distance = TrueDistance(structure="canal", instrument="drill", part="burr", distance_mm=gap_mm)
        yield Truth(frame=n + 1, t_capture_ns=t_ns, instruments=(), distances=(distance,))


def _seen(frame: TrackerFrame, body: str) -> Sighting:
    return next(s for s in frame.sightings if s.body == body)


def test_the_fault_begins_when_something_critical_is_near_and_ends() -> None:
    count = 20 + round(LEAST_S * 1e9 / PERIOD_NS) + 20
    played = list(Rehearsal(_stream(10, count), find("occlusion"), theatre_scene(), theatre_rig(), 1))
    frames = [item for item in played if isinstance(item, TrackerFrame)]
    hidden = [n for n, frame in enumerate(frames) if _seen(frame, "drill").status != "OK"]
    assert len(frames) == count
    assert hidden[0] == 11, "from the frame behind the truth that told of it"
    assert len(hidden) == pytest.approx(LEAST_S * 1e9 / PERIOD_NS, abs=2)
    assert hidden == list(range(hidden[0], hidden[-1] + 1))
    assert all(_seen(frame, "pointer").status == "OK" for frame in frames)
    assert sum(isinstance(item, Truth) for item in played) == count, "the truth goes on"


def test_nothing_goes_wrong_while_nothing_is_near() -> None:
    honest = list(_stream(1000, 40))
    assert list(Rehearsal(iter(honest), find("planar-flip"), theatre_scene(), theatre_rig(), 1)) == honest


def test_without_another_tool_in_sight_the_patient_is_what_a_tool_is_taken_for() -> None:
    honest = [
        msgspec.structs.replace(item, sightings=tuple(s for s in item.sightings if s.body != "pointer")) if isinstance(item, TrackerFrame) else item
        for item in _stream(10, 40)
    ]
    played = list(Rehearsal(iter(honest), find("swapped-ids"), theatre_scene(), theatre_rig(), 1))
    before, after = (next(i for i in items[30:] if isinstance(i, TrackerFrame)) for items in (honest, played))
    assert _seen(after, "drill").pose == _seen(before, "ref").pose
    assert _seen(after, "ref").pose == _seen(before, "drill").pose


def test_the_bodies_are_seen_from_the_instrument_that_is_near() -> None:
    bodies = bodies_of(theatre_rig(), "pointer")
    assert (bodies.tool, bodies.other, bodies.reference) == ("pointer", "drill", "ref")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("oclusion", "occlusion"),
        ("fault:swapped", "swapped-ids"),
        ("disk-full", "navtwin bench faults --only disk-full"),
        ("occlusion:one", "'one' is no seed"),
        ("occlusion:-1", "is no seed"),
        ("", "there is no fault ''"),
    ],
)
def test_an_address_that_cannot_be_played_is_refused_with_what_to_write(address: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        open_source(address, theatre_scene(), theatre_rig())


def test_a_case_that_the_script_cannot_use_is_refused() -> None:
    with pytest.raises(InputRefused):
        open_source("occlusion:3", theatre_scene(), theatre_rig())
