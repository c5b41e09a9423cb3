"""What an operator may ask. One table: each command changes the twin's memory only as a logged event.

`alert` names an alert by its id: `structure/instrument/part` for a proximity alert, `ALARM/subject` for a technical one.
"""

from __future__ import annotations

from typing import Literal

from navtwin.nouns.alerts import Level
from navtwin.nouns.base import Noun

AUDIO_PAUSE_LIMIT_S = 120.0


class _Order(Noun, frozen=True, tag_field="do"):
    """Base of the commands; the tag is the command's name."""


class Ack(_Order, frozen=True, tag="ack"):
    """Silence one alert at the level seen. Refused if it has risen since, or belongs to another epoch."""

    epoch: str
    alert: str
    level: Level | None = None


class Mute(_Order, frozen=True, tag="mute"):
    """Silence one structure's CAUTION until it has been CLEAR for 5 s, or for 2 minutes. Never DANGER or CONTACT."""

    structure: str


class AudioPause(_Order, frozen=True, tag="audio-pause"):
    """Silence all sound for at most 120 s; 0 ends the pause. A new or risen CONTACT breaks through."""

    seconds: float


class Audio(_Order, frozen=True, tag="audio"):
    """Say whether the sender's own alarm sounds can be heard. `fault` says why not, "" where they can.

    A fault is to be said again every 2 s: 5 s after the last word of it the technical alarm AUDIO_MISSING ends, since a client that has left needs
    no sound.
    """

    fault: str


class Mark(_Order, frozen=True, tag="mark"):
    """Put a bookmark into the log."""

    label: str


class Freeze(_Order, frozen=True, tag="freeze"):
    """Stop or resume the sender's picture; the core never stops."""

    on: bool


class Collect(_Order, frozen=True, tag="collect"):
    """Start or stop collecting samples with a tool: a pivot, one named landmark, a surface sweep, or a check of the registration in use.

    Attributes
    ----------
    landmark : the landmark that is touched; for a check "" is the bone, anywhere
    dwell_s : with `start` of a landmark or a check: it is taken, with no `stop`, once the tip was seen and still for this long; 0 waits for `stop`
    """

    what: Literal["pivot", "landmark", "sweep", "check"]
    tool: str
    action: Literal["start", "stop", "cancel"]
    landmark: str = ""
    dwell_s: float = 0.0


class Register(_Order, frozen=True, tag="register"):
    """Compute a registration from what has been collected.

    Attributes
    ----------
    without : landmarks that are left out of it, though they were touched
    """

    method: Literal["landmarks", "landmarks+surface"] = "landmarks+surface"
    without: tuple[str, ...] = ()


class Accept(_Order, frozen=True, tag="accept"):
    """Take a pending result into use: `registration`, or `pivot/<tool>`. Refused if the gate refused it.

    Attributes
    ----------
    level : of a registration that other levels explain as well: the level that was touched, as `RegistrationResult.level` names it
    changed_tool : of a pivot whose tip lies elsewhere than the one known so far: yes, the tool was changed
    """

    result: str
    level: str = ""
    changed_tool: bool = False


class Reject(_Order, frozen=True, tag="reject"):
    """Drop a pending result."""

    result: str


class SetLimits(_Order, frozen=True, tag="limits"):
    """Change one critical structure's limits for this session."""

    structure: str
    caution_mm: float
    danger_mm: float


class Spindle(_Order, frozen=True, tag="spindle"):
    """Say that a drill turns or stands: on every change, and again at least every 250 ms, for its word lasts only for a while.

    Attributes
    ----------
    tool : whose; "" is every tool with a cutter
    """

    on: bool
    tool: str = ""


class Drilling(_Order, frozen=True, tag="drilling"):
    """Take back the last stretch of bone that was drilled away in the twin, or stop it from following the drill, or let it follow again.

    While it is paused nothing is cut, and that is alarmed: bone that the twin then shows may be gone.
    """

    action: Literal["undo", "pause", "resume"]


class ToolSelect(_Order, frozen=True, tag="tool-select"):
    """Say which instruments are in use; only their loss is a high or medium alarm."""

    tools: tuple[str, ...]


class Undo(_Order, frozen=True, tag="undo"):
    """Take back the last collected landmark, sweep or limit change."""


Order = Ack | Mute | AudioPause | Audio | Mark | Freeze | Collect | Register | Accept | Reject | SetLimits | Spindle | Drilling | ToolSelect | Undo


class Command(Noun, frozen=True, tag_field="kind", tag="command"):
    """An order, who gave it, and the sender's own id for it (returned in the reply)."""

    who: str
    id: str
    order: Order
