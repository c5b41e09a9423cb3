"""What is declared of a structure, as it was typed: nothing is lost where something is missing. No Qt."""

from __future__ import annotations

import getpass
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from navtwin.errors import InputRefused
from navtwin.nouns import Role
from navtwin.scene.author.into_case import Altered, Declared, Listed, refuse_limits

Kind = Literal["bone", "tube", "sphere", "paint"]
Field = Literal["name", "role", "caution", "danger", "sd", "color", "author", "shape"]
USUAL_ROLE: Final[dict[Kind, Role]] = {"bone": "work", "tube": "critical", "sphere": "critical", "paint": "critical"}
USUAL_NAME: Final[dict[Kind, str]] = {"bone": "bone", "tube": "", "sphere": "", "paint": ""}
#: Colours that are told apart with any kind of colour vision, beside red and yellow, which are alarms'.
COLORS: Final = ("#d8654f", "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#b39ddb", "#e6dccb", "#b1a08f")
#: Why the error must be declared, and what is sensible.
SD_HINT: Final = (
    "SD: how far your surface may be off, one standard deviation. It widens the error bar of every distance: declare too little, and the warning "
    "comes too late. 0.3 to 0.5 mm where the edge is plain; 0.5 to 1 for a nerve followed by hand; 1 to 2 where you had to guess."
)


@dataclass(frozen=True)
class Sheet:
    """The fields of the form as text. `color` "" is the usual one of the role."""

    name: str = ""
    role: Role = "context"
    caution: str = ""
    danger: str = ""
    sd: str = ""
    color: str = ""
    author: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field, in words with the remedy."""

    field: Field
    words: str


def first_sheet(kind: Kind, author: str) -> Sheet:
    """An empty form for a new structure."""
    return Sheet(name=USUAL_NAME[kind], role=USUAL_ROLE[kind], author=author)


def sheet_of(listed: Listed, color: str, author: str) -> Sheet:
    """The form of a structure that is there. Its author is whoever changes it now."""
    return Sheet(listed.name, listed.role, _text(listed.caution_mm), _text(listed.danger_mm), _text(listed.sd_mm), color, author)


def login_name() -> str:
    """Who is logged in; "" where nobody knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def faults(sheet: Sheet, taken: Collection[str], *, named: bool = True) -> tuple[Fault, ...]:
    """All that is wrong with a form, field by field.

    Parameters
    ----------
    taken : names of other structures of the case
    named : a structure of its own is made; otherwise only its author counts
    """
    return tuple(_faults(sheet, taken, named=named))


def declared(sheet: Sheet) -> Declared:
    """What a form without faults declares."""
    critical = sheet.role == "critical"
    caution, danger = (number(text) if critical else None for text in (sheet.caution, sheet.danger))
    return Declared(sheet.name.strip(), sheet.role, caution, danger, number(sheet.sd), sheet.color)


def altered(sheet: Sheet, before: Sheet) -> Altered:
    """What a form without faults changes of what was declared before."""
    now, was = declared(sheet), declared(before)

    def new(one: float | None, other: float | None) -> float | None:
        return one if one != other else None

    return Altered(
        name=now.name if now.name != was.name else None, role=now.role if now.role != was.role else None,
        caution_mm=new(now.caution_mm, was.caution_mm), danger_mm=new(now.danger_mm, was.danger_mm), sd_mm=new(now.sd_mm, was.sd_mm),
        color=now.color if now.color and now.color != was.color else None,
    )  # fmt: skip


def number(text: str) -> float | None:
    """A number as people write it, with a point or a comma; None for an empty field.

    Raises
    ------
    ValueError : it is none
    """
    text = text.strip().removesuffix("mm").strip().replace(",", ".")
    if not text:
        return None
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text):
        raise ValueError(text)
    return float(text)


def _faults(sheet: Sheet, taken: Collection[str], *, named: bool) -> Iterator[Fault]:
    if not sheet.author.strip():
        yield Fault("author", "Say who makes it: the name stays with the structure.")
    if not named:
        return
    if not sheet.name.strip():
        yield Fault("name", "Name it: warnings call it by this name.")
    elif sheet.name.strip() in taken:
        yield Fault("name", f"The case has a structure '{sheet.name.strip()}': give this one another name, or change that one.")
    bad = {field for field in ("caution", "danger", "sd") if not _is_number(getattr(sheet, field))}
    for field in ("caution", "danger", "sd"):
        if field in bad and (field == "sd" or sheet.role == "critical"):
            yield Fault(field, f"'{getattr(sheet, field)}' is no length: write millimetres, for instance 1.5.")
    if sheet.role != "critical":
        return
    missing = [field for field in ("caution", "danger") if not getattr(sheet, field).strip()]
    for field in missing:
        yield Fault("caution" if field == "caution" else "danger", f"A critical structure has limits: say at how many mm {field.upper()} begins.")
    if not missing and not bad & {"caution", "danger"}:
        try:
            refuse_limits(sheet.name, sheet.role, number(sheet.caution), number(sheet.danger))
        except InputRefused:
            yield Fault("danger", "DANGER lies above 0 and inside CAUTION: caution comes first, farther out.")
    if not sheet.sd.strip():
        yield Fault("sd", "Nobody else can know how sure you are: declare it. It widens the error bar.")


def _is_number(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
