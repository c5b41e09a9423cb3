"""Refusals of `run`, `operator` and the log commands: one clear line on stderr, exit code 2, nothing half-written."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Navtwin, everything_in
from tests.golden.make import CASE, RIG, SESSION


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def run_refused(navtwin: Navtwin, tmp_path: Path, *arguments: object, case: Path = CASE, source: str = f"log:{SESSION}") -> str:
    before = everything_in(tmp_path)
    ports = [] if "--port" in arguments else ["--port", 0]
    ports += [] if "--command-port" in arguments else ["--command-port", 0]
    log = [] if "--log" in arguments else ["--log", tmp_path / "new.mcap"]
    ended = navtwin("run", case, "--source", source, *ports, *log, *arguments)
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert everything_in(tmp_path) == before
    return ended.refusal


def test_a_port_in_use(navtwin: Navtwin, tmp_path: Path, taken: int) -> None:
    assert f"port {taken}" in run_refused(navtwin, tmp_path, "--port", taken).lower()
    line = run_refused(navtwin, tmp_path, "--command-port", taken)
    assert f"port {taken}" in line.lower()
    assert "--command-port" in line


@pytest.mark.parametrize("bind", ["0.0.0.0", "192.168.7.7", "::", "core.example"])
def test_a_bind_beyond_this_machine_without_keys(navtwin: Navtwin, tmp_path: Path, bind: str) -> None:
    line = run_refused(navtwin, tmp_path, "--bind", bind)
    assert bind in line
    assert "navtwin keys new" in line


def test_a_key_that_does_not_exist(navtwin: Navtwin, tmp_path: Path) -> None:
    line = run_refused(navtwin, tmp_path, "--bind", "0.0.0.0", "--key", "no-such-key")
    assert "no-such-key" in line
    assert "navtwin keys new" in line


def test_a_case_that_is_not_there(navtwin: Navtwin, tmp_path: Path) -> None:
    line = run_refused(navtwin, tmp_path, case=tmp_path / "nowhere")
    assert "nowhere" in line
    assert "case" in line.lower()


def test_a_spoilt_case(navtwin: Navtwin, tmp_path: Path, case: Path) -> None:
    """Also the worker process, which loads the case too, keeps its mouth shut."""
    file = case / "case.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("danger_mm = 2.0", "danger_mm = 9.0"), encoding="utf-8")
    assert "danger 9 mm above caution 4 mm" in run_refused(navtwin, tmp_path, case=case)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("max_age_ms = 100.0", "max_age_ms = 400.0", ("400", "250")),
        ("rate_hz = 60.0", "rate_hx = 60.0", ("'rate_hx'", "did you mean 'rate_hz'?")),
        ('body = "drill"', 'body = "saw"', ("'saw'", "drill, ref")),
        ('reference = "ref"', 'reference = "pelvis"', ("'pelvis'",)),
        ("axis_in_marker = [0.0, 0.6, 0.8]", "axis_in_marker = [0.0, 0.6, 0.9]", ("unit vector",)),
        ("radius_mm = 1.5", "radius_mm = 0.0", ("radius_mm",)),
        ("sd_rad = 0.0003", "sd_rad = inf", ("sd_rad",)),
        ("rate_hz = 60.0", "rate_hz = -60.0", ("rate_hz",)),
        ("sd_mm = 0.02", "sd_mm = -0.02", ("sd_mm",)),
        ("latency_ms = 15.0", "latency_ms = -15.0", ("latency_ms",)),
        ("max_age_ms = 100.0", "max_age_ms = 0.0", ("max_age_ms",)),
        ("output_delay_ms = 5.0", "output_delay_ms = -5.0", ("output_delay_ms",)),
        ("axis_sd_rad = 0.001", "axis_sd_rad = -0.001", ("axis_sd_rad",)),
        (
            "axis_sd_rad = 0.001",
            "axis_sd_rad = 0.001\ntip_mm = [0.0, 90.0, 120.0]\ntip_covariance = [-1.0, 0.0, 0.0, 1.0, 0.0, 1.0]",
            ("tip_covariance",),
        ),
        ('name = "neck"', 'name = "burr"', ("'drill'", "share a name")),
    ],
)
def test_a_rig_that_makes_no_sense(navtwin: Navtwin, tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    rig = tmp_path / "bad_rig.toml"
    text = RIG.read_text(encoding="utf-8")
    assert old in text
    rig.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = run_refused(navtwin, tmp_path, "--rig", rig, source="log:nowhere.mcap")
    for word in ("bad_rig.toml", *words):
        assert word.lower() in line.lower()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("pedicle", ("names no kind", "log", "phantom")),
        ("phantm:pedicle", ("'phantm'", "did you mean 'phantom'?")),
        ("phantom:pedicl", ("'pedicl'", "did you mean 'pedicle'?")),
        ("phantom:pedicle:one", ("'one'", "whole number")),
        ("log:nowhere.mcap", ("nowhere.mcap",)),
        ("log:notes.txt", ("notes.txt",)),
    ],
)
def test_a_source_that_is_none(navtwin: Navtwin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    line = run_refused(navtwin, tmp_path, source=source)
    for word in words:
        assert word.lower() in line.lower()


def test_a_log_is_never_overwritten(navtwin: Navtwin, tmp_path: Path) -> None:
    (tmp_path / "old.mcap").write_bytes(b"precious")
    assert "old.mcap" in run_refused(navtwin, tmp_path, "--log", tmp_path / "old.mcap")
    assert "check the folder" in run_refused(navtwin, tmp_path, "--log", tmp_path / "none" / "x.mcap").lower()


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("damaged")
    whole = SESSION.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 4
    contents = {
        "cut": whole[: len(whole) // 2],
        "beheaded": whole[100:],
        "flipped": bytes(flipped),
        "empty": b"",
        "text": b"hello\n" * 50,
        "twice": whole * 2,
    }
    for name, content in contents.items():
        (folder / f"{name}.mcap").write_bytes(content)
    return {name: folder / f"{name}.mcap" for name in contents}


@pytest.mark.parametrize("name", ["cut", "beheaded", "flipped", "empty", "text", "twice"])
@pytest.mark.parametrize("command", ["verify", "replay", "report", "run", "export", "register"])
def test_a_damaged_log_is_refused_by_every_command(navtwin: Navtwin, damaged: dict[str, Path], tmp_path: Path, command: str, name: str) -> None:
    log = tmp_path / f"{name}.mcap"
    shutil.copyfile(damaged[name], log)
    before = everything_in(tmp_path)
    arguments: dict[str, tuple[object, ...]] = {
        "verify": ("verify", log),
        "replay": ("replay", log),
        "report": ("report", log, "--out", tmp_path / "r.html"),
        "run": ("run", CASE, "--source", f"log:{log}", "--port", 0, "--command-port", 0, "--log", tmp_path / "new.mcap"),
        "export": ("export", log, "--to", tmp_path / "x.csv"),
        "register": ("register", CASE, "--source", f"log:{log}"),
    }
    ended = navtwin(*arguments[command])
    assert ended.code == 2
    assert f"{name}.mcap" in ended.refusal
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("command", ["verify", "replay", "recover", "report"])
def test_a_log_that_is_not_there(navtwin: Navtwin, tmp_path: Path, command: str) -> None:
    ended = navtwin(command, tmp_path / "nowhere.mcap")
    assert ended.code == 2
    assert "nowhere.mcap" in ended.refusal
    assert everything_in(tmp_path) == {}


def test_recover_of_what_holds_nothing(navtwin: Navtwin, tmp_path: Path) -> None:
    (tmp_path / "none.mcap").write_bytes(b"\x00" * 9000)
    before = everything_in(tmp_path)
    ended = navtwin("recover", tmp_path / "none.mcap")
    assert ended.code == 2
    assert "none.mcap" in ended.refusal
    assert everything_in(tmp_path) == before


def test_a_log_of_another_case_is_named(navtwin: Navtwin, case: Path) -> None:
    """The right name with the wrong content: verify says that the case differs, with exit code 1, whatever the bits do."""
    file = case / "case.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("danger_mm = 3.0", "danger_mm = 3.5"), encoding="utf-8")
    assert navtwin("case", "check", case, "--lock").code in (0, 1)
    ended = navtwin("verify", SESSION, "--case", case, "--rig", RIG)
    assert ended.code == 1
    assert "the case is not the one" in ended.out.replace("\n", " ")


def test_an_operator_beyond_this_machine_needs_keys(navtwin: Navtwin) -> None:
    ended = navtwin("operator", "--host", "192.168.7.7")
    assert ended.code == 2
    assert "--server-key" in ended.refusal


def test_an_unknown_patient_and_unknown_data(navtwin: Navtwin) -> None:
    ended = navtwin("data", "get", "thorx")
    assert ended.code == 2
    assert "did you mean 'thorax'?" in ended.refusal.lower()


def test_the_real_command_says_the_same() -> None:
    """Once as a process, with the other rooms' commands loaded: one line, no traceback, code 2."""
    done = subprocess.run([sys.executable, "-m", "navtwin", "case", "show", "/no/such/case"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("navtwin: ")
    assert "/no/such/case" in line
