"""Every noun, by introspection: frozen, strict, finite, with units in its names, the same after a journey over the wire."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.nouns import Command, Envelope, Event, Noun, decode_command, decode_envelope, decode_event, encode, symmetric
from tests.contracts.nouns import all_nouns, example, fields_of, float_fields, noun_strategy, wire_nouns
from tests.contracts.wire import WIRE_FILE, describe

ALL = all_nouns()
WIRE = wire_nouns()
UNITS = re.compile(r"(_mm|_ms|_ns|_rad|_px|_s|_hz|_mm_s|_mm_s2|_mm3|_deg|_min|_days|_hu|_bytes|_share|_voxels|_boundary_voxels)$")
#: Floats without a unit in their name, and why.
UNITLESS = {
    "q_wxyz": "a unit quaternion",
    "axis_in_marker": "a unit vector",
    "covariance": "of rotation vector and translation together: two units, stated in the docstring",
    "covariances": "as covariance",
    "T_ijk_from_ct": "mm to voxels: its frames are its name",
    "tip_covariance": "mm^2, a covariance by definition",
    "seconds": "is a unit",
    "hu": "is a unit",
    "keep": "a direction",
    "normal": "a direction",
    "speed": "of replay: a factor",
    "opacity": "0 to 1",
    "ambiguity": "0 to 1",
    "distortion": "of rays at unit depth: without unit",
    "intrinsics_sd": "of pixels and of distortion together: stated in the docstring",
    "beta": "s/mm, by its author's name",
    "earlier": "rows of a transform",
    "now": "rows of a transform",
    "doubtful": "0 to 1",
    "value": "of a figure: its unit stands beside it",
    "reached": "of a goal: its unit stands beside it",
    "wanted": "as reached",
}
quick = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _id(kind: type[Noun]) -> str:
    return kind.__name__


def test_there_are_nouns() -> None:
    """The introspection below finds them all, or it would prove nothing."""
    assert {"Event", "Envelope", "Command", "State", "AlertSet", "Pose", "TrackerFrame", "Rig", "StructureEntry"} <= {kind.__name__ for kind in ALL}
    assert len(WIRE) >= 40


@pytest.mark.parametrize("kind", ALL, ids=_id)
def test_nouns_are_frozen_and_strict(kind: type[Noun]) -> None:
    config = kind.__struct_config__
    assert config.frozen, "a value that can change under its reader is no value"
    assert config.forbid_unknown_fields, "a field nobody knows is never ignored"


@pytest.mark.parametrize("kind", WIRE, ids=_id)
@given(data=st.data())
@quick
def test_a_noun_survives_the_wire_bit_for_bit(kind: type[Noun], data: st.DataObject) -> None:
    noun = data.draw(noun_strategy(kind))
    sent = encode(noun)
    read = msgspec.json.decode(sent, type=kind)
    assert read == noun
    assert encode(read) == sent


@pytest.mark.parametrize("kind", WIRE, ids=_id)
def test_an_unknown_field_is_refused(kind: type[Noun]) -> None:
    raw = json.loads(encode(example(kind)), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    raw["smuggled"] = 1
    with pytest.raises(msgspec.ValidationError, match="smuggled"):
        msgspec.json.decode(json.dumps(raw), type=kind)


@pytest.mark.parametrize("kind", WIRE, ids=_id)
def test_a_noun_cannot_be_changed(kind: type[Noun]) -> None:
    noun = example(kind)
    for name in kind.__struct_fields__:
        with pytest.raises(AttributeError, match="immutable"):
            setattr(noun, name, getattr(noun, name))
    assert hash(noun) == hash(example(kind)), "no list or dict inside that could change either"


@pytest.mark.parametrize("kind", [k for k in ALL if float_fields(k)], ids=_id)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf], ids=["nan", "inf", "-inf"])
def test_what_is_not_finite_cannot_be_said(kind: type[Noun], bad: float) -> None:
    noun = example(kind)
    for name in float_fields(kind):
        for spoilt in _spoilt(getattr(noun, name), bad):
            with pytest.raises(InputRefused, match=f"{kind.__name__}.{name}"):
                msgspec.structs.replace(noun, **{name: spoilt})


def _spoilt(value: Any, bad: float) -> Iterator[Any]:
    """`value` with one of its floats made bad, for each in turn; nouns inside keep their own rules."""
    if isinstance(value, float):
        yield bad
    elif isinstance(value, tuple):
        for n, item in enumerate(value):
            for spoilt in _spoilt(item, bad):
                yield (*value[:n], spoilt, *value[n + 1 :])


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_json_that_is_not_finite_is_no_command(word: str) -> None:
    raw = f'{{"kind":"command","who":"a","id":"1","order":{{"do":"limits","structure":"x","caution_mm":{word},"danger_mm":1}}}}'
    with pytest.raises((msgspec.DecodeError, InputRefused)):
        decode_command(raw)


@pytest.mark.parametrize("kind", [k for k in ALL if float_fields(k)], ids=_id)
def test_floats_name_their_unit(kind: type[Noun]) -> None:
    assert not [name for name in float_fields(kind) if not UNITS.search(name) and name not in UNITLESS]


@pytest.mark.parametrize("kind", ALL, ids=_id)
def test_times_are_whole_nanoseconds(kind: type[Noun]) -> None:
    for name, hint in fields_of(kind).items():
        if name.endswith("_ns"):
            assert hint in (int, int | None), name


@given(data=st.data())
@quick
def test_what_is_decoded_is_what_was_encoded(data: st.DataObject) -> None:
    """The three doors: events in the log, envelopes and commands on the wire."""
    for kind, decode in ((Event, decode_event), (Envelope, decode_envelope), (Command, decode_command)):
        noun = data.draw(noun_strategy(kind))
        assert decode(encode(noun)) == noun


def test_the_wire_is_what_it_was() -> None:
    """Fields and types of everything that travels, as text. A change here breaks other programs' readers and old logs:
    make it on purpose, with `python -m tests.contracts.wire`.
    """
    assert describe() == WIRE_FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [Event, Envelope, Command], ids=_id)
def test_a_json_schema_can_be_made_of_all_that_travels(kind: type[Noun]) -> None:
    schema = json.loads(json.dumps(msgspec.json.schema(kind)))
    defined = schema["$defs"]
    assert kind.__name__ in defined
    objects = [part for part in defined.values() if part.get("type") == "object"]
    assert objects
    assert all(part["additionalProperties"] is False for part in objects)


def test_symmetric_reads_the_upper_triangle_row_by_row() -> None:
    assert symmetric((1.0, 2.0, 3.0, 4.0, 5.0, 6.0), 3).tolist() == [[1, 2, 3], [2, 4, 5], [3, 5, 6]]
