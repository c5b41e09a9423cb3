"""The one door: every format is known by its content and by nothing else, looked at, brought in or refused in words."""

from __future__ import annotations

import json
import pickle
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer

from navtwin.errors import InputRefused, NavtwinError
from navtwin.files import commands, door
from navtwin.files.formats import Format, Options, Peek

from .seeds import make_seeds

#: A process is started for each file of these, so fewer are tried.
SLOW = {"transform of ITK (HDF5)"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Path]]:
    return make_seeds(tmp_path_factory.mktemp("seeds"))


def say_nothing(text: str) -> None:
    """Progress that nobody reads."""


def test_every_format_is_known_by_its_content_alone(made: tuple[Path, Path, dict[str, Path]], tmp_path: Path) -> None:
    case, _, seeds = made
    for name, folder in seeds.items():
        for n, seed in enumerate(folder.iterdir()):
            nameless = tmp_path / f"{name.replace(' ', '')}{n}"
            shutil.copyfile(seed, nameless)
            seen = door.peek(nameless)
            claims = [one.name for one in door.formats() if one.recognise(seen) and not one.general]
            assert claims in ([name], []), f"{seed} is claimed by {claims}"
            assert door.recognise(nameless).name == name
    assert door.recognise(case).name == "navtwin case"
    assert {one.name for one in door.formats()} == {*seeds, "navtwin case"}, "a format without a sample is not tested"


def test_names_of_formats_are_their_own() -> None:
    names = [one.name for one in door.formats()]
    assert len(set(names)) == len(names)
    endings = [pair for one in door.formats() for pair in one.writes]
    assert len(set(endings)) == len(endings), "two writers of one ending"
    assert all(set(one.uses) <= set(Options.__struct_fields__) for one in door.formats())


def test_whatever_is_sound_can_be_looked_at(made: tuple[Path, Path, dict[str, Path]]) -> None:
    for name, folder in made[2].items():
        for seed in folder.iterdir():
            found, becomes = door.inspect(seed, Options())
            assert found.kind == name
            assert found.facts and all(what and value for what, value in found.facts)
            assert all(doubt.strip() == doubt and doubt for doubt in found.doubts)
            assert becomes == tuple(door.recognise(seed).brings)


@pytest.mark.heavy
def test_files_that_lie_are_refused_in_our_own_words(made: tuple[Path, Path, dict[str, Path]], tmp_path: Path) -> None:
    """The fuzzer's short sister: bytes changed, taken out, doubled and put in, from a stated seed."""
    case, rig, seeds = made
    chance = random.Random(7)
    for name, folder in seeds.items():
        sound = [seed.read_bytes() for seed in folder.iterdir()]
        for n in range(6 if name in SLOW else 60):
            file = tmp_path / "file"
            file.write_bytes(_changed(chance.choice(sound), chance))
            try:
                found = door.recognise(file)
                options = Options(space="LPS" if "space" in found.uses else None)
                found.inspect(file, options)
                for kind, bring in found.brings.items():
                    room = tmp_path / f"{name}{n}{kind}".replace(" ", "")
                    room.mkdir()
                    to = {"log": room / "new.mcap", "rig": room / "rig.toml", "case": room / "case"}[kind]
                    if kind == "rig":
                        shutil.copyfile(rig, to)
                    elif kind == "case" and n % 2:
                        shutil.copytree(case, to)
                    bring(file, to, options, say_nothing)
            except NavtwinError:
                continue


def _changed(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(changed) or 1)
        match chance.randrange(5):
            case 0:
                changed[at : at + 1] = bytes((chance.randrange(256),))
            case 1:
                del changed[at : at + chance.randrange(1, 40)]
            case 2:
                changed[at:at] = changed[at : at + chance.randrange(1, 40)]
            case 3:
                changed[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"-1e9", b"nan "))
            case 4:
                del changed[at:]
    return bytes(changed)


