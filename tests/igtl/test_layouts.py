"""Layouts, byte by byte: every expected value here was worked out by hand from the protocol's tables, not by the code under test."""

from __future__ import annotations

import struct

import pytest

from navtwin.errors import InputRefused
from navtwin.igtl import image, poses, words
from navtwin.igtl.header import HEADER_BYTES, Header, read_header, write_header
from navtwin.igtl.message import Message, read_message, write_message
from navtwin.igtl.reader import Damaged, Reader

#: A rotation by 90 degrees about z: x goes to y.
TURNED = poses.Matrix(((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)), (10.0, -2.5, 0.25))
STAMP_NS = 1_234_567_890_500_000_000


def only(data: bytes) -> Message:
    (item,) = Reader().feed(data)
    assert isinstance(item, Message)
    return item


def test_the_header_has_its_fields_where_the_protocol_puts_them() -> None:
    data = write_header(Header(2, "TRANSFORM", "StylusToTracker", STAMP_NS, 0x0102030405060708, 0x1112131415161718))
    assert len(data) == HEADER_BYTES == 58
    assert data[0:2] == b"\x00\x02"
    assert data[2:14] == b"TRANSFORM\0\0\0"
    assert data[14:34] == b"StylusToTracker\0\0\0\0\0"
    # 1234567890 s are 0x499602D2; half a second is 2^31 / 2^32.
    assert data[34:42] == bytes.fromhex("499602D2 80000000")
    assert data[42:50] == bytes(range(1, 9))
    assert data[50:58] == bytes(range(0x11, 0x19))


def test_a_transform_is_three_columns_and_a_translation() -> None:
    assert poses.write_transform(TURNED) == bytes.fromhex(
        "00000000 3F800000 00000000  BF800000 00000000 00000000  00000000 00000000 3F800000  41200000 C0200000 3E800000"
    )


def test_version_one_is_a_bare_body() -> None:
    data = write_message("TRANSFORM", "StylusToTracker", poses.write_transform(TURNED), STAMP_NS, version=1)
    assert len(data) == 58 + 48
    assert data[42:50] == (48).to_bytes(8, "big")
    message = only(data)
    assert (message.kind, message.device, message.header.stamp_ns) == ("TRANSFORM", "StylusToTracker", STAMP_NS)
    assert poses.read_transform(message.content) == TURNED


def test_version_two_has_an_extended_header_in_front_and_metadata_behind() -> None:
    metadata = {"TransformValid": "1", "Ort": "Köln"}
    data = write_message("TRANSFORM", "StylusToTracker", poses.write_transform(TURNED), STAMP_NS, metadata=metadata, message_id=7)
    body = data[58:]
    # 12 bytes of extended header, a metadata header of 2 + 8 x 2 = 18, metadata of (14 + 1) + (3 + 5) = 23, message 7.
    assert body[:12] == bytes.fromhex("000C 0012 00000017 00000007")
    assert body[12:60] == poses.write_transform(TURNED)
    assert body[60:78] == bytes.fromhex("0002  000E 0003 00000001  0003 006A 00000005")
    assert body[78:] == b"TransformValid" + b"1" + b"Ort" + "Köln".encode()
    assert only(data).metadata == metadata


def test_a_longer_extended_header_is_skipped_by_its_size() -> None:
    content = poses.write_transform(TURNED)
    body = struct.pack(">HHII", 16, 2, 0, 0) + b"\xff" * 4 + content + b"\0\0"
    assert read_message(Header(2, "TRANSFORM", "A", 0, len(body), 0), body).content == content


