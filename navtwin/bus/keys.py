"""CURVE keys: whom the core lets in when it listens beyond this machine.

One folder (0700) holds NAME.key (0600, own pair), NAME.pub (to hand out) and allowed/NAME.pub (clients that may connect). Keys are Z85 text
(rfc.zeromq.org/spec/32); the handshake is CurveZMQ (rfc.zeromq.org/spec/26).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import zmq
from zmq.utils import z85

from navtwin.errors import BusRefused, InputRefused
from navtwin.nouns import Noun, read_toml


class KeyPair(Noun, frozen=True):
    """The content of NAME.key."""

    name: str
    public: str
    secret: str


class PublicKey(Noun, frozen=True):
    """The content of NAME.pub."""

    name: str
    public: str


@dataclass(frozen=True)
class ServerKeys:
    """The core's pair, and who may connect: {public key in Z85: name}."""

    public: str
    secret: str
    allowed: dict[str, str]


@dataclass(frozen=True)
class ClientKeys:
    """A client's pair, and the public key by which it knows the core."""

    public: str
    secret: str
    server_public: str


def key_folder() -> Path:
    """Where this user's keys live."""
    return Path(platformdirs.user_config_dir("navtwin", appauthor=False)) / "keys"


def new_keys(name: str, folder: Path | None = None) -> tuple[Path, Path]:
    """Make a key pair. Returns the paths of the secret file (0600) and of the public one.

    Raises
    ------
    InputRefused : a name that is no plain word, or one that exists already
    """
    folder = folder or key_folder()
    secret_path, public_path = folder / f"{_word(name)}.key", folder / f"{name}.pub"
    if secret_path.exists():
        raise InputRefused(f"{secret_path} exists already", "choose another name, or delete that file first")
    public, secret = (key.decode() for key in zmq.curve_keypair())
    _write(secret_path, f'name = "{name}"\npublic = "{public}"\nsecret = "{secret}"\n', 0o600)
    _write(public_path, f'name = "{name}"\npublic = "{public}"\n', 0o644)
    return secret_path, public_path


def allow(public_path: Path, name: str | None = None, folder: Path | None = None) -> Path:
    """Put a client's public key on the allow-list, under its own name or another."""
    folder = folder or key_folder()
    key = read_public(public_path)
    known = allowed(folder)
    name = _word(name or key.name)
    if known.get(key.public, name) != name:
        raise InputRefused(f"that key is allowed already, as '{known[key.public]}'", "one key has one name")
    if name in known.values() and key.public not in known:
        raise InputRefused(f"'{name}' is allowed already with another key", "pass --as OTHER-NAME, or take the old one off with --revoke")
    path = folder / "allowed" / f"{name}.pub"
    _write(path, f'name = "{name}"\npublic = "{key.public}"\n', 0o644)
    return path


def revoke(name: str, folder: Path | None = None) -> Path:
    """Take a client off the allow-list; a core that runs keeps its list until it is started again."""
    path = (folder or key_folder()) / "allowed" / f"{_word(name)}.pub"
    if not path.exists():
        raise InputRefused(f"'{name}' is not on the allow-list", "see `navtwin keys list`")
    path.unlink()
    return path


def allowed(folder: Path | None = None) -> dict[str, str]:
    """The allow-list: {public key in Z85: name}."""
    keys = [read_public(path) for path in sorted(((folder or key_folder()) / "allowed").glob("*.pub"))]
    return {key.public: key.name for key in keys}


def own(folder: Path | None = None) -> list[PublicKey]:
    """The public halves of the pairs that this user has made."""
    return [read_public(path) for path in sorted((folder or key_folder()).glob("*.pub"))]


def server_keys(name: str = "core", folder: Path | None = None) -> ServerKeys:
    """Load the core's pair and the allow-list."""
    pair = _read_pair(name, folder)
    return ServerKeys(pair.public, pair.secret, allowed(folder))


def client_keys(name: str, server_public: Path, folder: Path | None = None) -> ClientKeys:
    """Load a client's pair, and the core's public key from the file that the core's owner handed out."""
    pair = _read_pair(name, folder)
    return ClientKeys(pair.public, pair.secret, read_public(server_public).public)


def read_public(path: Path) -> PublicKey:
    """Read and check a NAME.pub file."""
    key = read_toml(path, PublicKey)
    _check_z85(key.public, path)
    return PublicKey(name=_word(key.name), public=key.public)


def _read_pair(name: str, folder: Path | None) -> KeyPair:
    path = (folder or key_folder()) / f"{_word(name)}.key"
    if not path.exists():
        raise BusRefused(f"there is no key '{name}' ({path})", f"make it with `navtwin keys new {name}`")
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BusRefused(f"{path} can be read by others", f"run `chmod 600 {path}`, or better, make a new key")
    pair = read_toml(path, KeyPair)
    for text in (pair.public, pair.secret):
        _check_z85(text, path)
    return pair


def _check_z85(text: str, path: Path) -> None:
    try:
        good = len(z85.decode(text.encode("ascii"))) == 32
    except (ValueError, KeyError, IndexError, OverflowError):
        good = False
    if not good:
        raise InputRefused(f"{path} holds no CURVE key", "a key is 40 characters of Z85; make one with `navtwin keys new NAME`")


def _word(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
        raise InputRefused(f"'{name}' cannot name a key", "use up to 40 letters, digits, - and _")
    return name


def _write(path: Path, text: str, mode: int) -> None:
    """Create the file with its final mode from the first byte, then move it into place whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
