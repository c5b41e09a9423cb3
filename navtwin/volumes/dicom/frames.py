"""What one DICOM file says of its pictures: where each lies, how its pixels are stored, what they mean. Classic and enhanced multi-frame.

DICOM PS3.3 sections C.7.6.2 (image plane), C.7.6.3 (image pixel), C.7.6.16 (functional groups), C.8.15 (enhanced CT), C.11.1 (rescale).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.part10 import CT_CLASSES, SYNTAXES, Part10, Syntax, quiet_pydicom, read_part10
from navtwin.volumes.dicom.values import first_item, items, numbers, short, text

#: No CT has more; a header that claims more is damaged or hostile.
_MOST_SIDE: Final = 8192
_MOST_FRAMES: Final = 20_000

_IMAGE_TYPE, _SOP_CLASS, _SOP_INSTANCE, _MODALITY = 0x00080008, 0x00080016, 0x00080018, 0x00080060
_TILT, _SERIES, _SERIES_NUMBER, _INSTANCE_NUMBER = 0x00181120, 0x0020000E, 0x00200011, 0x00200013
_POSITION, _ORIENTATION, _FRAME_OF_REFERENCE = 0x00200032, 0x00200037, 0x00200052
_SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS, _COLUMNS, _SPACING = 0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280030
_ALLOCATED, _STORED, _HIGH_BIT, _SIGNED, _PADDING, _PADDING_LIMIT = 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280120, 0x00280121
_INTERCEPT, _SLOPE, _RESCALE_TYPE, _LOSSY, _MODALITY_LUT = 0x00281052, 0x00281053, 0x00281054, 0x00282110, 0x00283000
_SHARED_GROUPS, _FRAME_GROUPS = 0x52009229, 0x52009230
_MEASURES, _PLANE_POSITION, _PLANE_ORIENTATION, _TRANSFORMATION, _CT_FRAME_TYPE = 0x00289110, 0x00209113, 0x00209116, 0x00289145, 0x00189329
_FRAME_TYPE, _OFFSETS, _LENGTHS = 0x00089007, 0x7FE00001, 0x7FE00002
_PATIENT_ID, _BIRTH_DATE = 0x00100020, 0x00100030

_Floats = tuple[float, ...] | None
_WANTED: Final = (
    _IMAGE_TYPE, _SOP_CLASS, _SOP_INSTANCE, _MODALITY, _TILT, _SERIES, _SERIES_NUMBER, _INSTANCE_NUMBER, _POSITION, _ORIENTATION, _FRAME_OF_REFERENCE,
    _SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS, _COLUMNS, _SPACING, _ALLOCATED, _STORED, _HIGH_BIT, _SIGNED, _PADDING, _PADDING_LIMIT,
    _INTERCEPT, _SLOPE, _RESCALE_TYPE, _LOSSY, _MODALITY_LUT, _SHARED_GROUPS, _FRAME_GROUPS, _OFFSETS, _LENGTHS,
    _PATIENT_ID, _BIRTH_DATE,
)  # fmt: skip
_COPY_AGAIN: Final = "copy or export it again"
_EXPORT_AGAIN: Final = "export the series again, as CT images"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pixels of one file are stored.

    Attributes
    ----------
    path, syntax, start, pixels_at, size : as in `Part10`
    rows, columns, frames : of the picture
    allocated, stored, high_bit, signed : bits of a stored value (PS3.5 section 8.1.1)
    padding : lowest and highest stored value that stand for "no pixel here"
    offsets : of the frames among the fragments, where an extended offset table says (PS3.3 C.7.6.3.1.8)
    lossy : the pixels have been compressed with loss at some time
    """

    path: Path
    syntax: Syntax
    start: int
    pixels_at: int
    size: int
    rows: int
    columns: int
    frames: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    padding: tuple[int, int] | None
    offsets: bytes
    lossy: bool


