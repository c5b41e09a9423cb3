"""From an alert to what the operator sees and hears of it, while the 3D picture is painted without a pause.

A stand-in for the core (this process) publishes a moving instrument 60 times a second, so that the picture never comes to rest, and at random times
an alert, which is acknowledged and taken back before the next. The desktop (`navtwin gui` at Navigate, 1400 x 900) and a listener that plays to the
audio library's silent device (as in benchmarks/sound.py) are processes of their own, as for the user.

banner            from the receipt of the alert set in the window's process to the painted word DANGER
published         from the publisher's call to the same
sound             from the publisher's call to the first sample that is not silence, handed to the device

    python benchmarks/gui_alerts.py [--rounds 60] [--seed 1] [--case FOLDER | --patient phantom] [--json FILE]
"""

from __future__ import annotations

import argparse
import math
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import common
import msgspec
import sound
from gui_parts.around import around, end, window
from measured import measured
from results import cli
from results.model import Figure
from rich.console import Console

from navtwin.bus.server import Server
from navtwin.errors import InputRefused
from navtwin.nouns import AlertSet, Envelope, InstrumentState, Output, Pose, State, Topic, encode
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene

NEVER_MS = sound.NEVER_MS
RATE_HZ, REPEAT_EVERY = 60.0, 3
REACH_MM, TURNS_PER_S = 8.0, 0.5
BEFORE_S, LEAVING_S = 100.0, 20.0


class StandIn:
    """Publishes as a core does: states at the tracker's rate, the complete alert set every 50 ms and at each change."""

    def __init__(self, at_mm: Vec3, instrument: str) -> None:
        self.server = Server(pub_port=0, command_port=0, epoch=sound.EPOCH)
        self._at_mm, self._instrument = at_mm, instrument
        self._alerts = msgspec.structs.replace(sound.alert_set(0, silenced=False), alerts=())
        self._seq = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._repeat)
        self._thread.start()

    def say(self, alerts: AlertSet) -> int:
        """Publish a changed alert set; when that was."""
        with self._lock:
            self._alerts = alerts
            now_ns = time.monotonic_ns()
            self._publish("alerts", alerts)
        return now_ns

    def calm(self) -> None:
        self.say(msgspec.structs.replace(self._alerts, alerts=()))

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self.server.close()

    def _repeat(self) -> None:
        frame = 0
        while not self._over.wait(1.0 / RATE_HZ):
            frame += 1
            with self._lock:
                list(self.server.poll_commands())
                self._publish("state", self._state(frame))
                if frame % REPEAT_EVERY == 0:
                    self._publish("alerts", self._alerts)

    def _state(self, frame: int) -> State:
        turn = 2.0 * math.pi * TURNS_PER_S * frame / RATE_HZ
        x, y, z = self._at_mm
        pose = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(x + REACH_MM * math.cos(turn), y + REACH_MM * math.sin(turn), z))
        return State(
            phase="navigation", frame=frame, instruments=(InstrumentState(instrument=self._instrument, status="OK", pose=pose),), readings=()
        )

    def _publish(self, topic: Topic, body: Output) -> None:
        now_ns, self._seq = time.monotonic_ns(), self._seq + 1
        stamps: dict[str, Any] = {"t_capture_ns": now_ns, "t_arrival_ns": now_ns, "t_step_ns": now_ns, "t_publish_ns": now_ns}
        self.server.publish(topic, encode(Envelope(epoch=sound.EPOCH, seq=self._seq, body=body, **stamps)))


@contextmanager
def listening(core: StandIn, rounds: sound.Rounds) -> Iterator[None]:
    """A listener beside, who tells `rounds` when each silence ended."""
    command = [sys.executable, sound.__file__, "--listen", str(core.server.pub_port), str(core.server.command_port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    lines = process.stdout
    thread = threading.Thread(target=lambda: [rounds.begun(int(line)) for line in lines])
    thread.start()
    try:
        yield
    finally:
        process.stdin.close()
        end(process)
        thread.join()


def rehearse(core: StandIn, rounds: sound.Rounds, seed: int) -> tuple[list[int], list[float]]:
    """When each alert was published, and how long each took to be heard, ms; `NEVER_MS` where it was not."""
    dice, said, heard_ms = random.Random(seed), [], []
    for number in range(rounds.count):
        rounds.heard.clear()
        said.append(core.say(sound.alert_set(number, silenced=False)))
        heard = rounds.heard.wait(sound.PATIENCE_S)
        heard_ms.append((rounds.heard_ns - said[-1]) * 1e-6 if heard else NEVER_MS)
        time.sleep(0.4 + 0.1 * dice.random())
        core.say(sound.alert_set(number, silenced=True))
        time.sleep(0.1)
        core.calm()
        time.sleep(0.3 + 0.1 * dice.random())
    return said, heard_ms


def after(begun: list[int], done: list[int]) -> list[float]:
    """How long after each of `begun` the next of `done` came, ms; `NEVER_MS` where the next of `begun` came before it."""
    took = []
    for n, at in enumerate(begun):
        until = begun[n + 1] if n + 1 < len(begun) else math.inf
        took.append(next(((d - at) * 1e-6 for d in done if at <= d < until), NEVER_MS))
    return took


def middle(scene: Scene) -> Vec3:
    """Where the instrument moves: at the first plan's entry, or at the first structure."""
    x, y, z = scene.plans[0].entry_mm if scene.plans else scene.structures[0].surface.vertices_mm.mean(axis=0).tolist()
    return (x, y, z)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_case(options)
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    cli.add_options(options)
    arguments = options.parse_args()
    if arguments.rounds < 1:
        raise InputRefused(f"--rounds {arguments.rounds}: nothing to see or hear", "ask for one or more")
    run = cli.run_begun("gui-alerts", arguments)
    scene, rig, case = common.case_of(arguments)
    rounds = sound.Rounds(arguments.rounds, arguments.seed)
    core = StandIn(middle(scene), rig.tool[0].name)
    try:
        ports = (core.server.pub_port, core.server.command_port)
        with Console(stderr=True).status("alerts"), around() as where, listening(core, rounds), window(where, case, ports, 3600.0) as shown:
            shown.wait_ready()
            rehearse(core, sound.Rounds(3, 0), 0)
            begun_ns = time.monotonic_ns()
            said, heard_ms = rehearse(core, rounds, arguments.seed)
            span_s = (time.monotonic_ns() - begun_ns) * 1e-9
            seen = shown.leave(LEAVING_S)
    finally:
        core.close()
    received = [at for at in seen["alerts_ns"] if at >= begun_ns]
    rows = {"banner": after(received, seen["banner_ns"]), "published": after(said, seen["banner_ns"]), "sound": heard_ms}
    figures, distributions = measured(rows, "ms")
    never = [Figure(name=f"{name}: never", value=float(sum(ms >= NEVER_MS for ms in took)), unit="") for name, took in rows.items()]
    pictures = sum(begun_ns <= at <= begun_ns + span_s * 1e9 for at in seen["pictures_ns"]) / span_s
    result = run.result(
        settings={"case": case.name, "rounds": arguments.rounds},
        figures=[*figures, *never, Figure(name="pictures meanwhile", value=pictures, unit="fps", better="more")],
        distributions=distributions,
        notes=("From an alert to what the operator sees and hears, while the picture is painted without a pause.",),
        seeds=(arguments.seed,),
    )
    return cli.finish(arguments, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
