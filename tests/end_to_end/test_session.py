"""One whole session by the real commands: a phantom rehearsal flat out, an operator who answers, the log, its verification, its report."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from navtwin.bus.client import Client
from navtwin.errors import BusRefused
from navtwin.nouns import Ack, AlertSet, Command, Envelope, Header, Reply, Setup
from navtwin.record.read import header, inputs, outputs
from tests.end_to_end.conftest import finished, navtwin, two_ports

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]
WHO = "nurse"


@dataclass
class Session:
    """What an operator saw of a session, and what it left."""

    log: Path
    code: int = -1
    stderr: str = ""
    sets: list[Envelope] = field(default_factory=list)
    setups: list[Setup] = field(default_factory=list)
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: dict[str, Ack] = field(default_factory=dict)

    def answer(self, client: Client, seen: Envelope) -> None:
        """Acknowledge every alert that waits, at the level it is shown at."""
        assert isinstance(seen.body, AlertSet)
        for alert in seen.body.alerts:
            order = Ack(epoch=seen.epoch, alert=alert.id, level=alert.level)
            if not alert.acked_by and order not in self.asked.values():
                try:
                    self.asked[client.send(order)] = order
                except BusRefused:
                    return


@pytest.fixture(scope="module")
def flat_out(patient: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("flat_out")
    port, command_port = two_ports()
    client = Client(ports=(port, command_port), who=WHO)
    session = Session(folder / "session.mcap")
    command = navtwin(
        "run", patient, "--source", "phantom:pedicle:1", "--speed", 0, "--log", session.log, "--port", port, "--command-port", command_port
    )
    core = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while core.poll() is None:
            message = client.receive(50)
            while message is not None:
                body = message[1].body
                if isinstance(body, AlertSet):
                    session.sets.append(message[1])
                    session.answer(client, message[1])
                elif isinstance(body, Reply):
                    session.replies[body.id] = body
                elif isinstance(body, Setup):
                    session.setups.append(body)
                message = client.receive(0)
        session.code = core.returncode
        session.stderr = core.communicate()[1]
    finally:
        core.kill()
        core.wait()
        client.close()
    yield session


def test_the_session_ends_well(flat_out: Session) -> None:
    assert flat_out.code == 0, flat_out.stderr
    assert flat_out.log.is_file()
    assert not flat_out.log.with_name(flat_out.log.name + ".partial").exists()
    assert "Traceback" not in flat_out.stderr
    assert flat_out.setups[-1].message == "session ended"


def test_every_provoked_warning_reached_the_operator(flat_out: Session) -> None:
    seen = {(a.structure, a.part, a.level) for e in flat_out.sets for a in e.body.alerts}  # type: ignore[union-attr]
    assert ("spinal_canal", "neck", "DANGER") in seen, "the right pedicle: the neck comes nearest the canal"
    assert ("aorta", "burr", "DANGER") in seen, "too deep: the tip nears the aorta"
    unknown = [a for e in flat_out.sets for a in e.body.alerts if not a.known]  # type: ignore[union-attr]
    assert any(a.structure == "spinal_canal" and a.level == "DANGER" for a in unknown), "hidden near the canal: unknown, was DANGER"
    alarms = {(t.alarm, t.priority) for e in flat_out.sets for t in e.body.technical}  # type: ignore[union-attr]
    assert ("TRACKING_LOST", "high") in alarms


def test_nothing_unknown_carried_a_number(flat_out: Session) -> None:
    for envelope in flat_out.sets:
        for alert in envelope.body.alerts:  # type: ignore[union-attr]
            assert alert.known == (alert.distance_mm is not None)


def test_acknowledgements_came_back_accepted_and_shown(flat_out: Session) -> None:
    assert flat_out.asked
    accepted = {flat_out.asked[ident].alert for ident, reply in flat_out.replies.items() if reply.ok and ident in flat_out.asked}
    assert accepted, {reply.reason for reply in flat_out.replies.values()}
    shown = {a.id for e in flat_out.sets for a in e.body.alerts if a.acked_by == WHO}  # type: ignore[union-attr]
    assert shown & accepted
    for reply in flat_out.replies.values():
        assert reply.ok == (not reply.reason)


def test_the_log_holds_all_that_was_asked_and_said(flat_out: Session) -> None:
    told: Header = header(flat_out.log)
    assert told.source == "phantom:pedicle:1"
    assert told.speed == 0.0
    given = {e.body.id for e in inputs(flat_out.log) if isinstance(e.body, Command) and e.body.who == WHO}
    assert given == set(flat_out.replies)
    logged = {(o.seq, o.body) for o in outputs(flat_out.log) if isinstance(o.body, AlertSet)}
    assert all((e.seq, e.body) in logged for e in flat_out.sets), "what an operator was told stands in the log, word for word"
    assert all(e.epoch == told.session for e in flat_out.sets)


def test_it_verifies_bit_for_bit(flat_out: Session) -> None:
    done = finished("verify", flat_out.log, "--json", PYTHONHASHSEED="77")
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["identical"] is True
    assert verdict["changed"] == []
    assert verdict["compared"] > 5000


def test_it_replays_with_a_summary(flat_out: Session) -> None:
    done = finished("replay", flat_out.log, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["latency_measured"] is False
    assert any(row["who"] == WHO and row["ok"] for row in found["commands"])
    assert {"spinal_canal", "aorta"} <= {row["alert"].split("/")[0] for row in found["alerts"]}


def test_its_report_finds_nothing_missed_and_asks_for_nothing(flat_out: Session, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = finished("report", flat_out.log, "--out", page, "--no-verify")
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert 'src="http' not in text
    assert 'href="http' not in text.replace('href="https://doi.org', "")
