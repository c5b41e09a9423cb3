"""What a CT's files say of the patient and the study. What tells who the patient is stands apart, and is given only when asked for.

DICOM PS3.3 sections C.7.1.1 (patient), C.7.2 (study), C.7.3.1 (series).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.part10 import quiet_pydicom, read_part10

_CHARACTER_SET = 0x00080005
_STUDY_DATE, _ACCESSION, _INSTITUTION, _STUDY, _SERIES = 0x00080020, 0x00080050, 0x00080080, 0x00081030, 0x0008103E
_NAME, _ID, _BIRTH_DATE, _SEX, _AGE = 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00101010
_BODY_PART, _CONTRAST, _PROTOCOL, _POSITION = 0x00180015, 0x00180010, 0x00181030, 0x00185100
_SERIES_LATERALITY, _IMAGE_LATERALITY = 0x00200060, 0x00200062
_WANTED: Final = (
    _CHARACTER_SET, _STUDY_DATE, _ACCESSION, _INSTITUTION, _STUDY, _SERIES, _NAME, _ID, _BIRTH_DATE, _SEX, _AGE,
    _BODY_PART, _CONTRAST, _PROTOCOL, _POSITION, _SERIES_LATERALITY, _IMAGE_LATERALITY,
)  # fmt: skip
_SEXES: Final = {"M": "male", "F": "female", "O": "other"}
_SIDES: Final = {"L": "left", "R": "right", "B": "both", "U": "unpaired"}
_AGE_UNITS: Final = {"D": "days", "W": "weeks", "M": "months", "Y": "years"}
_MOST_TEXT: Final = 200


@dataclass(frozen=True)
class Identity:
    """What tells who the patient is. Dates are YYYY-MM-DD; empty where nothing is stated."""

    name: str
    patient_id: str
    birth_date: str
    study_date: str
    accession: str
    institution: str


@dataclass(frozen=True)
class PatientFacts:
    """What bears on the intervention. Empty where nothing is stated.

    Attributes
    ----------
    age : "45 years"; where only the birth date is stated, full years at the day of the study
    sex : male, female, other
    study, series, protocol : descriptions as the scanner's staff wrote them; free text, in which somebody may have put a name
    study_year : of the study; its day is part of the identity
    body_part, laterality, position, contrast : BodyPartExamined, left/right/both/unpaired, PatientPosition (HFS ...), contrast agent
    identity : None unless asked for
    """

    age: str
    sex: str
    study: str
    study_year: str
    series: str
    protocol: str
    body_part: str
    laterality: str
    position: str
    contrast: str
    identity: Identity | None


def facts_of_file(path: Path, *, identify: bool = False) -> PatientFacts:
    """The facts that one file states.

    Raises
    ------
    InputRefused : no DICOM file, or damaged
    """
    data = read_part10(path, _WANTED).dataset
    born, day = _day(_words(data, _BIRTH_DATE)), _day(_words(data, _STUDY_DATE))
    side = _words(data, _IMAGE_LATERALITY) or _words(data, _SERIES_LATERALITY)
    who = Identity(_words(data, _NAME).replace("^", " ").strip(), _words(data, _ID), _iso(born), _iso(day), _words(data, _ACCESSION),
                   _words(data, _INSTITUTION))  # fmt: skip
    return PatientFacts(
        age=_age(_words(data, _AGE), born, day),
        sex=_SEXES.get(_words(data, _SEX).upper(), ""),
        study=_words(data, _STUDY),
        study_year=str(day.year) if day else "",
        series=_words(data, _SERIES),
        protocol=_words(data, _PROTOCOL),
        body_part=_words(data, _BODY_PART).lower(),
        laterality=_SIDES.get(side.upper(), ""),
        position=_words(data, _POSITION),
        contrast=_words(data, _CONTRAST),
        identity=who if identify else None,
    )


def series_description(path: Path) -> str:
    """SeriesDescription; empty where the file states none or is damaged."""
    try:
        return _words(read_part10(path, (_CHARACTER_SET, _SERIES)).dataset, _SERIES)
    except InputRefused:
        return ""


def _words(data: Any, tag: int) -> str:
    """Text in its character set, on one line and of bounded length."""
    try:
        value = _decoded(data, tag)
    except InputRefused:  # what cannot be read in its character set is no fact, and no reason to refuse the pictures
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:_MOST_TEXT]


def _decoded(data: Any, tag: int) -> str:
    try:
        with quiet_pydicom():
            return str(data[tag].value or "") if tag in data else ""
    except Exception as error:  # pydicom meets broken text with whatever its codecs raise
        raise InputRefused(f"element {tag:08x} cannot be read", "copy or export the file again") from error


def _day(stated: str) -> date | None:
    match = re.fullmatch(r"(\d{4})[.-]?(\d\d)[.-]?(\d\d)", stated)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _age(stated: str, born: date | None, day: date | None) -> str:
    match = re.fullmatch(r"(\d{1,3})([DWMY])", stated.upper())
    if match:
        return f"{int(match[1])} {_AGE_UNITS[match[2]]}"
    if born and day and born <= day:
        return f"{day.year - born.year - ((day.month, day.day) < (born.month, born.day))} years"
    return ""
