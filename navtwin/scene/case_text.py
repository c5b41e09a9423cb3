"""case.toml as a person wants to read it: every section says what it is for; what is added later leaves the rest of the text alone."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from typing import Any

import msgspec

from navtwin.nouns import Noun
from navtwin.scene.case import CaseFile

_HEAD = """\
# A navtwin case. Positions are in the CT's own axes (DICOM LPS: x to the patient's left, y to the back, z to the head), in mm.
# Research and rehearsal only: not a medical device.
# After an edit run `navtwin case check --lock` on this folder: it names every fault, and accepts the edit where there is none.
"""
_STRUCTURES = """\
# role: work (may be cut, no alarm of its own), critical (watched, with limits), context (only shown).
# body: the tracked body it hangs on; "ref" is the patient's reference. file: surface; labels or threshold_hu: what it was extracted from.
# caution_mm, danger_mm: limits on the distance, less its error bar, of any instrument part.
# sd_mm, correlation_mm: how far the segmentation may be off (one standard deviation), and over what distance that error stays alike.
# made: how it was made by hand (`navtwin structure edit` changes it, and builds the surface anew).
# carve_mm: it can be drilled away, on a grid of that spacing (role work). removal_of: of that bone, what lies inside this one is to be removed.
# capped = true: the scan ends inside the structure and its surface was closed there.
"""
_LANDMARKS = "# Points on bone to touch with the pointer for registration; six well spread are good, three not in a line the least.\n"
_PLANS = """\
# Straight planned paths: entry on bone, target where the burr's centre stops; diameter_mm is the width drilled along it,
# tolerance_mm how far off the path may go.
"""
#: The arrays of tables, each with the words that stand before it.
_ARRAYS = {"structure": _STRUCTURES, "landmark": _LANDMARKS, "plan": _PLANS}
_HEADER = re.compile(r"\s*\[\[?\s*([\w.\"-]+)\s*\]?\]\s*(#.*)?")


def case_text(case: CaseFile) -> str:
    """The text of case.toml."""
    sections = [_HEAD, _table("[case]", case.case), _table("[patient]", case.patient), _table("[ct]", case.ct)]
    for name, words in _ARRAYS.items():
        sections += [words, *(_table(f"[[{name}]]", entry) for entry in getattr(case, name))]
    return "\n".join(sections)


def amended_text(text: str, before: CaseFile, after: CaseFile) -> str:
    """The text of `before` with what is other in `after`; comments and layout stay where they are.

    New entries follow the last of their kind; a changed fact is changed in its line; an entry that is gone takes its own lines with it, and the
    comments between them. A change of any other kind makes the text anew: what is returned always decodes to `after`.
    """
    lines = text.splitlines()
    for name in ("case", "patient", "ct"):
        _set_facts(lines, name, getattr(before, name), getattr(after, name))
    for name, words in _ARRAYS.items():
        new = _match_entries(lines, name, getattr(before, name), getattr(after, name))
        if new:
            at = _place_for(lines, name, words)
            lines[at:at] = [line for entry in new for line in ("", *_table(f"[[{name}]]", entry).splitlines())]
    trial = "\n".join(lines) + "\n"
    return trial if _decodes_to(trial, after) else case_text(after)


def _match_entries(lines: list[str], name: str, before: Sequence[Any], after: Sequence[Any]) -> Sequence[Any]:
    """Change and remove the entries that were there before; those of `after` that are new are returned.

    Entries keep their order: one whose name is gone was renamed where all others stand where they stood, else removed.
    """
    named = {entry.name: entry for entry in after}
    if len(after) >= len(before) and all(new is named.get(old.name, new) for old, new in zip(before, after, strict=False)):
        kept = list(zip(before, after, strict=False))
        new_ones = after[len(before) :]
    else:
        kept = [(entry, named.get(entry.name)) for entry in before]
        old_names = {entry.name for entry in before}
        new_ones = [entry for entry in after if entry.name not in old_names]
    headers = [n for n, line in enumerate(lines) if _named(line) == name]
    for at, (old, new) in reversed(list(zip(headers, kept, strict=False))):
        if new is None:
            last = max(n for n in range(at, _end_of(lines, at)) if _is_content(lines[n]))
            first = max((n for n in range(at) if lines[n].strip()), default=-1) + 1
            del lines[first : last + 1]
        elif new != old:
            _set_lines(lines, at, old, new)
    return new_ones


def _decodes_to(text: str, case: CaseFile) -> bool:
    try:
        return msgspec.convert(tomllib.loads(text), CaseFile) == msgspec.convert(tomllib.loads(case_text(case)), CaseFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        return False


def _set_facts(lines: list[str], name: str, before: Noun, after: Noun) -> None:
    """Write the fields of a section that differ, one line each."""
    if before == after:
        return
    header = next((n for n, line in enumerate(lines) if _named(line) == name), None)
    if header is None:
        lines += ["", f"[{name}]"]
        header = len(lines) - 1
    _set_lines(lines, header, before, after)


def _set_lines(lines: list[str], header: int, before: Noun, after: Noun) -> None:
    """The same for the section whose header is line `header`."""
    changed = {field.name for field in msgspec.structs.fields(after) if getattr(before, field.name) != getattr(after, field.name)}
    end = _end_of(lines, header)
    old = [n for n in range(header + 1, end) if re.match(r"\s*([\w-]+)\s*=", lines[n]) and lines[n].split("=")[0].strip() in changed]
    for n in reversed(old):
        del lines[n]
    written = [line for line in _table("", after).splitlines() if line.split(" = ")[0] in changed]
    at = max((n for n in range(header, end - len(old)) if n == header or _is_content(lines[n])), default=header) + 1
    lines[at:at] = written


def _end_of(lines: list[str], header: int) -> int:
    """Where the section that begins at line `header` ends: at the next header."""
    return next((n for n in range(header + 1, len(lines)) if _named(lines[n])), len(lines))


def _place_for(lines: list[str], name: str, words: str) -> int:
    """Where a new entry goes: behind the last of its kind, else behind the words about its kind, else at the end."""
    header = max((n for n, line in enumerate(lines) if _named(line) == name), default=None)
    if header is not None:
        return max(n for n in range(header, _end_of(lines, header)) if _is_content(lines[n])) + 1
    last_word = words.splitlines()[-1]
    return lines.index(last_word) + 1 if last_word in lines else len(lines)


def _named(line: str) -> str | None:
    """`structure` of a line `[[structure]]`; None where the line is no header."""
    found = _HEADER.fullmatch(line)
    return found.group(1) if found else None


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _table(header: str, section: Noun) -> str:
    lines = [header]
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        if (value is not None and value != field.default) or field.required:
            lines.append(f"{field.name} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Noun):
        return f"{{ {', '.join(f'{name} = {_value(part)}' for name, part in msgspec.structs.asdict(value).items())} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(_value(v) for v in value)}]"
    if isinstance(value, float):
        return repr(round(value, 6))
    if isinstance(value, str):
        # TOML's basic strings escape as JSON's do.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
