"""A stream of bytes: cut anywhere, mutated anywhere, hostile. And values that come back as they went."""

from __future__ import annotations

import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import NavtwinError
from navtwin.igtl import image, poses, words
from navtwin.igtl.header import Header, read_header, write_header
from navtwin.igtl.message import Message, read_message, write_message
from navtwin.igtl.reader import MOST_KEPT, MOST_SKIPPED, Damaged, Reader

FLOATS = st.floats(width=32, allow_nan=False)
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
STAMPS = st.integers(0, (1 << 32) * 1_000_000_000 - 1)
MATRICES = st.tuples(*[FLOATS] * 12).map(lambda v: poses.Matrix((v[0:3], v[3:6], v[6:9]), v[9:12]))  # type: ignore[arg-type]
IDENTITY = poses.Matrix(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (1.0, 2.0, 3.0))
HEAD = image.ImageHead(1, 4, True, "RAS", (4, 4, 4), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (0.0, 0.0, 0.0), (0, 0, 0), (4, 4, 4))
STREAM = b"".join(
    (
        write_message("TRANSFORM", "AToTracker", poses.write_transform(IDENTITY), 1, metadata={"TransformValid": "1", "TransformStatus": "OK"}),
        write_message("POLYDATA", "mesh", b"x" * 300, 2),
        write_message("IMAGE", "us", image.write_image_head(HEAD) + b"p" * 128, 3, version=1),
        write_message("IMAGE", "us", image.write_image_head(HEAD) + b"p" * 128, 3, metadata={"a": "b"}),
        write_message("TDATA", "TDATA_1Elem", poses.write_tdata([poses.ToolMatrix("BToTracker", 2, IDENTITY)]), 4, version=1),
        write_message("STATUS", "s", words.write_status(words.Status(1, 0, "OK", "fine")), 5),
        write_message("STRING", "t", words.write_string("hello"), 6),
    )
)


def fed(data: bytes, pieces: list[int]) -> list[Message | Damaged]:
    reader, items = Reader(), list[Message | Damaged]()
    for start, end in zip([0, *pieces], [*pieces, len(data)], strict=True):
        items += reader.feed(data[start:end])
    assert reader.broken is None
    return items


def test_unknown_kinds_are_skipped_and_counted() -> None:
    reader = Reader()
    items = reader.feed(STREAM)
    assert [item.header.kind for item in items] == ["TRANSFORM", "IMAGE", "IMAGE", "TDATA", "STATUS", "STRING"]
    assert not any(isinstance(item, Damaged) for item in items)
    assert reader.skipped == {"POLYDATA": 1}
    assert [image.read_image_head(item.content) for item in items[1:3] if isinstance(item, Message)] == [HEAD, HEAD]


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_it_does_not_matter_where_the_stream_is_cut(pieces: list[int]) -> None:
    assert fed(STREAM, pieces) == fed(STREAM, [])


def test_byte_by_byte() -> None:
    assert fed(STREAM, list(range(1, len(STREAM)))) == fed(STREAM, [])


@settings(max_examples=150)
@given(st.data())
def test_whatever_the_bytes_only_our_own_refusals_come(data: st.DataObject) -> None:
    mutated = bytearray(STREAM)
    for _ in range(data.draw(st.integers(1, 8))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    reader = Reader(check_crc=data.draw(st.booleans()))
    for item in reader.feed(bytes(mutated)):
        if isinstance(item, Damaged):
            assert item.reason
            continue
        read = READ.get(item.kind)
        if read is not None:
            try:
                read(item.content)
            except NavtwinError as refused:
                assert refused.remedy


READ = {
    "TRANSFORM": poses.read_transform,
    "TDATA": poses.read_tdata,
    "QTDATA": poses.read_qtdata,
    "POSITION": poses.read_position,
    "STATUS": words.read_status,
    "STRING": words.read_string,
    "COMMAND": words.read_command,
    "POINT": words.read_points,
    "IMAGE": image.read_image_head,
    "STT_TDATA": poses.read_start_tdata,
}


@pytest.mark.parametrize("kind", READ)
@settings(max_examples=25)
@given(content=st.binary(max_size=300))
def test_any_content_is_read_or_refused(kind: str, content: bytes) -> None:
    try:
        READ[kind](content)
    except NavtwinError as refused:
        assert refused.problem and refused.remedy


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 1 << 40))
def test_any_body_is_taken_apart_or_refused(body: bytes, size: int) -> None:
    try:
        read_message(Header(2, "STRING", "A", 0, min(size, len(body)), 0), body)
    except NavtwinError as refused:
        assert refused.remedy


