"""Quality alerts as they are kept: each opens once and closes once, and is owed to the webhook until told."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import delete, func, insert, or_, select, update

from tekil.store.clock import Begin, now_us
from tekil.store.quality_tables import quality_alerts

KEPT_US = 90 * 86_400 * 1_000_000
"""How long an alert that is over is kept."""

Turn = Literal["opened", "closed"]


class Trouble(msgspec.Struct, frozen=True, order=True):
    """What an alert is about: a kind of fault (`missing`, `late`, …) of a source, and where it is."""

    kind: str
    source: str
    event: str = ""
    field: str = ""


class QualityAlert(msgspec.Struct, frozen=True):
    """An alert. `messages` is how many were wrong when it opened; instants are microseconds."""

    id: str
    kind: str
    source: str
    event: str
    field: str
    messages: int
    opened_at: int
    closed_at: int | None
    owes_opened: bool
    owes_closed: bool

    @property
    def trouble(self) -> Trouble:
        """What it is about."""
        return Trouble(self.kind, self.source, self.event, self.field)


_COLUMNS = [quality_alerts.c[name] for name in QualityAlert.__struct_fields__]
_OPEN = quality_alerts.c.closed_at.is_(None)


class QualityAlerts:
    """Reads and writes of quality alerts."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def open(self) -> list[QualityAlert]:
        """Return the alerts that are open, by kind and source."""
        ordered = (quality_alerts.c[name] for name in ("kind", "source", "event", "field"))
        with self._begin() as connection:
            rows = connection.execute(select(*_COLUMNS).where(_OPEN).order_by(*ordered))
            return [QualityAlert(*row) for row in rows]

    def count_open(self) -> int:
        """Return how many alerts are open."""
        with self._begin() as connection:
            counted = select(func.count()).select_from(quality_alerts).where(_OPEN)
            return int(connection.execute(counted).scalar_one())

    def settle(
        self, found: Sequence[tuple[Trouble, int]], *, owed: bool
    ) -> tuple[list[QualityAlert], list[QualityAlert]]:
        """Open alerts for what is wrong now (with how many messages), close what is no more; return both.

        `owed` says that somebody is to be told of each.
        """
        now = now_us()
        with self._begin() as connection:
            rows = connection.execute(select(*_COLUMNS).where(_OPEN))
            before = {(alert := QualityAlert(*row)).trouble: alert for row in rows}
            wrong = dict(found)
            opened = [
                _opened(one, messages, now, owed=owed)
                for one, messages in sorted(wrong.items())
                if one not in before
            ]
            closed = [
                msgspec.structs.replace(alert, closed_at=now, owes_closed=owed)
                for one, alert in sorted(before.items())
                if one not in wrong
            ]
            if opened:
                connection.execute(insert(quality_alerts), [msgspec.structs.asdict(one) for one in opened])
            if closed:
                over = quality_alerts.c.id.in_([alert.id for alert in closed])
                connection.execute(update(quality_alerts).where(over).values(closed_at=now, owes_closed=owed))
            connection.execute(delete(quality_alerts).where(quality_alerts.c.closed_at < now - KEPT_US))
        return opened, closed

    def owed(self) -> list[tuple[QualityAlert, Turn]]:
        """Return what the webhook has still to be told, the oldest first; what opened before it closed."""
        owes = or_(quality_alerts.c.owes_opened, quality_alerts.c.owes_closed)
        with self._begin() as connection:
            rows = connection.execute(select(*_COLUMNS).where(owes).order_by(quality_alerts.c.opened_at))
            alerts = [QualityAlert(*row) for row in rows]
        found: list[tuple[QualityAlert, Turn]] = []
        for alert in alerts:
            found += [(alert, "opened")] if alert.owes_opened else []
            found += [(alert, "closed")] if alert.owes_closed else []
        return found

    def paid(self, alert_id: str, turn: Turn) -> None:
        """Note that the webhook was told of an alert's beginning or end, or will not be any more."""
        with self._begin() as connection:
            told = update(quality_alerts).where(quality_alerts.c.id == alert_id)
            connection.execute(told.values({f"owes_{turn}": False}))


def _opened(trouble: Trouble, messages: int, now: int, *, owed: bool) -> QualityAlert:
    return QualityAlert(
        secrets.token_hex(16),
        trouble.kind,
        trouble.source,
        trouble.event,
        trouble.field,
        messages,
        opened_at=now,
        closed_at=None,
        owes_opened=owed,
        owes_closed=False,
    )