@pytest.mark.parametrize(
    "sizes",
    [(11, 2, 0), (12, 2, 200), (13, 60, 0), (12, 0, 0xFFFFFFFF), (0, 0, 0)],
    ids=["short header", "metadata too long", "header too long", "4 GB of metadata", "no header"],
)
def test_sizes_that_contradict_the_body_are_refused(sizes: tuple[int, int, int]) -> None:
    body = struct.pack(">HHII", *sizes, 0) + b"\0" * 50
    with pytest.raises(InputRefused, match="in a body of 62 bytes"):
        read_message(Header(2, "TRANSFORM", "A", 0, len(body), 0), body)


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (b"\xff\xff", "65535 metadata items"),
        (b"\x00\x01\xff\xff\x00\x03\x00\x00\x00\x01", "reaches past"),
        (b"\x00\x02" + b"\0" * 8, "2 metadata items"),
    ],
)
def test_metadata_that_contradict_themselves_are_refused(items: bytes, reason: str) -> None:
    body = struct.pack(">HHII", 12, len(items), 3, 0) + b"abc" + items + b"xyz"
    with pytest.raises(InputRefused, match=reason):
        read_message(Header(2, "STRING", "A", 0, len(body), 0), body)


def test_tracking_data_take_70_bytes_a_tool() -> None:
    data = poses.write_tdata([poses.ToolMatrix("StylusToTracker", poses.SIX_DOF, TURNED)] * 2)
    assert len(data) == 140
    assert data[:22] == b"StylusToTracker\0\0\0\0\0\x02\x00"
    assert data[22:70] == poses.write_transform(TURNED)
    assert poses.read_tdata(data)[1] == poses.ToolMatrix("StylusToTracker", 2, TURNED)
    with pytest.raises(InputRefused, match="no multiple of 70"):
        poses.read_tdata(data[:-1])


def test_quaternions_have_their_scalar_last() -> None:
    tool = poses.ToolQuaternion("A", 2, poses.QuaternionPose((1.0, 2.0, 3.0), (0.5, 0.5, -0.5, 0.5)))
    data = poses.write_qtdata([tool])
    assert len(data) == 50
    assert data[22:] == bytes.fromhex("3F800000 40000000 40400000  3F000000 BF000000 3F000000 3F000000")
    assert poses.read_qtdata(data) == (tool,)


def test_a_position_may_be_28_24_or_12_bytes() -> None:
    pose = poses.QuaternionPose((1.0, 2.0, 3.0), (0.5, 0.5, -0.5, 0.5))
    data = poses.write_position(pose)
    assert data == bytes.fromhex("3F800000 40000000 40400000  3F000000 BF000000 3F000000 3F000000")
    assert poses.read_position(data) == pose
    assert poses.read_position(data[:24]) == pose, "the scalar that makes the length 1"
    assert poses.read_position(data[:12]) == poses.QuaternionPose((1.0, 2.0, 3.0), None)
    assert poses.read_position(struct.pack(">6f", 0, 0, 0, 1, 1, 0)).q_wxyz is None
    with pytest.raises(InputRefused, match="not 28, 24 or 12"):
        poses.read_position(data[:20])


def test_a_status_ends_with_a_nul() -> None:
    status = words.Status(13, -2, "NotReady", "warming up")
    data = words.write_status(status)
    assert data == b"\x00\x0d" + b"\xff" * 7 + b"\xfe" + b"NotReady".ljust(20, b"\0") + b"warming up\0"
    assert words.read_status(data) == words.read_status(data[:-1]) == status
    assert words.STATUS_WORDS[13] == "not ready"
    assert words.STATUS_WORDS[19] == "shutting down"


def test_a_string_states_its_encoding_and_length() -> None:
    assert words.write_string("abc") == b"\x00\x03\x00\x03abc"
    assert words.write_string("é") == b"\x00\x6a\x00\x02\xc3\xa9"
    assert words.read_string(b"\x00\x04\x00\x01\xe9") == "é"
    for bad, reason in ((b"\x00\x03\x00\x04abc", "states 4 bytes"), (b"\x00\x03\x00\x01\xff", "not ascii"), (b"\x03\xe8\x00\x00", "encoding 1000")):
        with pytest.raises(InputRefused, match=reason):
            words.read_string(bad)
    with pytest.raises(InputRefused, match="70000 bytes"):
        words.write_string("x" * 70_000)


