"""Commands: which become orders, and that nothing else does."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import NavtwinError
from navtwin.gateway.orders import SETUP, Request, answer, order_of, request_of
from navtwin.igtl.message import Message, write_message
from navtwin.igtl.reader import Reader
from navtwin.igtl.words import CommandText, read_command, read_string, write_command, write_string
from navtwin.nouns import (
    Accept,
    Ack,
    Audio,
    AudioPause,
    Collect,
    Drilling,
    Freeze,
    Mark,
    Mute,
    Order,
    Register,
    Reject,
    SetLimits,
    Spindle,
    ToolSelect,
    Undo,
)


def only(data: bytes) -> Message:
    (item,) = Reader().feed(data)
    assert isinstance(item, Message)
    return item


def order(xml: str, *, setup: bool = True) -> Order:
    return order_of(Request("ACK_1", None, xml), setup=setup)


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ('<Command Name="ack" Epoch="e" Alert="a/b/c" Level="DANGER"/>', Ack(epoch="e", alert="a/b/c", level="DANGER")),
        ('<Command Name="Ack" epoch="e" alert="TRACKING_LOST/drill"/>', Ack(epoch="e", alert="TRACKING_LOST/drill")),
        ('<Command Name="Mute" Structure="canal"/>', Mute(structure="canal")),
        ('<Command Name="AudioPause" Seconds="30"/>', AudioPause(seconds=30.0)),
        ('<Command Name="audio" Fault="unplugged"/>', Audio(fault="unplugged")),
        ('<Command Name="audio-pause" Seconds="0"/>', AudioPause(seconds=0.0)),
        ('<Command Name="mark" Label="first &lt;cut&gt;"/>', Mark(label="first <cut>")),
        ('<Command Name="Freeze" On="true"/>', Freeze(on=True)),
        ('<Command Name="spindle" On="0"/>', Spindle(on=False)),
        ('<Command Name="ToolSelect" Tools="drill, pointer"/>', ToolSelect(tools=("drill", "pointer"))),
        ('<Command Name="collect" What="landmark" Tool="p" Action="start" Landmark="l" DwellS="1.5"/>',
         Collect(what="landmark", tool="p", action="start", landmark="l", dwell_s=1.5)),
        ('<Command Name="register"/>', Register()),
        ('<Command Name="accept" Result="registration"/>', Accept(result="registration")),
        ('<Command Name="reject" Result="pivot/p"/>', Reject(result="pivot/p")),
        ('<Command Name="limits" Structure="s" CautionMm="3" danger_mm="1.5"/>', SetLimits(structure="s", caution_mm=3.0, danger_mm=1.5)),
        ('<Command Name="undo"/>', Undo()),
        ('<Command Name="spindle" On="1" Tool="drill"/>', Spindle(on=True, tool="drill")),
        ('<Command Name="drilling" Action="pause"/>', Drilling(action="pause")),
    ],
)  # fmt: skip
def test_each_order_can_be_given(xml: str, expected: Order) -> None:
    assert order(xml) == expected


def test_every_order_of_the_bus_was_tried() -> None:
    tags = {str(kind.__struct_config__.tag) for kind in Order.__args__}
    assert tags == {"ack", "mute", "audio-pause", "audio", "mark", "freeze", "spindle", "tool-select"} | SETUP


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("", "not well-formed"),
        ("drill!", "not well-formed"),
        ("<Command/>", "is not <Command Name"),
        ('<Order Name="mark" Label="x"/>', "is not <Command Name"),
        ('<Command Name="murk" Label="x"/>', "Did you mean 'mark'"),
        ('<Command Name="StartRecording"/>', "records every session by itself"),
        ('<Command Name="UpdateTransform"/>', "igtl:listen:PORT"),
        ('<Command Name="mark"/>', "missing required field label"),
        ('<Command Name="mark" Label="x" Lable="y"/>', "Did you mean 'label'"),
        ('<Command Name="ack" Alert="a" Level="DANGER"/>', "missing required field epoch"),
        ('<Command Name="ack" Epoch="e" Alert="a" Level="FINE"/>', "Invalid enum value 'FINE'"),
        ('<Command Name="AudioPause" Seconds="soon"/>', "Expected float"),
        ('<Command Name="AudioPause" Seconds="nan"/>', "NaN"),
        ('<Command Name="AudioPause" Seconds="1e999"/>', "out of range"),
        ('<Command Name="freeze" On="perhaps"/>', "Expected bool"),
        ('<!DOCTYPE c [<!ENTITY a "b">]><Command Name="mark" Label="&a;"/>', "DOCTYPE"),
        ('<!DOCTYPE c SYSTEM "file:///etc/passwd"><Command Name="mark" Label="x"/>', "DOCTYPE"),
        ('<Command Name="mark" Label="' + "x" * 9000 + '"/>', "characters"),
        ('<Command Name="mark" do="accept" Label="x"/>', "no attribute 'do'"),
    ],
)
def test_what_is_not_understood_is_refused(xml: str, said: str) -> None:
    with pytest.raises(NavtwinError, match=said):
        order(xml)


@pytest.mark.parametrize("tag", sorted(SETUP))
def test_orders_that_change_the_setup_are_not_taken_unasked(tag: str) -> None:
    with pytest.raises(NavtwinError, match="--setup-commands"):
        order(f'<Command Name="{tag}"/>', setup=False)


@settings(max_examples=100)
@given(st.text(max_size=80), st.dictionaries(st.text("abcdefghilnoprstuvxy_", min_size=1, max_size=9), st.text(max_size=12), max_size=4))
def test_any_text_is_an_order_or_a_refusal(text: str, attributes: dict[str, str]) -> None:
    from xml.sax.saxutils import quoteattr

    for xml in (text, f"<Command Name='limits' {' '.join(f'{k}={quoteattr(v)}' for k, v in attributes.items())}/>"):
        try:
            msgspec.json.encode(order(xml))
        except NavtwinError as refused:
            assert refused.remedy


def test_a_string_is_answered_by_a_string() -> None:
    request = request_of(only(write_message("STRING", "CMD_17", write_string("<Command/>"), 0)))
    assert request == Request("ACK_17", None, "<Command/>")
    reply = only(answer(request, ok=False, words='no "such" <thing>\n', stamp_ns=0))
    assert (reply.kind, reply.device) == ("STRING", "ACK_17")
    assert read_string(reply.content) == '<CommandReply Status="FAIL" Message=\'no "such" &lt;thing&gt;?\' />'


def test_a_command_is_answered_under_its_number() -> None:
    command = CommandText(4_000_000_000, "mark", '<Command Name="mark" Label="x"/>')
    request = request_of(only(write_message("COMMAND", "Slicer", write_command(command), 0)))
    assert request is not None
    assert order_of(request, setup=False) == Mark(label="x")
    reply = only(answer(request, ok=True, words="", stamp_ns=0))
    assert (reply.kind, reply.device, reply.metadata["Status"]) == ("RTS_COMMAND", "Slicer", "SUCCESS")
    answered = read_command(reply.content)
    assert (answered.ident, answered.name, answered.text) == (4_000_000_000, "mark", '<CommandReply Status="SUCCESS" Message="" />')


def test_other_messages_are_no_requests() -> None:
    assert request_of(only(write_message("STRING", "Hello", write_string("x"), 0))) is None
    assert request_of(only(write_message("STATUS", "CMD_1", b"", 0))) is None
