"""The documentation is true: its tables, examples, commands and links are checked against the code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from navtwin import cli
from navtwin.bus.server import Server
from navtwin.bus.topics import COMMAND_PORT, PUB_PORT, TOPICS
from navtwin.nouns import (
    AlertSet,
    Body,
    BoneState,
    Cutter,
    Envelope,
    Event,
    Header,
    Order,
    Part,
    PivotRequest,
    RegistrationRequest,
    Reply,
    Rig,
    RigCamera,
    Smoothing,
    SquareMarker,
    Tool,
    Tracker,
    TrueSetup,
    Truth,
    VideoFrame,
    encode,
    read_rig,
)
from navtwin.nouns.bone_stream import BoneBricks
from navtwin.nouns.commands import Command
from navtwin.record.format import CHANNELS, OutputHash, Stamps
from navtwin.run.bench import script_of
from navtwin.scene.case import CaseFile, CaseSection, CtSection, LandmarkEntry, PatientSection, PlanEntry, StructureEntry
from navtwin.twin.alarms import ALARMS
from phantoms.rig import demo_rig

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (
    [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    + sorted(DOCS.rglob("*.md"))
    + sorted((ROOT / "navtwin/adr").glob("*.md"))
)
#: Places on the web that the pages may name: standards, licences, publications. No registry, no forge.
KNOWN_HOSTS = {"doi.org", "mcap.dev", "keepachangelog.com", "semver.org", "creativecommons.org"}
_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """(title, content) of the page's fenced blocks in one language."""
    return [(title, content) for kind, title, content in _FENCE.findall(text_of(page)) if kind == language]


def prose_of(page: Path) -> str:
    return _FENCE.sub("", text_of(page))


