"""Every noun there is, and hypothesis strategies that make any of them from its own annotations."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from navtwin import nouns
from navtwin.assess.artefact import Artefact, ArtefactPoint
from navtwin.assess.plan import Design
from navtwin.nouns import Body, BoneBricks, Cutter, Noun, Part, Pose, Rig, RigCamera, Sighting, Tool, Tracker, VideoBody, VideoFrame
from navtwin.nouns.base import Words
from navtwin.scene.author.recipe import Cut, Outline, Painted, Recipe, Threshold, Tube
from tests.contracts.sources import ROOMS

#: Text that JSON can hold: lone surrogates are no characters.
text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63), 2**63 - 1)


@functools.cache
def all_nouns() -> tuple[type[Noun], ...]:
    """Every noun that a room defines, by name."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not module.name.endswith("__main__") and _speaks(module.name):
                importlib.import_module(module.name)
    found: set[Any] = set()

    def collect(kind: type[Words]) -> None:
        for sub in kind.__subclasses__():
            found.add(sub)
            collect(sub)

    collect(Words)
    ours = (kind for kind in found - {Noun} if kind.__module__.split(".")[0] in ROOMS)
    return tuple(sorted(ours, key=lambda kind: f"{kind.__module__}.{kind.__name__}"))


def _speaks(name: str) -> bool:
    """Windows and plots define no nouns, and are slow to load."""
    return not name.startswith(("gui.", "navtwin.report.charts", "navtwin.scene.picture"))


def wire_nouns() -> tuple[type[Noun], ...]:
    """Those of navtwin.nouns: the schema of wire and log."""
    return tuple(kind for kind in all_nouns() if kind.__module__.startswith("navtwin.nouns") and kind.__name__ in nouns.__all__)


def unit_quaternions() -> st.SearchStrategy[tuple[float, float, float, float]]:
    part = st.floats(-1.0, 1.0).map(lambda v: 0.0 if abs(v) < 1e-3 else v)

    def normalise(q: tuple[float, ...]) -> tuple[float, float, float, float]:
        length = sum(v * v for v in q) ** 0.5
        w, x, y, z = (v / length for v in q)
        return (w, x, y, z)

    return st.tuples(part, part, part, part).filter(lambda q: sum(v * v for v in q) > 0.01).map(normalise)


poses = st.builds(Pose, q_wxyz=unit_quaternions(), t_mm=st.tuples(finite, finite, finite))


@st.composite
def sightings(draw: Callable[..., Any]) -> Sighting:
    fields = {name: draw(strategy_of(hint)) for name, hint in get_type_hints(Sighting).items() if name not in ("status", "pose")}
    status = draw(strategy_of(get_type_hints(Sighting)["status"]))
    return Sighting(status=status, pose=draw(poses) if status == "OK" else None, **fields)


@st.composite
def rigs(draw: Callable[..., Any]) -> Rig:
    """Names that exist, unit axes, parts with a radius, errors and delays that are not negative: what a rig must keep to."""
    positive, error = st.floats(0.1, 50.0), st.floats(0.0, 5.0)
    dates = st.one_of(st.just(""), st.dates().map(str), st.datetimes().map(lambda t: t.isoformat(timespec="seconds") + "Z"))
    names = draw(st.lists(text, min_size=1, max_size=3, unique=True))
    bodies = tuple(
        Body(name=name, sd_mm=draw(error), sd_rad=draw(error), markers_mm=draw(strategy_of(get_type_hints(Body)["markers_mm"]))) for name in names
    )
    part = msgspec.structs.replace(draw(noun_strategy(Part)), radius_mm=draw(positive))
    ball = Cutter(part=part.name, profile="sphere", radius_mm=part.radius_mm, cuts=draw(st.sampled_from(["spindle", "contact-speed"])))
    pear = msgspec.structs.replace(ball, profile="pear", length_mm=draw(positive), neck_radius_mm=part.radius_mm / 2.0, thin_wall_mm=draw(positive))
    tool = Tool(
        calibrated=draw(dates),
        name=draw(text),
        body=draw(st.sampled_from(names)),
        axis_in_marker=(0.0, -1.0, 0.0),
        axis_sd_rad=draw(error),
        part=(part,),
        tip_mm=draw(st.one_of(st.none(), st.tuples(finite, finite, finite))),
        tip_covariance=draw(st.one_of(st.none(), st.tuples(error, finite, finite, error, finite, error))),
        cutter=draw(st.sampled_from([None, ball, pear])),
    )
    tracker = Tracker(
        name=draw(text), rate_hz=draw(positive), latency_ms=draw(error), output_delay_ms=draw(error), max_age_ms=draw(st.floats(1.0, 250.0))
    )
    cameras = draw(st.lists(noun_strategy(RigCamera), max_size=2, unique_by=lambda camera: camera.name))
    placed = tuple(
        msgspec.structs.replace(
            camera, readout_ms=abs(camera.readout_ms), calibrated=draw(dates), T_tracker_from_camera=draw(poses) if number else None
        )
        for number, camera in enumerate(cameras)
    )
    limits = {"verify_every_min": draw(positive), "calibration_max_age_days": draw(positive)}
    return Rig(reference=draw(st.sampled_from(names)), tracker=tracker, body=bodies, tool=(tool,), camera=placed, **limits)


@st.composite
def video_bodies(draw: Callable[..., Any]) -> VideoBody:
    status = draw(strategy_of(get_type_hints(VideoBody)["status"]))
    return VideoBody(body=draw(text), status=status, pose=draw(poses) if status == "OK" else None, reason=draw(text))