@pytest.mark.parametrize(
    ("kind", "size", "reason"),
    [
        ("IMAGE", 1 << 40, "1099511627776 bytes"),
        ("POLYDATA", 1 << 40, "1099511627776 bytes"),
        ("TRANSFORM", MOST_KEPT + 1, "at most 1048576"),
        ("VIDEO", MOST_SKIPPED + 1, "at most 2147483648"),
    ],
)
def test_a_body_that_is_too_long_breaks_the_stream(kind: str, size: int, reason: str) -> None:
    reader = Reader()
    good = write_message("STATUS", "s", words.write_status(words.Status(1, 0, "OK", "")), 0)
    items = reader.feed(good + write_header(Header(1, kind, "A", 0, size, 0)) + b"x" * 100 + good)
    assert len(items) == 1, "what came whole before is still told"
    assert reader.broken is not None
    assert reason in str(reader.broken)
    assert reader.feed(good) == []


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n" * 8, b"\0" * 58, write_header(Header(9, "STATUS", "A", 0, 0, 0)), b"\0\2\0ab" + b"\0" * 60])
def test_what_is_no_openigtlink_breaks_the_stream(data: bytes) -> None:
    reader = Reader()
    assert reader.feed(data) == []
    assert reader.broken is not None
    assert "no OpenIGTLink" in str(reader.broken)


def test_pixels_are_not_kept() -> None:
    reader = Reader(check_crc=False)
    reader.feed(write_header(Header(1, "IMAGE", "us", 0, 1 << 30, 0)) + image.write_image_head(HEAD))
    pixels = bytes(1 << 20)
    for _ in range(64):
        assert reader.feed(pixels) == []
    assert sum(sys.getsizeof(value) for value in vars(reader).values()) < 10_000


def test_many_unknown_kinds_take_no_memory() -> None:
    reader = Reader()
    for n in range(500):
        reader.feed(write_message(f"KIND{n}", "A", b"", 0))
    assert len(reader.skipped) == 64


# Round trips: to the last bit, numbers being float32 on the wire.


@given(MATRICES)
def test_transforms_come_back(matrix: poses.Matrix) -> None:
    assert poses.read_transform(poses.write_transform(matrix)) == matrix


@settings(max_examples=30)
@given(st.lists(st.builds(poses.ToolMatrix, NAMES, st.integers(0, 255), MATRICES), max_size=4))
def test_tracking_data_come_back(tools: list[poses.ToolMatrix]) -> None:
    assert poses.read_tdata(poses.write_tdata(tools)) == tuple(tools)


@settings(max_examples=50)
@given(st.tuples(*[FLOATS] * 3), st.tuples(*[FLOATS] * 4))
def test_quaternions_come_back(t_mm: tuple[float, float, float], q_wxyz: tuple[float, float, float, float]) -> None:
    pose = poses.QuaternionPose(t_mm, q_wxyz)
    assert poses.read_position(poses.write_position(pose)) == pose
    tool = poses.ToolQuaternion("A", 2, pose)
    assert poses.read_qtdata(poses.write_qtdata([tool])) == (tool,)


@settings(max_examples=60)
@given(st.sampled_from(["TRANSFORM", "STATUS"]), NAMES, STAMPS, st.binary(max_size=80), st.dictionaries(st.text(max_size=20), st.text(max_size=40)))
def test_messages_come_back(kind: str, device: str, stamp_ns: int, content: bytes, metadata: dict[str, str]) -> None:
    (item,) = Reader().feed(write_message(kind, device, content, stamp_ns, metadata=metadata))
    assert isinstance(item, Message)
    assert (item.kind, item.device, item.header.stamp_ns, item.content, dict(item.metadata)) == (kind, device, stamp_ns, content, metadata)


@given(STAMPS)
def test_times_come_back_to_the_nanosecond(stamp_ns: int) -> None:
    assert read_header(write_header(Header(1, "STATUS", "A", stamp_ns, 0, 0))).stamp_ns == stamp_ns


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_texts_come_back(text: str) -> None:
    assert words.read_string(words.write_string(text)) == text
    assert words.read_command(words.write_command(words.CommandText(1, "n", text))).text == text


@settings(max_examples=50)
@given(st.integers(0, 65535), st.integers(-(1 << 63), (1 << 63) - 1), NAMES, st.text(max_size=60).map(lambda t: t.replace("\0", "")))
def test_statuses_come_back(code: int, subcode: int, name: str, message: str) -> None:
    status = words.Status(code, subcode, name, message)
    assert words.read_status(words.write_status(status)) == status


def test_the_fields_of_an_image_head_come_back() -> None:
    head = HEAD._replace(axes="LPS", little_endian=False, components=3, scalar=11, steps_mm=((0.5, 0.25, 0.0), (0.0, -0.5, 1.0), (0.0, 0.0, 2.0)))
    assert image.read_image_head(image.write_image_head(head)) == head
    assert struct.calcsize(">HBBBB3H12f3H3H") == image.IMAGE_BYTES
