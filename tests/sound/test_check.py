"""`navtwin sound`: what it writes, plays and says."""

from __future__ import annotations

import threading
import wave
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from navtwin.errors import InputRefused, NavtwinError
from navtwin.sound import check, device
from navtwin.sound.check import Player, programme, with_silence, write_wav
from navtwin.sound.command import sound
from navtwin.sound.device import Fill, NoAudio
from navtwin.sound.pulses import burst
from navtwin.sound.voices import TECHNICAL, VOICES
from tests.sound.measure import lines, pulses

CASE = Path(__file__).resolve().parents[1] / "golden" / "case"


def command(*words: str) -> str:
    app = typer.Typer()
    app.command()(sound)
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32767.0


def test_the_file_holds_every_signal_of_a_voice(tmp_path: Path) -> None:
    said = command("--voice", "technical", "--out", str(tmp_path / "check.wav"))
    read = read_wav(tmp_path / "check.wav")
    made = np.concatenate([with_silence(priority, TECHNICAL) for priority in ("high", "medium", "low")])
    assert np.abs(read - made).max() <= 1.0 / 32767.0
    found = pulses(read)
    assert len(found) == 14
    assert lines(read[slice(*found[0])])[0][0] == pytest.approx(415.3, rel=0.01)
    assert [line.split()[2] for line in said.splitlines()] == ["high", "medium", "low"]


def test_without_a_name_every_voice_and_every_priority_is_there(tmp_path: Path) -> None:
    said = command("--out", str(tmp_path / "all.WAV"))
    assert all(name in said for name in (*VOICES, "medium", "low"))
    assert len(pulses(read_wav(tmp_path / "all.WAV"))) == sum(len(pulses(burst(*signal))) for signal in programme(None))


def test_it_says_which_structure_has_which_voice(tmp_path: Path) -> None:
    said = command("--case", str(CASE), "--voice", "level", "--out", str(tmp_path / "a.wav")).splitlines()
    names = [line.split(": ") for line in said if ": " in line]
    assert names
    assert all(voice in VOICES and voice != "technical" for _, voice in names)
    assert len({voice for _, voice in names}) == len(names)


@pytest.mark.parametrize(
    ("words", "problem"),
    [(("--voice", "raising"), "Did you mean 'rising'"), (("--out", "a.mp3"), "--out FILE.wav"), (("--out", "/nowhere/a.wav"), "cannot write")],
)
def test_what_cannot_be_done_is_refused_in_words(words: tuple[str, ...], problem: str) -> None:
    with pytest.raises(InputRefused, match=problem):
        command(*words)


def test_without_a_loudspeaker_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise NoAudio("no audio device")

    monkeypatch.setattr(device, "Speaker", missing)
    with pytest.raises(NavtwinError, match=r"no audio device\. Plug in"):
        command()


class Taking:
    """A loudspeaker that takes blocks as fast as it can."""

    name = "made up"

    def __init__(self, fill: Fill) -> None:
        self.heard: list[np.ndarray] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.take, args=(fill,))
        self.thread.start()

    def take(self, fill: Fill) -> None:
        while not self.over.wait(0.0002):
            self.heard.append(fill(480))

    def close(self) -> None:
        self.over.set()
        self.thread.join()


def test_the_player_plays_each_to_its_end_in_order() -> None:
    opened: list[Taking] = []

    def open_device(fill: Fill) -> Taking:
        opened.append(Taking(fill))
        return opened[0]

    first, second = burst("low", TECHNICAL), burst("medium", TECHNICAL)
    with Player(open_device) as player:
        player.play(first)
        player.play(second)
    heard = np.concatenate(opened[0].heard)
    found = pulses(heard)
    assert len(found) == 4
    assert np.array_equal(heard[found[0][0] : found[0][1]], first[slice(*pulses(first)[0])])
    assert not opened[0].thread.is_alive()


def test_a_device_that_takes_nothing_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        name = "dead"

        def close(self) -> None: ...

    monkeypatch.setattr(check, "PATIENCE_S", -0.2)
    with Player(lambda _: Dead()) as player, pytest.raises(NavtwinError, match="takes no sound"):
        player.play(burst("low", TECHNICAL))


def test_full_scale_does_not_wrap_around(tmp_path: Path) -> None:
    write_wav(tmp_path / "loud.wav", np.array([0.0, 1.0, -1.0, 1.5, -1.5], np.float32))
    assert read_wav(tmp_path / "loud.wav").tolist() == [0.0, 1.0, -1.0, 1.0, -1.0]
