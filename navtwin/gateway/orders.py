"""Commands of OpenIGTLink clients: which of them become orders on the bus, and what is answered. What is not known is never obeyed.

Two ways, as PLUS has them: a STRING from device `CMD_<uid>`, answered by a STRING from `ACK_<uid>`; and a COMMAND, answered by an RTS_COMMAND of
the same number. The text is XML: `<Command Name="ack" Epoch="..." Alert="..." Level="DANGER"/>`. Names and attributes are those of the bus's
orders, in any case and with or without hyphens and underscores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

import msgspec

from navtwin.bus.words import printable
from navtwin.errors import InputRefused, nearest
from navtwin.files.guard import parse_xml
from navtwin.igtl.message import Message, write_message
from navtwin.igtl.words import CommandText, read_command, read_string, write_command, write_string
from navtwin.nouns import Order

#: A command is a line; what is longer is not parsed.
MOST_CHARACTERS: Final = 8192
_REQUEST, _ANSWER = "CMD_", "ACK_"
_ORDERS: Final[dict[str, type[msgspec.Struct]]] = {str(kind.__struct_config__.tag): kind for kind in Order.__args__}
#: Orders that change calibration, registration, limits or what has been drilled: only where the gateway was started to take them.
SETUP: Final = frozenset(("collect", "register", "accept", "reject", "limits", "undo", "drilling"))
#: Commands of PLUS that would mislead if they were passed over.
_OF_PLUS: Final = {
    "startrecording": "navtwin records every session by itself, from its beginning",
    "stoprecording": "navtwin records every session by itself, to its end",
    "gettransform": "poses are sent without being asked for",
    "updatetransform": "navtwin takes poses from its tracker and places from its registration; a tracker's are taken by --source igtl:listen:PORT",
    "saveconfig": "navtwin's case and rig are files on its own host",
}


@dataclass(frozen=True, slots=True)
class Request:
    """Something that a client wants to be answered.

    Attributes
    ----------
    reply_to : device name of the answer: `ACK_<uid>`, or the COMMAND's own, as the protocol has it
    command : its COMMAND; None for a STRING
    text : the XML
    """

    reply_to: str
    command: CommandText | None
    text: str


def request_of(message: Message) -> Request | None:
    """The request that a message is, None if it is none.

    Raises
    ------
    InputRefused : a STRING or COMMAND that cannot be read
    """
    if message.kind == "STRING" and message.device.startswith(_REQUEST):
        return Request(f"{_ANSWER}{message.device.removeprefix(_REQUEST)}", None, read_string(message.content))
    if message.kind == "COMMAND":
        command = read_command(message.content)
        return Request(message.device, command, command.text)
    return None


def order_of(request: Request, *, setup: bool) -> Order:
    """The order that a request asks for.

    Parameters
    ----------
    setup : whether orders that change calibration, registration or limits are taken

    Raises
    ------
    InputRefused : not XML, an unknown command or attribute, a value of the wrong kind, or an order that is not taken
    """
    if len(request.text) > MOST_CHARACTERS:
        raise InputRefused(f"the command has {len(request.text)} characters", f"at most {MOST_CHARACTERS} are read")
    root = parse_xml(request.text.encode(), "the command")
    if root.tag != "Command" or not root.get("Name"):
        raise InputRefused('the command is not <Command Name="..."/>', "name one of the orders in the documentation")
    tag = _tag(root.get("Name", ""))
    if tag in SETUP and not setup:
        raise InputRefused(f"'{tag}' is not taken from OpenIGTLink clients", "start the gateway with --setup-commands, or use navtwin setup")
    kind = _ORDERS[tag]
    fields = {_plain(field.encode_name): field for field in msgspec.structs.fields(kind)}
    values: dict[str, object] = {"do": tag}
    for name, text in root.attrib.items():
        if name == "Name":
            continue
        field = fields.get(_plain(name))
        if field is None:
            raise InputRefused(f"'{tag}' has no attribute '{name[:40]}'", nearest(name, [f.encode_name for f in fields.values()] or ["none"]))
        values[field.encode_name] = [word.strip() for word in text.split(",") if word.strip()] if field.encode_name == "tools" else text
    try:
        order: Order = msgspec.convert(values, Order, strict=False)
    except msgspec.ValidationError as error:
        raise InputRefused(f"'{tag}': {str(error).replace('`', '').replace('$.', '')}", "check its attributes in the documentation") from error
    return order


def _tag(name: str) -> str:
    plain = _plain(name)
    if plain in _OF_PLUS:
        raise InputRefused(f"'{name}' is not done here: {_OF_PLUS[plain]}", "leave this command out")
    tag = next((tag for tag in _ORDERS if _plain(tag) == plain), None)
    if tag is None:
        raise InputRefused(f"there is no command '{name[:40]}'", nearest(name, _ORDERS))
    return tag


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def answer(request: Request, *, ok: bool, words: str, stamp_ns: int) -> bytes:
    """What goes back to who asked."""
    xml = f"<CommandReply Status={quoteattr('SUCCESS' if ok else 'FAIL')} Message={quoteattr(printable(words))} />"
    if request.command is None:
        return write_message("STRING", request.reply_to, write_string(xml), stamp_ns)
    reply = request.command._replace(text=xml)
    metadata = {"Status": "SUCCESS" if ok else "FAIL"}
    return write_message("RTS_COMMAND", request.reply_to, write_command(reply), stamp_ns, metadata=metadata)
