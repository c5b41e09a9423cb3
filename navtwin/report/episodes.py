"""The complete active sets, published every 50 ms, folded into rows that can be read: one per spell of one alert at one level."""

from __future__ import annotations

from dataclasses import dataclass, field

from navtwin.nouns import LEVELS, Alert, AlertSet, Command, Level, Order, Priority, Reply, TechnicalAlarm


@dataclass
class AlertRow:
    """One alert at one level, from the rise (or fall) to that level until it left it.

    Attributes
    ----------
    distance_mm, bound_mm, speed_mm_s, known : as published when the level began
    nearest_mm : smallest measured distance while it lasted, None if never known
    rose : whether it came up to this level, not down
    unknown_in_between : whether the distance was lost at some time while it lasted
    end_ns : None if it was still so when the log ended
    """

    id: str
    structure: str
    instrument: str
    part: str
    level: Level
    start_ns: int
    limit_mm: float
    distance_mm: float | None
    bound_mm: float | None
    speed_mm_s: float | None
    known: bool
    nearest_mm: float | None
    rose: bool
    end_ns: int | None = None
    unknown_in_between: bool = False
    acked_by: str = ""
    acked_ns: int | None = None


@dataclass
class TechnicalRow:
    """One technical alarm at one priority, from its beginning to its end."""

    id: str
    subject: str
    priority: Priority
    text: str
    remedy: str
    start_ns: int
    end_ns: int | None = None
    acked_by: str = ""
    acked_ns: int | None = None


@dataclass
class CommandRow:
    """One order by one operator and what became of it."""

    t_ns: int
    who: str
    id: str
    order: Order
    text: str
    reply: Reply | None = None


@dataclass
class Episodes:
    """Rows finished and rows still open, by id."""

    alerts: list[AlertRow] = field(default_factory=list)
    technical: list[TechnicalRow] = field(default_factory=list)
    open_alerts: dict[str, AlertRow] = field(default_factory=dict)
    open_technical: dict[str, TechnicalRow] = field(default_factory=dict)

    def take(self, published: AlertSet) -> None:
        """Fold one complete active set in; what is absent from it has ended."""
        self._take_alerts(published)
        self._take_technical(published)

    def _take_alerts(self, published: AlertSet) -> None:
        present = {alert.id: alert for alert in published.alerts if alert.level != LEVELS[0]}
        before: dict[str, int] = {}
        for key in [k for k, row in self.open_alerts.items() if k not in present or present[k].level != row.level]:
            row = self.open_alerts.pop(key)
            row.end_ns = published.t_ns
            before[key] = LEVELS.index(row.level)
        for key, alert in present.items():
            if key not in self.open_alerts:
                self.open_alerts[key] = _alert_row(alert, published.t_ns, rose=LEVELS.index(alert.level) > before.get(key, 0))
                self.alerts.append(self.open_alerts[key])
            row = self.open_alerts[key]
            if alert.distance_mm is not None:
                row.nearest_mm = alert.distance_mm if row.nearest_mm is None else min(row.nearest_mm, alert.distance_mm)
            row.unknown_in_between |= not alert.known
            if alert.acked_by and row.acked_ns is None:
                row.acked_by, row.acked_ns = alert.acked_by, published.t_ns

    def _take_technical(self, published: AlertSet) -> None:
        present = {alarm.id: alarm for alarm in published.technical}
        for key in [k for k, row in self.open_technical.items() if k not in present or present[k].priority != row.priority]:
            self.open_technical.pop(key).end_ns = published.t_ns
        for key, alarm in present.items():
            row = self.open_technical.get(key)
            if row is None:
                row = self.open_technical[key] = _technical_row(alarm, published.t_ns)
                self.technical.append(row)
            if alarm.acked_by and row.acked_ns is None:
                row.acked_by, row.acked_ns = alarm.acked_by, published.t_ns


def _alert_row(alert: Alert, t_ns: int, *, rose: bool) -> AlertRow:
    return AlertRow(
        id=alert.id,
        structure=alert.structure,
        instrument=alert.instrument,
        part=alert.part,
        level=alert.level,
        start_ns=t_ns,
        limit_mm=alert.limit_mm,
        distance_mm=alert.distance_mm,
        bound_mm=alert.bound_mm,
        speed_mm_s=alert.speed_mm_s,
        known=alert.known,
        nearest_mm=alert.distance_mm,
        rose=rose,
    )


def _technical_row(alarm: TechnicalAlarm, t_ns: int) -> TechnicalRow:
    return TechnicalRow(alarm.id, alarm.subject, alarm.priority, alarm.text, alarm.remedy, t_ns)


def command_row(command: Command, t_ns: int) -> CommandRow:
    """A command as one line: its name and what it names, without the epoch."""
    order = command.order
    fields = [getattr(order, name) for name in order.__struct_fields__ if name != "epoch"]
    return CommandRow(
        t_ns, command.who, command.id, order, " ".join([str(order.__struct_config__.tag), *(_word(v) for v in fields if v not in (None, ""))])
    )


def _word(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
