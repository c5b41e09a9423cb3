"""A core without a twin: publishes a scripted loop of states and alerts so that clients can be tried without a case.

    python tests/bus/fake_core.py [--port N] [--command-port N] [--seconds S] [--at X Y Z] [--quiet]

A drill circles between two cylinders, the spinal canal and the aorta (24 s a lap): CAUTION, DANGER, CONTACT, back; 1.2 s hidden near the
canal; CAUTION and DANGER at the aorta; the reference lost for a second. It answers ack, mute, audio-pause, freeze and mark as the twin would, but
has none of its hysteresis.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, field
from itertools import pairwise

from navtwin.bus.server import Server
from navtwin.nouns import (
    Ack,
    Alert,
    AlertSet,
    Audio,
    AudioPause,
    Command,
    DistanceStatus,
    Envelope,
    Freeze,
    Health,
    InstrumentState,
    Lamp,
    Level,
    Mark,
    Mute,
    Output,
    PairSummary,
    Pose,
    Priority,
    Reading,
    Reply,
    Setup,
    State,
    TechnicalAlarm,
    Topic,
    encode,
)
from navtwin.rigid import Vec3

S = 1_000_000_000
LAP_S = 24.0
#: Cylinders along z, by (centre x, centre y, radius) in mm from the scene's centre; LPS, so the aorta lies at -y.
CYLINDERS: dict[str, Vec3] = {"spinal_canal": (0.0, 0.0, 8.0), "aorta": (12.0, -45.0, 11.0), "oesophagus": (-6.0, -48.0, 7.0)}
LIMITS: dict[str, tuple[float, float]] = {"spinal_canal": (3.0, 1.5), "aorta": (4.0, 2.0)}
PARTS: dict[str, tuple[float, float, float]] = {"burr": (0.0, 0.0, 1.5), "neck": (0.0, -50.0, 1.2), "handpiece": (-50.0, -170.0, 6.0)}
#: Tip (x, y) at times of the lap; the drill points along -y and comes from behind (+y), 12 mm left of the canal's axis.
WAY: tuple[tuple[float, float, float], ...] = (
    (0.0, 25.0, 30.0), (3.0, 18.0, 5.0), (5.0, 12.2, 0.0), (6.5, 11.0, 0.0), (8.0, 9.2, 0.0), (8.8, 9.2, 0.0), (10.0, 11.0, 0.0), (13.0, 13.0, 0.0),
    (15.0, 14.0, -20.0), (17.0, 13.0, -30.0), (18.5, 12.0, -31.4), (19.5, 12.0, -31.4), (21.0, 18.0, -10.0), (24.0, 25.0, 30.0),
)  # fmt: skip
HIDDEN_S = (10.2, 11.4)
REFERENCE_LOST_S = (22.0, 23.0)
LEVEL_PRIORITY: dict[Level, Priority] = {"CLEAR": "none", "CAUTION": "medium", "DANGER": "high", "CONTACT": "high"}


def tip_mm(t_s: float) -> Vec3:
    """Where the drill's tip is, from the scene's centre."""
    t = t_s % LAP_S
    for (t0, x0, y0), (t1, x1, y1) in pairwise(WAY):
        if t <= t1:
            f = (t - t0) / (t1 - t0)
            f = f * f * (3.0 - 2.0 * f)
            return (x0 + f * (x1 - x0), y0 + f * (y1 - y0), 3.0 * math.sin(2.0 * math.pi * t / LAP_S))
    return (WAY[0][1], WAY[0][2], 0.0)


@dataclass
class FakeTwin:
    """What the fold would remember: levels with their beginnings, what was acknowledged, muted and paused."""

    epoch: str = "fake-1"
    at_mm: Vec3 = (0.0, 0.0, 0.0)
    pairs: dict[str, PairSummary] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    acks: dict[str, tuple[Level | None, str]] = field(default_factory=dict)
    muted: tuple[str, ...] = ()
    paused_until_ns: int | None = None
    technical_since: dict[str, int] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    audio_faults: dict[str, str] = field(default_factory=dict)

    def state(self, t_ns: int, frame: int) -> State:
        """Move the drill to `t_ns` and judge every pair."""
        t_s = t_ns / S
        status = status_at(t_s)
        tip = tip_mm(t_s)
        self.readings = {}
        for structure in CYLINDERS:
            for part in PARTS:
                reading = self._reading(structure, part, tip, status, t_s)
                self.readings[f"{structure}/drill/{part}"] = reading
                if reading.role == "critical":
                    self._judge(reading, t_ns)
        drill = InstrumentState(instrument="drill", status=status)
        if status == "OK":
            # -Z of the tip frame runs towards +y: a turn of 90 degrees about x takes the tip's -Z there.
            drill = InstrumentState(
                instrument="drill", status="OK", pose=Pose(q_wxyz=(math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0), t_mm=self._moved(tip))
            )
        pointer = InstrumentState(instrument="pointer", status="HIDDEN")
        return State(phase="navigation", frame=frame, instruments=(drill, pointer), readings=tuple(self.readings.values()))

    def alerts(self, t_ns: int) -> AlertSet:
        if self.paused_until_ns is not None and t_ns >= self.paused_until_ns:
            self.paused_until_ns = None
        lost = REFERENCE_LOST_S[0] <= t_ns / S % LAP_S < REFERENCE_LOST_S[1]
        alerts = tuple(self._alert(pair, t_ns) for pair in self.pairs.values() if pair.level not in ("CLEAR", None))
        health = Health(
            tracker="ok",
            reference=_lamp(not lost),
            registration="ok",
            latency="ok",
            recording="ok",
            frame_age_ms=17.0,
            watched=len(self.pairs),
            audio_paused_until_ns=self.paused_until_ns,
            muted=self.muted,
            selected=("drill",),
            frozen=self.frozen,
            spindle_on=True,
        )
        return AlertSet(
            phase="navigation", t_ns=t_ns, alerts=alerts, technical=self._technical(t_ns), pairs=tuple(self.pairs.values()), health=health
        )

    def obey(self, command: Command, t_ns: int) -> Reply:
        order, reason = command.order, ""
        if isinstance(order, Ack):
            reason = self._ack(order, command.who)
        elif isinstance(order, Mute):
            self.muted = (*self.muted, order.structure)
        elif isinstance(order, AudioPause):
            self.paused_until_ns = t_ns + int(order.seconds * S) if order.seconds else None
        elif isinstance(order, Freeze):
            self.frozen = (command.who,) if order.on else ()
        elif isinstance(order, Audio):
            self.audio_faults = {**self.audio_faults, command.who: order.fault}
        elif not isinstance(order, Mark):
            reason = "the fake core does not know this order"
        return Reply(id=command.id, who=command.who, ok=not reason, reason=reason)

    def _ack(self, order: Ack, who: str) -> str:
        if order.epoch != self.epoch:
            return "it belongs to another session"
        if order.alert in self.technical_since:
            self.acks[order.alert] = (None, who)
            return ""
        pair = self.pairs.get(order.alert)
        if pair is None or pair.level in ("CLEAR", None):
            return "there is no such alert"
        if pair.level != order.level:
            return f"it is now at {pair.level}"
        self.acks[order.alert] = (order.level, who)
        return ""

    def _reading(self, structure: str, part: str, tip: Vec3, status: DistanceStatus, t_s: float) -> Reading:
        role = "critical" if structure in LIMITS else "context"
        if status != "OK":
            return Reading(structure=structure, instrument="drill", part=part, role=role, status=status)
        distance, on_structure, on_axis = gap(structure, part, tip)
        earlier = gap(structure, part, tip_mm(t_s - 0.1))[0]
        speed = (earlier - distance) / 0.1
        bound = distance - 2.0 * 0.35 - max(0.0, speed) * 0.022
        return Reading(
            structure=structure,
            instrument="drill",
            part=part,
            role=role,
            status="OK",
            distance_mm=distance,
            bound_mm=bound,
            sd_mm=0.35,
            speed_mm_s=speed,
            on_structure_mm=self._moved(on_structure),
            on_axis_mm=self._moved(on_axis),
            depth_is_bound=distance < 0.0,
        )

    def _judge(self, reading: Reading, t_ns: int) -> None:
        ident = f"{reading.structure}/{reading.instrument}/{reading.part}"
        before = self.pairs.get(ident)
        level = before.level if before else None
        if reading.distance_mm is not None and reading.bound_mm is not None:
            caution, danger = LIMITS[reading.structure]
            near: Level = "DANGER" if reading.bound_mm <= danger else "CAUTION" if reading.bound_mm <= caution else "CLEAR"
            level = "CONTACT" if reading.distance_mm <= 0.0 else near
        since = before.since_ns if before and before.level == level else t_ns
        if self.acks.get(ident, (level, ""))[0] != level:
            del self.acks[ident]
        self.pairs[ident] = PairSummary(id=ident, level=level, known=reading.status == "OK", status=reading.status, since_ns=since)

    def _alert(self, pair: PairSummary, t_ns: int) -> Alert:
        assert pair.level is not None
        structure, instrument, part = pair.id.split("/")
        reading, by = self.readings[pair.id], self.acks.get(pair.id, ("CLEAR", ""))[1]
        muted = pair.level == "CAUTION" and structure in self.muted
        paused = self.paused_until_ns is not None and not (pair.level == "CONTACT" and t_ns - pair.since_ns < 5 * S)
        return Alert(
            id=pair.id,
            structure=structure,
            instrument=instrument,
            part=part,
            level=pair.level,
            known=pair.known,
            status=pair.status,
            priority=LEVEL_PRIORITY[pair.level],
            since_ns=pair.since_ns,
            limit_mm=0.0 if pair.level == "CONTACT" else LIMITS[structure][pair.level == "DANGER"],
            distance_mm=reading.distance_mm,
            bound_mm=reading.bound_mm,
            sd_mm=reading.sd_mm,
            speed_mm_s=reading.speed_mm_s,
            silenced=bool(by) or muted or paused,
            acked_by=by,
        )

    def _technical(self, t_ns: int) -> tuple[TechnicalAlarm, ...]:
        t_s = t_ns / S % LAP_S
        active: dict[str, tuple[Priority, str, str]] = {}
        if HIDDEN_S[0] <= t_s < HIDDEN_S[1]:
            active["TRACKING_LOST/drill"] = ("high", "the drill is hidden from the tracker", "clear the line of sight")
        if REFERENCE_LOST_S[0] <= t_s < REFERENCE_LOST_S[1]:
            active["TRACKING_LOST/ref"] = ("high", "the patient's reference is hidden: every distance is unknown", "clear the line of sight")
        for gone in set(self.technical_since) - set(active):
            del self.technical_since[gone]
            self.acks.pop(gone, None)
        alarms = []
        for ident, (priority, text, remedy) in active.items():
            by = self.acks.get(ident, (None, ""))[1]
            alarm, subject = ident.split("/")
            since = self.technical_since.setdefault(ident, t_ns)
            words = {"alarm": alarm, "subject": subject, "text": text, "remedy": remedy}
            alarms.append(TechnicalAlarm(id=ident, priority=priority, since_ns=since, silenced=bool(by), acked_by=by, **words))
        return tuple(alarms)

    def _moved(self, p: Vec3) -> Vec3:
        return (p[0] + self.at_mm[0], p[1] + self.at_mm[1], p[2] + self.at_mm[2])


def status_at(t_s: float) -> DistanceStatus:
    t = t_s % LAP_S
    return "HIDDEN" if HIDDEN_S[0] <= t < HIDDEN_S[1] or REFERENCE_LOST_S[0] <= t < REFERENCE_LOST_S[1] else "OK"


def gap(structure: str, part: str, tip: Vec3) -> tuple[float, Vec3, Vec3]:
    """Signed distance of a capsule along y to a cylinder along z, with both closest points."""
    cx, cy, radius = CYLINDERS[structure]
    near, far, skin = PARTS[part]
    y = min(max(cy, tip[1] - near), tip[1] - far)
    away = math.hypot(tip[0] - cx, y - cy) or 1e-9
    on_structure = (cx + (tip[0] - cx) * radius / away, cy + (y - cy) * radius / away, tip[2])
    return away - radius - skin, on_structure, (tip[0], y, tip[2])


def _lamp(ok: bool) -> Lamp:
    return "ok" if ok else "bad"


@dataclass
class FakeCore:
    """The impure loop around a `FakeTwin`: call `tick` every 10 ms or so."""

    server: Server
    twin: FakeTwin = field(default_factory=FakeTwin)
    started_ns: int = field(default_factory=time.monotonic_ns)
    frame: int = 0
    seq: int = 0
    last: tuple[object, ...] = ()
    next_alerts_ns: int = 0

    def tick(self) -> list[Command]:
        """Publish what is due and answer what has come; returns the commands obeyed or refused."""
        now_ns = time.monotonic_ns()
        t_ns = now_ns - self.started_ns
        self.seq += 1
        if self.frame == 0:
            self.send("setup", SETUP, None)
        while t_ns * 60 >= self.frame * S:
            self.frame += 1
            self.send("state", self.twin.state(t_ns, self.frame), now_ns - 17_000_000)
        commands = self.server.poll_commands()
        for client, command in commands:
            self.server.reply(client, self.wrap(self.twin.obey(command, t_ns), None))
        alerts = self.twin.alerts(t_ns)
        shown = tuple((a.id, a.level, a.known, a.silenced) for a in alerts.alerts)
        changed = (shown, tuple(a.id for a in alerts.technical), self.twin.paused_until_ns)
        if changed != self.last or t_ns >= self.next_alerts_ns:
            self.last, self.next_alerts_ns = changed, t_ns + 50_000_000
            self.send("alerts", alerts, now_ns - 17_000_000)
        return [command for _, command in commands]

    def end(self) -> None:
        """Say goodbye as the core does, then free the ports."""
        self.send("setup", ENDED, None)
        self.server.close()

    def send(self, topic: Topic, body: Output, t_capture_ns: int | None) -> None:
        self.server.publish(topic, self.wrap(body, t_capture_ns))

    def wrap(self, body: Output, t_capture_ns: int | None) -> bytes:
        now_ns = time.monotonic_ns()
        stamps = {"t_step_ns": now_ns, "t_publish_ns": now_ns}
        arrival = None if t_capture_ns is None else t_capture_ns + 15_000_000
        return encode(Envelope(epoch=self.twin.epoch, seq=self.seq, t_capture_ns=t_capture_ns, t_arrival_ns=arrival, **stamps, body=body))


def _setup(message: str) -> Setup:
    return Setup(
        collecting="", samples=0, calibrated=("pointer", "drill"), landmarks=(), spread_mm=(), sweep_points=0, pending=(), message=message
    )  # fmt: skip


SETUP = _setup("navigating (fake core)")
ENDED = _setup("session ended")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=5810)
    parser.add_argument("--command-port", type=int, default=5811)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--start", type=float, default=0.0, help="begin this many seconds into the lap")
    parser.add_argument("--at", type=float, nargs=3, default=(0.0, 0.0, 0.0), metavar=("X", "Y", "Z"), help="centre of the spinal canal in ct, mm")
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args()
    server = Server(pub_port=args.port, command_port=args.command_port, epoch="fake-1")
    core = FakeCore(server, FakeTwin(at_mm=tuple(args.at)), started_ns=time.monotonic_ns() - int(args.start * S))
    core.frame = int(args.start * 60)
    core.send("setup", SETUP, None)
    print(f"fake core on ports {server.pub_port} and {server.command_port}; Ctrl-C ends it", flush=True)
    until_ns = time.monotonic_ns() + args.seconds * S
    try:
        while time.monotonic_ns() < until_ns:
            for command in core.tick():
                if not args.quiet:
                    print(f"{command.who}: {command.order}", flush=True)
            time.sleep(0.01)
    except KeyboardInterrupt:
        pass
    core.end()


if __name__ == "__main__":
    main()
