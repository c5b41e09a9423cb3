"""Where poses and pictures can come from, and how each is named on a command line. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from navtwin.bus.words import printable
from navtwin.errors import InputRefused

#: Kinds of source whose poses are made here from pictures: they need a calibrated camera.
PICTURE_SCHEMES = ("camera", "video", "images")


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes
    ----------
    scheme : what stands before the colon
    title : in a menu
    ask : what is asked for, "" for nothing
    example : what an answer looks like
    hint : what it is good for
    file : `file` or `folder` where a file dialog helps
    """

    scheme: str
    title: str
    ask: str
    example: str
    hint: str
    file: Literal["", "file", "folder"] = ""


CAMERA = Kind("camera", "Camera", "device", "0", "the number of a webcam")
CAMERAS = Kind("camera", "Cameras", "devices", "0,2", "the numbers of the webcams, separated by commas")
FILM = Kind("video", "Film", "film", "session.avi", "a film, read to its end", "file")
PICTURES = Kind("images", "Pictures", "folder", "pictures", "a folder of pictures", "folder")
RECORDING = Kind("log", "Recording", "recording", "session.mcap", "a session, a PLUS sequence or a table of poses", "file")
IGTL = Kind("igtl", "OpenIGTLink", "host and port", "127.0.0.1:18944", "a tracker server such as PLUS or 3D Slicer")
NDI = Kind("ndi", "NDI tracker", "port and tools", "/dev/ttyUSB0?reference=REF.rom&pointer=POINTER.rom", "its port, and which tool is which body")
DEMO = Kind("phantom", "Scripted demo", "script", "pedicle", "a scripted surgeon on the open case: nothing needs to be connected")
#: A rendered camera that films what the step needs; its script is the step's own.
PRACTICE = Kind("practice", "Rendered camera, to practise", "", "", "a made-up camera that knows the truth: nothing needs to be connected")

SESSION_KINDS = (
    DEMO,
    Kind("camera", "Camera", "device", "0", "one webcam, or several that are calibrated: 0,2"),
    FILM,
    PICTURES,
    RECORDING,
    IGTL,
    NDI,
)
BOARD_KINDS = (CAMERA, FILM, PICTURES, PRACTICE)
BOARDS_KINDS = (CAMERAS, PICTURES, PRACTICE)
POSE_KINDS = (CAMERA, FILM, PICTURES, RECORDING, IGTL, NDI, PRACTICE)
CLOCK_KINDS = (CAMERA, PICTURES)
TITLES = {kind.scheme: kind.title for kind in (*SESSION_KINDS, PRACTICE)}


def scheme_of(source: str) -> str:
    """What stands before the colon of `KIND:REST`."""
    return source.partition(":")[0]


def needs_camera(source: str) -> bool:
    """Whether the poses of a source are made from pictures."""
    return scheme_of(source) in PICTURE_SCHEMES


def is_device(source: str) -> bool:
    """Whether a source is a camera of this machine, which one program at a time can open."""
    return source.startswith("camera:") and source.removeprefix("camera:")[:1].isdigit()


def address(kind: Kind, text: str) -> str:
    """`SCHEME:TEXT` as commands take it.

    Raises
    ------
    InputRefused : nothing typed, or something that cannot be such an address
    """
    text = text.strip()
    if not text:
        raise InputRefused(f"{kind.title}: the {kind.ask} is not named", f"type it, for example {kind.example}")
    if kind.scheme == "camera" and not re.fullmatch(r"\d+(,\d+)*(\?\S*)?|[a-z]+(:\S*)?", text):
        raise InputRefused(f"'{text}' names no camera", "type a device's number such as 0, or several separated by commas: 0,2")
    if kind.scheme == "igtl":
        host, colon, port = text.partition("?")[0].rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise InputRefused(f"'{text}' is no host and port", f"type HOST:PORT, for example {kind.example}")
    return f"{kind.scheme}:{text}"


def practice_address(step: str, subject: str) -> str:
    """What the rendered camera films for a step."""
    scripts = {"camera": "board", "cameras": "board", "markers": f"body:{subject}", "pivot": f"pivot:{subject}", "axis": f"spin:{subject}"}
    return f"camera:phantom:{scripts[step]}" + ("?cameras=2" if step == "cameras" else "")


def source_words(source: str) -> str:
    """A source in a few words."""
    title = TITLES.get(scheme_of(source))
    return f"{title}: {printable(source.partition(':')[2])}" if title else printable(source)
