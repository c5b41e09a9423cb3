"""Keys on disk, and whom a core with keys lets in."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner
from zmq.utils import z85

from navtwin.bus import keys
from navtwin.bus.client import Client
from navtwin.bus.commands import keys_app
from navtwin.bus.server import Server
from navtwin.bus.zap import verdict
from navtwin.errors import BusRefused, InputRefused
from navtwin.nouns import Mark, Reply
from tests.bus.fake_core import FakeCore


def test_secret_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    secret, public = keys.new_keys("core", tmp_path / "keys")
    if os.name == "posix":
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert "secret" not in public.read_text()
    assert not list(tmp_path.rglob("*.part"))


def test_key_is_not_overwritten(tmp_path: Path) -> None:
    secret, _ = keys.new_keys("core", tmp_path)
    before = secret.read_bytes()
    with pytest.raises(InputRefused, match="exists already"):
        keys.new_keys("core", tmp_path)
    assert secret.read_bytes() == before


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 41, 'a"b', ".hidden"])
def test_odd_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRefused, match="cannot name a key"):
        keys.new_keys(name, tmp_path)


def test_allow_list(tmp_path: Path) -> None:
    _, public = keys.new_keys("ana", tmp_path / "theirs")
    folder = tmp_path / "ours"
    keys.allow(public, folder=folder)
    [(key, name)] = keys.allowed(folder).items()
    assert (name, key) == ("ana", keys.read_public(public).public)
    keys.allow(public, folder=folder)
    with pytest.raises(InputRefused, match="One key has one name"):
        keys.allow(public, "bob", folder)
    _, other = keys.new_keys("ana", tmp_path / "others")
    with pytest.raises(InputRefused, match="already with another key"):
        keys.allow(other, folder=folder)
    keys.revoke("ana", folder)
    assert keys.allowed(folder) == {}
    with pytest.raises(InputRefused, match="not on the allow-list"):
        keys.revoke("ana", folder)


@pytest.mark.parametrize("text", ['name = "ana"\npublic = "short"\n', 'name = "ana"\npublic = "' + "é" * 40 + '"\n', 'name = "ana"\n', "junk"])
def test_damaged_public_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ana.pub"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused):
        keys.read_public(path)


def test_missing_or_open_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BusRefused, match="navtwin keys new core"):
        keys.server_keys(folder=tmp_path)
    secret, _ = keys.new_keys("core", tmp_path)
    if os.name == "posix":
        secret.chmod(0o644)
        with pytest.raises(BusRefused, match="can be read by others"):
            keys.server_keys(folder=tmp_path)


def test_empty_allow_list_is_refused_beyond_loopback(tmp_path: Path) -> None:
    keys.new_keys("core", tmp_path)
    with pytest.raises(BusRefused, match="navtwin keys allow"):
        Server(bind="0.0.0.0", pub_port=0, command_port=0, keys=keys.server_keys(folder=tmp_path))


def test_verdict_on_a_connecting_key() -> None:
    key = z85.encode(b"k" * 32).decode()
    question = [b"1.0", b"7", b"", b"127.0.0.1", b"", b"CURVE", b"k" * 32]
    assert verdict(question, frozenset({key})) == [b"1.0", b"7", b"200", b"OK", key.encode(), b""]
    assert verdict(question, frozenset())[2] == b"400"
    for odd in ([*question[:5], b"NULL"], [*question[:5], b"PLAIN", b"k" * 32, b"x"], [*question[:6], b"short"]):
        assert verdict(odd, frozenset({key}))[2] == b"400"


def heard(core: FakeCore, client: Client, timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and not client.link.ever:
        core.tick()
        client.receive(5)
    return client.link.ever


def test_curve_lets_in_the_allowed_key_and_no_other(tmp_path: Path) -> None:
    _, core_public = keys.new_keys("core", tmp_path)
    _, ana_public = keys.new_keys("ana", tmp_path)
    keys.new_keys("eve", tmp_path)
    keys.allow(ana_public, folder=tmp_path)
    core = FakeCore(Server(bind="0.0.0.0", pub_port=0, command_port=0, keys=keys.server_keys(folder=tmp_path)))
    ports = (core.server.pub_port, core.server.command_port)
    ana = Client(ports=ports, keys=keys.client_keys("ana", core_public, tmp_path), who="ana")
    eve = Client(ports=ports, keys=keys.client_keys("eve", core_public, tmp_path), who="ana")
    bare = Client(ports=ports)
    fooled = Client(ports=ports, keys=keys.client_keys("ana", tmp_path / "eve.pub", tmp_path))
    try:
        assert heard(core, ana, 3.0)
        for stranger in (eve, bare, fooled):
            assert not heard(core, stranger, 0.3)
            with pytest.raises(BusRefused):
                stranger.send(Mark(label="x"))
        assert "navtwin keys allow" in eve.trouble
        assert "--key NAME" in bare.trouble
        assert "--server-key" in fooled.trouble
        assert ana.trouble == ""
        assert [r.ok for r in asked(core, ana)] == [True]
        # The key says who it is: nobody can act in another's name.
        ana.who = "bob"
        [reply] = asked(core, ana)
        assert not reply.ok
        assert "allowed as 'ana'" in reply.reason
    finally:
        for client in (ana, eve, bare, fooled):
            client.close()
        core.server.close()


def asked(core: FakeCore, client: Client) -> list[Reply]:
    """The replies to one order."""
    client.send(Mark(label="x"))
    end = time.monotonic() + 2.0
    replies: list[Reply] = []
    while not replies and time.monotonic() < end:
        core.tick()
        message = client.receive(5)
        replies += [message[1].body] if message and isinstance(message[1].body, Reply) else []
    return replies


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "key_folder", lambda: tmp_path / "keys")
    run = CliRunner().invoke
    assert run(keys_app, ["new", "ana"]).exit_code == 0
    assert "allowed:" in run(keys_app, ["allow", str(tmp_path / "keys" / "ana.pub"), "--as", "anna"]).output
    report = json.loads(run(keys_app, ["list", "--json"]).output)
    assert list(report["own"]) == ["ana"]
    assert list(report["allowed"]) == ["anna"]
    secret = (tmp_path / "keys" / "ana.key").read_text().split('secret = "')[1].split('"')[0]
    assert secret not in run(keys_app, ["list"]).output
    assert run(keys_app, ["allow", "anna", "--revoke"]).exit_code == 0
    assert json.loads(run(keys_app, ["list", "--json"]).output)["allowed"] == {}
