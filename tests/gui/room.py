"""A small scene around the fake core's two cylinders, messages from its script, and stand-ins for what a window talks to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pyvista as pv

from gui.link.board import Board
from navtwin.bus.link import Link
from navtwin.errors import BusRefused
from navtwin.nouns import AlertSet, Body, Envelope, Order, Output, Part, Rig, State, Tool, Topic, Tracker
from navtwin.scene.model import Patient, Plan, Scene, Structure
from navtwin.volumes.volume import VolumeBox
from tests.bus.fake_core import LIMITS, FakeTwin

MS = 1_000_000
#: Times of the fake core's script, s: far from everything, DANGER at the canal, CONTACT, hidden, CAUTION.
CLEAR_S, DANGER_S, CONTACT_S, HIDDEN_S, CAUTION_S = 1.0, 6.5, 8.5, 10.8, 5.2


def scene() -> Scene:
    """Canal and aorta as the fake core has them, a vertebra around the canal, skin around all."""
    shapes = {
        "vertebra": pv.Cylinder(center=(0, -5, 0), direction=(0, 0, 1), radius=22, height=30, resolution=40),
        "spinal_canal": pv.Cylinder(center=(0, 0, 0), direction=(0, 0, 1), radius=8, height=80, resolution=40),
        "aorta": pv.Cylinder(center=(12, -45, 0), direction=(0, 0, 1), radius=11, height=80, resolution=40),
        "skin": pv.Sphere(center=(0, 0, 0), radius=120),
    }
    looks = {
        "vertebra": ("work", "#e6d9c2", 1.0),
        "spinal_canal": ("critical", "#f2c14e", 1.0),
        "aorta": ("critical", "#d8654f", 1.0),
        "skin": ("context", "#b17a65", 0.1),
    }
    structures = []
    for name, (role, color, opacity) in looks.items():
        mesh = shapes[name].triangulate()
        surface: Any = SimpleNamespace(vertices_mm=mesh.points, faces=mesh.regular_faces)
        caution, danger = LIMITS.get(name, (None, None))
        structures.append(Structure(name, role, "ref", surface, caution, danger, 0.3, 15.0, color, opacity, False))
    plan = Plan("left pedicle", (12.0, 25.0, 0.0), (10.0, -15.0, 0.0), 3.0, 1.0)
    box = VolumeBox(((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), (1, 1, 1))
    return Scene("made_up", tuple(structures), (), (plan,), Patient(), box, Path("ct.nii.gz"), Path(), "hash")


def rig() -> Rig:
    burr = Part(name="burr", from_mm=(0, 0, 0), to_mm=(0, 0, 0), radius_mm=1.5)
    neck = Part(name="neck", from_mm=(0, 0, 0), to_mm=(0, 0, -50), radius_mm=1.2)
    handpiece = Part(name="handpiece", from_mm=(0, 0, -50), to_mm=(0, 0, -170), radius_mm=6.0)
    bodies = tuple(Body(name=name, sd_mm=0.1, sd_rad=0.001) for name in ("ref", "drill"))
    drill = Tool(name="drill", body="drill", axis_in_marker=(0, 0, 1), axis_sd_rad=0.01, part=(burr, neck, handpiece))
    return Rig(reference="ref", tracker=Tracker(name="made up", rate_hz=60, latency_ms=15), body=bodies, tool=(drill,))


def said(t_s: float, twin: FakeTwin | None = None) -> tuple[State, AlertSet]:
    """What the fake core says at `t_s` of its script, having judged the two seconds before."""
    twin = twin or FakeTwin()
    for n in range(40, -1, -1):
        t_ns = max(0, int((t_s - 0.05 * n) * 1000)) * MS
        state = twin.state(t_ns, n)
        alerts = twin.alerts(t_ns)
    return state, alerts


def with_health(alerts: AlertSet, **changes: Any) -> AlertSet:
    return msgspec.structs.replace(alerts, health=msgspec.structs.replace(alerts.health, **changes))


def envelope(body: Output, t_ns: int, epoch: str = "e1") -> Envelope:
    return Envelope(epoch=epoch, seq=1, t_capture_ns=None, t_arrival_ns=None, t_step_ns=t_ns, t_publish_ns=t_ns, body=body)


class Clock:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


class Desk:
    """A board with its link and clock, fed by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.link = Link(0)
        self.board = Board(self.link, self.clock)
        self.orders: list[Order] = []

    def hear(self, topic: Topic, body: Output, epoch: str = "e1") -> None:
        message = envelope(body, self.clock.ns, epoch)
        if topic != "reply":
            self.link.heard(message, self.clock.ns)
        self.board.take(topic, message)

    def tell(self, t_s: float) -> tuple[State, AlertSet]:
        """Hear what the fake core says at `t_s`."""
        state, alerts = said(t_s)
        self.clock.ns += 10 * MS
        self.hear("state", state)
        self.hear("alerts", alerts)
        return state, alerts


class FakePort:
    """A client whose messages are given one turn after the other."""

    trouble = ""

    def __init__(self, turns: list[list[tuple[Topic, Envelope]]], link: Link) -> None:
        self.link = link
        self.turns = turns
        self.sent: list[Order] = []
        self.closed = False
        self.refuses = False

    def receive_newest(self, timeout_ms: int) -> list[tuple[Topic, Envelope]]:
        return self.turns.pop(0) if self.turns else []

    def send(self, order: Order) -> str:
        if self.refuses:
            raise BusRefused("the core is not connected", "")
        self.sent.append(order)
        return f"id-{len(self.sent)}"

    def close(self) -> None:
        self.closed = True
