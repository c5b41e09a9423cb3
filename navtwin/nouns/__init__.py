"""The few frozen types that every room may speak; also the schema of the wire and of the log."""

from navtwin.nouns.alerts import (
    LEVELS,
    Alert,
    AlertSet,
    DistanceStatus,
    Health,
    InstrumentState,
    Lamp,
    Level,
    PairSummary,
    Phase,
    Priority,
    Reading,
    Reply,
    Role,
    State,
    TechnicalAlarm,
)
from navtwin.nouns.base import Covariance3, Covariance6, Noun, Pose
from navtwin.nouns.commands import (
    AUDIO_PAUSE_LIMIT_S,
    Accept,
    Ack,
    AudioPause,
    Collect,
    Command,
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
from navtwin.nouns.events import (
    Envelope,
    Event,
    EventBody,
    Header,
    Message,
    Notice,
    Output,
    Tick,
    Topic,
    decode_command,
    decode_envelope,
    decode_event,
    encode,
)
from navtwin.nouns.rig import Body, Part, Rig, Tool, Tracker, read_rig
from navtwin.nouns.setup import PivotRequest, PivotResult, RegistrationRequest, RegistrationResult, Setup, WorkFailed
from navtwin.nouns.source import Source, SourceEnded, SourceItem, TrueDistance, TrueSetup, TrueTool, Truth
from navtwin.nouns.tables import read_toml
from navtwin.nouns.tracking import Sighting, TrackerFrame, TrackerStatus

__all__ = [
    "AUDIO_PAUSE_LIMIT_S", "LEVELS", "Accept", "Ack", "Alert", "AlertSet", "AudioPause", "Body", "Collect", "Command",
    "Covariance3", "Covariance6", "DistanceStatus", "Envelope", "Event", "EventBody", "Freeze", "Header", "Health",
    "InstrumentState", "Lamp", "Level", "Mark", "Message", "Mute", "Notice", "Noun", "Order", "Output", "PairSummary", "Part",
    "Phase", "PivotRequest", "PivotResult", "Pose", "Priority", "Reading", "Register", "RegistrationRequest",
    "RegistrationResult", "Reject", "Reply", "Rig", "Role", "SetLimits", "Setup", "Sighting", "Source",
    "SourceEnded", "SourceItem", "Spindle", "State",
    "TechnicalAlarm", "Tick", "Tool", "ToolSelect", "Topic", "Tracker", "TrackerFrame", "TrackerStatus", "TrueDistance",
    "TrueSetup", "TrueTool", "Truth", "Undo", "WorkFailed",
    "decode_command", "decode_envelope", "decode_event", "encode", "read_rig", "read_toml",
]  # fmt: skip
