"""Run a log's inputs through the fold again, and compare its outputs bit for bit with what was logged.

The fold comes in as two functions, so that this room knows nothing of the twin.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import BoneState, BoneUndone, Carved, Event, Header, Message, Noun, Rig, State, encode
from navtwin.record.diff import Difference, first_difference
from navtwin.record.format import OUTPUT, OutputHash, Record, output_hash
from navtwin.record.hashes import code_hash, rig_hash
from navtwin.record.read import decode, header, read_log


class _Case(Protocol):
    @property
    def case_hash(self) -> str: ...


S = TypeVar("S", bound=_Case)
M = TypeVar("M")
Step = Callable[[S, M, Event], Sequence[Message]]
NewMemory = Callable[[S, Rig, Header], M]
_Bodies = list[tuple[str, bytes]]
#: Words of the fold on its bone that are remembered: kept bone is logged at most a few seconds after the input that it belongs to.
_BONES = 4096


class Listener(Protocol):
    """Who wants to hear of each comparison while a log is verified."""

    def compared(self, seq: int, t_ns: int, logged: Sequence[tuple[str, bytes]] | None) -> None:
        """The outputs of input `seq` were compared: `logged` is None where they have the same bits, else what was logged of them in full."""


class Mismatch(Noun, frozen=True):
    """The first output that differs: `text` is the whole finding in one line."""

    seq: int
    t_ns: int
    path: str
    logged: str
    now: str
    text: str


class Verdict(Noun, frozen=True):
    """What `verify` found.

    Attributes
    ----------
    identical : every output hash that was logged came out again, and nothing else did
    changed : which of `case`, `rig`, `code` differ from those in the header
    ok : identical, on the same case and rig. Other code that gives the same bits is a note, not a failure
    inputs, compared, differing : counts of inputs, of inputs whose outputs were compared, and of those that differ
    notes : what else a reader should know
    """

    identical: bool
    ok: bool
    changed: tuple[str, ...]
    inputs: int
    compared: int
    differing: int
    first: Mismatch | None
    notes: tuple[str, ...]


def replay(path: str | Path, scene: S, rig: Rig, step: Step[S, M], new_memory: NewMemory[S, M]) -> Iterator[tuple[Event, Sequence[Message]]]:
    """Run every input of a log through a fresh fold, in order and at once; yields each with what the step emitted.

    Raises
    ------
    LogDamaged : before the first input
    """
    memory = new_memory(scene, rig, header(path))
    for record in read_log(path, ("/input",)):
        event: Event = decode(record, path)
        yield event, step(scene, memory, event)


def verify(path: str | Path, scene: S, rig: Rig, step: Step[S, M], new_memory: NewMemory[S, M], listener: Listener | None = None) -> Verdict:
    """Replay a log and compare the hash of each input's outputs with the logged one; name the first field that differs.

    `listener` hears of each comparison, in the order of the inputs.

    Raises
    ------
    InputRefused : the log holds no outputs to compare with (a bare tracking stream)
    LogDamaged : cut, altered or not ours
    """
    logged_header = header(path)
    now = {"case": scene.case_hash, "rig": rig_hash(rig), "code": code_hash()}
    logged = {"case": logged_header.case_hash, "rig": logged_header.rig_hash, "code": logged_header.code_hash}
    changed = tuple(name for name, value in now.items() if value != logged[name])
    comparison = _Comparison(listener)
    memory = new_memory(scene, rig, logged_header)
    for record in read_log(path):
        if record.channel == "/input":
            event: Event = decode(record, path)
            comparison.add_input(event, step(scene, memory, event))
        elif record.channel.startswith(OUTPUT):
            comparison.add_logged(record)
        elif record.channel == "/hash":
            comparison.compare(record, decode(record, path))
        elif record.channel == "/bone":
            comparison.compare_bone(record)
    if not comparison.compared:
        raise InputRefused(f"{path} holds no outputs to compare with", "it is a bare tracking stream: `navtwin run CASE --source log:...` it first")
    comparison.close()
    notes = [f"the {name} is not the one that was recorded with ({logged[name][:12] or 'none'}, now {now[name][:12] or 'none'})" for name in changed]
    identical = not comparison.differing
    return Verdict(
        identical=identical,
        ok=identical and not {"case", "rig"} & set(changed),
        changed=changed,
        inputs=comparison.inputs,
        compared=comparison.compared,
        differing=comparison.differing,
        first=comparison.first,
        notes=(*notes, *comparison.notes),
    )


class _Comparison:
    """Matches what the fold says now with what was logged, input by input."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self.inputs = self.compared = self.differing = 0
        self.first: Mismatch | None = None
        self.notes: list[str] = []
        self._pending: dict[int, tuple[Event, _Bodies]] = {}
        self._logged: dict[int, _Bodies] = {}
        self._first_t_ns = 0
        self._last_seq: int | None = None
        self._bones: deque[tuple[int, str]] = deque(maxlen=_BONES)

    def add_input(self, event: Event, outputs: Sequence[Message]) -> None:
        if not self.inputs:
            self._first_t_ns = event.t_ns
        elif self._last_seq is not None and event.seq != self._last_seq + 1:
            self.notes.append(f"inputs {self._last_seq + 1} to {event.seq - 1} are missing: outputs after them may well differ")
        self._last_seq = event.seq
        self.inputs += 1
        if outputs:
            self._pending[event.seq] = event, [(m.topic, encode(m.body)) for m in outputs]
        for message in outputs:
            if isinstance(message.body, Carved | BoneUndone):
                self._bones.append((event.seq, message.body.hash))
            elif isinstance(message.body, State) and message.body.bones:
                self._bones.append((event.seq, message.body.bones[0].hash))

    def add_logged(self, record: Record) -> None:
        self._logged.setdefault(record.seq, []).append((record.channel.removeprefix(OUTPUT), record.data))

    def compare(self, record: Record, logged: OutputHash) -> None:
        # The loop logs outputs in the order of its inputs: what is older than this hash was not logged at all, and should not have come out.
        for seq in [s for s in self._pending if s < logged.seq]:
            event, extra = self._pending.pop(seq)
            self._differs(event.seq, event.t_ns, Difference("outputs", "none", _topics(extra)))
            self._tell(event.seq, event.t_ns, ())
        _, now = self._pending.pop(logged.seq, (None, []))
        was = self._logged.pop(logged.seq, [])
        if self._last_seq is None or logged.seq > self._last_seq:
            return  # its input is lost; the gap is noted when the next input comes
        self.compared += 1
        same = output_hash(now) == logged.hash
        if not same:
            self._differs(logged.seq, record.t_ns, _find(was, now, logged.hash))
        self._tell(logged.seq, record.t_ns, None if same else was)

    def compare_bone(self, record: Record) -> None:
        """Hold the bone that was kept in the log against the last word of the fold on it up to then."""
        try:
            kept: BoneState = decode(record)
        except LogDamaged:
            self.notes.append(f"the bone kept with input {record.seq} cannot be read, and was not compared")
            return
        now = next((hashed for seq, hashed in reversed(self._bones) if seq <= record.seq), kept.hash)
        if now != kept.hash:
            self._differs(record.seq, record.t_ns, Difference("kept bone", kept.hash, now))

    def close(self) -> None:
        if self._pending:
            self.notes.append(f"the outputs of the last {len(self._pending)} inputs are not in the log (it ends there), so they were not compared")

    def _tell(self, seq: int, t_ns: int, logged: Sequence[tuple[str, bytes]] | None) -> None:
        if self._listener is not None:
            self._listener.compared(seq, t_ns, logged)

    def _differs(self, seq: int, t_ns: int, found: Difference) -> None:
        self.differing += 1
        if self.first is None:
            logged, now = _show(found.left), _show(found.right)
            text = f"{found.path}: logged {logged}, now {now} at seq {seq}, t={(t_ns - self._first_t_ns) * 1e-9:.1f} s"
            self.first = Mismatch(seq=seq, t_ns=t_ns, path=found.path, logged=logged, now=now, text=text)


def _find(was: _Bodies, now: _Bodies, logged_hash: str) -> Difference:
    """The field that differs, if the differing output was logged in full."""
    complete = output_hash(was) == logged_hash
    if complete and _topics(was) != _topics(now):
        return Difference("outputs", _topics(was), _topics(now))
    for topic in dict.fromkeys(topic for topic, _ in was):
        then, today = ([body for name, body in side if name == topic] for side in (was, now))
        for n, old in enumerate(then):
            new = today[n] if n < len(today) else None
            if old == new:
                continue
            if new is None:
                return Difference(topic, "an output", "none")
            found = first_difference(json.loads(old), json.loads(new), topic)
            return found or Difference(topic, "these values", "the same in another order or notation")
    if complete:
        return Difference("outputs", _topics(was), f"{_topics(now)}, in another order")
    return Difference("an output that was not logged in full (only its hash was)", "its hash", "another")


def _topics(outputs: _Bodies) -> str:
    return ", ".join(topic for topic, _ in outputs) or "none"


def _show(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, int | float | list | dict) or value is None else repr(value)