def test_what_is_nothing_is_refused(tmp_path: Path, made: tuple[Path, Path, dict[str, Path]]) -> None:
    with pytest.raises(InputRefused, match="there is no file"):
        door.recognise(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(InputRefused, match="is empty"):
        door.recognise(tmp_path / "empty")
    (tmp_path / "a.nii.gz").write_text("a letter", encoding="utf-8")
    with pytest.raises(InputRefused, match="nothing that can be read"):
        door.recognise(tmp_path / "a.nii.gz")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": np.zeros(3)}, protocol))
        with pytest.raises(InputRefused, match="nothing that can be read"):
            door.recognise(tmp_path / "a.pkl")
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object))
    with pytest.raises(InputRefused, match="nothing that can be read"):
        door.recognise(tmp_path / "a.npy")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputRefused, match="nothing that can be read"):
        door.recognise(tmp_path / "folder")


def test_what_a_file_cannot_become_is_said(tmp_path: Path, made: tuple[Path, Path, dict[str, Path]]) -> None:
    surface = next(made[2]["STL surface"].iterdir())
    with pytest.raises(InputRefused, match=r"STL surface\) cannot become a log .*It can become a case"):
        door.bring(surface, tmp_path / "x.mcap", Options(), say_nothing)
    with pytest.raises(InputRefused, match=r"cannot tell from 'x\.xyz' what to make"):
        door.bring(surface, tmp_path / "x.xyz", Options(), say_nothing)
    with pytest.raises(InputRefused, match=r"--series says nothing to a file of this kind \(STL surface\)"):
        door.bring(surface, tmp_path / "case", Options(series="1"), say_nothing)


def test_what_cannot_be_written_is_said(tmp_path: Path, made: tuple[Path, Path, dict[str, Path]]) -> None:
    case, _, seeds = made
    surface = next(seeds["STL surface"].iterdir())
    with pytest.raises(InputRefused, match=r"is nothing of ours.*navtwin import"):
        door.write(surface, tmp_path / "x.ply", Options(), say_nothing)
    with pytest.raises(InputRefused, match=r"cannot write a case as 'x\.docx'.*\.stl"):
        door.write(case, tmp_path / "x.docx", Options(), say_nothing)
    log = next(seeds["navtwin log"].iterdir())
    with pytest.raises(InputRefused, match="is the log itself"):
        copied = Path(shutil.copyfile(log, tmp_path / "log.json"))
        door.write(copied, copied, Options(), say_nothing)


def test_of_a_special_and_a_general_format_the_special_one_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def yes(peek: Peek) -> bool:
        return True

    def format_of(name: str, *, general: bool = False) -> Format:
        return Format(name, yes, lambda path, options: pytest.fail("never looked at"), general=general)

    (tmp_path / "a").write_bytes(b"a")
    monkeypatch.setattr(door, "formats", lambda: (format_of("any table", general=True), format_of("one")))
    assert door.recognise(tmp_path / "a").name == "one"
    monkeypatch.setattr(door, "formats", lambda: (format_of("one"), format_of("another")))
    with pytest.raises(InputRefused, match="could be one or another"):
        door.recognise(tmp_path / "a")


def test_the_commands(tmp_path: Path, made: tuple[Path, Path, dict[str, Path]], capsys: pytest.CaptureFixture[str]) -> None:
    case = made[0]
    commands.export_command(case, tmp_path / "cube.ply")
    assert "cube" in capsys.readouterr().out
    commands.inspect_command(tmp_path / "cube.ply")
    said = capsys.readouterr().out
    assert "PLY surface" in said and "LPS" in said and "a case (a folder)" in said
    whole = Path(shutil.copytree(case, tmp_path / "case"))
    commands.import_command(tmp_path / "cube.ply", whole, name="again", as_json=True)
    assert "again" in " ".join(json.loads(capsys.readouterr().out)["said"])
    with pytest.raises(typer.Exit) as left:
        commands.inspect_command(_unstated(tmp_path), as_json=True)
    assert left.value.exit_code == 1
    assert json.loads(capsys.readouterr().out)["doubts"]


def _unstated(folder: Path) -> Path:
    path = folder / "unstated.obj"
    path.write_text("v 0 0 0\nv 30 0 0\nv 0 40 0\nv 0 0 50\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n", encoding="utf-8")
    return path
