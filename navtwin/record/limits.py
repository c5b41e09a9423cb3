"""The limits that held at each time of a session, by the orders that were accepted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from navtwin.nouns import Collect, Order, Reply, SetLimits, Undo


class Given(Protocol):
    """An order of the log and what became of it."""

    @property
    def t_ns(self) -> int: ...
    @property
    def order(self) -> Order: ...
    @property
    def reply(self) -> Reply | None: ...


def limit_steps(structure: str, own: tuple[float, float], orders: Iterable[Given]) -> tuple[tuple[int, float, float], ...]:
    """(since, caution, danger): the case's own limits, then every change that was accepted.

    `undo` takes back the last landmark, sweep or change of limits, whichever came last.
    """
    steps, done = [(0, *own)], list[SetLimits | Collect]()
    for given in orders:
        if given.reply is None or not given.reply.ok:
            continue
        order = given.order
        if isinstance(order, SetLimits) or (isinstance(order, Collect) and order.what != "pivot" and order.action == "stop"):
            done.append(order)
        elif isinstance(order, Undo) and done:
            done.pop()
        mine = [o for o in done if isinstance(o, SetLimits) and o.structure == structure]
        now = (mine[-1].caution_mm, mine[-1].danger_mm) if mine else own
        if now != steps[-1][1:]:
            steps.append((given.t_ns, *now))
    return tuple(steps)