def rows_under(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its header."""
    after = f"\n{text_of(page)}".split(f"\n{heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert table is not None, f"{page.name} has no table under {heading}"
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.group(0).splitlines()]
    return cells[2:]


@cache
def shell() -> Any:
    """The whole command line, other rooms' commands included."""
    cli._add_rooms()
    return typer.main.get_command(cli.app)


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command
        return
    for name, one in inner.items():
        yield from leaves(one, (*path, name))


def resolve(words: list[str]) -> tuple[Any, str, list[str]]:
    """The command that the first words name, its own last word, and the words left over."""
    command, name, rest = shell(), "navtwin", list(words)
    while getattr(command, "commands", None) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"there is no command '{rest[0]}' under {name}"
        name = rest.pop(0)
        command = command.commands[name]
    return command, name, rest


def as_navtwin(words: list[str]) -> list[str] | None:
    """The words behind `navtwin`, however it is called; None for another program."""
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    if not words:
        return None
    if words[0] in ("navtwin", ".venv/bin/navtwin"):
        return words[1:]
    if words[:2] == ["python3", "nav.py"]:
        return None if words[2:3] == ["test"] else words[2:]
    return None


def command_lines() -> list[tuple[str, list[str], bool]]:
    """(where, words, whether complete) of every navtwin command line in the pages: shell blocks are complete, code in running text need not be."""
    found = []
    for page in PAGES:
        lines = [(line, True) for _, block in blocks(page, "bash") for line in block.splitlines()]
        lines += [(code, False) for code in _CODE.findall(prose_of(page)) if re.match(r"([A-Z_]+=\S* )?(navtwin|python3 nav\.py) [a-z]", code)]
        for line, complete in lines:
            for piece in re.split(r"&&|;", line):
                words = as_navtwin(shlex.split(piece, comments=True))
                if words is not None and not {"...", "COMMAND"} & set(words):
                    found.append((f"{page.name}: {piece.strip()}", words, complete))
    return found


@pytest.mark.parametrize(("where", "words", "complete"), command_lines(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_line_is_one(where: str, words: list[str], complete: bool) -> None:
    command, name, rest = resolve(words)
    if words and words[0] == "bench" and len(words) > 1:
        script = script_of(words[1])
        shared = [script, ROOT / "benchmarks/common.py", ROOT / "benchmarks/results/cli.py"]
        sources = "".join(text_of(file) for file in [*shared, *(ROOT / "benchmarks" / f"{script.stem}_parts").glob("*.py")])
        for option in (word for word in rest if word.startswith("--") and word != "--help"):
            stem = option.removeprefix("--").replace("-", "_")
            assert f'"{option}"' in sources or re.search(rf"^    {stem}: Annotated", sources, re.MULTILINE), f"{where}: {option}"
    elif complete and "--version" not in rest:
        command.make_context(name, rest)  # raises what typer would answer
    else:
        known = {spelling for p in command.params for spelling in (*p.opts, *p.secondary_opts)} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= known, where


def test_every_command_and_option_is_listed() -> None:
    page = text_of(DOCS / "commands.md")
    for path, command in leaves(shell()):
        if path.startswith("bench "):
            assert f"`navtwin {path}`" in page
            continue
        section = re.search(rf"^##+ navtwin {path}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
        assert section is not None, f"docs/commands.md lacks navtwin {path}"
        for parameter in command.params:
            for spelling in parameter.opts if parameter.param_type_name == "option" and parameter.name != "help" else ():
                assert f"`{spelling}`" in section.group(1), f"docs/commands.md, navtwin {path}, lacks {spelling}"
        for spelling in re.findall(r"^\| `(--[a-z-]+)`", section.group(1), re.MULTILINE):
            assert any(spelling in p.opts for p in command.params), (
                f"docs/commands.md gives navtwin {path} an option {spelling} that it does not have"
            )


def test_alarm_table_is_the_code_s() -> None:
    listed = [(row[0].strip("`"), *row[1:]) for row in rows_under(DOCS / "alarms.md", "## Technical alarms")]
    assert listed == [(name, kind.priority, "high" if kind.raises_to_high else "", kind.text, kind.remedy) for name, kind in ALARMS.items()]


SECTIONS: dict[str, Any] = {
    "### `[case]`": CaseSection,
    "### `[patient]`": PatientSection,
    "### `[ct]`": CtSection,
    "### `[[structure]]`": StructureEntry,
    "### `[[landmark]]`": LandmarkEntry,
    "### `[[plan]]`": PlanEntry,
    "## rig.toml": Rig,
    "### `[tracker]`": Tracker,
    "### `[tracker.smoothing]`": Smoothing,
    "### `[[camera]]`": RigCamera,
    "### `[[body]]`": Body,
    "### `[[body.marker]]`": SquareMarker,
    "### `[[tool]]`": Tool,
    "### `[[tool.part]]`": Part,
    "### `[tool.cutter]`": Cutter,
}


@pytest.mark.parametrize(("heading", "kind"), SECTIONS.items(), ids=list(SECTIONS))
def test_file_tables_are_the_schema(heading: str, kind: Any) -> None:
    rows = rows_under(DOCS / "files.md", heading)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    assert [row[0].strip("`") for row in rows] == list(fields) or {row[0].strip("`") for row in rows} == set(fields)
    for row in rows:
        field = fields[row[0].strip("`")]
        assert (row[1] == "yes") == field.required, f"{heading} {field.name}"
        if not field.required and field.default not in (None, (), ""):
            assert json.loads(row[2].strip("`")) == field.default, f"{heading} {field.name}"


def test_file_examples_are_read() -> None:
    import tomllib

    examples = dict(blocks(DOCS / "files.md", "toml"))
    msgspec.convert(tomllib.loads(examples["case.toml"]), CaseFile)
    assert set(tomllib.loads(examples["case.lock"])) == {"sha256"}
    assert read_rig(DOCS / "examples" / "rig.toml") == demo_rig()


DECODE: dict[str, Callable[[str], Any]] = {
    **{topic: msgspec.json.Decoder(Envelope).decode for topic in TOPICS},
    "video": msgspec.json.Decoder(VideoFrame).decode,
    "bone": msgspec.json.Decoder(BoneBricks).decode,
    "bone-state": msgspec.json.Decoder(BoneState).decode,
    "order": msgspec.json.Decoder(Command).decode,
    "header": msgspec.json.Decoder(Header).decode,
    "stamps": msgspec.json.Decoder(Stamps).decode,
    "hash": msgspec.json.Decoder(OutputHash).decode,
    "truth": msgspec.json.Decoder(Truth).decode,
    "true-setup": msgspec.json.Decoder(TrueSetup).decode,
    "pivot-request": msgspec.json.Decoder(PivotRequest).decode,
    "registration-request": msgspec.json.Decoder(RegistrationRequest).decode,
    **dict.fromkeys(("frame", "tick", "command", "notice", "pivot-result", "registration-result", "work-failed"), msgspec.json.Decoder(Event).decode),
}
EXAMPLES = [(title, content) for name in ("messages.md", "log.md") for title, content in blocks(DOCS / name, "json")]


@pytest.mark.parametrize(("title", "content"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_json_examples_are_what_the_code_writes(title: str, content: str) -> None:
    noun = DECODE[title.split(maxsplit=1)[0]](content)
    assert json.loads(encode(noun)) == json.loads(content)
    if title.split(maxsplit=1)[0] in TOPICS:
        assert isinstance(noun.body, TOPICS[title.split(maxsplit=1)[0]].body)


def test_every_message_command_and_channel_is_described() -> None:
    titles = {title for title, _ in EXAMPLES}
    assert set(TOPICS) <= titles
    assert {f"order {kind.__struct_config__.tag}" for kind in Order.__args__} <= titles
    listed = [row[0].strip("`") for row in rows_under(DOCS / "messages.md", "## Commands")]
    assert listed == [kind.__struct_config__.tag for kind in Order.__args__]
    assert [row[0].strip("`") for row in rows_under(DOCS / "log.md", "# The session log")] == list(CHANNELS)
    page = text_of(DOCS / "messages.md")
    assert str(PUB_PORT) in page and str(COMMAND_PORT) in page


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["subscriber.py", "acknowledger.py"])
def test_client_examples_run(name: str, tmp_path: Path) -> None:
    alerts = msgspec.json.decode(dict(EXAMPLES)["alerts"], type=Envelope)
    assert isinstance(alerts.body, AlertSet)
    server = Server(pub_port=0, command_port=0, epoch=alerts.epoch)
    program = (
        dict(blocks(DOCS / "messages.md", "python"))[name]
        .replace(str(PUB_PORT), str(server.pub_port))
        .replace(str(COMMAND_PORT), str(server.command_port))
    )
    (tmp_path / name).write_text(program, encoding="utf-8")
    client = subprocess.Popen([sys.executable, tmp_path / name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        taken: list[Command] = []
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline and not (taken and name == "acknowledger.py"):
            server.publish("alerts", encode(alerts))
            for who, command in server.poll_commands():
                taken.append(command)
                server.reply(who, encode(msgspec.structs.replace(alerts, body=Reply(id=command.id, who=command.who, ok=True))))
            if name == "subscriber.py" and time.monotonic() > deadline - 3.5:
                break
            time.sleep(0.05)
        time.sleep(0.5)
    finally:
        client.kill()
        server.close()
    said = client.communicate()[0]
    if name == "subscriber.py":
        assert f"{alerts.body.alerts[0].id} DANGER {alerts.body.alerts[0].distance_mm}" in said
        assert "LINK LOST" in said.splitlines()[-1]
    else:
        assert taken[0].order == msgspec.json.decode(dict(EXAMPLES)["order ack"], type=Command).order
        assert "'ok': True" in said


def slug(heading: str) -> str:
    """The anchor that a heading gets (Python-Markdown's `toc`)."""
    plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.is_file(), f"{page.name}: {target}"
        if DOCS in page.parents:
            assert DOCS in there.parents, f"{page.name}: {target} lies outside the site"
        if anchor:
            assert anchor in {slug(h) for h in re.findall(r"^#+ (.+)$", prose_of(there), re.MULTILINE)}, f"{page.name}: {target}"
    for snippet in re.findall(r'^--8<-- "(.+)"$', text_of(page), re.MULTILINE):
        assert (ROOT / snippet).is_file(), f"{page.name}: {snippet}"


def test_every_decision_is_on_the_site() -> None:
    shown = re.findall(r'^--8<-- "(.+)"$', text_of(DOCS / "decisions.md"), re.MULTILINE)
    assert shown == [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "navtwin/adr").glob("*.md"))]


def test_every_page_is_in_the_menu() -> None:
    menu = set(re.findall(r": ([\w/-]+\.md)$", text_of(ROOT / "mkdocs.yml"), re.MULTILINE))
    assert menu == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "mkdocs.yml", DOCS / "examples" / "rig.toml"], ids=lambda p: p.name)
def test_pages_name_no_machine_and_no_registry(page: Path) -> None:
    text = text_of(page)
    assert not re.search(r"(?<![\w.~])/(home|root|tmp|work|Users|opt|mnt|var)/", text)
    assert not re.search(r"[A-Z]:\\\\", text)
    assert set(re.findall(r"https?://([^/\s)\"]+)", text)) <= KNOWN_HOSTS


def test_it_is_said_that_this_is_no_medical_device() -> None:
    for page in (ROOT / "README.md", DOCS / "index.md"):
        assert "not a medical device" in text_of(page)
