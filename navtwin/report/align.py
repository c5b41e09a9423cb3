"""Two logs of one session brought side by side: by their inputs where those are the same, else by the tracker's frames.

A session that was recorded once and re-lived by another version (`navtwin run CASE --source log:OLD`) has the same frames on another clock. What the
two say is then compared frame by frame, and times are moved onto the first log's clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from navtwin.errors import InputRefused
from navtwin.nouns import AlertSet, Event, Output, TrackerFrame, encode
from navtwin.record.format import OUTPUT
from navtwin.record.read import decode, header, inputs, read_log
from navtwin.report.sides import Sides

#: Two logs of one session share at least this part of each one's frames: less is another session that happens to begin alike.
LEAST_SHARED: Final = 0.5


class Said(NamedTuple):
    """One input of a log and what was logged of its outputs; `event` is None where the input is lost."""

    seq: int
    t_ns: int
    event: Event | None
    outputs: list[Output]


@dataclass(frozen=True)
class Alignment:
    """How inputs of the second log lie on the first.

    Attributes
    ----------
    frames : None where both have the same inputs; else (seq in the first log, ns to add to the second log's time) by the second log's seq of a frame
    notes : what one has and the other has not
    """

    frames: dict[int, tuple[int, int]] | None
    notes: tuple[str, ...]


def align(before: Path, now: Path) -> Alignment:
    """Find out how two logs match.

    Raises
    ------
    InputRefused : logs of other cases, or of other inputs; says what differs
    LogDamaged
    """
    one, other = header(before), header(now)
    if one.case_hash != other.case_hash:
        raise InputRefused(
            f"{before.name} and {now.name} are sessions on different cases ({_short(one.case_hash)} and {_short(other.case_hash)})",
            "compare two logs of one session",
        )
    refusal, notes = _inputs_alike(before, now)
    if not refusal:
        return Alignment(None, notes)
    frames, shared = _by_frames(before, now)
    if not frames:
        raise InputRefused(f"{before.name} and {now.name} are not logs of one session: {refusal}, and {shared}", "compare two logs of one session")
    return Alignment(frames, (f"matched by their frames ({shared}), for {refusal}; less than 60 ms is taken for the clock's own",))


def bring_together(before: Path, now: Path, alignment: Alignment, look: tuple[int, int] | None = None) -> Sides:
    """Take in what both logs say, input by input. Raises LogDamaged."""
    sides = Sides(exact=alignment.frames is None, look=look)
    left, right = _said(before), _moved(now, alignment)
    a, b = next(left, None), next(right, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a.seq < b.seq):
            assert a is not None
            _alone(sides.before, a)
            a = next(left, None)
        elif a is None or b.seq < a.seq or b.event is None or a.event is None:
            _alone(sides.now, b)
            b = next(right, None)
        else:
            sides.take(a.seq, a.t_ns, a.outputs, b.outputs)
            a, b = next(left, None), next(right, None)
    return sides


def _alone(notes: object, said: Said) -> None:
    for body in said.outputs:
        if isinstance(body, AlertSet):
            notes.take(said.seq, body)  # type: ignore[attr-defined]


def _said(path: Path) -> Iterator[Said]:
    """Inputs with their outputs, in order."""
    group: Said | None = None
    for record in read_log(path):
        if record.channel != "/input" and not record.channel.startswith(OUTPUT):
            continue
        if group is None or record.seq != group.seq:
            if group is not None:
                yield group
            group = Said(record.seq, record.t_ns, None, [])
        body = decode(record, path)
        if isinstance(body, Event):
            group = group._replace(event=body)
        else:
            group.outputs.append(body)
    if group is not None:
        yield group


def _moved(path: Path, alignment: Alignment) -> Iterator[Said]:
    """The second log's inputs, on the first one's numbers and clock."""
    if alignment.frames is None:
        yield from _said(path)
        return
    seq, shift_ns = next(iter(alignment.frames.values()))
    seq -= 1
    for said in _said(path):
        matched = alignment.frames.get(said.seq)
        if matched is not None:
            seq, shift_ns = matched
        outputs: list[Output] = [
            msgspec.structs.replace(body, t_ns=body.t_ns + shift_ns) if isinstance(body, AlertSet) else body for body in said.outputs
        ]
        # What no frame is behind stands alone: its instants are not those of the other log.
        yield Said(seq, said.t_ns + shift_ns, said.event if matched is not None else None, outputs)


def _inputs_alike(before: Path, now: Path) -> tuple[str, tuple[str, ...]]:
    """("", notes) where all inputs that both have are the same; else what differs first."""
    left, right = inputs(before), inputs(now)
    a, b = next(left, None), next(right, None)
    shared, only = 0, [0, 0]
    while a is not None or b is not None:
        if b is None or (a is not None and a.seq < b.seq):
            only[0] += 1
            a = next(left, None)
        elif a is None or b.seq < a.seq:
            only[1] += 1
            b = next(right, None)
        elif a != b:
            return f"input {a.seq} differs ({_words(a)} and {_words(b)})", ()
        else:
            shared += 1
            a, b = next(left, None), next(right, None)
    if not shared:
        return "they have no input in common", ()
    names = (before.name, now.name)
    return "", tuple(f"{count} inputs are in {names[n]} only" for n, count in enumerate(only) if count)


def _by_frames(before: Path, now: Path) -> tuple[dict[int, tuple[int, int]], str]:
    """Matches by the device's number of a frame and what was seen in it, and how many there are in words; none where too few match."""
    one, other = _frames(before), _frames(now)
    matched = {seq: (one[key][0], one[key][1] - t_ns) for key, (seq, t_ns) in other.items() if key in one}
    words = f"{len(matched)} of {len(one)} and {len(other)} frames are the same"
    enough = len(matched) >= max(1.0, LEAST_SHARED * max(len(one), len(other)))
    in_order = all(a[0] < b[0] for a, b in zip(list(matched.values())[:-1], list(matched.values())[1:], strict=True))
    return (matched if enough and in_order else {}), words


def _frames(path: Path) -> dict[tuple[int, bytes], tuple[int, int]]:
    """(number, hash of the sightings) -> (seq, time of the input)."""
    return {
        (event.body.number, hashlib.blake2b(encode(event.body.sightings), digest_size=16).digest()): (event.seq, event.t_ns)
        for event in inputs(path)
        if isinstance(event.body, TrackerFrame)
    }


def _words(event: Event) -> str:
    kind = str(event.body.__struct_config__.tag)
    return f"{kind} {event.body.number} at {event.t_ns} ns" if isinstance(event.body, TrackerFrame) else f"{kind} at {event.t_ns} ns"


def _short(value: str) -> str:
    return value[:12] or "none"
