"""From an alert to its sound: how long until the first sample that is not silence is handed to the audio device. DESIGN allows 100 ms to the ear.

`navtwin bench sound [--rounds N] [--seed N] [--json FILE]`

The device is the audio library's silent one, which asks for blocks of 10 ms in real time as a loudspeaker does. Three ways:

call      from `Sounder.hear` in a process that does nothing else
locked    the same beside a thread that holds Python's lock for 120 ms at a time, as native calls may in a window's process
listener  from `Server.publish` to the device of a listener process (what a window starts), through socket and all

To the ear it takes what the device has queued (3 blocks, 30 ms) and a pulse's rise to half its amplitude (20 ms) longer; a loudspeaker's own delay is
not known here.
"""

from __future__ import annotations

import argparse
import ctypes
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from measured import measured
from results import cli
from results.model import Figure

from navtwin.bus.client import Client
from navtwin.bus.server import Server
from navtwin.errors import InputRefused
from navtwin.nouns import Alert, AlertSet, Envelope, Health, encode
from navtwin.sound.choice import wanted
from navtwin.sound.device import BLOCK_MS, BLOCKS, Fill, Speaker
from navtwin.sound.listener import listen
from navtwin.sound.sounder import Sounder

EPOCH: Final = "benchmark"
HELD_S: Final = 0.12
#: What a round may take before it counts as not heard at all; it is then told as having taken that long.
PATIENCE_S: Final = 3.0
NEVER_MS: Final = 1000.0 * PATIENCE_S
HEALTH: Final = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=20.0, watched=1)


def alert_set(number: int, *, silenced: bool) -> AlertSet:
    """A DANGER that began at `number`: another structure each time, so that another voice speaks."""
    structure = f"structure {number % 6}"
    alert = Alert(
        id=f"{structure}/drill/neck", structure=structure, instrument="drill", part="neck", level="DANGER", known=True, status="OK", priority="high",
        since_ns=number, limit_mm=1.5, silenced=silenced,
    )  # fmt: skip
    return AlertSet(phase="navigation", t_ns=number, alerts=(alert,), technical=(), pairs=(), health=HEALTH)


class Ear:
    """Hears what is handed to the silent device, and when silence ends."""

    def __init__(self, begun: Callable[[int], None]) -> None:
        self._begun, self._silent = begun, True

    def open(self, fill: Fill) -> Speaker:
        def tap(count: int) -> np.ndarray:
            block = fill(count)
            sounds = bool(block.any())
            if sounds and self._silent:
                self._begun(time.monotonic_ns())
            self._silent = not sounds
            return block

        return Speaker(tap, "null")


