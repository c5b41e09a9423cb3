"""The fold changes no scene, remembers nothing between sessions, and is stopped by no order."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.nouns import Command, Notice, Order, Reply, decode_event, encode, read_rig
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene
from navtwin.twin import new_memory, step
from navtwin.twin.alarms import ALARMS
from tests.contracts.nouns import noun_strategy
from tests.golden.make import CASE, RIG, events
from tests.twin.world import HEADER, MS, World, small_scene


def _fingerprint(scene: object) -> str:
    """A hash of everything that a scene holds, arrays byte by byte."""
    digest = hashlib.sha256()

    def add(value: object) -> None:
        if isinstance(value, np.ndarray):
            digest.update(value.tobytes())
        elif isinstance(value, tuple | list):
            for item in value:
                add(item)
        elif hasattr(value, "__dict__"):
            for name in sorted(vars(value)):
                digest.update(name.encode())
                add(vars(value)[name])
        elif hasattr(value, "__slots__"):
            for name in value.__slots__:
                add(getattr(value, name, None))
        else:
            digest.update(repr(value).encode())

    add(scene)
    return digest.hexdigest()


def _play(scene: Scene) -> list[bytes]:
    memory = new_memory(scene, read_rig(RIG), HEADER)
    return [encode(m) for event in events(HEADER.session) for m in step(scene, memory, event)]


def test_the_fold_never_changes_its_scene() -> None:
    scene = load_scene(CASE)
    before = _fingerprint(scene)
    assert _play(scene)
    assert _fingerprint(scene) == before


def test_a_scenes_arrays_cannot_be_written() -> None:
    for structure in small_scene().structures:
        for name in ("vertices_mm", "faces"):
            assert not getattr(structure.surface, name).flags.writeable


def test_two_sessions_in_one_process_share_nothing() -> None:
    """What one session learnt (hints, histories, alarms) is in no output of another."""
    scene = load_scene(CASE)
    assert _play(scene) == _play(scene)


def test_interleaved_sessions_are_independent() -> None:
    scene, rig = load_scene(CASE), read_rig(RIG)
    a, b = new_memory(scene, rig, HEADER), new_memory(scene, rig, HEADER)
    said: tuple[list[bytes], list[bytes]] = ([], [])
    for event in events(HEADER.session):
        for memory, heard in zip((a, b), said, strict=True):
            heard += [encode(m) for m in step(scene, memory, event)]
    assert said[0] == said[1] == _play(scene)


def test_an_event_read_from_a_log_is_the_event_that_was_given() -> None:
    """Outputs after a journey of every input through JSON are those without it: floats keep their bits."""
    scene, rig = load_scene(CASE), read_rig(RIG)
    memory = new_memory(scene, rig, HEADER)
    assert [encode(m) for event in events(HEADER.session) for m in step(scene, memory, decode_event(encode(event)))] == _play(scene)


#: Names that exist in the small world, so that random orders meet something.
names = st.sampled_from(
    [
        "canal",
        "aorta",
        "bone",
        "drill",
        "pointer",
        "a",
        "b",
        "registration",
        "pivot/drill",
        "pivot/pointer",
        "canal/drill/burr",
        "SOURCE_STALE/tracker",
        "",
    ]
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Any order there is, its words often ones that mean something."""
    kind = draw(st.sampled_from(Order.__args__))
    order = draw(noun_strategy(kind))
    known = {
        name: draw(names)
        for name in kind.__struct_fields__
        if isinstance(getattr(order, name), str) and name not in ("method", "what", "action", "level")
    }
    if "epoch" in known:
        known["epoch"] = HEADER.session
    return msgspec.structs.replace(order, **known) if draw(st.integers(0, 3)) else order  # type: ignore[no-any-return]


@given(script=st.lists(st.one_of(orders(), st.sampled_from([20.0, 3.0, 1.0, -2.0, None, 250.0])), min_size=1, max_size=30), registered=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_order_of_any_kind_stops_the_fold(script: list[Order | float | None], registered: bool) -> None:
    """Each command gets exactly one reply, first of its kind; frames and ticks between them go on; what is said can be written."""
    w = World(register=registered)
    for n, what in enumerate(script):
        if isinstance(what, float) or what is None:
            for _ in range(3):
                w.frame(what)
        else:
            messages = w.feed(Command(who="fuzz", id=str(n), order=what))
            replies = [m.body for m in messages if isinstance(m.body, Reply)]
            assert [r.id for r in replies] == [str(n)]
            assert replies[0].ok == (not replies[0].reason)
        w.tick()
        for message in w.messages:
            encode(message)
    w.idle(100)
    assert w.alerts.health.watched


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_a_notice_of_any_alarm_comes_and_goes(alarm: str) -> None:
    w = World()
    w.hold(3.0, 5)
    w.feed(Notice(alarm=alarm, active=True, detail="why"))
    assert any(t.alarm == alarm and "why" in t.text for t in w.alerts.technical)
    w.feed(Notice(alarm=alarm, active=False))
    w.frame(3.0)
    assert not any(t.alarm == alarm and t.subject == "system" for t in w.alerts.technical)


@pytest.mark.parametrize("start_ns", [-(10**15), 10**18])
def test_the_clocks_zero_does_not_matter(start_ns: int) -> None:
    """A host's clock may stand anywhere: what is said depends on differences of time alone."""

    def said(now_ns: int) -> list[object]:
        w = World(now_ns=now_ns)
        levels: list[object] = []
        for gap in [8.0 - 0.2 * n for n in range(40)]:
            w.frame(gap)
            levels.append([(a.id, a.level, a.known) for a in w.alerts.alerts])
        return levels

    assert said(start_ns) == said(1_000 * MS)
