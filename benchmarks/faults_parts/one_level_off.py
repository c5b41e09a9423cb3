"""All landmarks touched one vertebra too high, with the real registration: every residual is small, and the level is wrong."""

from __future__ import annotations

import time

import msgspec
import numpy as np
from rich.console import Console

from faults_parts.operator import Operator
from faults_parts.outcome import Outcome, alarm_in
from faults_parts.patient import by_answer
from faults_parts.session import LiveTheatre, session
from navtwin.errors import NavtwinError
from navtwin.nouns import Accept, Collect, Register, Setup
from navtwin.rigid import Vec3
from navtwin.scene.case import load_scene
from phantoms.cases import phantom_patient
from phantoms.faults.fault import Fault
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import AWAY_MM, REST_MM, TIP_MM, Theatre
from phantoms.patient import level
from phantoms.shapes import Array

#: Each vertebra that has landmarks, and the one above it.
ABOVE = {"T11": "T10", "T12": "T11", "L1": "T12"}
#: A hand's own error at a landmark, mm, per axis; what a touch takes, s.
HAND_MM, MOVE_S, TOUCH_S = 0.15, 0.4, 0.4


def one_level_up(landmark: str, place_mm: Vec3) -> Array:
    """The same spot of the vertebra above."""
    own = landmark.partition(" ")[0]
    here, above = level(f"vertebrae_{own}"), level(f"vertebrae_{ABOVE[own]}")
    x, y, z = np.array(place_mm) - here.centre_mm
    c, s = np.cos(here.tilt_rad), np.sin(here.tilt_rad)
    return np.array(above.place(float(x), float(c * y + s * z), float(c * z - s * y)))


def level_off(fault: Fault, seed: int) -> Outcome:
    """One run: the registration must ask for the level, and with it taken must stay in doubt."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng, away_mm=AWAY_MM, scene=load_scene(phantom_patient(Console(stderr=True, quiet=True))))
    at = REST_MM
    theatre.move("pointer", at, at, 0.0)
    with session(theatre, LiveTheatre(theatre), registered=False) as s:
        s.operator.wait(lambda: bool(s.operator.alerts_since(0)))
        for landmark in theatre.scene.landmarks:
            # The ball rests on the bone's back: its centre lies so much behind it.
            seat = one_level_up(landmark.name, landmark.position_mm) + rng.normal((0.0, TIP_MM, 0.0), HAND_MM)
            theatre.move("pointer", at, seat, time.monotonic(), MOVE_S)
            time.sleep(MOVE_S + 0.1)
            at = seat
            for action in ("start", "stop"):
                answer = s.operator.order(Collect(what="landmark", tool="pointer", action=action, landmark=landmark.name))  # type: ignore[arg-type]
                if not answer.ok:
                    raise NavtwinError(f"{landmark.name} was not taken: {answer.reason}", "look at the touch")
                time.sleep(TOUCH_S if action == "start" else 0.0)
        begin_ns = time.monotonic_ns()
        s.operator.order(Register(method="landmarks"))
        setup = s.operator.wait(lambda: _registered(s.operator), 60.0)
        found = by_answer(fault, seed, begin_ns, s.operator.order(Accept(result="registration")))
        if setup is None or setup.registration is None:
            return msgspec.structs.replace(found, trouble="the registration gave no result")
        return msgspec.structs.replace(found, recovered=not setup.registration.accepted or _stays_in_doubt(s.operator, setup.registration.level))


def _registered(operator: Operator) -> Setup | None:
    return next((setup for setup in reversed(operator.setups()) if "registration" in setup.pending and setup.registration is not None), None)


def _stays_in_doubt(operator: Operator, named: str) -> bool:
    """Whether a registration that is taken with its level named is alarmed until a check has told the levels apart."""
    taken_ns = time.monotonic_ns()
    if not operator.order(Accept(result="registration", level=named)).ok:
        return False
    return bool(operator.wait(lambda: any(alarm_in(a, ("LEVEL_UNCONFIRMED",), ()) for _, a, _ in operator.alerts_since(taken_ns)), 3.0))