class Rounds:
    """Alerts at random times, each acknowledged as soon as it is heard."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self._random = count, random.Random(seed)
        self.heard = threading.Event()
        self.heard_ns = 0

    def begun(self, at_ns: int) -> None:
        self.heard_ns = at_ns
        self.heard.set()

    def run(self, say: Callable[[AlertSet], None]) -> list[float]:
        """How long each took, ms; `NEVER_MS` where it was not heard."""
        taken_ms = []
        for number in range(-2, self.count):
            say(alert_set(number, silenced=True))
            time.sleep(0.06 + 0.02 * self._random.random())
            self.heard.clear()
            said_ns = time.monotonic_ns()
            say(alert_set(number, silenced=False))
            heard = self.heard.wait(PATIENCE_S)
            if number >= 0:
                taken_ms.append((self.heard_ns - said_ns) * 1e-6 if heard else NEVER_MS)
        return taken_ms


@contextmanager
def holding(wanted: bool) -> Iterator[None]:
    """A thread that holds Python's lock, as a library's native call does that does not let go of it."""
    over = threading.Event()
    library = ctypes.PyDLL(None)

    def hold() -> None:
        while not over.is_set():
            library.usleep(round(HELD_S * 1e6))
            time.sleep(0.004)

    thread = threading.Thread(target=hold, daemon=True)
    if wanted:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if wanted:
            thread.join()


def in_process(count: int, seed: int, *, locked: bool) -> list[float]:
    rounds = Rounds(count, seed)
    with Sounder(Ear(rounds.begun).open) as sounder:
        while sounder.fault is None:
            time.sleep(0.01)
        with holding(locked):
            return rounds.run(lambda alerts: sounder.hear(wanted(alerts, None)))


def in_a_listener(count: int, seed: int) -> list[float]:
    server = Server(pub_port=0, command_port=0, epoch=EPOCH)
    process = subprocess.Popen(
        [sys.executable, __file__, "--listen", str(server.pub_port), str(server.command_port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    rounds = Rounds(count, seed)
    assert process.stdin and process.stdout
    lines = process.stdout
    lock, seq = threading.Lock(), iter(range(1, 1 << 40))
    newest = [alert_set(0, silenced=True)]
    over = threading.Event()

    def say(alerts: AlertSet) -> None:
        with lock:
            newest[0] = alerts
            now_ns = time.monotonic_ns()
            envelope = Envelope(epoch=EPOCH, seq=next(seq), t_capture_ns=None, t_arrival_ns=None, t_step_ns=now_ns, t_publish_ns=now_ns, body=alerts)
            server.publish("alerts", encode(envelope))

    def repeat() -> None:
        # As the core does: the complete set every 50 ms, and whatever clients order is taken in.
        while not over.wait(0.05):
            say(newest[0])
            with lock:
                list(server.poll_commands())

    def hear() -> None:
        for line in lines:
            rounds.begun(int(line))

    threads = [threading.Thread(target=repeat), threading.Thread(target=hear)]
    for thread in threads:
        thread.start()
    try:
        rounds.heard.wait(0.1)
        warm_until = time.monotonic() + PATIENCE_S
        while not rounds.heard.is_set() and time.monotonic() < warm_until:
            say(alert_set(-9, silenced=False))
            time.sleep(0.1)
        return rounds.run(say)
    finally:
        over.set()
        process.stdin.close()
        process.wait()
        for thread in threads:
            thread.join()
        server.close()


def be_the_listener(ports: tuple[int, int]) -> None:
    """The process that listens: prints when each silence ended."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    client = Client(ports=ports, topics=("alerts", "setup"))
    with Sounder(Ear(lambda at_ns: print(at_ns, flush=True)).open) as sounder:
        listen(client, sounder, lambda fault: None, over, threading.Event())
    client.close()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--listen", type=int, nargs=2, metavar="PORT", help=argparse.SUPPRESS)
    cli.add_options(options)
    given = options.parse_args()
    if given.listen:
        be_the_listener((given.listen[0], given.listen[1]))
        return 0
    if given.rounds < 1:
        raise InputRefused(f"--rounds {given.rounds}: nothing to hear", "ask for one or more")
    run = cli.run_begun("sound", given)
    rows = {
        "call": in_process(given.rounds, given.seed, locked=False),
        "locked": in_process(given.rounds, given.seed, locked=True),
        "listener": in_a_listener(given.rounds, given.seed),
    }
    figures, distributions = measured(rows, "ms")
    unheard = sum(took >= NEVER_MS for row in rows.values() for took in row)
    result = run.result(
        settings={"rounds": given.rounds},
        figures=[*figures, Figure(name="alerts not heard", value=float(unheard), unit="")],
        distributions=distributions,
        notes=(
            "From an alert to the first sample of its sound, handed to the device: from a call, from a call beside a thread that holds Python's "
            "lock, and from a publisher to a listener's process.",
            f"The device's queue adds {BLOCK_MS * BLOCKS} ms at most, a pulse's rise to half its amplitude 20 ms, a loudspeaker what it takes.",
        ),
        seeds=(given.seed,),
    )
    return cli.finish(given, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