def test_a_command_has_a_number_and_a_name_of_128_bytes() -> None:
    command = words.CommandText(5, "Start", "<Command/>")
    data = words.write_command(command)
    assert data == b"\0\0\0\x05" + b"Start".ljust(128, b"\0") + b"\x00\x03" + b"\0\0\0\x0a" + b"<Command/>"
    assert words.read_command(data) == command


def test_a_point_takes_136_bytes() -> None:
    point = words.Point("nasion", "landmarks", (255, 0, 1, 2), (1.0, 2.0, 3.0), 0.5, "head")
    data = words.write_points([point, point])
    assert len(data) == 272
    assert data[64:96].rstrip(b"\0") == b"landmarks"
    assert data[96:116] == bytes.fromhex("FF000102 3F800000 40000000 40400000 3F000000")
    assert words.read_points(data) == (point, point)
    with pytest.raises(InputRefused, match="NaN"):
        words.read_points(words.write_points([point._replace(radius_mm=float("nan"))]))


def test_an_image_lies_about_its_centre() -> None:
    head = image.ImageHead(
        1, 4, True, "LPS", (3, 5, 2), ((0.5, 0.0, 0.0), (0.0, 0.25, 0.0), (0.0, 0.0, 2.0)), (10.0, 20.0, 30.0), (0, 0, 0), (3, 5, 2)
    )
    data = image.write_image_head(head)
    assert len(data) == 72
    assert data[:12] == bytes.fromhex("0001 01 04 02 02 0003 0005 0002")
    assert data[48:60] == struct.pack(">3f", 10.0, 20.0, 30.0)
    assert image.read_image_head(data) == head
    # Half of 2 steps of 0.5, of 4 steps of 0.25 and of 1 step of 2.
    assert head.first_pixel_mm == (9.5, 19.5, 29.0)


@pytest.mark.parametrize(("offset", "value"), [(3, 9), (4, 7), (5, 3), (12, 0x7F)])
def test_an_image_head_that_makes_no_sense_is_refused(offset: int, value: int) -> None:
    data = bytearray(image.write_image_head(image.ImageHead(1, 4, True, "RAS", (1, 1, 1), ((1.0, 0, 0),) * 3, (0.0, 0, 0), (0, 0, 0), (1, 1, 1))))
    data[offset : offset + 2] = bytes((value, 0xC0)) if offset == 12 else bytes((value, data[offset + 1]))
    with pytest.raises(InputRefused):
        image.read_image_head(bytes(data))


def test_start_of_tracking_data() -> None:
    data = poses.write_start_tdata(20, "Tracker")
    assert data == b"\0\0\0\x14" + b"Tracker".ljust(32, b"\0")
    assert poses.read_start_tdata(data) == (20, "Tracker")


def test_a_name_that_does_not_fit_is_refused() -> None:
    for name in ("x" * 21, "Köln", "a\0b"):
        with pytest.raises(InputRefused, match="does not fit"):
            write_header(Header(2, "STRING", name, 0, 0, 0))


def test_a_time_out_of_range_is_refused() -> None:
    for stamp_ns in (-1, (1 << 32) * 1_000_000_000):
        with pytest.raises(InputRefused, match="between 1970 and 2106"):
            write_header(Header(2, "STRING", "A", stamp_ns, 0, 0))


def test_a_damaged_body_is_dropped_and_the_next_is_read() -> None:
    good = write_message("TRANSFORM", "A", poses.write_transform(TURNED), STAMP_NS)
    bad = bytearray(good)
    bad[70] ^= 1
    items = Reader().feed(bytes(bad) + good)
    assert [type(item) for item in items] == [Damaged, Message]
    assert "wrong checksum" in items[0].reason  # type: ignore[union-attr]
    assert isinstance(Reader(check_crc=False).feed(bytes(bad))[0], Message)


def test_the_last_nanosecond_of_a_second_stays_in_it() -> None:
    header = Header(1, "STATUS", "A", 5_999_999_999, 0, 0)
    assert read_header(write_header(header)).stamp_ns == 5_999_999_999