@st.composite
def video_frames(draw: Callable[..., Any]) -> VideoFrame:
    """Pictures that are no larger than what they were made from."""
    sizes = {name: draw(st.integers(1, 1280)) for name in ("width_px", "height_px")}
    full = {f"full_{name}": draw(st.integers(size, 8000)) for name, size in sizes.items()}
    others = {name: hint for name, hint in get_type_hints(VideoFrame).items() if name not in {*sizes, *full}}
    return VideoFrame(**sizes, **full, **{name: draw(strategy_of(hint)) for name, hint in others.items()})


@st.composite
def bone_bricks(draw: Callable[..., Any]) -> BoneBricks:
    """Bricks in order, on a grid that has a size."""
    counts = {name: draw(st.integers(0, 2**40)) for name in ("revision", "changed")}
    bricks = tuple(sorted(draw(st.sets(st.integers(0, 2**31 - 1), max_size=3))))
    others = {name: hint for name, hint in get_type_hints(BoneBricks).items() if name not in {*counts, "bricks", "side_mm"}}
    side_mm = draw(st.floats(0.01, 10.0))
    return BoneBricks(side_mm=side_mm, bricks=bricks, **counts, **{name: draw(strategy_of(hint)) for name, hint in others.items()})


SPECIAL: dict[type, st.SearchStrategy[Any]] = {
    Pose: poses,
    Sighting: sightings(),
    Rig: rigs(),
    VideoBody: video_bodies(),
    VideoFrame: video_frames(),
    BoneBricks: bone_bricks(),
}


@functools.cache
def noun_strategy(kind: type[Noun]) -> st.SearchStrategy[Any]:
    """Any value of a noun, its own rules kept."""
    if kind in SPECIAL:
        return SPECIAL[kind]
    hints = get_type_hints(kind)
    return st.deferred(lambda: st.builds(kind, **{name: strategy_of(hints[name]) for name in kind.__struct_fields__}))


def strategy_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotation that nouns use; an annotation this does not know is an error, so that no field goes untested."""
    simple = {float: finite, int: whole, str: text, bool: st.booleans(), bytes: st.binary(max_size=8), type(None): st.none()}
    if hint in simple:
        return simple[hint]
    if isinstance(hint, type) and issubclass(hint, Words):
        return noun_strategy(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of([strategy_of(a) for a in arguments])
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return st.lists(strategy_of(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*[strategy_of(a) for a in arguments])
    raise AssertionError(f"nouns have a kind of field that these tests do not know: {hint}")


_CORNERS = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
_THRESHOLD = Threshold(0.5, 1.5, _CORNERS[:1], 0.5, (0.0, 0.0, 0.0, 1.0, 1.0, 1.0), (Cut(_CORNERS[0], _CORNERS[1]),), 0.5)
#: Shapes are more than one value of each kind: a tube has two points, an outline three.
BY_HAND: dict[type, Any] = {
    Threshold: _THRESHOLD,
    Tube: Tube(_CORNERS, (0.5,)),
    Painted: Painted((Outline(_CORNERS),), _CORNERS[1], 0.5),
    Artefact: Artefact(
        "name",
        "a",
        tuple(ArtefactPoint(n, p) for n, p in zip("abcd", ((0.0, 0.0, 0.0), (50.0, 0.0, 0.0), (0.0, 50.0, 0.0), (50.0, 50.0, 0.0)), strict=True)),
    ),
    Design: Design(),
    Recipe: Recipe("name", "2026-01-31", 0.5, (_THRESHOLD,), "name", "2026-01-31"),
}


def example(hint: Any) -> Any:
    """One plain value of an annotation: every optional thing there, every tuple with one item."""
    if hint in (float, int, str, bool, bytes, type(None)):
        return {float: 0.5, int: 7, str: "name", bool: True, bytes: b"cells", type(None): None}[hint]
    if hint is Pose:
        return Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(1.0, 2.0, 3.0))
    if hint is Tool:
        return Tool(name="name", body="name", axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.0, part=(example(Part),), tip_mm=(0.0, 0.0, 1.0))
    if hint is RigCamera:
        # The first of a rig, whose axes are the tracker's.
        first = RigCamera(**{name: example(kind) for name, kind in fields_of(hint).items()})
        return msgspec.structs.replace(first, T_tracker_from_camera=None, calibrated="2026-05-04")
    if hint is Body:
        return msgspec.structs.replace(Body(**{name: example(kind) for name, kind in fields_of(hint).items()}), calibrated="2026-05-04")
    if isinstance(hint, type) and hint in BY_HAND:
        return BY_HAND[hint]
    if isinstance(hint, type) and issubclass(hint, Words):
        return hint(**{name: example(kind) for name, kind in fields_of(hint).items()})
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return (example(arguments[0]),) if arguments[-1] is Ellipsis else tuple(example(a) for a in arguments)
    return arguments[0] if origin is Literal else example(arguments[0])


def fields_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items() if name in kind.__struct_fields__}


def float_fields(kind: type[msgspec.Struct]) -> list[str]:
    """Fields that are, may be or hold floats."""
    return [name for name, hint in fields_of(kind).items() if _holds(hint, float)]


def _holds(hint: Any, wanted: type) -> bool:
    return hint is wanted or any(_holds(a, wanted) for a in typing.get_args(hint))
