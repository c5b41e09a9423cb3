"""What a log names its world by: hashes of files, of the code that decides, and the session's own id."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

import navtwin
from navtwin.errors import InputRefused
from navtwin.nouns import Header, Rig, encode

#: What decides the bits of the outputs. The loop, the bus and the reports only carry them.
DECIDING: Final = ("nouns", "rigid.py", "kernels", "twin", "scene")


def code_hash() -> str:
    """SHA-256 over the sources that decide the outputs: path and text of each, sorted, with `\\n` line ends wherever it was checked out."""
    root = Path(navtwin.__file__).parent
    files = sorted(file for name in DECIDING for file in ((root / name).rglob("*.py") if (root / name).is_dir() else [root / name]))
    digest = hashlib.sha256()
    for file in files:
        text = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes. Raises InputRefused."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "check the path") from error


def rig_hash(rig: Rig) -> str:
    """SHA-256 of what the rig states, whatever the layout and comments of its file.

    What it leaves at its default is left out: a rig is the same one when a later version has learnt another key.
    """
    return hashlib.sha256(msgspec.json.encode(_stated(rig))).hexdigest()


def _stated(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        stated = ((f.encode_name, getattr(value, f.name), f.default) for f in msgspec.structs.fields(value))
        return {name: _stated(now) for name, now, default in stated if default is msgspec.NODEFAULT or now != default}
    return [_stated(each) for each in value] if isinstance(value, tuple) else value


def session_id(header: Header) -> str:
    """BLAKE2b-64, hex, over the header's other fields: the epoch that acknowledgements name."""
    return hashlib.blake2b(encode(msgspec.structs.replace(header, session="")), digest_size=8).hexdigest()


def with_session(header: Header) -> Header:
    """The header with its `session` derived from its other fields."""
    return msgspec.structs.replace(header, session=session_id(header))