@dataclass(frozen=True, slots=True)
class Rescale:
    """Hounsfield units = slope x stored value + intercept."""

    slope: float
    intercept: float
    unit: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. What the file does not say is None.

    Attributes
    ----------
    name : file, and the number of the frame where there are several, for people
    index : of the frame in its file, from 0
    position_mm : of the centre of the first pixel (LPS)
    orientation : direction cosines of a row (along i), then of a column (along j)
    spacing_mm : between rows (along j), between columns (along i)
    localizer : a scout view, no slice
    """

    name: str
    layout: Layout
    index: int
    position_mm: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing_mm: tuple[float, ...] | None
    rescale: Rescale | None
    localizer: bool


@dataclass(frozen=True, slots=True)
class Header:
    """What one file is, and its pictures.

    Attributes
    ----------
    name : path from the folder that is looked through
    problem : why its pictures cannot be used
    tilt_deg : what the tilt tag says; never used for geometry
    patient : PatientID and PatientBirthDate, to tell two patients apart and for nothing else; empty where not stated
    """

    path: Path
    name: str
    sop_class: str
    modality: str
    series_uid: str
    series_number: str
    frame_of_reference: str
    tilt_deg: str
    syntax: Syntax
    frames: tuple[Frame, ...]
    problem: InputRefused | None
    patient: tuple[str, str]


def read_header(path: Path, name: str) -> Header:
    """Parse one DICOM file without its pixels.

    Raises
    ------
    InputRefused : it is no DICOM file, or damaged so that not even its series can be known
    """
    part = read_part10(path, _WANTED)
    if part.pixels_at is None and part.sop_class in CT_CLASSES:
        # Its series may be lost with the rest: it must not go for an object of another kind.
        raise InputRefused(f"{name} ends before its pixels: it is cut", _COPY_AGAIN)
    frames: tuple[Frame, ...] = ()
    problem = None
    try:
        frames = _frames(part, name)
    except InputRefused as refusal:
        problem = refusal
    data = part.dataset
    return Header(path, name, part.sop_class, text(data, _MODALITY), text(data, _SERIES), text(data, _SERIES_NUMBER), text(data, _FRAME_OF_REFERENCE),
                  text(data, _TILT), part.syntax, frames, problem, (text(data, _PATIENT_ID), text(data, _BIRTH_DATE)))  # fmt: skip


def _frames(part: Part10, name: str) -> tuple[Frame, ...]:
    """The pictures of one file; none where it holds no pixels."""
    data = part.dataset
    if part.pixels_at is None:
        return ()
    if part.syntax.uid not in SYNTAXES:
        raise InputRefused(f"{name} is written in {part.syntax.name}, which cannot be read", "export it uncompressed")
    layout = _layout(part, name)
    try:
        with quiet_pydicom():
            shared, of_frames = first_item(data, _SHARED_GROUPS), items(data, _FRAME_GROUPS)
            if shared is None and not of_frames:
                return _classic(data, layout, name)
            return _enhanced(data, layout, name, shared, of_frames)
    except InputRefused:
        raise
    except Exception as error:  # pydicom meets damaged sequences with whatever its parts raise
        raise InputRefused(f"{name} is damaged: its functional groups cannot be parsed ({type(error).__name__})", _COPY_AGAIN) from error


def _classic(data: Any, layout: Layout, name: str) -> tuple[Frame, ...]:
    if layout.frames != 1:
        raise InputRefused(f"{name} holds {layout.frames} frames and does not say where each lies", _EXPORT_AGAIN)
    localizer = "LOCALIZER" in text(data, _IMAGE_TYPE)
    return (Frame(name, layout, 0, *_plane(data, data, data, name), _rescale(data, name), localizer),)


def _plane(position: Any, orientation: Any, measures: Any, name: str) -> tuple[_Floats, _Floats, _Floats]:
    return (
        None if position is None else numbers(position, _POSITION, 3, f"the position of {name}"),
        None if orientation is None else numbers(orientation, _ORIENTATION, 6, f"the orientation of {name}"),
        None if measures is None else numbers(measures, _SPACING, 2, f"the pixel spacing of {name}"),
    )


def _enhanced(data: Any, layout: Layout, name: str, shared: Any, of_frames: list[Any]) -> tuple[Frame, ...]:
    """A functional group stands either once for all frames or once for each (PS3.3 C.7.6.16.1)."""
    if len(of_frames) != layout.frames:
        raise InputRefused(f"{name} claims {layout.frames} frames and describes {len(of_frames)}", _COPY_AGAIN)

    def group(frame: Any, tag: int) -> Any | None:
        own = first_item(frame, tag)
        return own if own is not None or shared is None else first_item(shared, tag)

    found = []
    for index, frame in enumerate(of_frames):
        label = f"{name} frame {index + 1}" if layout.frames > 1 else name
        plane = _plane(group(frame, _PLANE_POSITION), group(frame, _PLANE_ORIENTATION), group(frame, _MEASURES), label)
        transformation, kind = group(frame, _TRANSFORMATION), group(frame, _CT_FRAME_TYPE)
        rescale = None if transformation is None else _rescale(transformation, label)
        stated = text(data, _IMAGE_TYPE) if kind is None else text(kind, _FRAME_TYPE)
        found.append(Frame(label, layout, index, *plane, rescale, "LOCALIZER" in stated))
    return tuple(found)


def _rescale(data: Any, name: str) -> Rescale | None:
    if _MODALITY_LUT in data:
        raise InputRefused(f"{name} maps its values by a table (Modality LUT), not by slope and intercept", _EXPORT_AGAIN)
    slope, intercept = numbers(data, _SLOPE, 1, f"the rescale slope of {name}"), numbers(data, _INTERCEPT, 1, f"the rescale intercept of {name}")
    if slope is None or intercept is None:
        return None
    return Rescale(slope[0], intercept[0], text(data, _RESCALE_TYPE).upper())


def _layout(part: Part10, name: str) -> Layout:
    data = part.dataset
    rows, columns = short(data, _ROWS), short(data, _COLUMNS)
    if not rows or not columns or max(rows, columns) > _MOST_SIDE:
        raise InputRefused(f"{name} claims {columns or 0} x {rows or 0} pixels", f"slices have 1 to {_MOST_SIDE} pixels a side: export it again")
    if (short(data, _SAMPLES) or 1) != 1:
        raise InputRefused(f"{name} is a colour picture", _EXPORT_AGAIN)
    stated = numbers(data, _FRAMES, 1, f"the number of frames of {name}") or (1.0,)
    frames = int(stated[0])
    if not 1 <= frames <= _MOST_FRAMES or frames != stated[0]:
        raise InputRefused(f"{name} claims {stated[0]:g} frames", f"a file has 1 to {_MOST_FRAMES}: copy or export it again")
    allocated, stored, high_bit = short(data, _ALLOCATED), short(data, _STORED), short(data, _HIGH_BIT)
    if allocated not in (8, 16) or stored is None or not 1 <= stored <= allocated:
        raise InputRefused(f"{name} stores {stored} bits of a value in {allocated}", "values have 1 to 16 bits, in 8 or 16: export it again")
    high_bit = stored - 1 if high_bit is None else high_bit
    if not stored - 1 <= high_bit < allocated:
        raise InputRefused(f"{name} has its highest bit at {high_bit} of {allocated}, with {stored} bits stored", _COPY_AGAIN)
    signed = short(data, _SIGNED)
    if signed not in (0, 1):
        raise InputRefused(f"{name} does not say whether its values are signed", _EXPORT_AGAIN)
    padding = _padding(short(data, _PADDING), short(data, _PADDING_LIMIT), signed == 1)
    lossy = text(data, _LOSSY) == "01" or "lossy" in part.syntax.name
    offsets = data.get_item(_OFFSETS)
    table = offsets.value if offsets is not None and isinstance(offsets.value, bytes) else b""
    return Layout(part.path, part.syntax, part.start, part.pixels_at or 0, part.size, rows, columns, frames, allocated, stored, high_bit, signed == 1,
                  padding, table, lossy)  # fmt: skip


def _padding(value: int | None, limit: int | None, signed: bool) -> tuple[int, int] | None:
    """PS3.3 C.7.5.1.1.2: one value or, with a limit, all from one to the other. The element's own VR is often wrong about the sign."""
    if value is None:
        return None
    ends = [one - 65536 if signed and one >= 32768 else one for one in (value, value if limit is None else limit)]
    return min(ends), max(ends)
