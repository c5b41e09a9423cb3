"""What a room says of a file format that it knows. Rooms name theirs under the entry point `navtwin.formats`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from navtwin.nouns import Noun

#: What a file can become, and what can be written as a file.
Kind = Literal["log", "case", "rig"]
Report = Callable[[str], None]

#: How much of a file is looked at to tell what it is.
HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Peek:
    """The beginning of a file: enough to tell what it is by content, never by name.

    Attributes
    ----------
    path : where it is
    head : its first `HEAD_BYTES` bytes, unpacked if it is a gzip stream; empty for a folder
    packed : it is a gzip stream
    is_folder : it is a folder
    """

    path: Path
    head: bytes
    packed: bool
    is_folder: bool


class Inspection(Noun, frozen=True):
    """What a file is, in plain words.

    Attributes
    ----------
    kind : "DICOM CT series", "PLUS tracker recording" ...
    facts : (what, value) pairs in the order to show them; where the format has them: axes, units, size, times, validity
    doubts : whole sentences on what is missing, assumed or suspicious, and what to do about it
    """

    kind: str
    facts: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...] = ()


class Options(Noun, frozen=True):
    """What the user said on the command line. A format that does not use one that was given refuses it (`Format.uses`).

    Attributes
    ----------
    space : LPS or RAS, for files that do not say
    name : what the case, structure, body, tool or camera is to be called
    role, caution_mm, danger_mm : of a structure that comes in
    series : DICOM series, by number in the list or by UID
    resample : mend what can be mended honestly by resampling
    repair : mend holes and windings of a mesh
    identify : keep name and identity of the patient
    labels : label volume or segmentation that goes with a CT
    structures : `name:role[:caution:danger]` of the labels that are wanted
    names : table of label names
    notes : what the user adds to the patient's facts
    rig : rig.toml that names bodies and declares latency
    columns : header of a plain CSV recording, declared
    unit : unit of a file that does not say (mm or m)
    """

    space: str | None = None
    name: str | None = None
    role: str | None = None
    caution_mm: float | None = None
    danger_mm: float | None = None
    series: str | None = None
    resample: bool = False
    repair: bool = False
    identify: bool = False
    labels: str | None = None
    structures: tuple[str, ...] = ()
    names: str | None = None
    notes: str | None = None
    rig: str | None = None
    columns: str | None = None
    unit: str | None = None


#: Brings a file in at the given place; returns sentences on what was done and what is doubtful.
Bring = Callable[[Path, Path, Options, Report], tuple[str, ...]]
#: Writes a log, case or rig as a file; returns sentences on what was written and what the format could not carry.
Write = Callable[[Path, Path, Options, Report], tuple[str, ...]]


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    name : as in `Inspection.kind`
    recognise : whether a file is one, by content; never raises
    inspect : what it is; raises InputRefused where it is damaged
    brings : what it can become
    uses : the options it understands
    writes : (what, ending of the file's name) -> writer
    writes_with : the options that its writers understand
    ours : for our own logs, cases and rigs: which of them it is, so that it can be exported
    general : so general (any table of numbers) that it is only asked where no other format knows a file
    """

    name: str
    recognise: Callable[[Peek], bool]
    inspect: Callable[[Path, Options], Inspection]
    brings: Mapping[Kind, Bring] = field(default_factory=dict)
    uses: frozenset[str] = frozenset()
    writes: Mapping[tuple[Kind, str], Write] = field(default_factory=dict)
    writes_with: frozenset[str] = frozenset()
    ours: Kind | None = None
    general: bool = False
